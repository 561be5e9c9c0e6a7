//! From timed words to cues that can be read: short, in order, never overlapping, ending where sentences end.
//!
//! Pure. The limits are those of common subtitle guides: two lines of 42 characters, six seconds, and not so short that
//! a cue flashes by.

use contracts::transcript::{Cue, Word};

use crate::timeline::Clip;

/// The most characters in a cue of more than one word: two lines of 42.
pub const MAX_CHARS: usize = 84;
/// The longest a cue of more than one word lasts, in seconds.
pub const MAX_SECONDS: f64 = 6.0;
/// A pause between words that always ends a cue, in seconds.
const PAUSE: f64 = 1.0;
/// A cue shorter than this, in seconds, is joined to a neighbour or stays on screen longer, where there is room.
const MIN_SECONDS: f64 = 1.0;

/// Turns the words said in one clip into cues. Word times are seconds on the montage; they are put in order and held
/// inside the clip first. `index` is the clip's place in the list of clips.
#[must_use]
pub fn cues_of_words(words: Vec<Word>, clip: &Clip, index: usize) -> Vec<Cue> {
    let words = tidy(words, clip);
    let mut groups: Vec<&[Word]> = Vec::new();
    for sentence in sentences(&words) {
        split_long(sentence, &mut groups);
    }
    let groups = join_short(&words, &groups);
    let mut cues: Vec<Cue> = Vec::with_capacity(groups.len());
    for (at, group) in groups.iter().enumerate() {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let limit = groups.get(at + 1).and_then(|next| next.first()).map_or(clip.end, |next| next.start);
        let end = last.end.max((first.start + MIN_SECONDS).min(limit));
        let text = group.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        cues.push(Cue {
            start: first.start,
            end,
            text,
            clip: index,
            source_start: clip.to_source(first.start),
            source_end: clip.to_source(end),
            words: group.to_vec(),
        });
    }
    for cue in &mut cues {
        round_times(cue);
    }
    cues.retain(|cue| cue.end > cue.start);
    cues
}

/// Drops empty words and makes the times finite, inside the clip and increasing.
fn tidy(words: Vec<Word>, clip: &Clip) -> Vec<Word> {
    let mut at = clip.start;
    words
        .into_iter()
        .filter_map(|word| {
            let text = word.text.split_whitespace().collect::<Vec<_>>().join(" ");
            if text.is_empty() {
                return None;
            }
            let held =
                |time: f64, least: f64| if time.is_finite() { time.clamp(least, clip.end) } else { least };
            let start = held(word.start, at);
            let end = held(word.end, start);
            at = end;
            Some(Word { start, end, text })
        })
        .collect()
}

/// Cuts after each word that ends a sentence and at each long pause.
fn sentences(words: &[Word]) -> Vec<&[Word]> {
    let mut result = Vec::new();
    let mut begin = 0;
    for at in 1..=words.len() {
        let cut = at == words.len()
            || ends_sentence(&words[at - 1].text)
            || words[at].start - words[at - 1].end >= PAUSE;
        if cut {
            result.push(&words[begin..at]);
            begin = at;
        }
    }
    result
}

/// Splits a sentence that does not fit a cue at its best place, again and again.
fn split_long<'a>(words: &'a [Word], groups: &mut Vec<&'a [Word]>) {
    if words.len() < 2 || fits(words) {
        if !words.is_empty() {
            groups.push(words);
        }
        return;
    }
    let total = length(words).max(1) as f64;
    let mut best = (1, f64::NEG_INFINITY);
    let mut left = 0;
    for at in 1..words.len() {
        left += words[at - 1].text.chars().count() + 1;
        // A clause's end is the best place, a pause the next best; then balance, which also keeps the halves from
        // being one word and the rest.
        let clause = if words[at - 1].text.ends_with([',', ';', ':', '—']) { 0.5 } else { 0.0 };
        let pause = (words[at].start - words[at - 1].end).clamp(0.0, 0.5);
        let balance = 1.0 - (2.0 * left as f64 / total - 1.0).abs();
        let score = clause + pause + balance;
        if score > best.1 {
            best = (at, score);
        }
    }
    let (head, tail) = words.split_at(best.0);
    split_long(head, groups);
    split_long(tail, groups);
}

