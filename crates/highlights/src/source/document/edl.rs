//! Edit decision lists in the form of CMX 3600, as editing programs export them. Pure.
//!
//! What is taken is each event's place on its source, in the order of the edit; source timecodes count from the source's first picture. An
//! event's file is what its comments name: `SOURCE FILE`, else the clip's name, else its reel. The list does not say its frame rate.

use std::collections::HashSet;

use super::{
    row::{Rows, file_name, ticks},
    text::{self, BROKEN, NOT_UTF8, one_line},
    timecode,
};
use crate::{
    candidate::Found,
    source::{SourceError, rate::FrameRate},
};

/// One line of an event; a transition has two, where it comes from and where it goes to.
#[derive(Debug)]
struct Event<'a> {
    line: usize,
    number: &'a str,
    reel: &'a str,
    is_video: bool,
    is_transition: bool,
    /// In and out on the source, in and out on the record.
    codes: [&'a str; 4],
    drops: bool,
    clip: &'a str,
    file: &'a str,
    streamer: &'a str,
    has_speed: bool,
    /// Whether a line of the same number has the picture to this sound.
    has_picture: bool,
}

/// Most lines of one event that its comments are of: a picture, many channels of sound, and as many again in a transition.
const LONGEST_EVENT: usize = 64;

/// Reads a document.
///
/// # Errors
/// When it has no event, or too many.
pub fn read(bytes: &[u8], rate: FrameRate, rows: &mut Rows<'_>) -> Result<(), SourceError> {
    let text = text::decoded(bytes)?;
    let List { events, mistakes, is_edl } = list(&text, rate);
    if events.is_empty() && mistakes.is_empty() && !is_edl {
        return Err(SourceError::Refused(
            "the list is not an edit decision list (CMX 3600): expected a line like \
             `001  TAPE1  V  C  00:00:10:00 00:00:12:00 01:00:00:00 01:00:02:00`, and found none"
                .to_owned(),
        ));
    }
    for (line, reason) in mistakes {
        rows.row()?;
        rows.take(Err(reason), || format!("line {line}"));
    }
    let pictures: HashSet<_> =
        events.iter().filter(|event| event.is_video).map(|event| (event.reel, event.codes)).collect();
    let mut placed: Vec<(u64, &Event<'_>)> = events
        .iter()
        .filter(|event| !is_left_out(event, &pictures))
        .map(|event| (timecode::frame(event.codes[2], rate, event.drops).unwrap_or(u64::MAX), event))
        .collect();
    placed.sort_by_key(|(record, _)| *record);
    for (_, event) in placed {
        rows.row()?;
        let read = found(event, rate, rows);
        rows.take(read, || format!("line {}", event.line));
    }
    Ok(())
}

struct List<'a> {
    events: Vec<Event<'a>>,
    mistakes: Vec<(usize, String)>,
    /// Whether it has a head, so that it may be an empty list.
    is_edl: bool,
}

fn list(text: &str, rate: FrameRate) -> List<'_> {
    let mut list = List { events: Vec::new(), mistakes: Vec::new(), is_edl: false };
    let mut drops = false;
    for (number, line) in text::lines(text) {
        let word = |name: &str| line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        if line.starts_with(|sign: char| sign.is_ascii_digit()) {
            match event(line, number, drops) {
                Some(event) => list.events.push(event),
                None => list.mistakes.push((
                    number,
                    "it is not an event: expected its number, reel, track, edit and four timecodes"
                        .to_owned(),
                )),
            }
        } else if word("FCM:") {
            drops = line.get(4..).is_some_and(|mode| mode.trim().to_ascii_uppercase().starts_with("DROP"));
            list.is_edl = true;
        } else if word("TITLE:") {
            list.is_edl = true;
        } else if word("M2 ") || word("M2\t") {
            speed(line, rate, &mut list.events);
        } else {
            comment(line, &mut list.events);
        }
    }
    for group in list.events.chunk_by_mut(|one, next| one.number == next.number) {
        let has_picture = group.iter().any(|event| event.is_video);
        group.iter_mut().for_each(|event| event.has_picture = has_picture);
    }
    list
}

fn event(line: &str, number: usize, drops: bool) -> Option<Event<'_>> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [id, reel, track, edit, ..] = words.as_slice() else { return None };
    let is_edit = match edit.to_ascii_uppercase().as_bytes() {
        [b'C' | b'D'] => true,
        [b'W', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        [b'K', ..] => true,
        _ => false,
    };
    let codes = words.windows(4).skip(4).find(|four| four.iter().all(|word| timecode::is_timecode(word)))?;
    let is_number = id.bytes().all(|byte| byte.is_ascii_digit());
    let track = track.to_ascii_uppercase();
    (is_edit && is_number).then(|| Event {
        line: number,
        number: id,
        reel,
        is_video: track.contains('V') || track == "B",
        is_transition: !edit.eq_ignore_ascii_case("C"),
        codes: [codes[0], codes[1], codes[2], codes[3]],
        drops,
        clip: "",
        file: "",
        streamer: "",
        has_speed: false,
        has_picture: false,
    })
}

