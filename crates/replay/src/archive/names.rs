//! Names of an archive's files: made safe, made comparable, and guessed where they are in an encoding that nothing tells.
//!
//! Stable writes its archives with names in Shift-JIS, and old archivers in whatever their system used. Such a name is kept so
//! that it differs from all others, and is found by its [`outline`]: the letters that every encoding shares.

/// Stand for the bytes of letters in an unknown encoding: they are in no name that is UTF-8.
const UNKNOWN: u32 = 0xf_0000;

/// A name as text: UTF-8, whether it says so or not, or letters of which only those of ASCII are known. In the encodings of
/// East Asia the second byte of a letter may look like one of ASCII, even like a `\`: it goes with the first.
pub fn decoded(raw: &[u8]) -> String {
    if let Ok(name) = std::str::from_utf8(raw) {
        return name.to_owned();
    }
    let mut name = String::new();
    let mut bytes = raw.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let letter = match byte {
            0..=0x7f => u32::from(byte),
            0xa1..=0xdf => UNKNOWN + u32::from(byte),
            _ => {
                let second = bytes.next_if(|second| *second >= 0x40).unwrap_or(0);
                UNKNOWN + u32::from(byte) * 256 + u32::from(second)
            }
        };
        name.extend(char::from_u32(letter));
    }
    name
}

/// Whether letters of a name are unknown.
pub fn is_guessed(name: &str) -> bool {
    name.chars().any(|letter| u32::from(letter) >= UNKNOWN)
}

/// A looked-up name ([`key`]) as far as every encoding shares it: a `?` for each run of other letters.
pub fn outline(key: &str) -> String {
    let mut outline = String::new();
    for letter in key.chars() {
        if letter.is_ascii() {
            outline.push(letter);
        } else if !outline.ends_with('?') {
            outline.push('?');
        }
    }
    outline
}

/// How files are looked up: in lower case, with `/`, without empty steps.
pub fn key(name: &str) -> String {
    let name = name.replace('\\', "/").to_lowercase();
    let steps: Vec<&str> = name.split('/').filter(|step| !matches!(*step, "" | ".")).collect();
    steps.join("/")
}

/// The steps of a name; `None` where it is absolute, goes up, names a drive or hides its end behind a NUL.
pub fn steps(name: &str) -> Option<Vec<String>> {
    let name = name.replace('\\', "/");
    let drive =
        name.as_bytes().get(1) == Some(&b':') && name.starts_with(|first: char| first.is_ascii_alphabetic());
    if drive || name.starts_with('/') || name.contains('\0') || name.split('/').any(|step| step == "..") {
        return None;
    }
    Some(name.split('/').filter(|step| !matches!(*step, "" | ".")).map(str::to_owned).collect())
}

/// How many folders lie around everything.
pub fn folders_around(names: &[&[String]]) -> usize {
    let Some((first, others)) = names.split_first() else { return 0 };
    let shared =
        |name: &&[String]| first.iter().zip(name.iter()).take_while(|(one, other)| one == other).count();
    let most = first.len().saturating_sub(1);
    let least = others.iter().map(|name| shared(name).min(name.len().saturating_sub(1))).min();
    least.unwrap_or(most).min(most)
}
