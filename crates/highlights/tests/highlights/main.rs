//! Sources of highlights as they are read, each from a real server of its kind.

mod dynamodb;
mod proxy;
