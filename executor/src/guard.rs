//! The state of one attempt's right to go on: a small machine over a monotonic clock that the caller reads.
//!
//! Pure: moments come in as arguments. What it promises, whatever happens and in whatever order:
//! - it lets nothing be written once the lease was lost or can no longer be known to be held (self-fencing);
//! - an attempt that was stopped stays stopped, and a lost right to write never comes back;
//! - from [`Guard::commit`] on only the loss of the lease stops it: a result that may be public already is not given up
//!   for a cancel, a limit or a shutdown that came too late.

use std::time::{Duration, Instant};

use contracts::{
    job::{Progress, Stage},
    lease::{BeatVerdict, ClaimedJob},
};

/// The longest time before the lease's end at which an attempt fences itself.
const LONGEST_MARGIN: Duration = Duration::from_secs(5);

/// The limits of an attempt, as they were claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The lease ends this long after the last answer that extended it.
    pub lease: Duration,
    /// A heartbeat is due this often.
    pub heartbeat: Duration,
    /// The attempt ends after this long.
    pub deadline: Duration,
    /// The attempt ends after this long without progress.
    pub stall: Duration,
}

impl Terms {
    /// The terms of a claimed job.
    #[must_use]
    pub fn of(job: &ClaimedJob) -> Self {
        Self {
            lease: Duration::from_millis(job.lease_milliseconds),
            heartbeat: Duration::from_millis(job.heartbeat_milliseconds),
            deadline: Duration::from_millis(job.deadline_milliseconds),
            stall: Duration::from_millis(job.stall_milliseconds),
        }
    }

    /// How long before the lease's end the attempt fences itself: time enough to kill a child before anybody else begins.
    #[must_use]
    pub fn margin(self) -> Duration {
        (self.lease.min(self.deadline) / 4).min(LONGEST_MARGIN)
    }
}

/// Why an attempt has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stop {
    /// This process shuts down: give the lease back.
    Shutdown,
    /// Somebody cancelled the job.
    Cancelled,
    /// It took longer than allowed.
    Deadline,
    /// It made no progress for too long.
    Stalled,
    /// No heartbeat was answered in time, so that the lease may belong to somebody else now.
    Fenced,
    /// The lease belongs to somebody else, or has ended.
    Lost,
}

impl Stop {
    /// Whether nothing may be written any more, not even why the attempt ended.
    #[must_use]
    pub fn is_forfeit(self) -> bool {
        matches!(self, Self::Fenced | Self::Lost)
    }
}

/// What tells progress from standing still.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Mark {
    stage: Stage,
    fraction: f64,
    frames_done: u64,
}

/// The machine; see the module.
#[derive(Debug, Clone)]
pub struct Guard {
    terms: Terms,
    /// Until then the lease is surely held, the margin taken off.
    fenced_at: Instant,
    deadline_at: Instant,
    /// When the last progress was seen.
    moved_at: Instant,
    mark: Option<Mark>,
    committed: bool,
    stop: Option<Stop>,
}

impl Guard {
    /// Of a lease whose grant was answered at `now`.
    #[must_use]
    pub fn new(terms: Terms, now: Instant) -> Self {
        Self {
            terms,
            fenced_at: now + (terms.lease - terms.margin()),
            // No lease is extended beyond the deadline, so that without this the attempt would fence itself there in silence
            // instead of saying what happened.
            deadline_at: now + (terms.deadline - 2 * terms.margin()),
            moved_at: now,
            mark: None,
            committed: false,
            stop: None,
        }
    }

    /// Why it stopped, if it did.
    #[must_use]
    pub fn stop(&self) -> Option<Stop> {
        self.stop
    }

    /// Whether a write that begins at `now` may be made.
    #[must_use]
    pub fn may_write(&self, now: Instant) -> bool {
        !self.stop.is_some_and(Stop::is_forfeit) && now < self.fenced_at
    }

    /// What is left at `now` until the deadline.
    #[must_use]
    pub fn time_left(&self, now: Instant) -> Duration {
        self.deadline_at.saturating_duration_since(now)
    }

