//! What a transcription service answers, and the timed words in it.
//!
//! Own types rather than the client library's: that one demands fields which self-hosted services leave out. Everything
//! but the text is optional. Times are seconds from the start of the piece that was sent.

use contracts::transcript::Word;
use serde::Deserialize;

use crate::TranscribeError;
use crate::audio::{SAMPLE_RATE, peak};
use crate::timeline::spread_words;

/// An answer in the forms `json` and `verbose_json`.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    text: String,
    #[serde(default)]
    language: Option<String>,
    #[serde(default)]
    segments: Option<Vec<Segment>>,
    #[serde(default)]
    words: Option<Vec<TimedWord>>,
}

#[derive(Debug, Deserialize)]
struct Segment {
    start: f64,
    end: f64,
    text: String,
    #[serde(default)]
    no_speech_prob: Option<f64>,
    #[serde(default)]
    avg_logprob: Option<f64>,
    /// Some servers nest the words here instead of beside the segments.
    #[serde(default)]
    words: Option<Vec<TimedWord>>,
}

#[derive(Debug, Clone, Deserialize)]
struct TimedWord {
    word: String,
    start: f64,
    end: f64,
}

impl Segment {
    /// Whisper's own rule for text that was made up on silence.
    fn made_up(&self) -> bool {
        self.no_speech_prob.is_some_and(|p| p > 0.6) && self.avg_logprob.is_some_and(|p| p < -1.0)
    }
}

impl Answer {
    /// Reads an answer.
    pub fn parse(body: &[u8], endpoint: &str) -> Result<Self, TranscribeError> {
        serde_json::from_slice(body).map_err(|error| TranscribeError::BadAnswer {
            endpoint: endpoint.to_owned(),
            // Only the kind and the place: the whole message could quote the body.
            reason: format!(
                "{:?} error in line {} column {}",
                error.classify(),
                error.line(),
                error.column()
            ),
        })
    }

    /// The words in the piece `samples`, with the best times that the answer allows.
    pub fn words(&self, samples: &[f32]) -> Vec<Word> {
        let length = samples.len() as f64 / f64::from(SAMPLE_RATE);
        let timed: Vec<TimedWord> = self.words.clone().unwrap_or_default();
        let mut words = match &self.segments {
            Some(segments) if !segments.is_empty() => segments
                .iter()
                .filter(|segment| !segment.made_up())
                .flat_map(|segment| in_segment(segment, &timed))
                .collect(),
            _ if !timed.is_empty() => {
                dressed(&self.text, &timed).unwrap_or_else(|| timed.iter().map(plain).collect())
            }
            _ => spread_words(&self.text, &[sounding(samples)]),
        };
        for word in &mut words {
            word.start = word.start.clamp(0.0, length);
            word.end = word.end.clamp(word.start, length);
        }
        words
    }

    /// The BCP 47 code of the language. OpenAI gives the English name, others the code.
    pub fn language_code(&self) -> Option<String> {
        let language = self.language.as_deref()?.trim().to_lowercase();
        if (2..=3).contains(&language.len()) && language.chars().all(|c| c.is_ascii_lowercase()) {
            return Some(language);
        }
        LANGUAGES.iter().find(|(name, _)| *name == language).map(|(_, code)| (*code).to_owned())
    }
}

/// The languages most spoken in streams, by the name that OpenAI's service gives them.
const LANGUAGES: [(&str, &str); 24] = [
    ("arabic", "ar"),
    ("chinese", "zh"),
    ("czech", "cs"),
    ("danish", "da"),
    ("dutch", "nl"),
    ("english", "en"),
    ("finnish", "fi"),
    ("french", "fr"),
    ("german", "de"),
    ("greek", "el"),
    ("hebrew", "he"),
    ("hindi", "hi"),
    ("hungarian", "hu"),
    ("indonesian", "id"),
    ("italian", "it"),
    ("japanese", "ja"),
    ("korean", "ko"),
    ("norwegian", "no"),
    ("polish", "pl"),
    ("portuguese", "pt"),
    ("russian", "ru"),
    ("spanish", "es"),
    ("swedish", "sv"),
    ("turkish", "tr"),
];

/// The words of one segment: its own text with its punctuation, timed by the words that fall into it where they are the
/// same words, else spread over it.
fn in_segment(segment: &Segment, timed: &[TimedWord]) -> Vec<Word> {
    let inside: Vec<TimedWord> = match &segment.words {
        Some(own) if !own.is_empty() => own.clone(),
        _ => {
            let middle = |word: &TimedWord| (word.start + word.end) / 2.0;
            timed
                .iter()
                .filter(|word| (segment.start..segment.end).contains(&middle(word)))
                .cloned()
                .collect()
        }
    };
    dressed(&segment.text, &inside)
        .unwrap_or_else(|| spread_words(&segment.text, &[(segment.start, segment.end)]))
}

