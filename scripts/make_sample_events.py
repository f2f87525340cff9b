#!/usr/bin/env python3
"""Writes events/: two weeks of sample trail files, and the invocation payloads that point to them.

    python3 scripts/make_sample_events.py            writes events/
    python3 scripts/make_sample_events.py --check    exits 1 when events/ is not what this script would write

The same script always writes the same bytes: every identifier comes from a generator seeded with the file's own name, so a
change to one file leaves the identifiers of the others alone. events/README.md lists what is hidden in the files; its tables
are made from the records themselves. Accounts, addresses and keys are documentation values.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import string
import struct
import sys
import uuid
import zlib
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from functools import cached_property
from pathlib import Path
from typing import Any, Callable
from urllib.parse import quote_plus

import sample_notices as notices
import sample_ways as ways

EVENTS = Path(__file__).resolve().parent.parent / "events"
SEED = "trailhound sample events, autumn 2026"

PROD, STAGING, PARTNER = "111122223333", "444455556666", "123456789012"
IRELAND, VIRGINIA = "eu-west-1", "us-east-1"
BUCKET = "example-trail-logs"
INTAKE_QUEUE = f"arn:aws:sqs:{IRELAND}:{PROD}:trailhound-intake"

# The working days of the story. The weekends are left out, which keeps the folder small.
DAYS = [day for day in (date(2026, 10, 20) + timedelta(days=n) for n in range(17)) if day.weekday() < 5]
FIRST_DAY, LAST_DAY = DAYS[0], DAYS[-1]
TUESDAY, WEDNESDAY, THURSDAY = 1, 2, 3

CHROME = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36 Edg/142.0"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"
AWS_CLI = (
    "aws-cli/2.31.18 md/awscrt#0.28.1 ua/2.1 os/linux#6.8.0 md/arch#x86_64 lang/python#3.13.7 md/pyimpl#CPython "
    "cfg/retry-mode#standard md/installer#exe md/prompt#off"
)
BOTO3 = (
    "Boto3/1.40.61 md/Botocore#1.40.61 ua/2.1 os/linux#5.10.244 md/arch#x86_64 lang/python#3.13.9 md/pyimpl#CPython "
    "cfg/retry-mode#standard"
)
JAVA_SDK = "aws-sdk-java/2.37.3 md/io#async md/http#NettyNio ua/2.1 os/Linux#5.10.244 lang/java#21.0.9 cfg/retry-mode#legacy"
NODE_SDK = "aws-sdk-js/3.920.0 ua/2.1 os/linux#5.10.244 lang/js md/nodejs#22.21.0 exec-env/AWS_ECS_FARGATE"
TERRAFORM_AGENT = (
    "APN/1.0 HashiCorp/1.0 Terraform/1.13.4 (+https://www.terraform.io) terraform-provider-aws/6.18.0 "
    "(+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.39.4 ua/2.1 os/linux lang/go#1.24.6"
)
CI_AGENT = (
    "aws-sdk-js/3.872.0 ua/2.1 os/linux#6.11.0-azure lang/js md/nodejs#20.19.5 configure-aws-credentials-for-github-actions"
)
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"  # what CloudTrail writes instead of contents and secrets


# identifiers --------------------------------------------------------------------------------------


class Ids:
    """Deterministic identifiers for one file.

    Only `random()` and `getrandbits()` are used: Python promises their sequence for a seed, not that of `choice` or `sample`.
    """

    def __init__(self, name: str):
        self._random = random.Random(f"{SEED}/{name}")

    def below(self, limit: int) -> int:
        return int(self._random.random() * limit)

    def hex(self, digits: int) -> str:
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"

    def text(self, length: int, alphabet: str = string.ascii_letters + string.digits) -> str:
        return "".join(alphabet[self.below(len(alphabet))] for _ in range(length))

    def upper(self, length: int) -> str:
        return self.text(length, string.ascii_uppercase + string.digits)

    def uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def shuffle(self, items: list) -> None:
        for last in range(len(items) - 1, 0, -1):
            other = self.below(last + 1)
            items[last], items[other] = items[other], items[last]


def moment(day: date, clock: str) -> datetime:
    """`moment(date(2026, 11, 5), "06:45:12")`, in UTC."""
    hour, minute, second = (int(part) for part in (clock + ":00")[:8].split(":"))
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=timezone.utc)


def iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def java_date(at: datetime) -> str:
    """The date format inside responseElements: `Nov 5, 2026, 6:46:12 AM`."""
    return f"{at:%b} {at.day}, {at.year}, {at.hour % 12 or 12}:{at:%M:%S} {'AM' if at.hour < 12 else 'PM'}"


def unique_id(kind: str, name: str) -> str:
    """A principal id of the right length: `AROAEXAMPLEORDERSWORK`."""
    telling = name.replace("AWSReservedSSO_", "").replace("AWSServiceRoleFor", "")
    letters = "".join(c for c in telling.upper() if c.isalnum())
    return f"{kind}EXAMPLE{letters}"[:21].ljust(21, "0")


# callers ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Session:
    key_id: str
    started: datetime


@dataclass(frozen=True)
class Caller:
    """Who makes a call, and from where."""

    name: str  # calls of one name in one file share a session
    identity: Callable[[Session], dict]
    address: str
    agent: str
    from_console: bool = False  # the console makes the call: flagged, and without TLS details
    endpoint: str | None = None  # the VPC endpoint the call goes through
    is_aws: bool = False  # AWS makes the call: no TLS details


def user(name: str, address: str, agent: str, *, mfa: bool | None = None, from_console: bool = False) -> Caller:
    """An IAM user of the prod account; `mfa=None` means a long-lived access key and no session."""

    def identity(session: Session) -> dict:
        who = {
            "type": "IAMUser",
            "principalId": unique_id("AIDA", name),
            "arn": f"arn:aws:iam::{PROD}:user/{name}",
            "accountId": PROD,
            "accessKeyId": session.key_id if mfa is not None else unique_id("AKIA", name)[:20],
            "userName": name,
        }
        if mfa is not None:
            attributes = {"creationDate": iso(session.started), "mfaAuthenticated": str(mfa).lower()}
            who["sessionContext"] = {"attributes": attributes}
        return who

    return Caller(f"{name} {address}", identity, address, agent, from_console)


def role(
    account: str,
    name: str,
    session_name: str,
    address: str,
    agent: str,
    *,
    path: str = "",
    mfa: bool = False,
    from_console: bool = False,
    endpoint: str | None = None,
    instance: bool = False,
) -> Caller:
    """A session of an IAM role; `instance` adds how EC2 handed out the credentials."""

    def identity(session: Session) -> dict:
        attributes = {"creationDate": iso(session.started), "mfaAuthenticated": str(mfa).lower()}
        context = {
            "sessionIssuer": {
                "type": "Role",
                "principalId": unique_id("AROA", name),
                "arn": f"arn:aws:iam::{account}:role/{path}{name}",
                "accountId": account,
                "userName": name,
            },
            "attributes": attributes,
        }
        if instance:
            context["ec2RoleDelivery"] = "2.0"
        return {
            "type": "AssumedRole",
            "principalId": f"{unique_id('AROA', name)}:{session_name}",
            "arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session_name}",
            "accountId": account,
            "accessKeyId": session.key_id,
            "sessionContext": context,
        }

    return Caller(f"{name}/{session_name} {address}", identity, address, agent, from_console, endpoint)


def through(service: str, caller: Caller) -> Caller:
    """The service calls on behalf of `caller`: identity of the caller, address and agent of the service."""

    def identity(session: Session) -> dict:
        return {**caller.identity(session), "invokedBy": service}

    return Caller(caller.name, identity, service, service, is_aws=True)


def service(name: str) -> Caller:
    """An AWS service in its own name: nothing but the service is known."""
    return Caller(name, lambda _: {"type": "AWSService", "invokedBy": name}, name, name, is_aws=True)


def other_account(account: str, principal_id: str, address: str, agent: str) -> Caller:
    """A caller of another account, as the owner of the resource sees it."""
    who = {"type": "AWSAccount", "principalId": principal_id, "accountId": account}
    return Caller(principal_id, lambda _: who, address, agent)


def root(account: str, address: str, agent: str) -> Caller:
    def identity(session: Session) -> dict:
        return {
            "type": "Root",
            "principalId": account,
            "arn": f"arn:aws:iam::{account}:root",
            "accountId": account,
            "accessKeyId": session.key_id,
            "sessionContext": {"attributes": {"creationDate": iso(session.started), "mfaAuthenticated": "false"}},
        }

    return Caller(f"root {account}", identity, address, agent, from_console=True)


def single_sign_on(account: str, person: str, permission_set: str, address: str, agent: str) -> Caller:
    """A person who signs in through IAM Identity Center. The identity provider asks for MFA; CloudTrail can't see it."""
    reserved = f"AWSReservedSSO_{permission_set}_{hashlib.sha256((account + permission_set).encode()).hexdigest()[:16]}"
    path = f"aws-reserved/sso.amazonaws.com/{IRELAND}/"
    return role(account, reserved, f"{person}@example.com", address, agent, path=path, from_console=True)


# People of the prod account. 192.0.2.0/25 is the office.
ALICE = user("alice", "198.51.100.7", CHROME, mfa=True, from_console=True)
ALICE_WITHOUT_MFA = user("alice", "203.0.113.66", FIREFOX, mfa=False, from_console=True)
BOB_AT_THE_OFFICE = user("bob", "192.0.2.41", EDGE, mfa=True, from_console=True)
BOB_ON_THE_ROAD = user("bob", "203.0.113.9", EDGE, mfa=True, from_console=True)
ERIN = user("erin", "192.0.2.24", CHROME, mfa=True, from_console=True)
ERIN_ON_THE_COMMAND_LINE = user("erin", "192.0.2.24", AWS_CLI)
NOBODY = user(HIDDEN, "192.0.2.24", CHROME, mfa=False)  # a user name that doesn't exist is hidden
DANA = single_sign_on(PROD, "dana", "PowerUserAccess", "192.0.2.30", EDGE)
CARLOS = single_sign_on(PROD, "carlos", "ReadOnlyAccess", "192.0.2.31", FIREFOX)
DANA_IN_STAGING = single_sign_on(STAGING, "dana", "AdministratorAccess", "192.0.2.30", EDGE)