    /// A heartbeat that was sent at `sent_at` was answered. The lease counts from the sending, not from the answer: the
    /// database extended it somewhere in between.
    pub fn answered(&mut self, sent_at: Instant, verdict: BeatVerdict, lease: Duration) {
        match verdict {
            BeatVerdict::Lost => self.halt(Stop::Lost),
            BeatVerdict::Held | BeatVerdict::Cancel => {
                let until = sent_at + lease.saturating_sub(self.terms.margin());
                self.fenced_at = self.fenced_at.max(until);
                if verdict == BeatVerdict::Cancel {
                    self.halt(Stop::Cancelled);
                }
            }
        }
    }

    /// The attempt is this far. Saying the same again is no progress.
    pub fn progressed(&mut self, now: Instant, progress: &Progress) {
        let mark =
            Mark { stage: progress.stage, fraction: progress.fraction, frames_done: progress.frames_done };
        if self.mark != Some(mark) {
            self.mark = Some(mark);
            self.moved(now);
        }
    }

    /// Something else than frames moves: bytes travel.
    pub fn moved(&mut self, now: Instant) {
        self.moved_at = self.moved_at.max(now);
    }

    /// The lease turned out to be gone.
    pub fn lost(&mut self) {
        self.halt(Stop::Lost);
    }

    /// The process shuts down.
    pub fn shut_down(&mut self) {
        self.halt(Stop::Shutdown);
    }

    /// The result is about to be published. Answers whether it may be.
    pub fn commit(&mut self, now: Instant) -> bool {
        self.tick(now);
        if self.stop.is_none() {
            self.committed = true;
        }
        self.committed && self.may_write(now)
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Instant) {
        if now >= self.fenced_at {
            self.halt(Stop::Fenced);
        }
        if now >= self.deadline_at {
            self.halt(Stop::Deadline);
        }
        if now >= self.moved_at + self.terms.stall {
            self.halt(Stop::Stalled);
        }
    }

    /// The next moment at which [`Guard::tick`] could change anything, if there is one.
    #[must_use]
    pub fn next_event(&self) -> Option<Instant> {
        match self.stop {
            Some(stop) if stop.is_forfeit() => None,
            Some(_) => Some(self.fenced_at),
            None if self.committed => Some(self.fenced_at),
            None => Some(self.fenced_at.min(self.deadline_at).min(self.moved_at + self.terms.stall)),
        }
    }

