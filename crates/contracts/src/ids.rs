//! Typed ids. All are UUIDs; those of things that are listed by age are version 7, so that they sort by creation.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = Uuid)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id that sorts after those made before it (UUID version 7).
            #[must_use]
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

id!(
    /// A job: a request for one result.
    JobId
);
id!(
    /// A montage: a published result.
    MontageId
);
id!(
    /// A file that somebody uploaded to use as a source.
    UploadId
);
id!(
    /// A schedule: when, from where and how jobs are made unattended.
    ScheduleId
);
id!(
    /// An API key (its public half).
    KeyId
);
id!(
    /// A webhook: somebody who is told of jobs that ended.
    WebhookId
);
id!(
    /// One event on its way to one webhook's receiver.
    DeliveryId
);

/// One running executor process. Made at random at its start and sent only on the executor routes, never answered to
/// anybody else: together with the fence it proves that a write comes from the holder of the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Uuid)]
pub struct ExecutorId(pub Uuid);

impl ExecutorId {
    /// A new unguessable id (UUID version 4).
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::new_v4())
    }
}