# Workloads.
KEY_ADMIN = role(PROD, "key-admin", "erin", "192.0.2.24", AWS_CLI, mfa=True)
BACKUP_OPERATOR = user("backup-operator", "192.0.2.60", AWS_CLI + " md/command#s3.cp")
ORDERS_WORKER = role(
    PROD, "orders-worker", "orders-worker", "10.20.8.15", BOTO3 + " exec-env/AWS_Lambda_python3.13",
    endpoint="vpce-0a1b2c3d4e5f60001",
)
SHOP_FRONTEND = role(
    PROD, "shop-frontend", "5d0c4f6a7b8e4d21a3f09c1e2b7d6a54", "10.20.4.17", NODE_SDK, endpoint="vpce-0a1b2c3d4e5f60001"
)
SHOP_FRONTEND_2 = role(
    PROD, "shop-frontend", "c81e728d9d4c4f636f067f89cc14862c", "10.20.5.23", NODE_SDK, endpoint="vpce-0a1b2c3d4e5f60001"
)
BILLING = role(PROD, "billing", "billing-service", "10.20.9.6", JAVA_SDK, endpoint="vpce-0a1b2c3d4e5f60002")
DATA_SCIENCE = role(PROD, "data-science", "SageMaker", "10.30.4.12", BOTO3, endpoint="vpce-0a1b2c3d4e5f60003")
CI_DEPLOY = role(PROD, "ci-deploy", "GitHubActions", "203.0.113.20", AWS_CLI)
POSTURE_SCANNER = role(PROD, "posture-scanner", "nightly-scan", "10.40.1.5", BOTO3, path="audit/")
AUTO_SCALING = through(
    "autoscaling.amazonaws.com",
    role(PROD, "AWSServiceRoleForAutoScaling", "AutoScaling", "", "", path="aws-service-role/autoscaling.amazonaws.com/"),
)
CONFIG = through(
    "config.amazonaws.com",
    role(PROD, "AWSServiceRoleForConfig", "AWSConfig-Describe", "", "", path="aws-service-role/config.amazonaws.com/"),
)
CLOUDTRAIL, LAMBDA = service("cloudtrail.amazonaws.com"), service("lambda.amazonaws.com")
TRUSTED_ADVISOR = replace(through("trustedadvisor.amazonaws.com", root(PROD, "", "")), name="trusted advisor")
TERRAFORM = role(STAGING, "terraform", "staging-apply", "203.0.113.20", TERRAFORM_AGENT)
STAGING_APP = role(
    STAGING, "staging-app", "i-0a1b2c3d4e5f67890", "10.60.1.9", BOTO3, endpoint="vpce-0a1b2c3d4e5f60004", instance=True
)
STAGING_REPORTS = role(STAGING, "reports", "weekly-report", "10.60.2.4", BOTO3, endpoint="vpce-0a1b2c3d4e5f60004")

PARTNER_WORKER = other_account(PARTNER, "AROAEXAMPLEPARTNER001:order-sync", "203.0.113.200", BOTO3)


# log files ----------------------------------------------------------------------------------------

# The minor version that each service writes; the others write the newest.
EVENT_VERSIONS = {"signin": "1.08", "sqs": "1.09", "sns": "1.09", "s3": "1.10", "sts": "1.08"}
READ_ONLY = ("Get", "List", "Describe", "Head", "Receive", "AssumeRole", "Decrypt", "GenerateDataKey", "Lookup", "Simulate")

UNREADABLE = "an array element that is no object: trailhound keeps the good records beside it"


@dataclass(frozen=True)
class Marked:
    """A record that events/README.md names, and what it says about it."""

    record: dict
    text: str


class LogFile:
    """One trail file while it is being made. Events stand in it one to ten minutes after they happened."""

    def __init__(self, account: str, region: str, delivered: datetime, *, trail: str = "", prefix: str = ""):
        self.account, self.region, self.delivered = account, region, delivered
        self.ids = Ids(f"{prefix}{account}/{region}/{iso(delivered)}/{trail}")
        stamp = delivered.strftime("%Y%m%dT%H%MZ")
        self.key = (
            f"{prefix}AWSLogs/{account}/CloudTrail/{region}/{delivered:%Y/%m/%d}/"
            f"{account}_CloudTrail_{region}_{stamp}_{self.ids.text(16)}.json.gz"
        )
        self.records: list[Any] = []
        self.planted: list[Marked] = []
        self.look_alikes: list[Marked] = []
        self._sessions: dict[str, Session] = {}
        self._clock = delivered - timedelta(seconds=590)

    def time(self, clock: str | None = None) -> datetime:
        """That time on the day of the file, or the next free moment."""
        if clock:
            return moment(self.delivered.date(), clock)
        self._clock += timedelta(seconds=2 + self.ids.below(13))
        return self._clock

    def session(self, caller: Caller, at: datetime) -> Session:
        """The caller's session in this file; it began before the file did, unless `start_session` said otherwise."""
        if caller.name not in self._sessions:
            self.start_session(caller, at - timedelta(seconds=900 + self.ids.below(1500)))
        return self._sessions[caller.name]

    def start_session(self, caller: Caller, at: datetime) -> None:
        self._sessions[caller.name] = Session(f"ASIAEXAMPLE{self.ids.upper(9)}", at)

    def call(
        self,
        caller: Caller,
        api: str,
        request: dict | None = None,
        response: dict | None = None,
        *,
        at: datetime | str | None = None,
        resources: list | None = None,
        error: tuple | None = None,
        extra: dict | None = None,
        details: dict | None = None,
        data: bool = False,
        host: str | None = None,
        shared_id: str | None = None,
        identity: dict | None = None,
        event_type: str = "AwsApiCall",
        planted: str | None = None,
        look_alike: str | None = None,
    ) -> dict:
        """Adds one record. `api` is written as in a policy, `sqs:SendMessage`; `at` is a moment or a clock text."""
        prefix, name = api.split(":")
        at = at if isinstance(at, datetime) else self.time(at)
        is_sign_in, is_api_call = event_type == "AwsConsoleSignIn", event_type == "AwsApiCall"
        record: dict[str, Any] = {
            "eventVersion": EVENT_VERSIONS.get(prefix, "1.11"),
            "userIdentity": identity or caller.identity(self.session(caller, at)),
            "eventTime": iso(at),
            "eventSource": f"{prefix}.amazonaws.com",
            "eventName": name,
            "awsRegion": self.region,
            "sourceIPAddress": caller.address,
            "userAgent": f"[{caller.agent}]" if prefix == "s3" and data else caller.agent,
        }
        if error:
            code, message = error
            if code:
                record["errorCode"] = code
            record["errorMessage"] = message
        record["requestParameters"] = request
        record["responseElements"] = response
        if extra:
            record["additionalEventData"] = extra
        if is_api_call:
            record["requestID"] = self.ids.upper(16) if prefix == "s3" else self.ids.uuid()
        record["eventID"] = self.ids.uuid()
        record["readOnly"] = name.startswith(READ_ONLY)
        if resources:
            record["resources"] = resources
        record["eventType"] = event_type
        record["managementEvent"] = not data
        record["recipientAccountId"] = self.account
        if record["userIdentity"].get("type") in ("AWSService", "AWSAccount") or shared_id:
            record["sharedEventID"] = shared_id or self.ids.uuid()
        if caller.endpoint and (data or prefix in ("kms", "sts", "secretsmanager", "ec2")):
            record["vpcEndpointId"] = caller.endpoint
            record["vpcEndpointAccountId"] = self.account
        if details:
            record["serviceEventDetails"] = details
        record["eventCategory"] = "Data" if data else "Management"
        if is_sign_in:
            record["tlsDetails"] = tls(host or f"{self.region}.signin.aws.amazon.com")
        elif is_api_call and not (caller.is_aws or caller.from_console):
            record["tlsDetails"] = tls(host or f"{prefix}.{self.region}.amazonaws.com")
        if is_api_call and caller.from_console:
            record["sessionCredentialFromConsole"] = "true"
        self.records.append(record)
        if planted:
            self.planted.append(Marked(record, planted))
        if look_alike:
            self.look_alikes.append(Marked(record, look_alike))
        return record

    @cached_property
    def content(self) -> bytes:
        """The file before compression: one line, no newline at its end."""
        times = [record["eventTime"] for record in self.records if isinstance(record, dict)]
        assert iso(self.delivered - timedelta(minutes=10)) <= min(times) and max(times) < iso(self.delivered), self.key
        if self.ids.below(3) == 0:  # a third of real files is out of order
            self.ids.shuffle(self.records)
        return json.dumps({"Records": self.records}, separators=(",", ":")).encode()


