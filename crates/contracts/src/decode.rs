//! Decoding what people send: collects every mistake with its JSON pointer instead of stopping at the first.

use serde_json::{Map, Value};

use crate::{
    problem::FieldError,
    time::{MediaTime, TICKS_PER_SECOND, ticks_to_seconds},
};

/// Collects the mistakes of one document.
#[derive(Debug, Default)]
pub struct Mistakes(Vec<FieldError>);

impl Mistakes {
    /// Notes a mistake at a place.
    pub fn add(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.0.push(FieldError { pointer: pointer.into(), detail: detail.into() });
    }

    /// The value if there were no mistakes.
    ///
    /// # Errors
    /// All mistakes. A `None` without a noted mistake would be a bug of the decoder and is reported as a mistake of its own.
    pub fn finish<T>(mut self, value: Option<T>) -> Result<T, Vec<FieldError>> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => {
                if self.0.is_empty() {
                    self.add("", "cannot be read");
                }
                Err(self.0)
            }
        }
    }
}

/// The fields of one JSON object at one place.
pub struct Fields<'a> {
    map: &'a Map<String, Value>,
    pointer: String,
}

impl<'a> Fields<'a> {
    /// Opens an object; refuses unknown fields by name, with the nearest known one. `null` stands for an absent field.
    pub fn open(value: &'a Value, pointer: &str, known: &[&str], mistakes: &mut Mistakes) -> Option<Self> {
        let Some(map) = value.as_object() else {
            mistakes.add(pointer, format!("expected an object with {}", known.join(", ")));
            return None;
        };
        for name in map.keys().filter(|name| !known.contains(&name.as_str())) {
            let hint = nearest(name, known).map_or_else(
                || format!("known are {}", known.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            mistakes.add(format!("{pointer}/{}", escape(name)), format!("unknown field `{name}`; {hint}"));
        }
        Some(Self { map, pointer: pointer.to_owned() })
    }

    /// Where a field is.
    #[must_use]
    pub fn at(&self, name: &str) -> String {
        format!("{}/{}", self.pointer, escape(name))
    }

    /// A field's value, unless it is absent or null.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// Whether a field is there and null, for the few where that says something else than an absent one.
    #[must_use]
    pub fn is_null(&self, name: &str) -> bool {
        self.map.get(name).is_some_and(Value::is_null)
    }

    /// A field that must be there.
    pub fn required(&self, name: &str, mistakes: &mut Mistakes) -> Option<&'a Value> {
        let value = self.get(name);
        if value.is_none() {
            mistakes.add(self.at(name), format!("`{name}` is required"));
        }
        value
    }

    /// An optional text of at most `longest` characters, trimmed; control characters are refused.
    pub fn text(&self, name: &str, longest: usize, mistakes: &mut Mistakes) -> Option<String> {
        let value = self.get(name)?;
        let Some(text) = value.as_str().map(str::trim) else {
            mistakes.add(self.at(name), "expected text");
            return None;
        };
        if text.chars().count() > longest {
            mistakes.add(self.at(name), format!("at most {longest} characters"));
            return None;
        }
        if text.chars().any(char::is_control) {
            mistakes.add(self.at(name), "control characters are not accepted");
            return None;
        }
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// An optional number within bounds.
    pub fn number(
        &self,
        name: &str,
        bounds: std::ops::RangeInclusive<f64>,
        mistakes: &mut Mistakes,
    ) -> Option<f64> {
        let value = self.get(name)?;
        match value.as_f64().filter(|number| bounds.contains(number)) {
            Some(number) => Some(number),
            None => {
                mistakes.add(
                    self.at(name),
                    format!("expected a number from {} to {}", bounds.start(), bounds.end()),
                );
                None
            }
        }
    }

    /// An optional whole number within bounds.
    pub fn integer(
        &self,
        name: &str,
        bounds: std::ops::RangeInclusive<i64>,
        mistakes: &mut Mistakes,
    ) -> Option<i64> {
        let value = self.get(name)?;
        match value.as_i64().filter(|number| bounds.contains(number)) {
            Some(number) => Some(number),
            None => {
                mistakes.add(
                    self.at(name),
                    format!("expected a whole number from {} to {}", bounds.start(), bounds.end()),
                );
                None
            }
        }
    }

    /// An optional yes or no.
    pub fn flag(&self, name: &str, mistakes: &mut Mistakes) -> Option<bool> {
        let value = self.get(name)?;
        let flag = value.as_bool();
        if flag.is_none() {
            mistakes.add(self.at(name), "expected true or false");
        }
        flag
    }

    /// An optional time on a source.
    pub fn time(&self, name: &str, mistakes: &mut Mistakes) -> Option<MediaTime> {
        let read = MediaTime::from_json(self.get(name)?);
        read.map_err(|detail| mistakes.add(self.at(name), detail)).ok()
    }

    /// An optional length that belongs to no source, so that frames mean nothing; within bounds in milliseconds.
    pub fn length(
        &self,
        name: &str,
        bounds: std::ops::RangeInclusive<i64>,
        mistakes: &mut Mistakes,
    ) -> Option<MediaTime> {
        let ticks = |milliseconds: i64| milliseconds.saturating_mul(TICKS_PER_SECOND / 1000);
        let time = self.time(name, mistakes)?;
        let fits = time
            .ticks()
            .is_some_and(|length| (ticks(*bounds.start())..=ticks(*bounds.end())).contains(&length));
        if !fits {
            let seconds = |milliseconds: i64| ticks_to_seconds(ticks(milliseconds));
            mistakes.add(
                self.at(name),
                format!(
                    "expected {} to {} seconds, like `0.5s`",
                    seconds(*bounds.start()),
                    seconds(*bounds.end())
                ),
            );
        }
        fits.then_some(time)
    }

    /// An optional choice between names.
    pub fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)], mistakes: &mut Mistakes) -> Option<T> {
        let value = self.get(name)?;
        let found = value.as_str().and_then(|text| choices.iter().find(|(choice, _)| *choice == text));
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            mistakes.add(self.at(name), format!("expected one of: {}", names.join(", ")));
        }
        found.map(|(_, choice)| *choice)
    }
}

/// A name within a JSON pointer (RFC 6901, section 3).
#[must_use]
pub fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The known name that was probably meant.
#[must_use]
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| {
            (strsim::damerau_levenshtein(&name.to_lowercase(), &candidate.to_lowercase()), *candidate)
        })
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
