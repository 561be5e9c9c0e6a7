use std::io::Write;

use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::*;

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in files {
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn open(bytes: Vec<u8>) -> Result<Archive, ReplayError> {
    Archive::open(bytes, About::Map, &Limits::default())
}

/// Replaces bytes wherever they are: names stand at the file and in the directory.
fn patched(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let places: Vec<usize> =
        (0..=bytes.len() - from.len()).filter(|at| &bytes[*at..at + from.len()] == from).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

fn code(result: Result<impl Sized, ReplayError>) -> &'static str {
    result.err().map_or("ok", |error| error.code())
}

#[test]
fn files_are_found_whatever_their_case_and_slashes() {
    let archive = open(zipped(&[("SB\\Star.PNG", b"star"), ("song.mp3", b"song")])).unwrap();
    for name in ["sb/star.png", "SB\\STAR.PNG", "./sb//Star.png"] {
        assert!(archive.has(name));
        assert_eq!(archive.read(name).unwrap(), b"star");
        assert_eq!(archive.read(name).unwrap(), b"star");
    }
    assert_eq!(archive.names().collect::<Vec<_>>(), ["SB/Star.PNG", "song.mp3"]);
    assert_eq!(code(archive.read("absent")), "replay_archive_corrupt");
    let loose = Archive::of([("Song.mp3".to_owned(), b"song".to_vec())], About::Map, &Limits::default());
    assert_eq!(loose.read("song.MP3").unwrap(), b"song");
}

#[test]
fn of_names_that_differ_in_case_the_last_stands() {
    let archive = open(zipped(&[("a.png", b"first"), ("A.png", b"last")])).unwrap();
    assert_eq!(archive.read("a.PNG").unwrap(), b"last");
    assert_eq!(archive.names().count(), 1);
}

#[test]
fn folders_around_everything_do_not_count() {
    let archive =
        open(zipped(&[("a/b/skin.ini", b""), ("a/b/c/x.png", b""), ("__MACOSX/a/b/._x.png", b"")])).unwrap();
    assert_eq!(archive.names().collect::<Vec<_>>(), ["c/x.png", "skin.ini"]);
    assert_eq!(open(zipped(&[("a/one.osu", b"")])).unwrap().names().collect::<Vec<_>>(), ["one.osu"]);
    let archive = open(zipped(&[("a/one", b""), ("b/two", b"")])).unwrap();
    assert_eq!(archive.names().collect::<Vec<_>>(), ["a/one", "b/two"]);
    assert_eq!(open(zipped(&[])).unwrap().names().count(), 0);
}

#[test]
fn names_that_leave_the_archive_are_refused() {
    let good = zipped(&[("abcdefghij", b"x"), ("other", b"y")]);
    let tricks: [&[u8]; 8] = [
        b"/etc/aside",
        b"../../asid",
        b"ab/../../x",
        b"C:\\aside.x",
        b"c:aside.xx",
        b"..\\..\\asid",
        b"\\\\host\\xxx",
        b"ab.png\0.sh",
    ];
    for name in tricks {
        let result = open(patched(good.clone(), b"abcdefghij", name));
        assert_eq!(code(result), "replay_archive_unsafe", "{}", String::from_utf8_lossy(name));
    }
    for name in [&b"..abcdefgh"[..], b"ab..cd/..x", b"a/./b.pngx", b"10:20.pngx"] {
        assert!(open(patched(good.clone(), b"abcdefghij", name)).is_ok());
    }
}

#[test]
fn links_are_refused() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink("song.mp3", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    assert_eq!(code(open(zip.finish().unwrap().into_inner())), "replay_archive_unsafe");
}

#[test]
fn names_in_any_encoding_are_kept_apart() {
    // "曲1.mp3" and "曲2.mp3" in Shift-JIS, and "曲" in UTF-8 without saying so.
    let bytes =
        zipped(&[("aa1.mp3", b"one"), ("aa2.mp3", b"two"), ("bbb.mp3", b"three"), ("map.osu", b"map")]);
    let bytes = patched(patched(bytes, b"aa1", b"\x8b\xc81"), b"aa2", b"\x8b\xc82");
    let archive = open(patched(bytes, b"bbb", "曲".as_bytes())).unwrap();
    assert_eq!(archive.read("map.osu").unwrap(), b"map");
    assert_eq!(archive.read("曲.mp3").unwrap(), b"three");
    // By what is known of them.
    assert_eq!(archive.read("曲1.MP3").unwrap(), b"one");
    assert!(archive.has("曲2.mp3") && !archive.has("曲3.mp3") && !archive.has("12.mp3"));
    assert_eq!(archive.names().map(|name| archive.read(name).unwrap().len()).sum::<usize>(), 3 + 3 + 5 + 3);
}

#[test]
fn letters_whose_second_byte_looks_like_ascii_are_whole() {
    // "表a.mp3" in Shift-JIS: its second byte is that of "\"; and "é" in Latin-1, which could be two files.
    let bytes = patched(
        zipped(&[("bba.mp3", b"one"), ("c-.png", b"two"), ("d-.png", b"three")]),
        b"bba",
        b"\x95\x5ca",
    );
    let archive = open(patched(patched(bytes, b"c-", b"\xe9-"), b"d-", b"\xe8-")).unwrap();
    assert_eq!(archive.read("表a.mp3").unwrap(), b"one");
    assert!(!archive.has("é-.png") && !archive.has("a.mp3"));
}

#[test]
fn bombs_are_refused() {
    let limits =
        Limits { archive_files: 3, archive_file_bytes: 1000, archive_bytes: 1500, ..Limits::default() };
    let open = |bytes| Archive::open(bytes, About::Skin, &limits);
    let zeros = vec![0; 1001];
    assert_eq!(code(open(zipped(&[("a", &zeros[..1000])]))), "ok");
    assert_eq!(code(open(zipped(&[("a", &zeros)]))), "replay_archive_unsafe");
    assert_eq!(code(open(zipped(&[("a", &zeros[..1000]), ("b", &zeros[..501])]))), "replay_archive_unsafe");
    let four: Vec<(&str, &[u8])> = ["a", "b", "c", "d"].iter().map(|name| (*name, &b""[..])).collect();
    assert_eq!(code(open(zipped(&four[..3]))), "ok");
    assert_eq!(code(open(zipped(&four))), "replay_archive_unsafe");
    let nine: Vec<String> = (0..9).map(|name| name.to_string()).collect();
    let nine: Vec<(&str, &[u8])> = nine.iter().map(|name| (name.as_str(), &b""[..])).collect();
    assert_eq!(code(open(zipped(&nine))), "replay_archive_unsafe");
    // Says that it has ten bytes, and has a thousand.
    let lies = patched(zipped(&[("a", &zeros[..1000])]), &1000_u32.to_le_bytes(), &10_u32.to_le_bytes());
    assert_eq!(code(open(lies).unwrap().read("a")), "replay_archive_corrupt");
    let loose = Archive::of([("a".to_owned(), zeros)], About::Map, &limits);
    assert_eq!(code(loose.read("a")), "replay_archive_unsafe");
}

#[test]
fn what_is_far_larger_than_packed_is_refused() {
    let zeros = vec![0; LARGE as usize + 1];
    assert_eq!(code(open(zipped(&[("a", &zeros)]))), "replay_archive_unsafe");
    assert_eq!(code(open(zipped(&[("a", &zeros[..1 << 20])]))), "ok");
}

#[test]
fn what_is_no_archive_is_corrupt() {
    for bytes in [&b""[..], b"PK", b"Rar!\x1a\x07\0", &[0; 100]] {
        assert_eq!(code(open(bytes.to_vec())), "replay_archive_corrupt");
    }
}

#[test]
fn what_cannot_be_unpacked_fails_alone() {
    let good = zipped(&[("locked", &[7; 100]), ("map.osu", b"map")]);
    // Of the first file, in the directory: bit 0 of its flags is encryption; 98 is a way of packing that is not known here.
    let entry = good.windows(4).position(|bytes| bytes == DIRECTORY_ENTRY).unwrap();
    for (at, value) in [(8, 1), (10, 98)] {
        let mut bytes = good.clone();
        bytes[entry + at] = value;
        let archive = open(bytes).unwrap();
        assert_eq!(archive.read("map.osu").unwrap(), b"map");
        assert_eq!(code(archive.read("locked")), "replay_archive_corrupt");
    }
    // A bit of its content.
    let mut bytes = good;
    bytes[30 + "locked".len() + 2] ^= 4;
    assert_eq!(code(open(bytes).unwrap().read("locked")), "replay_archive_corrupt");
}