def tls(host: str) -> dict:
    return {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": host}


def resource(kind: str, arn: str, account: str | None = PROD) -> list:
    """The `resources` member with one entry. S3 objects name no account."""
    return [{**({"accountId": account} if account else {}), "type": kind, "ARN": arn}]


# calls, by service --------------------------------------------------------------------------------


def sqs(log: LogFile, caller: Caller, action: str, queue: str, **more: Any) -> None:
    """A message operation, with the parameters that each of them carries."""
    url = {"queueUrl": f"https://sqs.{log.region}.amazonaws.com/{log.account}/{queue}"}
    handle = "AQEBEXAMPLE" + log.ids.text(24)
    request, response = {
        "SendMessage": ({"messageBody": HIDDEN, **url}, {"messageId": log.ids.uuid(), "mD5OfMessageBody": log.ids.hex(32)}),
        "ReceiveMessage": ({"maxNumberOfMessages": 10, **url, "waitTimeSeconds": 20}, None),
        "DeleteMessage": ({"receiptHandle": handle, **url}, None),
        "DeleteMessageBatch": (
            {"entries": [{"id": "0", "receiptHandle": handle}], **url},
            {"successful": [{"id": "0"}], "failed": []},
        ),
    }[action]
    queue_arn = f"arn:aws:sqs:{log.region}:{log.account}:{queue}"
    log.call(
        caller, f"sqs:{action}", request, response, resources=resource("AWS::SQS::Queue", queue_arn, log.account), data=True,
        **more,
    )


def publish(log: LogFile, caller: Caller, topic: str, **more: Any) -> None:
    arn = f"arn:aws:sns:{log.region}:{log.account}:{topic}"
    request = {"topicArn": arn, "message": HIDDEN, "subject": HIDDEN}
    response = {"messageId": log.ids.uuid()}
    log.call(caller, "sns:Publish", request, response, resources=resource("AWS::SNS::Topic", arn, log.account), data=True, **more)


def s3_object(log: LogFile, caller: Caller, action: str, bucket: str, key: str, size: int, **more: Any) -> None:
    host = f"{bucket}.s3.{log.region}.amazonaws.com"
    resources = resource("AWS::S3::Object", f"arn:aws:s3:::{bucket}/{key}", None) + resource(
        "AWS::S3::Bucket", f"arn:aws:s3:::{bucket}", log.account
    )
    request = {"bucketName": bucket, "Host": host, "key": key}
    moved_out = action == "GetObject"
    extra = s3_extra(log, received=0 if moved_out else size, sent=size if moved_out else 0)
    response = {"x-amz-server-side-encryption": "AES256"} if action == "PutObject" and "error" not in more else None
    log.call(caller, f"s3:{action}", request, response, resources=resources, extra=extra, host=host, data=True, **more)


def s3_bucket(log: LogFile, caller: Caller, action: str, bucket: str, query: str, **more: Any) -> None:
    host = f"{bucket}.s3.{log.region}.amazonaws.com"
    request = {"bucketName": bucket, "Host": host, query: ""}
    resources = resource("AWS::S3::Bucket", f"arn:aws:s3:::{bucket}", log.account)
    log.call(caller, f"s3:{action}", request, resources=resources, extra=s3_extra(log, sent=453), host=host, **more)


def s3_extra(log: LogFile, received: int = 0, sent: int = 0) -> dict:
    return {
        "SignatureVersion": "SigV4",
        "CipherSuite": "TLS_AES_128_GCM_SHA256",
        "bytesTransferredIn": received,
        "AuthenticationMethod": "AuthHeader",
        "x-amz-id-2": log.ids.text(20) + "EXAMPLE=",
        "bytesTransferredOut": sent,
    }


# Keys of the prod account, with ids in the shape of the documentation's.
ORDERS_KEY = f"arn:aws:kms:{IRELAND}:{PROD}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SECRETS_KEY = f"arn:aws:kms:{IRELAND}:{PROD}:key/1234abcd-12ab-34cd-56ef-1234567890ac"
IMPORTED_KEY = f"arn:aws:kms:{IRELAND}:{PROD}:key/0987dcba-09fe-87dc-65ba-ab0987654321"
RETIRED_KEY = f"arn:aws:kms:{IRELAND}:{PROD}:key/0987dcba-09fe-87dc-65ba-ab0987654322"
BACKUP_KEY = f"arn:aws:kms:{VIRGINIA}:{PROD}:key/1234abcd-12ab-34cd-56ef-0987654321fe"


def kms(
    log: LogFile, caller: Caller, action: str, key: str, request: dict | None = None, response: dict | None = None, **more: Any
) -> None:
    log.call(caller, f"kms:{action}", request, response, resources=resource("AWS::KMS::Key", key), **more)


def kms_service_event(log: LogFile, action: str, key: str, **more: Any) -> None:
    """What KMS does by itself. Nobody calls, so the identity has neither type nor ARN."""
    aws = Caller("AWS Internal", lambda _: {}, "AWS Internal", "AWS Internal", is_aws=True)
    identity = {"accountId": log.account, "invokedBy": "AWS Internal"}
    resources = resource("AWS::KMS::Key", key)
    log.call(aws, f"kms:{action}", resources=resources, identity=identity, event_type="AwsServiceEvent", **more)


def assume_role(log: LogFile, caller: Caller, role_name: str, session_name: str, **more: Any) -> dict:
    """`becomes` is the caller whose session this starts; `ids` makes two accounts' copies of one call name the same session."""
    arn = f"arn:aws:iam::{PROD}:role/{role_name}"
    ids = more.pop("ids", log.ids)
    at = log.time(more.pop("at", None))
    becomes = more.pop("becomes", None)
    if becomes:
        log.start_session(becomes, at)
    request = {"roleArn": arn, "roleSessionName": session_name, **more.pop("parameters", {})}
    response = {
        "credentials": {
            "accessKeyId": log.session(becomes, at).key_id if becomes else f"ASIAEXAMPLE{ids.upper(9)}",
            "sessionToken": "IQoJb3JpZ2luX2VjEXAMPLETOKEN",
            "expiration": java_date(at + timedelta(hours=1)),
        },
        "assumedRoleUser": {
            "assumedRoleId": f"{unique_id('AROA', role_name)}:{session_name}",
            "arn": f"arn:aws:sts::{PROD}:assumed-role/{role_name}/{session_name}",
        },
    }
    api = more.pop("api", "sts:AssumeRole")
    record = log.call(caller, api, request, response, at=at, resources=resource("AWS::IAM::Role", arn), **more)
    record["requestID"] = ids.uuid()
    return record


def console_login(log: LogFile, caller: Caller, *, mfa: bool, failure: str | None = None, **more: Any) -> None:
    """A sign-in with a password. A success starts the session that the caller's next calls belong to."""
    at = log.time(more.pop("at", None))
    if not failure:
        log.start_session(caller, at)
    who = caller.identity(log.session(caller, at))
    del who["sessionContext"]
    who["accessKeyId"] = ""
    if failure:
        who.pop("arn")
        who.pop("principalId")
    host = "signin.aws.amazon.com" if log.region == VIRGINIA else f"{log.region}.signin.aws.amazon.com"
    page = "console.aws.amazon.com" if log.region == VIRGINIA else f"{log.region}.console.aws.amazon.com"
    extra = {
        "LoginTo": f"https://{page}/console/home?hashArgs=%23&isauthcode=true&state=hashArgsFromTB_{log.region}_{log.ids.hex(16)}",
        "MobileVersion": "No",
    }
    if mfa and who["type"] == "IAMUser":
        extra["MFAIdentifier"] = f"arn:aws:iam::{log.account}:mfa/{who['userName']}"
    extra["MFAUsed"] = "Yes" if mfa else "No"
    result = {"ConsoleLogin": "Failure" if failure else "Success"}
    error = (None, failure) if failure else None
    log.call(
        caller, "signin:ConsoleLogin", None, result, at=at, identity=who, extra=extra, error=error, host=host,
        event_type="AwsConsoleSignIn", **more,
    )


def federated_login(log: LogFile, caller: Caller, **more: Any) -> None:
    """A sign-in through Identity Center: no LoginTo, and `MFAUsed` is always No."""
    at = log.time()
    log.start_session(caller, at)
    log.call(
        caller, "signin:ConsoleLogin", None, {"ConsoleLogin": "Success"}, at=at, extra={"MobileVersion": "No", "MFAUsed": "No"},
        event_type="AwsConsoleSignIn", **more,
    )


def identity_center_authentication(log: LogFile, person: str, address: str, agent: str) -> None:
    """The portal's own record of the same sign-in."""
    identity = {
        "type": "IdentityCenterUser",
        "accountId": PROD,
        "onBehalfOf": {
            "userId": f"{hashlib.sha256(person.encode()).hexdigest()[:8]}-b0a1-70d2-1234-example00001",
            "identityStoreArn": f"arn:aws:identitystore::{PROD}:identitystore/d-1234567890",
        },
        "credentialId": log.ids.uuid(),
    }
    caller = Caller(person, lambda _: identity, address, agent, is_aws=True)
    extra = {
        "AuthWorkflowID": log.ids.uuid(),
        "CredentialType": "EXTERNAL_IDP",
        "LoginTo": "https://d-1234567890.awsapps.com/start",
    }
    log.call(
        caller, "signin:UserAuthentication", identity=identity, extra=extra, event_type="AwsServiceEvent",
        details={"UserAuthentication": "Success"},
    )


# an ordinary day ----------------------------------------------------------------------------------
# Every day holds the same kinds of calls, so that after the first week nothing but the story is new.


def shop_traffic(log: LogFile) -> None:
    """The shop puts orders into the queue; Lambda polls it with the worker's role; billing announces payments."""
    poller = through("lambda.amazonaws.com", ORDERS_WORKER)
    for task in (SHOP_FRONTEND, SHOP_FRONTEND_2):
        sqs(log, task, "SendMessage", "orders")
        s3_object(log, task, "GetObject", "example-shop-assets", f"images/{log.ids.hex(8)}.webp", 20_000 + log.ids.below(60_000))
    sqs(log, poller, "ReceiveMessage", "orders")
    sqs(log, poller, "DeleteMessageBatch", "orders")
    sqs(log, SHOP_FRONTEND, "SendMessage", "orders")
    sqs(log, poller, "ReceiveMessage", "orders")
    s3_object(
        log, ORDERS_WORKER, "PutObject", "example-shop-receipts", f"{log.delivered:%Y/%m/%d}/{log.ids.uuid()}.pdf",
        9_000 + log.ids.below(4_000),
    )
    publish(log, BILLING, "payments")
    sqs(log, BILLING, "ReceiveMessage", "invoices")


def encryption_by_services(log: LogFile) -> None:
    """KMS calls that S3, SQS and Secrets Manager make with the identity of whoever asked them."""
    kms(
        log, through("secretsmanager.amazonaws.com", ORDERS_WORKER), "Decrypt", SECRETS_KEY,
        {
            "encryptionContext": {
                "SecretARN": f"arn:aws:secretsmanager:{IRELAND}:{PROD}:secret:shop/database-AbCdEf",
                "SecretVersionId": log.ids.uuid(),
            },
            "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
        },
    )
    kms(
        log, through("AWS Internal", SHOP_FRONTEND), "GenerateDataKey", ORDERS_KEY,
        {"encryptionContext": {"aws:sqs:arn": f"arn:aws:sqs:{IRELAND}:{PROD}:orders"}, "keyId": ORDERS_KEY, "keySpec": "AES_256"},
    )
    kms(
        log, through("AWS Internal", BACKUP_OPERATOR), "Decrypt", ORDERS_KEY,
        {"encryptionContext": {"aws:s3:arn": "arn:aws:s3:::example-shop-receipts"}, "encryptionAlgorithm": "SYMMETRIC_DEFAULT"},
    )


def cloudtrail_itself(log: LogFile) -> None:
    """CloudTrail looks at its bucket before it delivers."""
    s3_bucket(log, CLOUDTRAIL, "GetBucketAcl", BUCKET, "acl")


def data_science(log: LogFile) -> None:
    s3_object(
        log, DATA_SCIENCE, "GetObject", "example-analytics",
        f"clicks/{log.delivered:%Y-%m-%d}/part-{log.ids.below(90):05}.parquet", 1_000_000 + log.ids.below(900_000),
    )
    sqs(log, DATA_SCIENCE, "ReceiveMessage", "training-jobs", look_alike="the notebook role reads its own queue")
    sqs(log, DATA_SCIENCE, "DeleteMessage", "training-jobs")


def inventory_tools(log: LogFile) -> None:
    log.call(POSTURE_SCANNER, "ec2:DescribeInstances", {"maxResults": 1000, "instancesSet": {}, "filterSet": {}})
    log.call(POSTURE_SCANNER, "lambda:ListFunctions20150331", {"maxItems": 50})
    log.call(POSTURE_SCANNER, "monitoring:DescribeAlarms", {"maxRecords": 100})
    log.call(CONFIG, "ec2:DescribeSecurityGroups", {"securityGroupSet": {}, "securityGroupIdSet": {}, "filterSet": {}})
    missing = ("NoSuchBucketPolicy", "The bucket policy does not exist")
    s3_bucket(log, CONFIG, "GetBucketPolicy", "example-shop-assets", "policy", error=missing)


def auto_scaling(log: LogFile) -> None:
    """One instance comes, one goes."""
    new, old = f"i-0{log.ids.hex(16)}", f"i-0{log.ids.hex(16)}"
    launch = {
        "instancesSet": {"items": [{"imageId": "ami-0a1b2c3d4e5f67890", "minCount": 1, "maxCount": 1}]},
        "instanceType": "m7g.large",
        "blockDeviceMapping": {},
        "availabilityZone": "eu-west-1b",
        "monitoring": {"enabled": False},
        "subnetId": "subnet-0a1b2c3d4e5f67890",
        "disableApiTermination": False,
        "disableApiStop": False,
        "clientToken": f"fleet-{log.ids.uuid()}-0",
        "tagSpecificationSet": {
            "items": [{"resourceType": "instance", "tags": [{"key": "aws:autoscaling:groupName", "value": "shop-web"}]}]
        },
        "launchTemplate": {"launchTemplateId": "lt-0a1b2c3d4e5f67890", "version": "14"},
    }
    started = {
        "requestId": log.ids.uuid(),
        "reservationId": f"r-0{log.ids.hex(16)}",
        "ownerId": PROD,
        "groupSet": {},
        "instancesSet": {
            "items": [
                {
                    "instanceId": new,
                    "imageId": "ami-0a1b2c3d4e5f67890",
                    "instanceState": {"code": 0, "name": "pending"},
                    "privateDnsName": "ip-10-20-6-31.eu-west-1.compute.internal",
                    "instanceType": "m7g.large",
                    "placement": {"availabilityZone": "eu-west-1b", "tenancy": "default"},
                    "subnetId": "subnet-0a1b2c3d4e5f67890",
                    "vpcId": "vpc-0a1b2c3d4e5f67890",
                    "privateIpAddress": "10.20.6.31",
                    "architecture": "arm64",
                    "metadataOptions": {
                        "state": "pending",
                        "httpTokens": "required",
                        "httpPutResponseHopLimit": 2,
                        "httpEndpoint": "enabled",
                    },
                }
            ]
        },
        "requesterId": PROD,
    }
    log.call(AUTO_SCALING, "ec2:RunInstances", launch, started)
    targets = {
        "targetGroupArn": f"arn:aws:elasticloadbalancing:{IRELAND}:{PROD}:targetgroup/shop-web/0123456789abcdef",
        "targets": [{"id": new}],
    }
    log.call(AUTO_SCALING, "elasticloadbalancing:RegisterTargets", targets)
    state = {
        "instanceId": old,
        "currentState": {"code": 32, "name": "shutting-down"},
        "previousState": {"code": 16, "name": "running"},
    }
    stop = {"instancesSet": {"items": [{"instanceId": old}]}}
    log.call(AUTO_SCALING, "ec2:TerminateInstances", stop, {"requestId": log.ids.uuid(), "instancesSet": {"items": [state]}})


def deployment(log: LogFile) -> None:
    """The pipeline swaps its GitHub token for the role, runs CloudFormation, and CloudFormation changes the function."""
    provider = f"arn:aws:iam::{PROD}:oidc-provider/token.actions.githubusercontent.com"
    subject = "repo:example/shop:ref:refs/heads/main"
    identity = {
        "type": "WebIdentityUser",
        "principalId": f"{provider}:sts.amazonaws.com:{subject}",
        "userName": subject,
        "identityProvider": provider,
    }
    token_holder = Caller("pipeline token", lambda _: identity, CI_DEPLOY.address, CI_AGENT)
    assume_role(
        log, token_holder, "ci-deploy", "GitHubActions", api="sts:AssumeRoleWithWebIdentity", becomes=CI_DEPLOY,
        extra={"identityProviderConnectionVerificationMethod": "IAMTrustStore"},
    )
    stack = f"arn:aws:cloudformation:{IRELAND}:{PROD}:stack/shop/5d0c4f60-7b8e-11f0-a3f0-0a9c1e2b7d6a"
    change = f"deploy-{log.ids.hex(10)}"
    log.call(
        CI_DEPLOY, "cloudformation:CreateChangeSet",
        {
            "stackName": "shop",
            "changeSetName": change,
            "changeSetType": "UPDATE",
            "capabilities": ["CAPABILITY_IAM"],
            "templateURL": f"https://example-ci-artifacts.s3.{IRELAND}.amazonaws.com/shop/{log.ids.hex(16)}.template",
        },
        {"id": f"arn:aws:cloudformation:{IRELAND}:{PROD}:changeSet/{change}/{log.ids.uuid()}", "stackId": stack},
    )
    log.call(CI_DEPLOY, "cloudformation:DescribeChangeSet", {"changeSetName": change, "stackName": "shop"})
    log.call(CI_DEPLOY, "cloudformation:ExecuteChangeSet", {"changeSetName": change, "stackName": "shop"})
    function = f"arn:aws:lambda:{IRELAND}:{PROD}:function:orders-worker"
    log.call(
        through("cloudformation.amazonaws.com", CI_DEPLOY), "lambda:UpdateFunctionCode20150331v2",
        {
            "functionName": "orders-worker",
            "s3Bucket": "example-ci-artifacts",
            "s3Key": f"shop/{log.ids.hex(32)}.zip",
            "publish": False,
            "dryRun": False,
        },
        {
            "functionName": "orders-worker",
            "functionArn": function,
            "runtime": "python3.13",
            "role": f"arn:aws:iam::{PROD}:role/orders-worker",
            "codeSize": 48_211,
            "codeSha256": log.ids.text(43) + "=",
            "lastModified": iso(log.delivered),
            "version": "$LATEST",
        },
        look_alike="CloudFormation replaces the worker's code in a deployment",
    )


def reports_from_staging(in_staging: LogFile, in_prod: LogFile) -> None:
    """A role of the staging account assumes one in prod. Each account gets a copy of the event, with an eventID of its own."""
    ids = Ids(f"weekly report {iso(in_prod.delivered)}")
    shared_id, clock = ids.uuid(), (in_prod.delivered - timedelta(minutes=4)).strftime("%H:%M:%S")
    as_prod_sees_it = other_account(
        STAGING, f"{unique_id('AROA', 'reports')}:weekly-report", STAGING_REPORTS.address, STAGING_REPORTS.agent
    )
    text = "a role of the staging account, which the configuration lists, assumes a role in prod"
    same = Ids(shared_id), Ids(shared_id)
    assume_role(in_staging, STAGING_REPORTS, "order-reports", "weekly-report", at=clock, ids=same[0], shared_id=shared_id)
    assume_role(
        in_prod, as_prod_sees_it, "order-reports", "weekly-report", at=clock, ids=same[1], shared_id=shared_id, look_alike=text
    )


def alice_at_work(log: LogFile) -> None:
    console_login(log, ALICE, mfa=True)
    log.call(ALICE, "ec2:DescribeInstances", {"maxResults": 100, "instancesSet": {}, "filterSet": {}})
    log.call(ALICE, "cloudtrail:DescribeTrails", {"trailNameList": [], "includeShadowTrails": True})
    log.call(ALICE, "logs:DescribeLogGroups", {"limit": 50})


def dana_at_work(log: LogFile) -> None:
    identity_center_authentication(log, "dana@example.com", DANA.address, DANA.agent)
    federated_login(log, DANA, look_alike="dana signs in through Identity Center: `MFAUsed` is No for everybody who does")
    log.call(DANA, "cloudformation:ListStacks", {"stackStatusFilter": ["CREATE_COMPLETE", "UPDATE_COMPLETE"]})
    request = {"encryptionAlgorithm": "SYMMETRIC_DEFAULT", "keyId": SECRETS_KEY}
    denied = denial(DANA, "kms:Decrypt", f"on resource: {SECRETS_KEY} ", "AccessDeniedException")
    kms(log, DANA, "Decrypt", SECRETS_KEY, request, error=denied)


def carlos_at_work(log: LogFile) -> None:
    federated_login(log, CARLOS)
    log.call(CARLOS, "ec2:DescribeVolumes", {"maxResults": 100, "volumeSet": {}, "filterSet": {}})
    s3_object(log, CARLOS, "PutObject", "example-analytics", "notes/carlos.txt", 0, error=("AccessDenied", "Access Denied"))


# A new colleague: two addresses in his first week, while trailhound still learns what is usual for him.
BOB_AT_WORK = {date(2026, 11, 2): BOB_AT_THE_OFFICE, date(2026, 11, 4): BOB_ON_THE_ROAD}


def bob_at_work(log: LogFile, bob: Caller) -> None:
    console_login(log, bob, mfa=True, look_alike="bob, known for two days, from a second address: still learning")
    log.call(bob, "ec2:DescribeInstances", {"maxResults": 100, "instancesSet": {}, "filterSet": {}})


def erin_and_the_keys(log: LogFile) -> None:
    """Erin takes the key administrators' role, with MFA, and looks after the keys."""
    console_login(log, ERIN, mfa=True)
    with_mfa = {"serialNumber": f"arn:aws:iam::{PROD}:mfa/erin"}
    assume_role(log, ERIN_ON_THE_COMMAND_LINE, "key-admin", "erin", parameters=with_mfa, becomes=KEY_ADMIN)
    kms(log, KEY_ADMIN, "DescribeKey", IMPORTED_KEY, {"keyId": IMPORTED_KEY})
    kms(log, KEY_ADMIN, "GetKeyRotationStatus", ORDERS_KEY, {"keyId": ORDERS_KEY})


def denial(caller: Caller, action: str, on: str = "", code: str = "AccessDenied") -> tuple:
    """Error code and message of a call that the caller's policies don't allow."""
    who = caller.identity(Session("", moment(FIRST_DAY, "00:00")))["arn"]
    reason = f"because no identity-based policy allows the {action} action"
    return code, f"User: {who} is not authorized to perform: {action} {on}{reason}"


def ordinary_day_in_ireland(number: int) -> LogFile:
    day = DAYS[number]
    log = LogFile(PROD, IRELAND, moment(day, f"{7 + number % 4:02}:{5 * (number * 5 % 12):02}"))
    shop_traffic(log)
    encryption_by_services(log)
    assume_role(log, LAMBDA, "orders-worker", "orders-worker")
    cloudtrail_itself(log)
    data_science(log)
    inventory_tools(log)
    if number % 3 == 0:
        auto_scaling(log)
    if day != LAST_DAY:
        alice_at_work(log)
    [dana_at_work, carlos_at_work, erin_and_the_keys][number % 3](log)
    if day.weekday() in (TUESDAY, THURSDAY):
        deployment(log)
    if day in BOB_AT_WORK:
        bob_at_work(log, BOB_AT_WORK[day])
    return log


def global_services(log: LogFile) -> None:
    """What IAM, CloudFront and other global services log in us-east-1."""
    log.call(POSTURE_SCANNER, "iam:GetAccountSummary", host="iam.amazonaws.com")
    log.call(POSTURE_SCANNER, "iam:ListUsers", {"maxItems": 1000}, host="iam.amazonaws.com")
    log.call(POSTURE_SCANNER, "cloudfront:ListDistributions", {"maxItems": "100"}, host="cloudfront.amazonaws.com")
    denied = denial(CI_DEPLOY, "iam:GetRole", f"on resource: arn:aws:iam::{PROD}:role/orders-worker ")
    log.call(CI_DEPLOY, "iam:GetRole", {"roleName": "orders-worker"}, error=denied, host="iam.amazonaws.com")
    s3_object(
        log, BACKUP_OPERATOR, "PutObject", "example-shop-backup", f"nightly/{log.delivered:%Y-%m-%d}.dump",
        4_000_000 + log.ids.below(900_000),
    )
    kms(
        log, through("AWS Internal", BACKUP_OPERATOR), "GenerateDataKey", BACKUP_KEY,
        {"encryptionContext": {"aws:s3:arn": "arn:aws:s3:::example-shop-backup"}, "keyId": BACKUP_KEY, "keySpec": "AES_256"},
    )


def ordinary_day_in_virginia(number: int) -> LogFile:
    day = DAYS[number]
    log = LogFile(PROD, VIRGINIA, moment(day, f"{8 + number % 3:02}:{5 * (number * 7 % 12):02}"))
    global_services(log)
    if number % 4 == 1:
        console_login(
            log, ERIN, mfa=False, failure="Failed authentication", look_alike="erin mistypes her password once, then gets in"
        )
    if number == 3:
        console_login(log, NOBODY, mfa=False, failure="No username found in supplied account")
    console_login(log, ERIN, mfa=True)
    log.call(ERIN, "iam:ListMFADevices", {"userName": "erin"})
    console_login(log, ALICE, mfa=True)
    log.call(ALICE, "iam:ListAccessKeys", {"userName": "alice"})
    log.call(ALICE, "cloudtrail:GetTrailStatus", {"name": f"arn:aws:cloudtrail:{VIRGINIA}:{PROD}:trail/org-trail"})
    log.call(
        DANA, "billingconsole:GetBillsForBillingPeriod", {"map": {"billingPeriod": f"{day:%Y-%m}-01"}},
        event_type="AwsConsoleAction",
    )
    if number % 6 == 3:
        text = "Trusted Advisor works as the account: type Root, but `invokedBy` names the service"
        log.call(TRUSTED_ADVISOR, "iam:GetAccountPasswordPolicy", look_alike=text)
    return log


def ordinary_day_in_staging(in_prod: LogFile) -> list:
    """What the staging account logs at the time of prod's file: its Region, and the global services."""
    ireland = LogFile(STAGING, IRELAND, in_prod.delivered)
    terraform_run(ireland)
    staging_workload(ireland)
    federated_login(ireland, DANA_IN_STAGING)
    ireland.call(DANA_IN_STAGING, "ec2:DescribeInstances", {"maxResults": 100, "instancesSet": {}, "filterSet": {}})
    reports_from_staging(ireland, in_prod)
    virginia = LogFile(STAGING, VIRGINIA, in_prod.delivered + timedelta(minutes=5))
    terraform_run(virginia)
    return [ireland, virginia]


def terraform_run(log: LogFile) -> None:
    """A plan reads everything; the apply tags one thing."""
    if log.region == VIRGINIA:
        for name in ("staging-app", "reports", "terraform"):
            log.call(TERRAFORM, "iam:GetRole", {"roleName": name}, host="iam.amazonaws.com")
            log.call(TERRAFORM, "iam:ListRolePolicies", {"roleName": name}, host="iam.amazonaws.com")
        return
    log.call(TERRAFORM, "sts:GetCallerIdentity")
    log.call(TERRAFORM, "ec2:DescribeVpcs", {"vpcSet": {"items": [{"vpcId": "vpc-0f1e2d3c4b5a69788"}]}, "filterSet": {}})
    log.call(
        TERRAFORM, "ec2:DescribeSubnets",
        {
            "subnetSet": {},
            "filterSet": {"items": [{"name": "vpc-id", "valueSet": {"items": [{"value": "vpc-0f1e2d3c4b5a69788"}]}}]},
        },
    )
    s3_bucket(log, TERRAFORM, "GetBucketVersioning", "example-staging-state", "versioning")
    log.call(
        TERRAFORM, "ec2:CreateTags",
        {
            "resourcesSet": {"items": [{"resourceId": "vpc-0f1e2d3c4b5a69788"}]},
            "tagSet": {"items": [{"key": "release", "value": log.ids.hex(8)}]},
        },
        {"requestId": log.ids.uuid(), "_return": True},
    )


def staging_workload(log: LogFile) -> None:
    sqs(log, STAGING_APP, "SendMessage", "orders-staging")
    sqs(log, STAGING_APP, "ReceiveMessage", "orders-staging")
    code, message = denial(STAGING_APP, "ec2:DescribeTags", code="Client.UnauthorizedOperation")
    denied = (code, f"You are not authorized to perform this operation. {message}")
    log.call(STAGING_APP, "ec2:DescribeTags", {"filterSet": {}}, error=denied)


# the story ----------------------------------------------------------------------------------------


def alice_loses_her_session() -> LogFile:
    """Somebody signs in as alice without MFA, makes a second way in, destroys a key and blinds the trail."""
    log = LogFile(PROD, VIRGINIA, moment(LAST_DAY, "06:55"), trail="org-trail")
    global_services(log)
    her = ALICE_WITHOUT_MFA
    trail = f"arn:aws:cloudtrail:{VIRGINIA}:{PROD}:trail/org-trail"

    console_login(
        log, her, mfa=False, at="06:46:12",
        planted="console login without MFA; with the history, also the first sight of 203.0.113.66 for alice",
    )
    log.call(her, "iam:ListUsers", {"maxItems": 1000}, at="06:46:41")
    key = {
        "userName": "backup-operator",
        "accessKeyId": f"AKIAEXAMPLE{log.ids.upper(9)}",
        "status": "Active",
        "createDate": java_date(log.time("06:47:20")),
    }
    log.call(
        her, "iam:CreateAccessKey", {"userName": "backup-operator"}, {"accessKey": key}, at="06:47:20",
        planted="access key for another user; a change by an IAM user's console session without MFA",
    )
    log.call(
        her, "iam:AttachUserPolicy",
        {"userName": "backup-operator", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}, at="06:48:03",
        planted="AdministratorAccess attached to a user; session without MFA",
    )
    kms(log, her, "DescribeKey", BACKUP_KEY, {"keyId": BACKUP_KEY}, at="06:48:50")
    kms(
        log, her, "DisableKey", BACKUP_KEY, {"keyId": BACKUP_KEY}, {"keyId": BACKUP_KEY}, at="06:49:17",
        planted="KMS key disabled; session without MFA",
    )
    deletion = {
        "keyId": BACKUP_KEY,
        "keyState": "PendingDeletion",
        "deletionDate": java_date(log.time("06:49:58") + timedelta(days=7)),
        "pendingWindowInDays": 7,
    }
    kms(
        log, her, "ScheduleKeyDeletion", BACKUP_KEY, {"keyId": BACKUP_KEY, "pendingWindowInDays": 7}, deletion, at="06:49:58",
        planted="KMS key deletion scheduled, with the shortest waiting time; session without MFA",
    )
    log.call(her, "cloudtrail:DescribeTrails", {"trailNameList": [], "includeShadowTrails": True}, at="06:50:30")
    selectors = [
        {"readWriteType": "All", "includeManagementEvents": False, "dataResources": [], "excludeManagementEventSources": []}
    ]
    log.call(
        her, "cloudtrail:PutEventSelectors", {"trailName": trail, "eventSelectors": selectors},
        {"trailARN": trail, "eventSelectors": selectors}, at="06:51:09",
        planted="management events removed from org-trail; session without MFA",
    )
    log.call(her, "cloudtrail:StopLogging", {"name": trail}, at="06:51:34", planted="org-trail stopped; session without MFA")
    return log


def copy_by_the_audit_trail(original: LogFile) -> LogFile:
    """A second, write-only trail delivers the same changes into the same bucket: same records, same eventIDs, other file."""
    copy = LogFile(original.account, original.region, original.delivered, trail="audit-trail")
    copy.records = [record for record in original.records if record["managementEvent"] and not record["readOnly"]]
    return copy


def root_in_staging() -> LogFile:
    """Root signs in without MFA and gives itself an access key. The file lies under a prefix that S3 has to encode."""
    log = LogFile(STAGING, VIRGINIA, moment(LAST_DAY, "08:20"), prefix="team a+b/")
    terraform_run(log)
    who = root(STAGING, "203.0.113.140", FIREFOX)
    console_login(log, who, mfa=False, at="08:12:41", planted="root console login, without MFA")
    at = log.time("08:14:05")
    key = {"accessKeyId": f"AKIAEXAMPLE{log.ids.upper(9)}", "status": "Active", "createDate": java_date(at)}
    log.call(
        who, "iam:CreateAccessKey", None, {"accessKey": key}, at=at,
        planted="root uses its credentials, and makes itself an access key",
    )
    return log


def keys_are_lost() -> LogFile:
    log = LogFile(PROD, IRELAND, moment(LAST_DAY, "09:30"))
    shop_traffic(log)
    erin_and_the_keys(log)
    rotation = {"rotationType": "AUTOMATIC", "keyOrigin": "AWS_KMS", "keyId": ORDERS_KEY.rpartition("/")[2]}
    kms_service_event(
        log, "RotateKey", ORDERS_KEY, details=rotation,
        look_alike="the yearly rotation: the same shape as DeleteKey, and harmless",
    )
    kms_service_event(
        log, "DeleteKey", RETIRED_KEY, at="09:25:03",
        planted="a KMS key is gone for good: its waiting time ended (a service event, without a caller)",
    )
    kms(
        log, KEY_ADMIN, "DeleteImportedKeyMaterial", IMPORTED_KEY, {"keyId": IMPORTED_KEY},
        {"keyId": IMPORTED_KEY, "keyMaterialId": log.ids.hex(64)}, at="09:26:47", planted="imported key material deleted",
    )
    cloudtrail_itself(log)
    return log


def strangers_at_the_queue() -> LogFile:
    log = LogFile(PROD, IRELAND, moment(LAST_DAY, "10:15"))
    shop_traffic(log)
    data_science(log)
    stranger = "never seen at the queue `orders`, not on the list of those expected there"
    sqs(
        log, DATA_SCIENCE, "ReceiveMessage", "orders", at="10:08:22", planted=f"messages read by role/data-science: {stranger}",
    )
    sqs(
        log, DATA_SCIENCE, "DeleteMessage", "orders", at="10:08:25",
        planted=f"a message deleted by role/data-science: {stranger}",
    )
    sqs(
        log, PARTNER_WORKER, "ReceiveMessage", "orders", at="10:11:50",
        planted=f"messages read from an account that the configuration does not list: {stranger}",
    )
    cloudtrail_itself(log)
    return log


def stranger_at_the_topic_and_a_damaged_record() -> LogFile:
    log = LogFile(PROD, IRELAND, moment(LAST_DAY, "10:30"))
    shop_traffic(log)
    publish(
        log, CI_DEPLOY, "payments", at="10:24:31",
        planted="role/ci-deploy publishes: known elsewhere, never seen at the topic `payments`, not on its list",
    )
    log.records.insert(5, UNREADABLE)
    cloudtrail_itself(log)
    return log


def never_arrives_whole() -> LogFile:
    log = LogFile(PROD, IRELAND, moment(LAST_DAY, "11:00"))
    shop_traffic(log)
    inventory_tools(log)
    return log


def ordinary_days() -> list:
    files = []
    for number, day in enumerate(DAYS):
        files.append(ordinary_day_in_ireland(number))
        if day.weekday() == WEDNESDAY:
            files += ordinary_day_in_staging(files[-1])
        if number % 2 == 1:
            files.append(ordinary_day_in_virginia(number))
    return files


# objects on disk ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class StoredObject:
    """An object of the bucket: its key as it is, and its bytes."""

    key: str
    body: bytes
    stored: datetime


GZIP_HEAD = bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0])  # no time, no name, no system


