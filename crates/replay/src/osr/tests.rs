use super::*;

/// A text as replays hold it.
fn text(text: &str) -> Vec<u8> {
    let mut out = vec![0x0b, text.len() as u8];
    out.extend(text.as_bytes());
    out
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    lzma_rs::lzma_compress(&mut std::io::Cursor::new(bytes), &mut out).unwrap();
    out
}

fn block(bytes: &[u8]) -> Vec<u8> {
    let packed = packed(bytes);
    let mut out = (packed.len() as i32).to_le_bytes().to_vec();
    out.extend(packed);
    out
}

const MD5: &str = "0123456789ABCDEF0123456789abcdef";

/// A replay up to its movements.
fn head(mode: u8, version: i32, mods: u32, map: &str, player: &str) -> Vec<u8> {
    let mut out = vec![mode];
    out.extend(version.to_le_bytes());
    out.extend(text(map));
    out.extend(text(player));
    out.push(0);
    for count in [9_u16, 8, 7, 6, 5, 4] {
        out.extend(count.to_le_bytes());
    }
    out.extend(123_456_i32.to_le_bytes());
    out.extend(99_u16.to_le_bytes());
    out.push(1);
    out.extend(mods.to_le_bytes());
    out.extend(text("0|1,1000|0.5,bad,2000|7,nan|1,3000|nan,"));
    out.extend(637_000_000_000_000_000_i64.to_le_bytes());
    out
}

fn whole(version: i32, mods: u32, movements: &str, rest: &[u8]) -> Vec<u8> {
    let mut out = head(0, version, mods, MD5, "Player");
    out.extend(block(movements.as_bytes()));
    out.extend(rest);
    out
}

fn read(bytes: &[u8]) -> Result<Replay, ReplayError> {
    Replay::read(bytes, &Limits::default())
}

fn code(bytes: &[u8]) -> &'static str {
    read(bytes).err().map_or("ok", |error| error.code())
}

/// Times of the frames.
fn times(movements: &str) -> Vec<i32> {
    let replay = read(&whole(20_200_427, 0, movements, &7_i64.to_le_bytes())).unwrap();
    replay.frames.iter().map(|frame| frame.at).collect()
}

#[test]
fn a_header_is_read() {
    let replay = read(&whole(20_200_427, 72, "5|1.5|-2|21,", &7_i64.to_le_bytes())).unwrap();
    assert_eq!(replay.mode, Mode::Standard);
    assert_eq!((replay.version, replay.mods, replay.score, replay.max_combo), (20_200_427, 72, 123_456, 99));
    assert_eq!(replay.map_md5, MD5.to_lowercase());
    assert_eq!(replay.player, "Player");
    assert_eq!(replay.counts, Counts { n300: 9, n100: 8, n50: 7, geki: 6, katu: 5, miss: 4 });
    assert!(replay.perfect && !replay.is_lazer());
    assert_eq!(replay.life, [(0, 1.0), (1000, 0.5), (2000, 1.0)]);
    assert_eq!(replay.frames, [Frame { at: 5, x: 1.5, y: -2.0, keys: 21 }]);
    assert_eq!((replay.seed, replay.online_id, replay.lazer), (None, 7, None));
}

#[test]
fn the_frames_before_a_play_are_left_out() {
    assert_eq!(times("0|256|-500|0,-1|256|-500|0,17|1|1|0,5|256|-500|0,"), [16, 21]);
    // A skipped introduction.
    assert_eq!(times("0|256|-500|0,9999|256|-500|0,-9000|1|1|0,500|2|2|0,8500|3|3|0,"), [9999]);
    assert_eq!(times("0|256|-500|0,9999|256|-500|0,0|1|1|0,16|1|1|0,"), [9999, 10_015]);
}

#[test]
fn where_time_goes_back_what_follows_waits_for_it() {
    assert_eq!(times("100|1|1|0,-50|2|2|0,20|3|3|0,30|4|4|0,10|5|5|0,"), [100, 100, 110]);
    assert_eq!(times("10|1|1|0,0|2|2|0,5|3|3|0"), [10, 10, 15]);
    assert_eq!(times("100|1|1|0,-50|256|-500|0,1|2|2|0,49|3|3|0,"), [100, 100]);
    // Stable lets a play begin before 0.
    assert_eq!(times("0|256|-500|0,-1|256|-500|0,-18|1|1|0,5|2|2|0,"), [-19, -14]);
}

#[test]
fn seeds_and_fractions_are_understood() {
    let replay = read(&whole(20_200_427, 0, "0.6|1|1|0,0.6|1|1|0, 1|1|1|0,-12345|0|0|-77,", &[])).unwrap();
    assert_eq!(replay.seed, Some(-77));
    assert_eq!(replay.frames.iter().map(|frame| frame.at).collect::<Vec<_>>(), [1, 1, 2]);
}

#[test]
fn columns_are_no_places() {
    let mut bytes = whole(20_200_427, 0, "0|1048575|1e30|0,5|-3|0|0,", &[]);
    assert_eq!(read(&bytes).unwrap().frames[0].x, 131_072.0);
    bytes[0] = 3;
    let frames = read(&bytes).unwrap().frames;
    assert_eq!((frames[0].x, frames[0].y, frames[1].x), (1_048_575.0, 131_072.0, 0.0));
}

#[test]
fn numbers_of_scores_are_as_wide_as_their_time_had_them() {
    let id = |version, bytes: &[u8]| read(&whole(version, 0, "0|1|1|0,", bytes)).unwrap().online_id;
    assert_eq!(id(20_140_721, &0x1_0000_0001_i64.to_le_bytes()), 0x1_0000_0001);
    assert_eq!(id(20_140_720, &77_i32.to_le_bytes()), 77);
    assert_eq!(id(20_121_007, &[]), 0);
    assert_eq!(id(20_200_427, &[1, 2]), 0);
}

