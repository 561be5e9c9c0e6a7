#[test]
fn costs() {
    for (n, sl) in [(1200usize, 1usize), (100, 150), (3, 40000)] {
        let path: Vec<String> = (0..n).map(|i| format!("{}:{}", (i * 977) % 512, (i * 577) % 384)).collect();
        let objs: Vec<String> =
            (0..sl).map(|i| format!("0,0,{},2,0,B|{},1,100", 1000 + i * 500, path.join("|"))).collect();
        let text = format!(
            "osu file format v14\n[General]\nMode: 0\n[TimingPoints]\n0,500,4,1,0,80,1,0\n[HitObjects]\n{}\n",
            objs.join("\n")
        );
        let t = std::time::Instant::now();
        let r = replay::beatmap::Beatmap::read(text.as_bytes(), &Default::default());
        eprintln!("{n} {sl} {:?} {:?}", t.elapsed(), r.map(|m| m.map.hit_objects.len()));
    }
}