def gzip(content: bytes) -> bytes:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    tail = struct.pack("<II", zlib.crc32(content), len(content))
    return GZIP_HEAD + deflate.compress(content) + deflate.flush() + tail


def stored(key: str, content: bytes, at: datetime) -> StoredObject:
    """Compresses `content`, unless the object on disk already holds it.

    zlib-ng and Apple's zlib deflate to other bytes than zlib does; keeping what is there lets `--check` agree on every machine.
    """
    path = EVENTS / "objects" / BUCKET / key
    on_disk = path.read_bytes() if path.is_file() else b""
    return StoredObject(key, on_disk if holds(on_disk, content) else gzip(content), at)


def holds(body: bytes, content: bytes) -> bool:
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        return inflate.decompress(body) == content and inflate.eof and not inflate.unused_data
    except zlib.error:
        return False


def stored_in_part(log: LogFile) -> StoredObject:
    """The first half of an object: one deflate block that claims all of the content, and then the file ends."""
    length = len(log.content)
    block = struct.pack("<BHH", 1, length, length ^ 0xFFFF) + log.content
    return StoredObject(log.key, (GZIP_HEAD + block)[: length // 2], log.delivered)


def digest(covered: list) -> StoredObject:
    """The digest file that CloudTrail writes an hour later: it lists log files, and is none."""
    ids = Ids("digest")
    end = moment(LAST_DAY, "07:01:31")
    folder = f"AWSLogs/{PROD}/CloudTrail-Digest/{VIRGINIA}/{end:%Y/%m/%d}/"

    def name(at: datetime) -> str:
        return f"{folder}{PROD}_CloudTrail-Digest_{VIRGINIA}_org-trail_{VIRGINIA}_{at:%Y%m%dT%H%M%SZ}.json.gz"

    times = sorted(record["eventTime"] for log in covered for record in log.records)
    content = {
        "awsAccountId": PROD,
        "digestStartTime": iso(end - timedelta(hours=1)),
        "digestEndTime": iso(end),
        "digestS3Bucket": BUCKET,
        "digestS3Object": name(end),
        "digestPublicKeyFingerprint": ids.hex(32),
        "digestSignatureAlgorithm": "SHA256withRSA",
        "newestEventTime": times[-1],
        "oldestEventTime": times[0],
        "previousDigestS3Bucket": BUCKET,
        "previousDigestS3Object": name(end - timedelta(hours=1)),
        "previousDigestHashValue": ids.hex(64),
        "previousDigestHashAlgorithm": "SHA-256",
        "previousDigestSignature": ids.hex(512),
        "logFiles": [
            {
                "s3Bucket": BUCKET,
                "s3Object": log.key,
                "hashValue": hashlib.sha256(log.content).hexdigest(),
                "hashAlgorithm": "SHA-256",
                "newestEventTime": max(record["eventTime"] for record in log.records),
                "oldestEventTime": min(record["eventTime"] for record in log.records),
            }
            for log in covered
        ],
    }
    return stored(name(end), json.dumps(content, separators=(",", ":")).encode(), end + timedelta(minutes=9))


# payloads -----------------------------------------------------------------------------------------


def s3_notification(stored_object: StoredObject) -> dict:
    """What S3 sends when CloudTrail has put an object. The key is form-encoded: a space is `+`, a plus is `%2B`."""
    ids = Ids(f"notification/{stored_object.key}")
    at = stored_object.stored + timedelta(seconds=12 + ids.below(40))
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": IRELAND,
        "eventTime": at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ids.below(1000):03}Z",
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:AROAEXAMPLEDELIVERY00:regionalDeliverySession"},
        "requestParameters": {"sourceIPAddress": "198.51.100.20"},
        "responseElements": {"x-amz-request-id": ids.upper(16), "x-amz-id-2": ids.text(48) + "EXAMPLE="},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "trail-to-trailhound",
            "bucket": {"name": BUCKET, "ownerIdentity": {"principalId": "A1EXAMPLEOWNER"}, "arn": f"arn:aws:s3:::{BUCKET}"},
            "object": {
                "key": quote_plus(stored_object.key, safe="/"),
                "size": len(stored_object.body),
                "eTag": hashlib.md5(stored_object.body).hexdigest(),
                "sequencer": f"00{int(at.timestamp()):X}{ids.hex(8).upper()}",
            },
        },
    }
    return {"Records": [record]}


