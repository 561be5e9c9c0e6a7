//! The machine's font files: found and opened before a render worker locks itself in, read when a title needs them.
//!
//! Finding costs a walk through the usual folders and a few open files; nothing is read or parsed by it. Which files are
//! worth keeping open is decided by their names alone: those of well-known families for screens first, at most
//! [`MOST_FILES`]. A machine without fonts is no error: titles are then left out, and all their characters are missing.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Most files that are kept open.
const MOST_FILES: usize = 28;
/// Largest font that is read, in bytes.
const LARGEST: u64 = 64 << 20;
/// Most names that are looked at in all folders.
const MOST_NAMES: usize = 8192;
/// How deep folders are followed.
const DEEPEST: usize = 6;

/// Where fonts lie on a Linux system.
const FOLDERS: &[&str] = &["/usr/share/fonts", "/usr/local/share/fonts"];

/// Families in the order in which they are asked for a character; in lower case, without marks between the words.
const FAMILIES: &[&str] = &[
    // Latin, Greek, Cyrillic.
    "notosans",
    "inter",
    "opensans",
    "roboto",
    "dejavusans",
    "liberationsans",
    "freesans",
    // Chinese, Japanese, Korean; the Japanese forms of shared characters first.
    "notosanscjk",
    "notosanscjkjp",
    "notosansjp",
    "sourcehansans",
    "sourcehansansjp",
    "vlpgothic",
    "ipaexg",
    "ipagp",
    "wqymicrohei",
    "droidsansfallbackfull",
    "nanumgothic",
    // Pictures.
    "notocoloremoji",
    // Scripts of their own, by the number of people who write them.
    "notosansdevanagari",
    "notosansarabic",
    "notosansbengali",
    "notosansthai",
    "notosanstamil",
    "notosanstelugu",
    "notosanshebrew",
    "notosansarmenian",
    "notosansgeorgian",
    "symbola",
];

/// Words in the names of families and cuts that are no plain upright text, and are asked last.
const UNUSUAL: &[&str] = &[
    "black",
    "compressed",
    "condensed",
    "display",
    "extra",
    "heavy",
    "italic",
    "light",
    "math",
    "medium",
    "mono",
    "narrow",
    "oblique",
    "semi",
    "serif",
    "slanted",
    "thin",
];

/// A font file that is open.
#[derive(Debug)]
pub(super) struct FontFile {
    file: File,
    bytes: u64,
    pub(super) name: FontName,
}

impl FontFile {
    /// All its bytes.
    pub(super) fn read(&mut self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(self.bytes as usize);
        self.file.seek(SeekFrom::Start(0))?;
        (&self.file).take(LARGEST).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// What the name of a font file says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FontName {
    /// Place among the families; the smaller, the earlier it is asked.
    rank: usize,
    /// Name of the family, without marks.
    pub(super) family: String,
    /// Whether it is the bold cut.
    pub(super) bold: bool,
}

impl FontName {
    /// `None`: no font, or one that is never wanted.
    fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        if !matches!(extension.as_str(), "ttf" | "otf" | "ttc" | "otc") {
            return None;
        }
        let stem = path.file_stem()?.to_str()?.to_ascii_lowercase();
        // Variable fonts name their axes in brackets.
        let stem = stem.split('[').next().unwrap_or_default();
        let plain: String = stem.chars().filter(char::is_ascii_alphanumeric).collect();
        let (family, bold) = match plain.strip_suffix("bold") {
            Some(family) => (family, true),
            None => (plain.strip_suffix("regular").unwrap_or(&plain), false),
        };
        let rank = FAMILIES.iter().position(|known| *known == family).unwrap_or_else(|| {
            let unusual = UNUSUAL.iter().any(|word| family.contains(word));
            FAMILIES.len() + usize::from(unusual)
        });
        Some(Self { rank, family: family.to_owned(), bold })
    }

    /// Whether it holds coloured pictures.
    pub(super) fn is_emoji(&self) -> bool {
        self.family.contains("emoji")
    }
}

/// The font files of this machine that titles are drawn with, open and unread.
#[derive(Debug, Default)]
pub struct FontFiles(pub(super) Vec<FontFile>);