#[test]
fn what_lazer_adds_is_read() {
    let json = r#"{"mods":[{"acronym":"DT","settings":{"speed_change":1.25}},{"acronym":"HD"},{"odd":1}],
        "statistics":{"great":5,"large_tick_hit":2,"bad":-1},"maximum_statistics":{"great":6},
        "client_version":"2025.1","rank":"S","total_score_without_mods":42}"#;
    let rest = [&7_i64.to_le_bytes()[..], &block(json.as_bytes())].concat();
    let replay = read(&whole(30_000_016, 0, "0|1|1|0,", &rest)).unwrap();
    assert!(replay.is_lazer());
    let lazer = replay.lazer.unwrap();
    let mods: Vec<_> = lazer.mods().map(|found| (found.acronym, found.number("speed_change"))).collect();
    assert_eq!(mods, [("DT", Some(1.25)), ("HD", None)]);
    assert_eq!(lazer.statistics().into_iter().collect::<Vec<_>>(), [("great", 5), ("large_tick_hit", 2)]);
    assert_eq!(lazer.maximum_statistics().get("great"), Some(&6));
    assert_eq!(lazer.counts().large_tick_hit, 2);
    assert_eq!((lazer.rank(), lazer.client_version()), (Some("S"), Some("2025.1")));
    assert_eq!(lazer.total_score_without_mods(), Some(42));
    // Lazer's first version had none; an absent block, and an empty one, are none.
    for (version, rest) in [
        (30_000_000, &7_i64.to_le_bytes()[..]),
        (30_000_016, &7_i64.to_le_bytes()),
        (30_000_016, &[7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    ] {
        assert_eq!(read(&whole(version, 0, "0|1|1|0,", rest)).unwrap().lazer, None);
    }
    let rest = [&7_i64.to_le_bytes()[..], &block(b"{")].concat();
    assert_eq!(code(&whole(30_000_016, 0, "0|1|1|0,", &rest)), "replay_corrupt");
    assert_eq!(Lazer { json: serde_json::json!([1]) }.mods().count(), 0);
}

#[test]
fn what_is_no_replay_is_refused() {
    let good = whole(20_200_427, 0, "0|1|1|0,", &7_i64.to_le_bytes());
    let until_id = good.len() - 8;
    for length in 0..until_id {
        assert_eq!(code(&good[..length]), "replay_corrupt", "{length}");
    }
    let with = |movements| whole(20_200_427, 0, movements, &[]);
    for movements in
        ["x|1|1|0,", "0|x|1|0,", "0|1|nan|0,", "inf|1|1|0,", "0|1|1|x,", "90000000|1|1|0,", "0|1|1|1.5,"]
    {
        assert_eq!(code(&with(movements)), "replay_corrupt", "{movements}");
    }
    for movements in ["", ",,", "0|1|1,", "-12345|0|0|5,"] {
        assert_eq!(code(&with(movements)), "replay_empty", "{movements}");
    }
    let mut no_block = head(0, 20_200_427, 0, MD5, "Player");
    no_block.extend(0_i32.to_le_bytes());
    assert_eq!(code(&no_block), "replay_empty");
    for (mode, map) in [(4, MD5), (0, ""), (0, "0123"), (0, "0123456789abcdef0123456789abcdeg")] {
        let mut bytes = head(mode, 20_200_427, 0, map, "Player");
        bytes.extend(block(b"0|1|1|0,"));
        assert_eq!(code(&bytes), "replay_corrupt", "{mode} {map}");
    }
    let mut bytes = head(0, 20_200_427, 0, MD5, "\u{1b}[31mRed\0");
    bytes.extend(block(b"0|1|1|0,"));
    assert_eq!(read(&bytes).unwrap().player, "[31mRed");
}

#[test]
fn what_grows_is_bounded() {
    let limits = Limits { replay_unpacked_bytes: 5000, replay_frames: 3, ..Limits::default() };
    let code = |bytes: &[u8]| Replay::read(bytes, &limits).err().map_or("ok", |error| error.code());
    let commas = |count| ",".repeat(count);
    assert_eq!(code(&whole(20_200_427, 0, &format!("0|1|1|0,{}", commas(4992)), &[])), "ok");
    // No size is written, so it grows until it is stopped.
    assert_eq!(code(&whole(20_200_427, 0, &format!("0|1|1|0,{}", commas(20_000)), &[])), "replay_too_long");
    assert_eq!(code(&whole(20_200_427, 0, "0|1|1|0,0|1|1|0,0|1|1|0,", &[])), "ok");
    assert_eq!(code(&whole(20_200_427, 0, "0|1|1|0,0|1|1|0,0|1|1|0,0|1|1|0,", &[])), "replay_too_long");
    let limits = Limits { replay_bytes: 10, ..Limits::default() };
    assert_eq!(Replay::read(&[0; 11], &limits).unwrap_err().code(), "replay_too_long");
    // A header that promises 5,001 bytes, and one with a dictionary of 4 GiB.
    let mut block = packed(b"0|1|1|0,");
    block[1..5].copy_from_slice(&[0xff; 4]);
    assert_eq!(unpack(&block, 5000).unwrap(), b"0|1|1|0,");
    block[5..13].copy_from_slice(&5001_u64.to_le_bytes());
    assert_eq!(unpack(&block, 5000).unwrap_err().code(), "replay_too_long");
    block[0] = 225;
    assert_eq!(unpack(&block, 6000).unwrap_err().code(), "replay_corrupt");
}
