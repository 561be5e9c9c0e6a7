//! Fonts: which one draws which character. A file is read when the first text needs it, and stays in memory.
//!
//! Every script of a text is drawn with the first family that has all its characters there, so that a word is not mixed
//! of several; where none has all, each character takes the first that has it. Characters that no font has are reported
//! ([`Fonts::missing`]) and left out, never drawn as empty boxes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cosmic_text::fontdb::{Database, FaceInfo, ID, Language, Source, Stretch, Style, Weight};
use cosmic_text::{Fallback, FontSystem};
use swash::scale::ScaleContext;
use swash::{FontRef, tag_from_bytes};
use unicode_script::{Script, UnicodeScript as _};

use super::files::{FontFile, FontFiles, FontName};
use super::words;

/// Weight under which faces are known that have no choice of weights.
const PLAIN: Weight = Weight::NORMAL;

/// The fonts of this machine, for titles.
pub struct Fonts {
    shelf: Mutex<Shelf>,
    fingerprint: String,
}

impl Fonts {
    /// Fonts out of these files. Nothing is read yet.
    pub fn new(files: FontFiles) -> Self {
        let fingerprint = files.fingerprint();
        let files =
            files.0.into_iter().map(|file| Slot { name: file.name.clone(), state: State::Unread(file) });
        let mut slots: Vec<Slot> = files.collect();
        // Within a family the upright cut comes first; the families keep their order.
        slots.sort_by(|a, b| a.name.cmp(&b.name));
        let system =
            FontSystem::new_with_locale_and_db_and_fallback("en-US".to_owned(), Database::new(), NoFallback);
        let shelf = Mutex::new(Shelf { slots, system, scaler: ScaleContext::with_max_entries(16) });
        Self { shelf, fingerprint }
    }

    /// What tells these fonts from others.
    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The characters of a title that no font of this machine has, in their order, each once. Controls and other signs
    /// that are never drawn are not among them.
    pub fn missing(&self, text: &str) -> Vec<char> {
        self.shelf().assign(&words::line(text), false).missing
    }

    /// The fonts for one thread at a time.
    pub(super) fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Fonts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fonts")
    }
}

/// Every character gets its face from [`Shelf::assign`].
struct NoFallback;

impl Fallback for NoFallback {
    fn common_fallback(&self) -> &[&'static str] {
        &[]
    }

    fn forbidden_fallback(&self) -> &[&'static str] {
        &[]
    }

    fn script_fallback(&self, _: Script, _: &str) -> &[&'static str] {
        &[]
    }
}

/// One file.
struct Slot {
    name: FontName,
    state: State,
}

enum State {
    Unread(FontFile),
    Read(Face),
    /// It is no font, or could not be read.
    Useless,
}

/// The first face of a file.
struct Face {
    data: Arc<Vec<u8>>,
    /// Its weights, where it has a choice of them.
    weights: Option<(u16, u16)>,
}

impl Face {
    fn has(&self, character: char) -> bool {
        FontRef::from_index(&self.data, 0).is_some_and(|font| font.charmap().map(character) != 0)
    }
}

/// How a run of a text is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    slot: usize,
    /// The weight to ask for.
    pub(super) weight: Weight,
    /// Whether the strokes have to be made bolder than the font has them.
    pub(super) embolden: bool,
}

/// A text with the faces that draw it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Assigned {
    /// What of the text can be drawn.
    pub(super) text: String,
    /// The runs of `text`: length in bytes, and face.
    pub(super) runs: Vec<(usize, Cut)>,
    /// What cannot be drawn.
    pub(super) missing: Vec<char>,
}

impl Assigned {
    fn push(&mut self, character: char, cut: Cut) {
        self.text.push(character);
        match self.runs.last_mut() {
            Some((length, last)) if *last == cut => *length += character.len_utf8(),
            _ => self.runs.push((character.len_utf8(), cut)),
        }
    }
}