def s3_test_event() -> dict:
    """What S3 sends once, when the notification is set up."""
    ids = Ids("test event")
    return {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": "2026-10-19T15:57:02.089Z",
        "Bucket": BUCKET,
        "RequestId": ids.upper(16),
        "HostId": ids.text(48) + "EXAMPLE=",
    }


def sqs_event(name: str, bodies: list) -> dict:
    """The invocation that Lambda makes of a batch of messages; each body is text, or a document that becomes text."""
    ids = Ids(name)
    messages = []
    for body in bodies:
        text = body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))
        sent = 1000 * int(moment(LAST_DAY, "11:05").timestamp()) + ids.below(60_000)
        message = {
            "messageId": ids.uuid(),
            "receiptHandle": "AQEBEXAMPLE" + ids.text(48) + "==",
            "body": text,
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": str(sent),
                "SenderId": "AROAEXAMPLES3NOTIFY00:S3-PROD-END",
                "ApproximateFirstReceiveTimestamp": str(sent + 6),
            },
            "messageAttributes": {},
            "md5OfBody": hashlib.md5(text.encode()).hexdigest(),
            "eventSource": "aws:sqs",
            "eventSourceARN": INTAKE_QUEUE,
            "awsRegion": IRELAND,
        }
        messages.append(message)
    return {"Records": messages}


