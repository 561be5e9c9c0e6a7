//! From tokens with times to words with times.
//!
//! Pure but for the tokenizer's vocabulary. A word's times are held to where the detector heard a voice: attention drifts
//! into pauses, the detector does not.

use contracts::transcript::Word;

/// A stretch of a word on one side of a pause that is shorter than this, in seconds, is taken for drift.
const DRIFT: f64 = 0.15;
/// The same, where the punctuation says that the pause is not part of the word.
const CLAUSE_DRIFT: f64 = 0.3;

/// The tokens of one word: where they begin and end in the list of tokens.
pub(super) type TokenRange = std::ops::Range<usize>;

/// Groups tokens into words. `piece` gives a token's text in the vocabulary, where `▁` stands for the space before a word.
pub(super) fn group_tokens<'a>(tokens: &[u32], piece: impl Fn(u32) -> Option<&'a str>) -> Vec<TokenRange> {
    let mut words: Vec<TokenRange> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let begins = piece(*token).is_some_and(|text| text.starts_with('▁'));
        match words.last_mut() {
            Some(word) if !begins => word.end = at + 1,
            _ => words.push(at..at + 1),
        }
    }
    words
}

/// Times the words of a chunk. `times` holds the start of each token and the end of the last, in seconds from the chunk's
/// start, and `voiced` the speech in the chunk in the same measure. `offset` is the chunk's start on the montage.
pub(super) fn time_words(
    words: Vec<(TokenRange, String)>,
    times: &[f64],
    voiced: &[(f64, f64)],
    offset: f64,
) -> Vec<Word> {
    let mut after_clause = true;
    words
        .into_iter()
        .filter_map(|(tokens, text)| {
            let ends_clause = text.ends_with([',', ';', ':', '.', '!', '?', '…']);
            let place = Place { after_clause, ends_clause };
            after_clause = ends_clause;
            let (start, end) = hold(*times.get(tokens.start)?, *times.get(tokens.end)?, voiced, place);
            Some(Word { start: offset + start, end: offset + end, text })
        })
        .collect()
}

/// Where a word stands in its sentence: speakers pause after clauses, not in the midst of words.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    after_clause: bool,
    ends_clause: bool,
}

/// Moves the ends of a word out of pauses. A word that reaches over a pause is drawn to one side of it: to the side that
/// the punctuation names, unless much of the word lies on the other, and away from a side of mere drift.
fn hold(start: f64, end: f64, voiced: &[(f64, f64)], place: Place) -> (f64, f64) {
    let overlap = |region: &(f64, f64)| (end.min(region.1) - start.max(region.0)).max(0.0);
    let mut kept: Vec<(f64, f64)> = voiced.iter().filter(|region| overlap(region) > 0.0).copied().collect();
    if place.after_clause && kept.len() > 1 && overlap(&kept[0]) < CLAUSE_DRIFT {
        kept.remove(0);
    } else if place.ends_clause && kept.len() > 1 && overlap(&kept[kept.len() - 1]) < CLAUSE_DRIFT {
        kept.pop();
    } else {
        let longest = kept.iter().map(overlap).fold(0.0, f64::max);
        kept.retain(|region| overlap(region) >= longest.min(DRIFT));
    }
    match (kept.first(), kept.last()) {
        (Some(first), Some(last)) => (start.max(first.0), end.min(last.1)),
        // Wholly in a pause, or of no length: the nearest moment of speech.
        _ => {
            let moments = voiced.iter().map(|region| start.clamp(region.0, region.1));
            let near =
                moments.min_by(|a, b| (a - start).abs().total_cmp(&(b - start).abs())).unwrap_or(start);
            (near, near)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tokens_group_at_spaces() {
        let pieces = ["▁And", "▁so", ",", "▁my", "▁fel", "low"];
        let groups = group_tokens(&[0, 1, 2, 3, 4, 5], |token| pieces.get(token as usize).copied());
        assert_eq!(groups, [0..1, 1..3, 3..4, 4..6]);
        assert!(group_tokens(&[], |_| None).is_empty());
    }

    #[test]
    fn words_are_held_to_the_voice() {
        let voiced = [(1.0, 2.0), (3.0, 5.0)];
        let hold = |start, end| super::hold(start, end, &voiced, Place::default());
        assert_eq!(hold(1.2, 1.6), (1.2, 1.6));
        assert_eq!(hold(0.2, 1.6), (1.0, 1.6));
        assert_eq!(hold(1.7, 2.8), (1.7, 2.0));
        assert_eq!(hold(1.95, 3.6), (3.0, 3.6), "a little drift before the pause");
        assert_eq!(hold(1.5, 3.05), (1.5, 2.0), "a little drift after the pause");
        assert_eq!(hold(1.5, 3.5), (1.5, 3.5));
        assert_eq!(hold(2.1, 2.4), (2.0, 2.0));
        assert_eq!(hold(3.4, 3.4), (3.4, 3.4), "no length, but in the midst of speech");
    }

    #[test]
    fn punctuation_says_which_side_of_a_pause() {
        let voiced = [(1.0, 2.0), (3.0, 5.0)];
        let after = Place { after_clause: true, ends_clause: false };
        let ends = Place { after_clause: false, ends_clause: true };
        assert_eq!(hold(1.8, 3.1, &voiced, after), (3.0, 3.1));
        assert_eq!(hold(1.9, 3.2, &voiced, ends), (1.9, 2.0));
        assert_eq!(hold(1.2, 3.4, &voiced, after), (1.2, 3.4), "too much of it is before the pause");
    }

    proptest! {
        #[test]
        fn held_words_touch_the_voice(start in 0.0..20.0f64, length in 0.0..3.0f64, lone in 0.0..9.0f64, after_clause: bool, ends_clause: bool) {
            let voiced = [(lone, lone + 1.0), (lone + 1.5, lone + 6.0)];
            let place = Place { after_clause, ends_clause };
            let (begin, end) = hold(start, start + length, &voiced, place);
            prop_assert!(begin <= end);
            prop_assert!(voiced.iter().any(|region| region.0 <= begin && begin <= region.1));
            prop_assert!(voiced.iter().any(|region| region.0 <= end && end <= region.1));
        }
    }
}