impl FontFiles {
    /// What tells these fonts from others: a name may look different with other ones.
    pub(super) fn fingerprint(&self) -> String {
        let files: Vec<_> =
            self.0.iter().map(|file| (&file.name.family, file.name.bold, file.bytes)).collect();
        crate::plan::digest(&files)
    }

    /// Finds and opens the machine's fonts. Call it before `sandbox::enter`, which closes their folders.
    pub fn find() -> Self {
        Self::find_in(FOLDERS.iter().map(PathBuf::from).collect())
    }

    /// The same in other folders.
    pub(crate) fn find_in(folders: Vec<PathBuf>) -> Self {
        let mut found: Vec<(FontName, PathBuf)> = Vec::new();
        let mut waiting: Vec<(PathBuf, usize)> = folders.into_iter().map(|folder| (folder, 0)).collect();
        let mut looked_at = 0;
        while let Some((folder, depth)) = waiting.pop() {
            let Ok(entries) = std::fs::read_dir(&folder) else { continue };
            for entry in entries.flatten() {
                looked_at += 1;
                if looked_at > MOST_NAMES {
                    waiting.clear();
                    break;
                }
                let path = entry.path();
                // Follows links: some packages keep their fonts elsewhere.
                let Ok(facts) = std::fs::metadata(&path) else { continue };
                if facts.is_dir() && depth < DEEPEST {
                    waiting.push((path, depth + 1));
                } else if facts.is_file() && facts.len() <= LARGEST {
                    found.extend(FontName::of(&path).map(|name| (name, path)));
                }
            }
        }
        // By rank and name, so that the order of a folder's entries does not matter.
        found.sort();
        found.dedup_by(|a, b| a.0 == b.0);
        let open = |(name, path): (FontName, PathBuf)| {
            let file = File::open(path).ok()?;
            let bytes = file.metadata().ok()?.len().min(LARGEST);
            Some(FontFile { file, bytes, name })
        };
        Self(found.into_iter().take(MOST_FILES).filter_map(open).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(path: &str) -> Option<(String, bool)> {
        FontName::of(Path::new(path)).map(|name| (name.family, name.bold))
    }

    #[test]
    fn names_tell_family_and_cut() {
        let known = |family: &str, bold| Some((family.to_owned(), bold));
        assert_eq!(name("/a/DejaVuSans.ttf"), known("dejavusans", false));
        assert_eq!(name("NotoSansCJK-Bold.ttc"), known("notosanscjk", true));
        assert_eq!(name("VL-PGothic-Regular.ttf"), known("vlpgothic", false));
        assert_eq!(name("Inter[opsz,wght].ttf"), known("inter", false));
        assert_eq!(name("fonts.dir"), None);
        let rank = |path: &str| FontName::of(Path::new(path)).unwrap().rank;
        assert!(rank("DejaVuSans.ttf") < rank("wqy-microhei.ttc"));
        assert!(rank("Lobster.ttf") > rank("Symbola.ttf"));
        assert!(rank("DejaVuSans-ExtraLight.ttf") > rank("Lobster.ttf"));
    }

    #[test]
    fn the_best_files_are_opened_whatever_else_lies_there() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        std::fs::create_dir_all(&inner).unwrap();
        for number in 0..200 {
            std::fs::write(inner.join(format!("Face{number}.ttf")), b"x").unwrap();
        }
        std::fs::write(folder.path().join("DejaVuSans-Bold.ttf"), b"bold").unwrap();
        // A circle of folders ends.
        std::os::unix::fs::symlink(folder.path(), inner.join("circle")).unwrap();
        let mut files = FontFiles::find_in(vec![folder.path().to_owned()]);
        assert_eq!(files.0.len(), MOST_FILES);
        assert!(files.0[0].name.bold && files.0[0].name.family == "dejavusans");
        assert_eq!(files.0[0].read().unwrap(), b"bold");
        assert_eq!(files.0[0].read().unwrap(), b"bold", "it can be read again");
        assert!(FontFiles::find_in(vec![folder.path().join("nothing")]).0.is_empty());
    }
}