/// The words of `text` with the times of `timed`, where both are the same words but for punctuation and case.
fn dressed(text: &str, timed: &[TimedWord]) -> Option<Vec<Word>> {
    let bare = |word: &str| {
        word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>()
    };
    let spoken: Vec<&str> = text.split_whitespace().filter(|word| !bare(word).is_empty()).collect();
    let same = spoken.len() == timed.len() && spoken.iter().zip(timed).all(|(a, b)| bare(a) == bare(&b.word));
    same.then(|| {
        spoken
            .iter()
            .zip(timed)
            .map(|(text, word)| Word { text: (*text).to_owned(), ..plain(word) })
            .collect()
    })
}

fn plain(word: &TimedWord) -> Word {
    Word { start: word.start, end: word.end, text: word.word.trim().to_owned() }
}

/// From the first to the last tenth of a second that is not far quieter (30 dB) than the loudest sample, in seconds.
fn sounding(samples: &[f32]) -> (f64, f64) {
    let window = SAMPLE_RATE as usize / 10;
    let loud = peak(samples) * 0.03;
    let heard = |part: &&[f32]| peak(part) >= loud;
    let first = samples.chunks(window).position(|part| heard(&part)).unwrap_or(0);
    let last = samples.chunks(window).collect::<Vec<_>>().iter().rposition(heard).map_or(first, |at| at + 1);
    let seconds =
        |window_index: usize| (window_index * window).min(samples.len()) as f64 / f64::from(SAMPLE_RATE);
    (seconds(first), seconds(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(json: &str) -> Vec<Word> {
        Answer::parse(json.as_bytes(), "http://test").unwrap().words(&vec![0.5; 10 * SAMPLE_RATE as usize])
    }

    #[test]
    fn word_times_are_dressed_in_the_segment_text() {
        let found = words(
            r#"{"text":"Hello, world. Bye.","segments":[{"start":1.0,"end":3.0,"text":" Hello, world."},
                {"start":4.0,"end":5.0,"text":" Bye."}],
                "words":[{"word":"Hello","start":1.1,"end":1.5},{"word":"world","start":1.6,"end":2.4},
                {"word":"bye","start":4.2,"end":4.6}]}"#,
        );
        let short: Vec<(&str, f64)> = found.iter().map(|word| (word.text.as_str(), word.start)).collect();
        assert_eq!(short, [("Hello,", 1.1), ("world.", 1.6), ("Bye.", 4.2)]);
    }

    #[test]
    fn segments_without_words_are_spread() {
        let found = words(r#"{"text":"a b","segments":[{"start":2.0,"end":4.0,"text":"aa bb"}]}"#);
        assert_eq!((found[0].start, found[0].end, found[1].end), (2.0, 3.0, 4.0));
    }

    #[test]
    fn text_alone_is_spread_over_the_sound() {
        let mut samples = vec![0.0; 4 * SAMPLE_RATE as usize];
        samples[SAMPLE_RATE as usize..2 * SAMPLE_RATE as usize].fill(0.3);
        let answer = Answer::parse(br#"{"text":"one two"}"#, "http://test").unwrap();
        let found = answer.words(&samples);
        assert_eq!((found[0].start, found[1].end), (1.0, 2.0));
    }

    #[test]
    fn text_made_up_on_silence_is_dropped_and_wild_times_are_held() {
        let found = words(
            r#"{"text":"Thanks for watching! Hi","segments":[
                {"start":0.0,"end":2.0,"text":"Thanks for watching!","no_speech_prob":0.9,"avg_logprob":-1.4},
                {"start":-3.0,"end":99.0,"text":"Hi","no_speech_prob":0.9,"avg_logprob":-0.2}]}"#,
        );
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].start, found[0].end), (0.0, 10.0));
    }

    #[test]
    fn languages_become_codes() {
        let code = |language: &str| {
            let json = format!(r#"{{"text":"","language":"{language}"}}"#);
            Answer::parse(json.as_bytes(), "").unwrap().language_code()
        };
        assert_eq!(code("English").as_deref(), Some("en"));
        assert_eq!(code("de").as_deref(), Some("de"));
        assert_eq!(code("klingonese"), None);
    }
}