    fn halt(&mut self, reason: Stop) {
        let counts = match self.stop {
            None => reason.is_forfeit() || !self.committed,
            // The first reason stands, but a lost lease silences its report.
            Some(present) => reason.is_forfeit() && !present.is_forfeit(),
        };
        if counts {
            self.stop = Some(reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TERMS: Terms = Terms {
        lease: Duration::from_secs(30),
        heartbeat: Duration::from_secs(10),
        deadline: Duration::from_secs(600),
        stall: Duration::from_secs(60),
    };

    fn at(fraction: f64) -> Progress {
        Progress {
            stage: Stage::Rendering,
            fraction,
            frames_done: 0,
            frames_total: 0,
            speed: None,
            seconds_left: None,
        }
    }

    #[test]
    fn a_silent_gateway_fences_before_the_lease_ends() {
        let start = Instant::now();
        let mut guard = Guard::new(TERMS, start);
        guard.tick(start + Duration::from_secs(24));
        assert_eq!(guard.stop(), None);
        guard.tick(start + Duration::from_secs(25));
        assert_eq!(guard.stop(), Some(Stop::Fenced));
        assert!(!guard.may_write(start));
    }

    #[test]
    fn an_answer_counts_from_its_sending() {
        let start = Instant::now();
        let mut guard = Guard::new(TERMS, start);
        let sent = start + Duration::from_secs(10);
        guard.answered(sent, BeatVerdict::Held, TERMS.lease);
        assert!(guard.may_write(sent + Duration::from_millis(24_999)));
        assert!(!guard.may_write(sent + Duration::from_secs(25)));
    }

    #[test]
    fn a_cancel_may_be_reported_until_the_lease_is_lost() {
        let start = Instant::now();
        let mut guard = Guard::new(TERMS, start);
        guard.answered(start, BeatVerdict::Cancel, TERMS.lease);
        guard.shut_down();
        assert_eq!(guard.stop(), Some(Stop::Cancelled));
        assert!(guard.may_write(start));
        guard.answered(start, BeatVerdict::Lost, Duration::ZERO);
        assert_eq!(guard.stop(), Some(Stop::Lost));
        assert!(!guard.may_write(start));
    }

    #[test]
    fn standing_still_is_noticed_and_moving_is_not_mistaken_for_it() {
        let start = Instant::now();
        let second = |seconds| start + Duration::from_secs(seconds);
        let mut guard = Guard::new(TERMS, start);
        for now in (0..=120).step_by(10) {
            guard.answered(second(now), BeatVerdict::Held, TERMS.lease);
            guard.progressed(second(now), &at(if now <= 50 { now as f64 / 100.0 } else { 0.5 }));
            guard.tick(second(now));
            assert_eq!(guard.stop().is_some(), now >= 110, "after {now} s");
        }
        assert_eq!(guard.stop(), Some(Stop::Stalled));
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Wait(u64),
        Answer { age: u64, verdict: BeatVerdict, lease: u64 },
        Progress(u8),
        ShutDown,
        Lost,
        Commit,
    }

    fn step() -> impl Strategy<Value = Step> {
        let verdict = prop_oneof![
            6 => Just(BeatVerdict::Held), 1 => Just(BeatVerdict::Cancel), 1 => Just(BeatVerdict::Lost)
        ];
        prop_oneof![
            8 => (0_u64..20_000).prop_map(Step::Wait),
            8 => (0_u64..5_000, verdict, 0_u64..40_000)
                .prop_map(|(age, verdict, lease)| Step::Answer { age, verdict, lease }),
            4 => any::<u8>().prop_map(Step::Progress),
            1 => Just(Step::ShutDown),
            1 => Just(Step::Lost),
            1 => Just(Step::Commit),
        ]
    }

    proptest! {
        #[test]
        fn the_promises_hold_for_every_story(steps in proptest::collection::vec(step(), 0..60)) {
            let start = Instant::now();
            let mut now = start;
            let mut guard = Guard::new(TERMS, start);
            // The latest moment up to which the other side surely left us the lease.
            let mut sure_until = start + TERMS.lease;
            let mut before = guard.stop();
            let mut committed = false;
            for step in steps {
                match step {
                    Step::Wait(milliseconds) => now += Duration::from_millis(milliseconds),
                    Step::Answer { age, verdict, lease } => {
                        let sent = now.checked_sub(Duration::from_millis(age)).unwrap().max(start);
                        let lease = Duration::from_millis(lease);
                        if verdict != BeatVerdict::Lost {
                            sure_until = sure_until.max(sent + lease);
                        }
                        guard.answered(sent, verdict, lease);
                    }
                    Step::Progress(percent) => guard.progressed(now, &at(f64::from(percent) / 255.0)),
                    Step::ShutDown => guard.shut_down(),
                    Step::Lost => guard.lost(),
                    Step::Commit => {
                        let may = guard.commit(now);
                        prop_assert!(!may || guard.may_write(now));
                        committed |= may;
                    }
                }
                // The announced event is exact: nothing happens before it, something at it.
                if let Some(event) = guard.next_event() {
                    let mut early = guard.clone();
                    if let Some(moment) = event.checked_sub(Duration::from_nanos(1)) {
                        early.tick(moment);
                        prop_assert_eq!(early.stop(), guard.stop());
                    }
                    let mut late = guard.clone();
                    late.tick(event);
                    prop_assert_ne!(late.stop(), guard.stop());
                }
                guard.tick(now);
                let after = guard.stop();
                if let Some(before) = before {
                    let after = after.unwrap();
                    prop_assert!(after == before || (after.is_forfeit() && !before.is_forfeit()));
                }
                prop_assert!(!committed || after.is_none_or(Stop::is_forfeit));
                if guard.may_write(now) {
                    prop_assert!(now < sure_until);
                } else {
                    prop_assert!(after.is_some_and(Stop::is_forfeit));
                    prop_assert!(!guard.may_write(start));
                }
                before = after;
            }
        }
    }
}
