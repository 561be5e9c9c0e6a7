use crate::support::*;
#[test]
fn bench_tmp() {
    let path = std::path::PathBuf::from("/tmp/ct/src.mp4");
    let clips = (0..6).map(|n| clip(0, ms(7300 + n * 20_000), ms(20_000))).collect();
    let (order, sources) = order(&[path], clips);
    let d = tempfile::tempdir().unwrap();
    let start = std::time::Instant::now();
    let stages = std::sync::Mutex::new(Vec::new());
    let cpu = || { let s = std::fs::read_to_string("/proc/self/stat").unwrap(); let f: Vec<&str> = s.split(' ').collect(); (f[13].parse::<f64>().unwrap() + f[14].parse::<f64>().unwrap()) / 100.0 };
    let r = cutter::render::render(&order, &sources, d.path(), &|p| { let mut s = stages.lock().unwrap(); if s.last().is_none_or(|(l, _, _)| *l != p.stage) { s.push((p.stage, start.elapsed(), cpu())); } }).unwrap();
    println!("{:?}\n{:?} cpu {} {} bytes {}", stages.lock().unwrap(), start.elapsed(), cpu(), r.media.frames, r.media.bytes);
}
