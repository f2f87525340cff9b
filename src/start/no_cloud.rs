//! In place of `cloud`, in a build without AWS.
#![expect(clippy::unused_async, clippy::unused_self, reason = "the same shape as the one with AWS")]

use crate::config::Warm;
use crate::ports::{PublicKeys, Web, WebAnswer, WebError, WebRequest};
use crate::trigger::ObjectRef;

use super::{Alerts, Objects, Parts, StartError, State};

pub(super) struct Cloud;

impl Cloud {
    pub(super) async fn load(_needed: bool) -> Self {
        Self
    }

    pub(super) fn objects(&self) -> Result<Objects, StartError> {
        Err(StartError::WithoutAws("s3"))
    }

    pub(super) fn keys(&self) -> Result<Box<dyn PublicKeys>, StartError> {
        Err(StartError::WithoutAws("cloudtrail"))
    }

    pub(super) fn alerts(&self, _arn: &str) -> Result<Alerts, StartError> {
        Err(StartError::WithoutAws("sns"))
    }

    pub(super) fn state(&self, _table: &str) -> Result<State, StartError> {
        Err(StartError::WithoutAws("dynamodb"))
    }

    pub(super) fn sender(&self) -> Result<Sender, StartError> {
        Err(StartError::WithoutAws("notify without --print"))
    }

    pub(super) async fn text(&self, _object: &ObjectRef) -> Result<String, StartError> {
        Err(StartError::WithoutAws("s3://"))
    }

    pub(super) async fn bytes(&self, _object: &ObjectRef, _max_bytes: usize) -> Result<Option<Vec<u8>>, String> {
        Err(StartError::WithoutAws("s3://").to_string())
    }

    pub(super) async fn list(&self, _bucket: &str, _prefix: &str) -> Result<Vec<ObjectRef>, String> {
        Err(StartError::WithoutAws("s3://").to_string())
    }
}

pub(super) async fn warm(_places: &[Warm], _parts: &Parts) {}

/// What sends requests to receivers. There is none.
#[derive(Debug)]
pub enum Sender {}

impl Web for Sender {
    async fn send(&self, _request: &WebRequest) -> Result<WebAnswer, WebError> {
        match *self {}
    }
}