UNKNOWN_PAYLOAD = {
    "resource": "/health",
    "path": "/health",
    "httpMethod": "GET",
    "headers": {"Host": "api.example.com", "User-Agent": "curl/8.15.0"},
    "queryStringParameters": None,
    "requestContext": {"accountId": PROD, "stage": "prod", "httpMethod": "GET", "identity": {"sourceIp": "203.0.113.5"}},
    "body": None,
    "isBase64Encoded": False,
}

CONFIGURATION = f"""\
# The organisation that the sample events come from. Rules read these facts as `derived.*` fields.

# Accounts that belong to us, and who looks after them. A caller from any other account is foreign.
accounts:
  "{PROD}": {{name: prod, owner: payments-team}}
  "{STAGING}": staging

# Who is meant to use a queue or a topic. A resource that is not listed here is judged by what has been seen before.
expected_principals:
  - resource: arn:aws:sqs:{IRELAND}:{PROD}:orders
    principals:
      - arn:aws:iam::{PROD}:role/orders-worker
      - arn:aws:iam::{PROD}:role/shop-*
  - resource: arn:aws:sns:{IRELAND}:{PROD}:payments
    principals:
      - arn:aws:iam::{PROD}:role/billing

# The office, by a name that stands in alerts. That it is trusted is another matter.
networks:
  office: 192.0.2.0/25
trusted_networks: [office]
"""

