//! What an import did, for people.

use contracts::import::{ImportSummary, PostOutcome};
use std::fmt::Write as _;

/// Longest title in the table, in characters.
const LONGEST_TITLE: usize = 60;

/// Prints it: the jobs, the counts, and what was skipped.
pub fn print(summary: &ImportSummary) {
    let (jobs, skipped) = describe(summary);
    print!("{jobs}");
    eprint!("{skipped}");
}

/// What goes to standard output, and what to standard error.
fn describe(summary: &ImportSummary) -> (String, String) {
    let (mut out, mut error) = (String::new(), String::new());
    let titles: Vec<String> = summary.jobs.iter().map(|job| cell(&job.title)).collect();
    let width = titles.iter().map(|title| title.chars().count()).max().unwrap_or_default().max(5);
    if !titles.is_empty() {
        let _ = writeln!(out, "{:<width$}  highlights  outcome    job", "title");
    }
    for (job, title) in summary.jobs.iter().zip(&titles) {
        let id = job.job_id.map_or_else(|| "-".to_owned(), |id| id.to_string());
        let _ = writeln!(out, "{title:<width$}  {:>10}  {:<9}  {id}", job.highlights, word(job.outcome));
        if let Some(reason) = &job.reason {
            let _ = writeln!(error, "{title}: {reason}");
        }
        if job.left_out > 0 {
            let _ = writeln!(error, "{title}: {} more highlights have no room in one montage", job.left_out);
        }
    }
    let days = summary.window.map(|days| format!(" from {} to {}", days.from, days.to)).unwrap_or_default();
    let report = &summary.report;
    if titles.is_empty() {
        let _ = writeln!(out, "No highlights{days} make a montage.");
    } else {
        let counts = [
            (summary.submitted, PostOutcome::Submitted),
            (summary.known, PostOutcome::Known),
            (summary.refused, PostOutcome::Refused),
            (summary.waiting, PostOutcome::Waiting),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts.map(|(count, of)| format!("{count} {}", word(*of))).collect();
        let _ = writeln!(out, "\nJobs{days}: {}.", counts.join(", "));
    }
    let _ = writeln!(
        out,
        "Rows: {}. Highlights: {}. Skipped: {}.",
        report.rows, report.highlights, report.skipped
    );
    for row in &report.skipped_rows {
        let _ = writeln!(error, "skipped: {}: {}", row.row, row.reason);
    }
    let more = report.skipped.saturating_sub(report.skipped_rows.len() as u64);
    if more > 0 {
        let _ = writeln!(error, "skipped: and {more} more");
    }
    (out, error)
}

fn word(outcome: PostOutcome) -> &'static str {
    match outcome {
        PostOutcome::Waiting => "waiting",
        PostOutcome::Submitted => "submitted",
        PostOutcome::Known => "known",
        PostOutcome::Refused => "refused",
    }
}

fn cell(text: &str) -> String {
    highlights::template::shortened(text, LONGEST_TITLE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::import::{Days, ImportReport, ImportedJob, SkippedRow};

    #[test]
    fn an_import_reads_as_a_table() {
        let job = |title: &str, outcome, reason: Option<&str>| ImportedJob {
            title: title.to_owned(),
            streamer: None,
            highlights: 7,
            left_out: 0,
            outcome,
            job_id: None,
            reason: reason.map(str::to_owned),
        };
        let mut summary = ImportSummary {
            name: "weekly".to_owned(),
            window: Some(Days { from: "2026-11-16".parse().unwrap(), to: "2026-11-22".parse().unwrap() }),
            submitted: 0,
            known: 1,
            refused: 1,
            waiting: 0,
            jobs: vec![
                job("Hana, 2026-11-16 to 2026-11-22", PostOutcome::Known, None),
                job(&"long ".repeat(20), PostOutcome::Refused, Some("it is too long")),
            ],
            report: ImportReport {
                rows: 9,
                highlights: 14,
                skipped: 2,
                skipped_rows: vec![SkippedRow { row: "hana".to_owned(), reason: "no video".to_owned() }],
            },
        };
        let (out, error) = describe(&summary);
        let expected = "\
title                                                         highlights  outcome    job
Hana, 2026-11-16 to 2026-11-22                                         7  known      -
long long long long long long long long long long long long…           7  refused    -

Jobs from 2026-11-16 to 2026-11-22: 1 known, 1 refused.
Rows: 9. Highlights: 14. Skipped: 2.
";
        assert_eq!(out, expected);
        let expected = "\
long long long long long long long long long long long long…: it is too long
skipped: hana: no video
skipped: and 1 more
";
        assert_eq!(error, expected);
        summary.jobs.clear();
        assert!(
            describe(&summary).0.starts_with("No highlights from 2026-11-16 to 2026-11-22 make a montage.")
        );
    }
}