/// What shares a face where it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Drawn with what stands before it: marks, joiners, spaces.
    Follower,
    /// Signs that all scripts share; each for itself.
    Shared,
    /// Coloured pictures.
    Picture,
    /// Chinese characters and both kana; they stand beside each other in one word.
    EastAsian,
    Of(Script),
}

fn kind(character: char, next: Option<char>) -> Kind {
    if character == ' ' || words::is_joining(character) || words::is_mark(character) {
        return Kind::Follower;
    }
    if words::is_picture(character) || next == Some('\u{FE0F}') {
        return Kind::Picture;
    }
    match character.script() {
        Script::Han | Script::Hiragana | Script::Katakana | Script::Bopomofo => Kind::EastAsian,
        Script::Common | Script::Inherited | Script::Unknown => match character {
            '\u{3000}'..='\u{30FF}' | '\u{FF00}'..='\u{FFEF}' => Kind::EastAsian,
            _ => Kind::Shared,
        },
        script => Kind::Of(script),
    }
}

/// The fonts and what works with them.
pub(super) struct Shelf {
    slots: Vec<Slot>,
    pub(super) system: FontSystem,
    pub(super) scaler: ScaleContext,
}

impl Shelf {
    /// Gives every character of a line its face.
    pub(super) fn assign(&mut self, line: &str, bold: bool) -> Assigned {
        let characters: Vec<char> = line.chars().collect();
        let mut kinds: Vec<Kind> = (0..characters.len())
            .map(|index| kind(characters[index], characters.get(index + 1).copied()))
            .collect();
        // A sign that is joined to a picture is a part of it.
        for index in 2..kinds.len() {
            if characters[index - 1] == '\u{200D}' && kinds[index] == Kind::Shared {
                let before =
                    characters[..index - 1].iter().zip(&kinds).rfind(|(_, kind)| **kind != Kind::Follower);
                if before.is_some_and(|(_, kind)| *kind == Kind::Picture) {
                    kinds[index] = Kind::Picture;
                }
            }
        }
        let mut families: Vec<(Kind, Option<usize>)> = Vec::new();
        let mut assigned = Assigned::default();
        let mut last: Option<Cut> = None;
        for (character, kind) in characters.iter().copied().zip(&kinds) {
            let found = match kind {
                Kind::Follower => {
                    let joins = words::is_joining(character);
                    match last {
                        // The spaces of picture fonts are as wide as their pictures.
                        Some(cut) if character == ' ' && self.slots[cut.slot].name.is_emoji() => {
                            self.first_with(character, Kind::Shared, bold)
                        }
                        Some(cut) if joins || self.has(cut.slot, character) => Some(cut),
                        // Nothing to change, or a mark that the font of its letter does not have.
                        _ if joins || (last.is_some() && character != ' ') => None,
                        _ => self.first_with(character, *kind, bold),
                    }
                }
                Kind::Shared => self.first_with(character, *kind, bold),
                _ => {
                    let family = match families.iter().find(|(known, _)| known == kind) {
                        Some((_, family)) => *family,
                        None => {
                            let all = characters.iter().zip(&kinds).filter(|(_, other)| *other == kind);
                            let all: Vec<char> = all.map(|(character, _)| *character).collect();
                            let family = self.family_with(&all, *kind);
                            families.push((*kind, family));
                            family
                        }
                    };
                    match family {
                        Some(slot) => Some(self.cut(slot, bold)),
                        None => self.first_with(character, *kind, bold),
                    }
                }
            };
            match found {
                Some(cut) => {
                    assigned.push(character, cut);
                    last = Some(cut);
                }
                None if words::is_joining(character) || assigned.missing.contains(&character) => {}
                None => assigned.missing.push(character),
            }
        }
        assigned
    }

    /// The face of a run, for the shaper: the name it is known by.
    pub(super) fn family_name(cut: Cut) -> String {
        format!("face {}", cut.slot)
    }

