//! Titles come from anywhere: what of a text is drawn at all. Pure.
//!
//! The result is one line without controls (those of direction too: they would turn what stands beside them), bounded
//! in length and in the marks that pile up on a letter.

use unicode_segmentation::UnicodeSegmentation;

/// Most characters of a line.
pub(super) const LONGEST: usize = 200;
/// Most marks on one letter; no language needs more.
const MOST_MARKS: usize = 3;
/// Most characters that make one sign: the longest emoji of a family have about ten.
const LONGEST_SIGN: usize = 12;

/// The text as it is drawn: one line, without what cannot be seen or does harm.
pub(super) fn line(text: &str) -> String {
    let mut line = String::new();
    let mut count = 0;
    let mut marks = 0;
    let mut space = false;
    for character in text.chars().take(LONGEST * 8) {
        if character.is_whitespace() || character.is_control() {
            space = !line.is_empty();
            continue;
        }
        if is_harmful(character) {
            continue;
        }
        marks = if is_mark(character) { marks + 1 } else { 0 };
        // A mark needs a letter before it.
        if marks > MOST_MARKS || (marks > 0 && (line.is_empty() || space)) {
            continue;
        }
        if count >= LONGEST {
            break;
        }
        if space {
            line.push(' ');
            count += 1;
            space = false;
        }
        line.push(character);
        count += 1;
    }
    line
}

/// The signs that a reader takes for one each; none longer than a dozen characters.
pub(super) fn signs(line: &str) -> Vec<&str> {
    let mut signs = Vec::new();
    for sign in line.graphemes(true) {
        let mut rest = sign;
        while let Some((at, _)) = rest.char_indices().nth(LONGEST_SIGN) {
            let (first, second) = rest.split_at(at);
            signs.push(first);
            rest = second;
        }
        signs.push(rest);
    }
    signs
}

/// Combining marks and what else has no width of its own, but for joiners and the choosers of variants.
pub(super) fn is_mark(character: char) -> bool {
    use unicode_script::UnicodeScript as _;
    let code = u32::from(character);
    // The choosers and joiners are "inherited" too.
    let joins = is_joining(character);
    let inherited = character.script() == unicode_script::Script::Inherited;
    // Marks of single scripts that are known to be piled up: Hebrew, Arabic, Thai, Tibetan, and half marks.
    let own = matches!(code, 0x0483..=0x0489 | 0x0591..=0x05BD | 0x0610..=0x061A | 0x06D6..=0x06ED | 0x0E31
        | 0x0E34..=0x0E3A | 0x0E47..=0x0E4E | 0x0F71..=0x0F84 | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF
        | 0x20D0..=0x20FF | 0xFE20..=0xFE2F);
    !joins && (inherited || own)
}

/// Joiners and choosers of variants: they change how their neighbours look and have no look themselves.
pub(super) fn is_joining(character: char) -> bool {
    matches!(u32::from(character), 0x200C | 0x200D | 0xFE00..=0xFE0F | 0x180B..=0x180D | 0xE0100..=0xE01EF)
}

/// Controls of direction, invisible signs, tags, and what is not a character.
fn is_harmful(character: char) -> bool {
    let code = u32::from(character);
    matches!(code, 0x00AD | 0x034F | 0x061C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180E | 0x200B | 0x200E | 0x200F
        | 0x202A..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFDD0..=0xFDEF | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFC
        | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE00FF | 0xE01F0..=0xE0FFF)
        || code & 0xFFFE == 0xFFFE
}

/// Whether a character is a picture by itself.
pub(super) fn is_picture(character: char) -> bool {
    matches!(u32::from(character), 0x231A | 0x231B | 0x23E9..=0x23EC | 0x23F0 | 0x23F3 | 0x2614 | 0x2615
        | 0x2648..=0x2653 | 0x267F | 0x2693 | 0x26A1 | 0x26AA | 0x26AB | 0x26BD | 0x26BE | 0x26C4 | 0x26C5 | 0x26CE
        | 0x26D4 | 0x26EA | 0x26F2 | 0x26F3 | 0x26F5 | 0x26FA | 0x26FD | 0x2705 | 0x270A | 0x270B | 0x2728 | 0x274C
        | 0x274E | 0x2753..=0x2755 | 0x2757 | 0x2795..=0x2797 | 0x27B0 | 0x27BF | 0x2B1B | 0x2B1C | 0x2B50 | 0x2B55
        | 0x1F000..=0x1F0FF | 0x1F18E | 0x1F191..=0x1F19A | 0x1F1E6..=0x1F1FF | 0x1F201..=0x1F265
        | 0x1F300..=0x1F64F | 0x1F680..=0x1F6FF | 0x1F7E0..=0x1F7F0 | 0x1F900..=0x1FAFF)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_are_one_line_and_keep_their_words() {
        assert_eq!(line("  Ace \n\t clutch\r\n"), "Ace clutch");
        assert_eq!(line("a\u{202E}b\u{2066}c\u{200F}d\u{0}e\u{FEFF}"), "abcd e");
        assert_eq!(line("兎田ぺこら\u{3000}配信"), "兎田ぺこら 配信");
        assert_eq!(line("\u{301}\u{301}"), "");
        assert_eq!(line("👩\u{200D}💻 ❤\u{FE0F}"), "👩\u{200D}💻 ❤\u{FE0F}");
        assert_eq!(line("nin\u{303}o"), "nin\u{303}o");
    }

    #[test]
    fn piles_of_marks_are_cut() {
        let pile = format!("Z{}a", "\u{300}\u{489}\u{36F}".repeat(50));
        assert_eq!(line(&pile).chars().count(), 5);
        assert_eq!(line(&"w".repeat(100_000)).len(), LONGEST);
        assert!(signs(&format!("a{}", "\u{200D}".repeat(190))).iter().all(|sign| sign.chars().count() <= 12));
    }

    proptest! {
        #[test]
        fn any_text_becomes_a_bounded_line(text in "\\PC*|(?s).{0,300}|[\u{200b}-\u{206f}a\u{300}-\u{310}\n]{0,300}") {
            let line = line(&text);
            prop_assert!(line.chars().count() <= LONGEST + 1);
            prop_assert!(!line.chars().any(|c| c.is_control() || is_harmful(c)));
            prop_assert_eq!(line.trim(), &line);
            prop_assert_eq!(signs(&line).concat(), line.as_str());
            prop_assert_eq!(super::line(&line), line);
        }
    }
}
