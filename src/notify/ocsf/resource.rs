//! What was done to which resource.

use std::collections::HashSet;

use crate::finding::{Event, Finding};
use crate::trail::Outcome;

use super::object::{Account, Text, User, objects};

objects! {
    Resource<'a> {
        uid: &'a str,
        name: Option<&'a str>,
        r#type: Text<'a>,
        region: Option<&'a str>,
        cloud_partition: Option<&'a str>,
        owner: Option<User<'a>>,
        role_id: u32,
        role: &'static str,
    }
}

/// Each resource of these findings once.
pub(super) fn resources<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<Resource<'a>> {
    let mut seen = HashSet::new();
    findings.flat_map(|finding| of_event(&finding.event)).filter(|resource| seen.insert(resource.uid)).collect()
}

fn of_event(event: &Event) -> impl Iterator<Item = Resource<'_>> {
    let details = event.details();
    let mut listed = event.record.record().listed_resources();
    // What was refused or failed did nothing to it.
    let (role_id, role) = if details.outcome == Outcome::Success { (3, "Affected") } else { (1, "Target") };
    details.resources.iter().map(move |uid| {
        let said = listed.iter_mut().find(|resource| resource.arn == *uid);
        let (kind, account) = said.map(|said| (said.kind.take(), said.account.take())).unwrap_or_default();
        let arn = Arn::parse(uid);
        let owner = account.or_else(|| Some(arn.as_ref()?.account.into())).and_then(Account::of);
        Resource {
            uid,
            name: arn.as_ref().map(Arn::name).filter(|name| !name.is_empty()),
            r#type: kind.or_else(|| Some(arn.as_ref()?.kind()?.into())),
            region: arn.as_ref().map(|arn| arn.region).filter(|region| !region.is_empty()),
            cloud_partition: arn.as_ref().map(|arn| arn.partition).filter(|partition| !partition.is_empty()),
            owner: owner.map(User::of_account),
            role_id,
            role,
        }
    })
}

/// `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`
pub(super) struct Arn<'a> {
    pub(super) partition: &'a str,
    service: &'a str,
    region: &'a str,
    account: &'a str,
    resource: &'a str,
}

impl<'a> Arn<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next();
        (next()? == "arn").then_some(())?;
        Some(Self { partition: next()?, service: next()?, region: next()?, account: next()?, resource: next()? })
    }

    /// What people call it: without its kind, and without IAM's path.
    fn name(&self) -> &'a str {
        match self.service {
            "s3" | "sns" | "sqs" => self.resource,
            "iam" => self.resource.rsplit('/').next().unwrap_or_default(),
            _ => self.resource.split_once(['/', ':']).map_or(self.resource, |(_, name)| name),
        }
    }

    /// CloudTrail's word for its kind, for those ARNs that are made of requests. Others come with it.
    fn kind(&self) -> Option<&'static str> {
        let kind = self.resource.split(['/', ':']).next()?;
        Some(match (self.service, kind) {
            ("iam", "user") => "AWS::IAM::User",
            ("iam", "role") => "AWS::IAM::Role",
            ("iam", "group") => "AWS::IAM::Group",
            ("kms", "key") => "AWS::KMS::Key",
            ("kms", "alias") => "AWS::KMS::Alias",
            ("cloudtrail", "trail") => "AWS::CloudTrail::Trail",
            ("s3", _) if self.resource.contains('/') => "AWS::S3::Object",
            ("s3", _) => "AWS::S3::Bucket",
            ("sns", _) if !self.resource.contains(':') => "AWS::SNS::Topic",
            ("sqs", _) => "AWS::SQS::Queue",
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_tells_name_and_kind() {
        for (arn, name, kind) in [
            ("arn:aws:iam::111122223333:user/team/alice", "alice", Some("AWS::IAM::User")),
            ("arn:aws:iam::111122223333:root", "root", None),
            ("arn:aws-cn:s3:::logs", "logs", Some("AWS::S3::Bucket")),
            ("arn:aws:s3:::logs/a/b", "logs/a/b", Some("AWS::S3::Object")),
            ("arn:aws:sqs:eu-west-1:111122223333:orders", "orders", Some("AWS::SQS::Queue")),
            ("arn:aws:sns:eu-west-1:111122223333:t", "t", Some("AWS::SNS::Topic")),
            ("arn:aws:sns:eu-west-1:111122223333:t:5d0b", "t:5d0b", None),
            ("arn:aws:kms:eu-west-1:111122223333:alias/a/b", "a/b", Some("AWS::KMS::Alias")),
            ("arn:aws:lambda:eu-west-1:111122223333:function:f:1", "f:1", None),
            ("arn:aws:logs:eu-west-1:111122223333:log-group:/aws/x", "/aws/x", None),
        ] {
            let parsed = Arn::parse(arn).unwrap();
            assert_eq!((parsed.name(), parsed.kind()), (name, kind), "{arn}");
        }
        for text in ["", "arn", "arn:aws:s3", "s3://bucket/key", "i-0abc"] {
            assert!(Arn::parse(text).is_none(), "{text}");
        }
    }
}
