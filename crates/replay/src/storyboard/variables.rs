//! The storyboard's variables: names that stand for parts of its lines.
//!
//! Promises: however they are nested, no line grows beyond [`MOST_LINE`], and the work on all of them is bounded.

use std::collections::BTreeMap;

/// Bytes of a line.
const MOST_LINE: usize = 8192;

/// Variables of a storyboard.
const MOST_VARIABLES: usize = 10_000;

/// Bytes of a name, with its `$`.
const MOST_NAME: usize = 64;

/// Names that are looked for in a whole storyboard.
const MOST_LOOKUPS: usize = 20_000_000;

/// Names, and what they stand for.
#[derive(Debug, Default)]
pub(super) struct Variables {
    values: BTreeMap<String, String>,
    lookups: usize,
}

impl Variables {
    /// A line of [Variables]: `$name=value`. The value may hold what was defined before it.
    pub(super) fn define(&mut self, line: &str) {
        let Some((name, value)) = line.split_once('=') else { return };
        let name = name.trim();
        let fits = name.starts_with('$') && (2..=MOST_NAME).contains(&name.len());
        if fits
            && self.values.len() < MOST_VARIABLES
            && let Some(value) = self.expanded(value.trim())
        {
            self.values.insert(name.to_owned(), value);
        }
    }

    /// A line with what its variables stand for; `None` where it is too long.
    pub(super) fn expanded(&mut self, line: &str) -> Option<String> {
        if line.len() > MOST_LINE {
            return None;
        }
        let mut expanded = String::with_capacity(line.len());
        let mut rest = line;
        while let Some(found) = rest.find('$').filter(|_| !self.values.is_empty()) {
            let (before, after) = rest.split_at(found);
            expanded.push_str(before);
            // The longest name that fits, so that `$ab` is never taken for `$a` and a `b`.
            let fits = (2..=MOST_NAME.min(after.len())).rev().find_map(|length| {
                self.lookups += 1;
                let name = after.get(..length).filter(|_| self.lookups <= MOST_LOOKUPS)?;
                Some((length, self.values.get(name)?))
            });
            match fits {
                Some((length, value)) => {
                    expanded.push_str(value);
                    rest = after.get(length..)?;
                }
                None => {
                    expanded.push('$');
                    rest = after.get(1..)?;
                }
            }
            if expanded.len() > MOST_LINE {
                return None;
            }
        }
        expanded.push_str(rest);
        (expanded.len() <= MOST_LINE).then_some(expanded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_counts() {
        let mut variables = Variables::default();
        variables.define("$a=1");
        variables.define("$ab=22");
        variables.define("$c=$ab,$a");
        variables.define("no=variable");
        variables.define("$nothing");
        assert_eq!(variables.expanded("$a,$ab,$c,$d,$").as_deref(), Some("1,22,22,1,$d,$"));
    }

    #[test]
    fn nested_ones_do_not_grow_without_end() {
        let mut variables = Variables::default();
        variables.define("$v0=0123456789");
        for level in 1..64 {
            variables.define(&format!("$v{level}=$v{0}$v{0}", level - 1));
        }
        assert_eq!(variables.expanded("$v5").map(|line| line.len()), Some(320));
        assert_eq!(variables.expanded("$v9"), Some("0123456789".repeat(512)));
        assert_eq!(variables.expanded("$v9$v9"), None);
        assert!(variables.values.values().all(|value| value.len() <= MOST_LINE));
    }

    #[test]
    fn signs_without_names_are_bounded_work() {
        let mut variables = Variables::default();
        variables.define("$a=1");
        let line = "$".repeat(MOST_LINE);
        for _ in 0..100 {
            assert_eq!(variables.expanded(&line).as_deref(), Some(line.as_str()));
        }
        assert!(variables.lookups > MOST_LOOKUPS);
        assert_eq!(variables.expanded("$a").as_deref(), Some("$a"), "no more are looked for");
    }
}