/// The last lines that share a number.
fn last_group<'l, 'a>(events: &'l mut [Event<'a>]) -> &'l mut [Event<'a>] {
    let last = events.last().map(|event| event.number);
    let same = events.iter().rev().take(LONGEST_EVENT).take_while(|event| Some(event.number) == last);
    let length = same.count();
    let from = events.len() - length;
    &mut events[from..]
}

/// A comment belongs to the event above it; of a transition's two lines the first is where it comes from, the last where it goes to.
fn comment<'a>(line: &'a str, events: &mut [Event<'a>]) {
    let Some((name, value)) = line.trim_start_matches('*').split_once(':') else { return };
    let (name, value) = (name.trim().to_ascii_uppercase(), value.trim());
    let group = last_group(events);
    let is_transition = group.iter().any(|event| event.is_transition);
    let Some((last, before)) = group.split_last_mut() else { return };
    match name.as_str() {
        "FROM CLIP NAME" if is_transition => match before.first_mut() {
            Some(first) => first.clip = value,
            None if last.clip.is_empty() => last.clip = value,
            None => {}
        },
        "TO CLIP NAME" if is_transition => last.clip = value,
        // One file is that of where it goes to; where both are named, where it comes from stands first.
        "SOURCE FILE" if is_transition => {
            if let Some(first) = before.first_mut()
                && !last.file.is_empty()
            {
                first.file = last.file;
            }
            last.file = value;
        }
        "FROM CLIP NAME" | "CLIP NAME" => group.iter_mut().for_each(|event| event.clip = value),
        "SOURCE FILE" => group.iter_mut().for_each(|event| event.file = value),
        "STREAMER" => group.iter_mut().for_each(|event| event.streamer = value),
        _ => {}
    }
}

/// A change of speed is of the line above it with the same reel; the speed that the list has anyway is none.
fn speed(line: &str, rate: FrameRate, events: &mut [Event<'_>]) {
    let mut words = line.split_whitespace().skip(1);
    let reel = words.next().unwrap_or_default();
    let frames: Option<f64> = words.find_map(|word| word.parse().ok());
    let usual = f64::from(rate.frames) / f64::from(rate.seconds);
    if frames.is_some_and(|frames| (frames - usual).abs() < 0.05) {
        return;
    }
    let group = last_group(events);
    let is_named = group.iter().any(|event| event.reel.eq_ignore_ascii_case(reel));
    for event in group {
        event.has_speed |= !is_named || event.reel.eq_ignore_ascii_case(reel);
    }
}

/// Whether an event says nothing that could be shown or reported: black, the first line of a transition, whose clip the event before showed,
/// and sound whose picture is an event too.
fn is_left_out(event: &Event<'_>, pictures: &HashSet<(&str, [&str; 4])>) -> bool {
    let [from, to, at, until] = event.codes;
    let is_black = ["BL", "BLACK"].iter().any(|name| event.reel.eq_ignore_ascii_case(name));
    let is_told = event.has_picture || pictures.contains(&(event.reel, event.codes));
    is_black || (from == to && at == until) || (!event.is_video && is_told)
}

fn found(event: &Event<'_>, rate: FrameRate, rows: &mut Rows<'_>) -> Result<Found, String> {
    if !event.is_video {
        return Err("it is sound without a picture".to_owned());
    }
    if event.has_speed {
        return Err("its speed is changed (M2), and a montage shows clips as they were recorded".to_owned());
    }
    let named = [event.clip, event.file, event.streamer, event.reel];
    if named.iter().any(|name| name.contains(BROKEN)) {
        return Err(NOT_UTF8.to_owned());
    }
    let time = |code: &str| timecode::frame(code, rate, event.drops);
    let (from, to) = (time(event.codes[0])?, time(event.codes[1])?);
    if to <= from {
        return Err(format!("it ends ({}) before it starts ({})", event.codes[1], event.codes[0]));
    }
    let (from, to) = (timecode::ticks(from, rate), timecode::ticks(to, rate));
    let (start, duration) = (ticks(from)?, ticks(to - from)?);
    // AX stands for what has no reel.
    let reel = if event.reel.eq_ignore_ascii_case("AX") { "" } else { event.reel };
    let file = if rows.usual.has_template() { file_name(event.file) } else { Some(event.file.to_owned()) };
    let file = file.unwrap_or_default();
    let video = [file.as_str(), event.clip, reel].into_iter().find(|name| !name.is_empty());
    // A clip's name is that of its file, unless that is said beside it.
    let title = if event.file.is_empty() { stem(event.clip) } else { event.clip };
    Ok(Found {
        source: rows.video(video)?,
        start,
        duration: Some(duration),
        end: None,
        title: Some(one_line(title)),
        streamer: rows.streamer(Some(event.streamer)),
        score: None,
        cut: None,
        when: None,
    })
}

/// A file's name without its extension.
fn stem(name: &str) -> &str {
    let is_extension = |end: &str| {
        (1..=5).contains(&end.len())
            && end.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && end.bytes().any(|byte| byte.is_ascii_alphabetic())
    };
    match name.rsplit_once('.') {
        Some((stem, end)) if !stem.is_empty() && is_extension(end) => stem,
        _ => name,
    }
}