    /// The first family with all these characters: the slot of its upright cut, or its only one.
    fn family_with(&mut self, characters: &[char], kind: Kind) -> Option<usize> {
        let order = self.order(kind);
        order.into_iter().find(|&slot| characters.iter().all(|&character| self.has(slot, character)))
    }

    fn first_with(&mut self, character: char, kind: Kind, bold: bool) -> Option<Cut> {
        let slot = self.family_with(&[character], kind)?;
        Some(self.cut(slot, bold))
    }

    /// One slot for each family, in the order of asking: coloured pictures first for pictures, last for the rest.
    fn order(&self, kind: Kind) -> Vec<usize> {
        let first_of_family =
            |slot: &usize| *slot == 0 || self.slots[*slot - 1].name.family != self.slots[*slot].name.family;
        let (pictures, text): (Vec<usize>, Vec<usize>) =
            (0..self.slots.len()).filter(first_of_family).partition(|&slot| self.slots[slot].name.is_emoji());
        let (first, second) = if kind == Kind::Picture { (pictures, text) } else { (text, pictures) };
        first.into_iter().chain(second).collect()
    }

    /// The cut of a family, known by one of its slots, that is nearest to what is wanted.
    fn cut(&mut self, slot: usize, bold: bool) -> Cut {
        if !bold {
            let weight = self.weight(slot, 400);
            return Cut { slot, weight, embolden: false };
        }
        let next = slot + 1;
        let bold_slot = self
            .slots
            .get(next)
            .filter(|next| next.name.bold && next.name.family == self.slots[slot].name.family);
        if bold_slot.is_some() && self.face(next).is_some() {
            return Cut { slot: next, weight: self.weight(next, 700), embolden: false };
        }
        let weight = self.weight(slot, 700);
        let embolden = weight.0 < 600 && !self.slots[slot].name.bold && !self.slots[slot].name.is_emoji();
        Cut { slot, weight, embolden }
    }

    /// The weight by which a face is asked for; only faces with a choice have others than one.
    fn weight(&mut self, slot: usize, wanted: u16) -> Weight {
        match self.face(slot).and_then(|face| face.weights) {
            Some((least, most)) if least <= most => Weight(wanted.clamp(least, most)),
            _ => PLAIN,
        }
    }

    fn has(&mut self, slot: usize, character: char) -> bool {
        self.face(slot).is_some_and(|face| face.has(character))
    }

    /// The face in a slot, read now if it was not before.
    fn face(&mut self, index: usize) -> Option<&Face> {
        let slot = self.slots.get_mut(index)?;
        if let State::Unread(file) = &mut slot.state {
            let read = file.read().ok().and_then(|bytes| open(&mut self.system, index, bytes));
            slot.state = read.map_or(State::Useless, State::Read);
        }
        match &slot.state {
            State::Read(face) => Some(face),
            State::Unread(_) | State::Useless => None,
        }
    }
}

/// Makes a file's first face known to the shaper, under a name of our own: names in fonts are not unique.
fn open(system: &mut FontSystem, index: usize, bytes: Vec<u8>) -> Option<Face> {
    let font = FontRef::from_index(&bytes, 0)?;
    let weights = font.variations().find_by_tag(tag_from_bytes(b"wght"));
    let weights = weights.map(|axis| (axis.min_value() as u16, axis.max_value() as u16));
    let data = Arc::new(bytes);
    let name = format!("face {index}");
    let id = system.db_mut().push_face_info(FaceInfo {
        id: ID::dummy(),
        source: Source::Binary(Arc::<Vec<u8>>::clone(&data)),
        index: 0,
        families: vec![(name.clone(), Language::English_UnitedStates)],
        post_script_name: name,
        style: Style::Normal,
        weight: PLAIN,
        stretch: Stretch::Normal,
        monospaced: false,
    });
    // One that the shaper does not take would leave its characters undrawn without a word.
    system.get_font(id, PLAIN)?;
    Some(Face { data, weights })
}
