//! PLACEHOLDER
use contracts::import::DynamodbSource;
use futures::future::BoxFuture;
use service_kit::env::Env;

use super::{Source, SourceError};
use crate::candidate::Gathered;

/// Ways.
#[derive(Clone)]
pub struct Ways {}

impl Ways {
    /// From settings.
    ///
    /// # Errors
    /// When a setting cannot be read.
    pub fn from_env(_env: &Env) -> anyhow::Result<Self> {
        Ok(Self {})
    }
}

/// Source.
pub struct Dynamodb {}

impl Dynamodb {
    /// Opens.
    ///
    /// # Errors
    /// Never.
    pub fn open(_source: &DynamodbSource, _ways: &Ways) -> Result<Self, SourceError> {
        Ok(Self {})
    }
}

impl Source for Dynamodb {
    fn read<'a>(&'a self, _into: &'a mut Gathered) -> BoxFuture<'a, Result<(), SourceError>> {
        Box::pin(async { Err(SourceError::Refused("PLACEHOLDER".to_owned())) })
    }
}