/// Joins neighbours where one of them is too short to be read on its own and both fit one cue with no pause between.
fn join_short<'a>(words: &'a [Word], groups: &[&'a [Word]]) -> Vec<&'a [Word]> {
    // Each group is a stretch of `words`, so joining two is widening the bounds.
    let mut joined: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    for group in groups {
        let bounds = (at, at + group.len());
        at = bounds.1;
        if let Some(last) = joined.last_mut() {
            let both = &words[last.0..bounds.1];
            let short = |part: &[Word]| span(part) < MIN_SECONDS || length(part) < 12;
            let gap = words[bounds.0].start - words[bounds.0 - 1].end;
            if fits(both) && gap < PAUSE && (short(&words[last.0..last.1]) || short(group)) {
                last.1 = bounds.1;
                continue;
            }
        }
        joined.push(bounds);
    }
    joined.into_iter().map(|(begin, end)| &words[begin..end]).collect()
}

fn fits(words: &[Word]) -> bool {
    length(words) <= MAX_CHARS && span(words) <= MAX_SECONDS
}

/// Characters of the words with one space between.
fn length(words: &[Word]) -> usize {
    words.iter().map(|word| word.text.chars().count() + 1).sum::<usize>().saturating_sub(1)
}

/// Seconds from the first word's start to the last word's end.
fn span(words: &[Word]) -> f64 {
    match (words.first(), words.last()) {
        (Some(first), Some(last)) => last.end - first.start,
        _ => 0.0,
    }
}

fn ends_sentence(word: &str) -> bool {
    let bare = word.trim_end_matches(['"', '\'', ')', ']', '”', '’']);
    if !bare.ends_with(['.', '!', '?', '…']) {
        return false;
    }
    // "Mr." and the like do not end a sentence.
    !matches!(bare, "Mr." | "Mrs." | "Ms." | "Dr." | "St." | "Jr." | "Sr." | "vs." | "No.")
}

/// Milliseconds are all that caption formats hold; with whole ones the stored cues and the written files agree.
fn round_times(cue: &mut Cue) {
    let round = |time: &mut f64| *time = (*time * 1000.0).round() / 1000.0;
    for time in [&mut cue.start, &mut cue.end, &mut cue.source_start, &mut cue.source_end] {
        round(time);
    }
    for word in &mut cue.words {
        round(&mut word.start);
        round(&mut word.end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn word(start: f64, end: f64, text: &str) -> Word {
        Word { start, end, text: text.to_owned() }
    }

    fn evenly(text: &str, start: f64, each: f64) -> Vec<Word> {
        text.split(' ')
            .enumerate()
            .map(|(i, text)| word(start + i as f64 * each, start + (i as f64 + 0.9) * each, text))
            .collect()
    }

    const CLIP: Clip = Clip { start: 0.0, end: 120.0, source_start: 50.0 };

    #[test]
    fn sentences_become_cues() {
        let words = evenly("It was the best of times. It was the worst of times. It was the age.", 1.0, 0.3);
        let cues = cues_of_words(words, &CLIP, 3);
        let texts: Vec<&str> = cues.iter().map(|cue| cue.text.as_str()).collect();
        assert_eq!(texts, ["It was the best of times.", "It was the worst of times.", "It was the age."]);
        assert_eq!(cues[0].clip, 3);
        assert_eq!(cues[0].start, 1.0);
        assert_eq!(cues[0].source_start, 51.0);
    }

    #[test]
    fn a_long_sentence_breaks_at_its_comma() {
        let text = "my fellow Americans ask not what your country can do for you, \
                    ask what you can do for your country in the years that are to come";
        let cues = cues_of_words(evenly(text, 0.0, 0.25), &CLIP, 0);
        assert_eq!(cues.len(), 2);
        assert!(cues[0].text.ends_with("for you,"), "{}", cues[0].text);
    }

    #[test]
    fn a_pause_ends_a_cue_and_short_ones_join() {
        let cues = cues_of_words(vec![word(1.0, 1.4, "Wait"), word(4.0, 4.5, "there")], &CLIP, 0);
        assert_eq!(cues.len(), 2);
        assert_eq!(cues[0].end, 2.0, "a short cue stays on screen where there is room");
        let cues = cues_of_words(vec![word(1.0, 1.4, "No."), word(1.5, 2.5, "Never.")], &CLIP, 0);
        assert_eq!(cues.len(), 1);
    }

    proptest! {
        #[test]
        fn cues_hold_every_word_once_in_order_within_the_limits(
            parts in prop::collection::vec(("[A-Za-z]{1,14}[.,?!]?", 0.0..1.5f64, 0.01..1.2f64), 0..80),
        ) {
            let mut at = 0.0;
            let words: Vec<Word> = parts.iter().map(|(text, gap, length)| {
                let start = at + gap;
                at = start + length;
                word(start, at, text)
            }).collect();
            let clip = Clip { start: 0.0, end: at.max(1.0), source_start: 7.0 };
            let cues = cues_of_words(words.clone(), &clip, 0);
            let said: Vec<&str> = cues.iter().flat_map(|cue| cue.words.iter().map(|word| word.text.as_str())).collect();
            prop_assert_eq!(said, words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>());
            for cue in &cues {
                prop_assert!(cue.start < cue.end && cue.start >= clip.start && cue.end <= clip.end + 1e-3);
                prop_assert!((cue.source_start - cue.start - 7.0).abs() < 1.1e-3);
                if cue.words.len() > 1 {
                    prop_assert!(cue.text.chars().count() <= MAX_CHARS);
                    prop_assert!(cue.end - cue.start <= MAX_SECONDS + 2e-3);
                }
            }
            for pair in cues.windows(2) {
                prop_assert!(pair[0].end <= pair[1].start + 1e-9);
            }
        }

        #[test]
        fn wild_times_stay_inside_the_clip(
            times in prop::collection::vec((any::<f64>(), any::<f64>()), 0..20),
        ) {
            let clip = Clip { start: 2.0, end: 9.0, source_start: 0.0 };
            let words = times.iter().map(|(start, end)| word(*start, *end, "word")).collect();
            for cue in cues_of_words(words, &clip, 0) {
                prop_assert!(cue.start >= 2.0 && cue.end <= 9.0 && cue.start < cue.end);
            }
        }
    }
}
