//! The rule of leases, without a database: every transition is a plain function of the state and a given moment.
//!
//! Promises: see the crate. Nothing here fails; a refused transition is answered as such and leaves the state as it was.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// The lease on one subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lease {
    /// Of the newest lease that was ever given; 0 if there was none.
    pub fence: i64,
    /// Who holds it, or held it until it ran out.
    pub holder: Option<Holder>,
}

/// Who holds a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// The process.
    pub owner: Uuid,
    /// From this moment on it is no holder any more.
    pub expires_at: DateTime<Utc>,
}

/// Somebody else holds the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held;

/// The fence or the owner is not the live holder's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stale;

impl Lease {
    /// The live holder at a moment.
    #[must_use]
    pub fn live(&self, now: DateTime<Utc>) -> Option<Holder> {
        self.holder.filter(|holder| holder.expires_at > now)
    }

    /// Gives the lease to an owner, with the next fence.
    ///
    /// # Errors
    /// [`Held`] while it has a live holder, the same owner included.
    pub fn acquire(self, owner: Uuid, now: DateTime<Utc>, ttl: TimeDelta) -> Result<Self, Held> {
        match self.live(now) {
            Some(_) => Err(Held),
            None => Ok(Self { fence: self.fence + 1, holder: Some(Holder { owner, expires_at: now + ttl }) }),
        }
    }

    /// Whether a write of this owner under this fence may pass.
    ///
    /// # Errors
    /// [`Stale`] if it may not.
    pub fn check(&self, owner: Uuid, fence: i64, now: DateTime<Utc>) -> Result<(), Stale> {
        let passes = self.fence == fence && self.live(now).is_some_and(|holder| holder.owner == owner);
        if passes { Ok(()) } else { Err(Stale) }
    }

    /// Extends the lease of its live holder.
    ///
    /// # Errors
    /// [`Stale`] for anybody else.
    pub fn renew(self, owner: Uuid, fence: i64, now: DateTime<Utc>, ttl: TimeDelta) -> Result<Self, Stale> {
        self.check(owner, fence, now)?;
        Ok(Self { fence, holder: Some(Holder { owner, expires_at: now + ttl }) })
    }

    /// Gives the lease back; the fence stays.
    ///
    /// # Errors
    /// [`Stale`] for anybody but its live holder.
    pub fn release(self, owner: Uuid, fence: i64, now: DateTime<Utc>) -> Result<Self, Stale> {
        self.check(owner, fence, now)?;
        Ok(Self { fence, holder: None })
    }

    /// Clears away a holder whose time has run out.
    ///
    /// # Errors
    /// [`Held`] while it is live, or when there is none to clear away.
    pub fn expire(self, now: DateTime<Utc>) -> Result<Self, Held> {
        match self.holder {
            Some(holder) if holder.expires_at <= now => Ok(Self { fence: self.fence, holder: None }),
            _ => Err(Held),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Acquire { owner: usize, ttl: i64 },
        Renew { grant: usize, ttl: i64 },
        Release { grant: usize },
        Write { grant: usize },
        Expire,
        Wait { seconds: i64 },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..3usize, 1..20i64).prop_map(|(owner, ttl)| Step::Acquire { owner, ttl }),
            (any::<usize>(), 1..20i64).prop_map(|(grant, ttl)| Step::Renew { grant, ttl }),
            any::<usize>().prop_map(|grant| Step::Release { grant }),
            any::<usize>().prop_map(|grant| Step::Write { grant }),
            Just(Step::Expire),
            (0..15i64).prop_map(|seconds| Step::Wait { seconds }),
        ]
    }

    /// A grant as its holder remembers it, zombie or not.
    #[derive(Clone, Copy)]
    struct Grant {
        owner: Uuid,
        fence: i64,
        until: DateTime<Utc>,
        given_back: bool,
    }

    proptest! {
        #[test]
        fn one_live_holder_growing_fences_no_stale_write(steps in prop::collection::vec(step(), 1..60)) {
            let owners: Vec<Uuid> = (1..=3).map(Uuid::from_u128).collect();
            let mut now = DateTime::<Utc>::UNIX_EPOCH;
            let mut lease = Lease::default();
            let mut grants: Vec<Grant> = Vec::new();
            let mut newest_write = 0;
            for step in steps {
                let pick = |index: usize| (!grants.is_empty()).then(|| index % grants.len().max(1));
                match step {
                    Step::Wait { seconds } => now += TimeDelta::seconds(seconds),
                    Step::Acquire { owner, ttl } => {
                        let others_live = grants.iter().any(|grant| !grant.given_back && grant.until > now);
                        let taken = lease.acquire(owners[owner], now, TimeDelta::seconds(ttl));
                        prop_assert_eq!(taken.is_err(), others_live);
                        if let Ok(next) = taken {
                            prop_assert!(grants.iter().all(|grant| grant.fence < next.fence));
                            let until = now + TimeDelta::seconds(ttl);
                            grants.push(Grant { owner: owners[owner], fence: next.fence, until, given_back: false });
                            lease = next;
                        }
                    }
                    Step::Renew { grant, ttl } => if let Some(index) = pick(grant) {
                        let Grant { owner, fence, until, given_back } = grants[index];
                        let renewed = lease.renew(owner, fence, now, TimeDelta::seconds(ttl));
                        prop_assert_eq!(renewed.is_ok(), !given_back && until > now);
                        if let Ok(next) = renewed {
                            grants[index].until = now + TimeDelta::seconds(ttl);
                            lease = next;
                        }
                    },
                    Step::Release { grant } => if let Some(index) = pick(grant)
                        && let Ok(next) = lease.release(grants[index].owner, grants[index].fence, now)
                    {
                        grants[index].given_back = true;
                        lease = next;
                    },
                    Step::Write { grant } => if let Some(index) = pick(grant) {
                        let Grant { owner, fence, until, given_back } = grants[index];
                        let passes = lease.check(owner, fence, now).is_ok();
                        prop_assert_eq!(passes, !given_back && until > now);
                        if passes {
                            prop_assert!(fence >= newest_write, "a write of an older lease passed after a newer one's");
                            newest_write = fence;
                        }
                    },
                    Step::Expire => if let Ok(next) = lease.expire(now) { lease = next; },
                }
                let live = grants.iter().filter(|grant| !grant.given_back && grant.until > now);
                prop_assert!(live.count() <= 1);
            }
        }

        #[test]
        fn nobody_else_passes(fence in 1..5i64, other_fence in 0..8i64, other in any::<u128>()) {
            let (now, owner) = (DateTime::<Utc>::UNIX_EPOCH, Uuid::from_u128(7));
            let until = now + TimeDelta::seconds(1);
            let lease = Lease { fence, holder: Some(Holder { owner, expires_at: until }) };
            let other = Uuid::from_u128(other);
            prop_assert_eq!(lease.check(other, other_fence, now).is_ok(), other == owner && other_fence == fence);
            prop_assert_eq!(lease.check(owner, fence, until), Err(Stale));
        }
    }
}