# README -------------------------------------------------------------------------------------------

README = """\
# Sample events

Two weeks in the life of a small company, as CloudTrail wrote them down, and the invocations that bring them to trailhound.
Made by `scripts/make_sample_events.py`; don't edit by hand. Accounts, addresses, keys and people are documentation values.

`objects/<bucket>/<key>` is what S3 holds: {files} log files with {records} records ({first} to {last}), one digest file and one
file that was cut off. `trailhound.yaml` is the company's configuration. {distinct} of the eventIDs are distinct; {twice} records
stand in two files each, because two trails write into the same bucket: `org-trail`, and `audit-trail`, which keeps changes only.
The workloads of eu-west-1 have a trail of their own there, so their events go on after `org-trail` was stopped.

## Payloads

With all packs, as `make run` has them: `trailhound invoke --pack all events/NAME.json`.

| file | what it is | what trailhound makes of it |
|---|---|---|
{payloads}

## Hidden in the trail files

These records should alert. "Never seen" and "first sight" need the history, so they show in `sqs-s3-batch.json` only; the others
show whenever their file is read.

| time (UTC) | event | caller | eventID | expect |
|---|---|---|---|---|
{planted}

They stand in these files:

{planted_files}

Alice's seven rows stand a second time, byte for byte, in the audit trail's copy of that morning. They must not be counted twice:

- `{copy}`

## Looks alike, and is harmless

One example of each, the latest:

| time (UTC) | event | eventID | why it is harmless |
|---|---|---|---|
{look_alikes}

Besides these: services read and decrypt with other people's identities; a scanner lists everything every day; a few calls are
denied each day, never many by one caller.

## Damaged on purpose

| where | what |
|---|---|
| `{damaged_record_file}` | the array element of index {damaged_record_index} is a string; the other {damaged_record_good} are good |
| `{truncated_file}` | the gzip data ends early; only `sqs-damaged.json` points to it |
| `{digest_file}` | a digest: it lists log files and is none, so it is skipped |
| `{missing_key}` | does not exist; only `sqs-partial-failure.json` points to it |

{notices}
## Making them again

```
python3 scripts/make_sample_events.py            # writes this folder; same script, same bytes
python3 scripts/make_sample_events.py --check    # exits 1 when the folder differs
```
"""


def table(rows: list) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def counts(logs: list) -> dict:
    records = [record for log in logs for record in log.records if record != UNREADABLE]
    ids = [record["eventID"] for record in records]
    days = sorted(record["eventTime"][:10] for record in records)
    return {
        "files": len(logs),
        "records": len(ids),
        "first": days[0],
        "last": days[-1],
        "distinct": len(set(ids)),
        "twice": len(ids) - len(set(ids)),
    }


ROOT = "alerts on root's login and access key"
STOPPED = "alerts on alice, who stops the trail"
OTHER_WAYS = [
    ("`sns-s3-put.json`", "S3's notification through SNS, straight to Lambda", ROOT),
    ("`sqs-sns-s3-put.json`", "the same through SQS, as SNS wraps it", ROOT),
    ("`sns-cloudtrail.json`", "CloudTrail's own notification, through the topic of the trail, straight to Lambda", ROOT),
    ("`sqs-sns-cloudtrail.json`", "the same through SQS, and the message that CloudTrail sends when the topic is set up", f"{ROOT}; the second message asks for nothing"),
    ("`eventbridge-object-created.json`", "S3's event through EventBridge", ROOT),
    ("`sqs-eventbridge-object-created.json`", "the same through SQS", ROOT),
    ("`eventbridge-api-call.json`", "a single call through EventBridge, seconds after it was made", STOPPED),
    ("`eventbridge-console-sign-in.json`", "a single sign-in through EventBridge", "alerts on alice's login without MFA"),
    ("`eventbridge-service-event.json`", "what a service did by itself, through EventBridge", "alerts on the key that is gone"),
    ("`eventbridge-insight.json`", "an Insight event through EventBridge", "one record; no rule of the pack asks for it"),
    ("`logs-subscription.json`", "a subscription of CloudWatch Logs: alice's bad morning, one log event a record", "alerts on what alice's session did"),
    ("`logs-control.json`", "what the subscription sends first", "nothing to do; succeeds"),
    ("`kinesis-logs.json`", "both through a Kinesis stream", "`{\"batchItemFailures\":[]}`; alerts on what alice's session did"),
    ("`objects.json`", "a list of objects, for back-fill", f"{ROOT}; answers with counts"),
    ("`prefix.json`", "everything below a prefix, for back-fill", f"{ROOT}; answers with counts, and where to go on if there is more than one invocation has time for"),
    ("`step-functions-batch.json`", "a batch of a distributed map of Step Functions", f"{ROOT}; answers with counts"),
    ("`tick.json`", "what a schedule sends, so that what was held back is told when no file comes", "nothing to read; answers with counts"),
    ("`sqs-mixed.json`", "SQS, five messages of different shapes that name one object thrice", f"`{{\"batchItemFailures\":[]}}`; reads the object once; {ROOT}, and on alice"),
]


