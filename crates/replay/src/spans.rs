//! What lasts from one time to another, found by time: however many there are and however long some last.

use crate::time::Micros;

/// Times from and until which things are seen.
#[derive(Debug, Default)]
pub(crate) struct Spans {
    /// In order of their beginnings, with the numbers under which they were given.
    spans: Vec<(Micros, Micros, u32)>,
    /// A tree over them: the leaves are their ends, each node has the last end of its two.
    ends: Vec<Micros>,
}

impl Spans {
    /// In any order; things are numbered as they come.
    pub(crate) fn new(spans: impl IntoIterator<Item = (Micros, Micros)>) -> Self {
        let mut spans: Vec<_> =
            spans.into_iter().zip(0..).map(|((from, to), number)| (from, to, number)).collect();
        spans.sort_by_key(|(from, _, number)| (*from, *number));
        let leaves = spans.len().next_power_of_two();
        let mut ends = vec![Micros::MIN; leaves * 2];
        for (end, (_, to, _)) in ends.iter_mut().skip(leaves).zip(&spans) {
            *end = *to;
        }
        for node in (1..leaves).rev() {
            let of = |child: usize| ends.get(child).copied().unwrap_or(Micros::MIN);
            let last = of(node * 2).max(of(node * 2 + 1));
            if let Some(end) = ends.get_mut(node) {
                *end = last;
            }
        }
        Self { spans, ends }
    }

    /// The numbers of those that last at a moment, ends included, in order of their beginnings.
    pub(crate) fn at(&self, at: Micros) -> Vec<usize> {
        let begun = self.spans.partition_point(|(from, ..)| *from <= at);
        let leaves = self.ends.len() / 2;
        let mut found = Vec::new();
        // Nodes still to be looked at, with the first leaf and the count of leaves below each.
        let mut open = vec![(1, 0, leaves)];
        while let Some((node, first, count)) = open.pop() {
            if first >= begun || self.ends.get(node).is_none_or(|end| *end < at) {
                continue;
            }
            if count == 1 {
                found.extend(self.spans.get(first).map(|(_, _, number)| *number as usize));
                continue;
            }
            let half = count / 2;
            open.push((node * 2 + 1, first + half, half));
            open.push((node * 2, first, half));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_is_found_in_nothing() {
        assert!(Spans::new([]).at(0).is_empty());
        assert!(Spans::default().at(0).is_empty());
    }

    proptest! {
        #[test]
        fn those_are_found_that_last(
            spans in prop::collection::vec((-100_i64..100, 0_i64..50), 0..40), at in -120_i64..170,
        ) {
            let spans: Vec<_> = spans.into_iter().map(|(from, length)| (from, from + length)).collect();
            let mut found = Spans::new(spans.iter().copied()).at(at);
            found.sort_unstable();
            let lasts = |(_, (from, to)): &(usize, &(i64, i64))| *from <= at && at <= *to;
            let wanted: Vec<_> = spans.iter().enumerate().filter(lasts).map(|(number, _)| number).collect();
            prop_assert_eq!(found, wanted);
        }
    }
}