def payload_rows(payloads: dict) -> list:
    good_id, gone_id, unknown_id = (message["messageId"] for message in payloads["sqs-partial-failure.json"]["Records"])
    damaged_id = payloads["sqs-damaged.json"]["Records"][1]["messageId"]
    messages = len(payloads["sqs-s3-batch.json"]["Records"])
    all_done = '`{"batchItemFailures":[]}`'
    return [
        (
            "`s3-put.json`",
            "S3 straight to Lambda, for the file under `team a+b/`: the key arrives form-encoded",
            "reads the file; alerts on root's login and access key",
        ),
        (
            "`sqs-s3-put.json`",
            "SQS, one message: the file with alice's bad morning",
            f"{all_done}; alerts on what alice's session did, except for the new address (no history yet)",
        ),
        (
            "`sqs-s3-batch.json`",
            f"SQS, {messages} messages: every log file, oldest first, then the digest and S3's test message",
            f"{all_done}; every alert listed below, once",
        ),
        (
            "`sqs-partial-failure.json`",
            "SQS, three messages: a good object, an object that is gone, a body that is none of ours",
            f'`{{"batchItemFailures":[{{"itemIdentifier":"{unknown_id}"}}]}}`: only the unknown body fails. The good object '
            f"(`{good_id}`) alerts on root; the missing one (`{gone_id}`) is acknowledged: no redelivery brings it back",
        ),
        (
            "`sqs-damaged.json`",
            "SQS, two messages: the file with the strangers at the queue, and the file that was cut off",
            f'`{{"batchItemFailures":[{{"itemIdentifier":"{damaged_id}"}}]}}`: alerts from the good file; the cut-off one comes again and ends in the DLQ',
        ),
        *OTHER_WAYS,
        ("`s3-test-event.json`", "what S3 sends when a notification is set up", "nothing to do; succeeds"),
        ("`unknown.json`", "an API Gateway request", "an error: an unknown payload is never taken for an empty one"),
    ]


def planted_rows(logs: list) -> list:
    marks = sorted((mark for log in logs for mark in log.planted), key=lambda mark: mark.record["eventTime"])
    return [(when(m.record), m.record["eventName"], caller_in_words(m.record), f"`{m.record['eventID']}`", m.text) for m in marks]


def look_alike_rows(logs: list) -> list:
    marks = sorted((mark for log in logs for mark in log.look_alikes), key=lambda mark: mark.record["eventTime"])
    latest = {mark.text: mark for mark in marks}.values()
    return [(when(m.record), m.record["eventName"], f"`{m.record['eventID']}`", m.text) for m in marks if m in latest]


def caller_in_words(record: dict) -> str:
    identity = record["userIdentity"]
    kind = identity.get("type")
    if kind == "AssumedRole":
        return "role/" + identity["sessionContext"]["sessionIssuer"]["userName"]
    if kind == "IAMUser":
        return f"{identity['userName']} from {record['sourceIPAddress']}"
    if kind == "AWSAccount":
        return f"account {identity['accountId']}"
    return f"root of {identity['accountId']}" if kind == "Root" else "AWS"


def when(record: dict) -> str:
    return record["eventTime"].replace("T", " ").rstrip("Z")


# all files ----------------------------------------------------------------------------------------


def other_ways(stored_object: StoredObject, bad_morning: LogFile, lost_keys: LogFile) -> dict:
    """The same file, and some of the same records, by every other way in."""
    ids = Ids("other ways")
    key = stored_object.key
    notification = ways.text(s3_notification(stored_object))
    own = ways.text(ways.cloudtrail_notification(BUCKET, [key]))
    stop = next(record for record in bad_morning.records if record["eventName"] == "StopLogging")
    login = next(record for record in bad_morning.records if record["eventName"] == "ConsoleLogin")
    deletion = next(record for record in lost_keys.records if record["eventName"] == "DeleteKey")

    def single(kind: str, source: str, record: dict) -> dict:
        return ways.eventbridge(ids.uuid(), kind, source, record["awsRegion"], PROD, record["eventTime"], record)

    call = single("AWS API Call via CloudTrail", "aws.cloudtrail", stop)
    created = ways.object_created(ids.uuid(), BUCKET, key, len(stored_object.body), PROD)
    logged = ways.log_message(bad_morning.records, PROD, VIRGINIA)
    return {
        "sns-s3-put.json": ways.sns_event(notification, ids.uuid()),
        "sqs-sns-s3-put.json": sqs_event("sqs-sns-s3-put", [ways.sns_envelope(notification, ids.uuid(), "Amazon S3 Notification")]),
        "sns-cloudtrail.json": ways.sns_event(own, ids.uuid()),
        "sqs-sns-cloudtrail.json": sqs_event(
            "sqs-sns-cloudtrail", [ways.sns_envelope(own, ids.uuid()), "CloudTrail validation message."]
        ),
        "eventbridge-object-created.json": created,
        "sqs-eventbridge-object-created.json": sqs_event("sqs-eventbridge", [created]),
        "eventbridge-api-call.json": call,
        "eventbridge-console-sign-in.json": single("AWS Console Sign In via CloudTrail", "aws.signin", login),
        "eventbridge-service-event.json": single("AWS Service Event via CloudTrail", "aws.kms", deletion),
        "eventbridge-insight.json": single("AWS Insight via CloudTrail", "aws.cloudtrail", ways.insight(PROD)),
        "logs-subscription.json": {"awslogs": {"data": ways.packed(logged)}},
        "logs-control.json": {"awslogs": {"data": ways.packed(ways.log_probe())}},
        "kinesis-logs.json": ways.kinesis_event([logged, ways.log_probe()], VIRGINIA, PROD),
        "objects.json": {"objects": [f"s3://{BUCKET}/{key}"]},
        "prefix.json": {"prefix": f"s3://{BUCKET}/{key.split('AWSLogs/')[0]}"},
        "step-functions-batch.json": {"BatchInput": {"bucket": BUCKET}, "Items": [{"Key": key, "Size": len(stored_object.body)}]},
        "tick.json": {"trailhound": "tick"},
        "sqs-mixed.json": sqs_event(
            "sqs-mixed", [s3_notification(stored_object), call, created, {"objects": [f"s3://{BUCKET}/{key}"]}, s3_test_event()]
        ),
    }


def build() -> dict:
    """Every file of events/, by its path relative to that folder."""
    bad_morning = alice_loses_her_session()
    copy = copy_by_the_audit_trail(bad_morning)
    root_file = root_in_staging()
    queue_file = strangers_at_the_queue()
    damaged_file = stranger_at_the_topic_and_a_damaged_record()
    story = [bad_morning, copy, root_file, keys_are_lost(), queue_file, damaged_file]
    logs = sorted(ordinary_days() + story, key=lambda log: (log.delivered, log.key))

    objects = {log.key: stored(log.key, log.content, log.delivered) for log in logs}
    cut_off = stored_in_part(never_arrives_whole())
    digest_object = digest([bad_morning])
    gone_log = LogFile(PROD, IRELAND, moment(LAST_DAY, "10:20"))
    gone = StoredObject(gone_log.key, b"", gone_log.delivered)

    def notification(log: LogFile) -> dict:
        return s3_notification(objects[log.key])

    payloads = {
        "s3-put.json": notification(root_file),
        "sqs-s3-put.json": sqs_event("sqs-s3-put.json", [notification(bad_morning)]),
        "sqs-s3-batch.json": sqs_event(
            "sqs-s3-batch.json", [notification(log) for log in logs] + [s3_notification(digest_object), s3_test_event()]
        ),
        "sqs-partial-failure.json": sqs_event(
            "sqs-partial-failure.json", [notification(root_file), s3_notification(gone), {"orderId": "A-1001", "total": "12.50"}]
        ),
        "sqs-damaged.json": sqs_event("sqs-damaged.json", [notification(queue_file), s3_notification(cut_off)]),
        "s3-test-event.json": s3_test_event(),
        "unknown.json": UNKNOWN_PAYLOAD,
        **other_ways(objects[root_file.key], bad_morning, keys_are_lost()),
        "notifier/sqs.json": sqs_event("notifier/sqs.json", notices.messages()),
        "notifier/sns.json": notices.from_topic(Ids("notifier/sns.json").uuid()),
    }
    readme = README.format(
        **counts(logs), payloads=table(payload_rows(payloads)), planted=table(planted_rows(logs)),
        planted_files="\n".join(f"- `{log.key}`" for log in logs if log.planted), look_alikes=table(look_alike_rows(logs)),
        copy=copy.key, damaged_record_file=damaged_file.key, damaged_record_index=damaged_file.records.index(UNREADABLE),
        damaged_record_good=len(damaged_file.records) - 1, truncated_file=cut_off.key, digest_file=digest_object.key,
        missing_key=gone.key, notices=notices.README,
    )

    files = {f"objects/{BUCKET}/{entry.key}": entry.body for entry in [*objects.values(), cut_off, digest_object]}
    files.update({name: (json.dumps(payload, indent=2) + "\n").encode() for name, payload in payloads.items()})
    files["trailhound.yaml"] = CONFIGURATION.encode()
    files["notifier/channels.yaml"] = notices.CHANNELS.encode()
    files["README.md"] = readme.encode()
    return files


def differences(files: dict) -> list:
    """What on disk is not as `files` has it. Under objects/ nothing else may lie; beside it other samples may."""
    found = []
    for name, content in files.items():
        path = EVENTS / name
        if not path.is_file():
            found.append(f"missing: {name}")
        elif path.read_bytes() != content:
            found.append(f"differs: {name}")
    return found + [f"not ours: {name}" for name in strays(files)]


def strays(files: dict) -> list:
    on_disk = (path for path in (EVENTS / "objects").rglob("*") if path.is_file())
    return sorted(name for name in (path.relative_to(EVENTS).as_posix() for path in on_disk) if name not in files)


def write(files: dict) -> None:
    for name in strays(files):
        (EVENTS / name).unlink()
    for folder in sorted((EVENTS / "objects").rglob("*/"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    for name, content in files.items():
        path = EVENTS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--check", action="store_true", help="write nothing; exit 1 when events/ differs")
    check_only = arguments.parse_args().check
    files = build()
    if not check_only:
        write(files)
        print(f"wrote {len(files)} files, {sum(map(len, files.values())):,} bytes, to {EVENTS}")
        return 0
    found = differences(files)
    print("\n".join(found) or "events/ is up to date", file=sys.stderr if found else sys.stdout)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
