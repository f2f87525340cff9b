"""Messages by which the queue hears of objects and events: what S3, SNS, CloudTrail, EventBridge and people send."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Callable
from typing import Any

import sample_ways
from soak.steps import BUCKET

text = json.dumps
ACCOUNT = "111122223333"


def s3_record(key: str, event: str = "ObjectCreated:Put", bucket: str = BUCKET) -> dict[str, Any]:
    """One record of an S3 notification; the key is form-encoded there."""
    encoded = urllib.parse.quote_plus(key, safe="/")
    entity = {"bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"}, "object": {"key": encoded}}
    return {"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-1", "eventName": event, "s3": entity}


def by_s3(keys: list[str], number: int) -> str:
    """S3's own notification of one or more objects."""
    return text({"Records": [s3_record(key) for key in keys]})


def by_sns(keys: list[str], number: int) -> str:
    """The same in SNS's envelope."""
    return text(sample_ways.sns_envelope(by_s3(keys, number), f"soak-{number}", "Amazon S3 Notification"))


def by_cloudtrail(keys: list[str], number: int) -> str:
    """CloudTrail's own topic, delivered raw."""
    return text(sample_ways.cloudtrail_notification(BUCKET, keys))


def by_cloudtrail_topic(keys: list[str], number: int) -> str:
    """CloudTrail's own topic, in SNS's envelope."""
    return text(sample_ways.sns_envelope(by_cloudtrail(keys, number), f"soak-{number}"))


def by_eventbridge(keys: list[str], number: int) -> str:
    """`Object Created` of EventBridge, which names one object."""
    return text(sample_ways.object_created(f"soak-{number}", BUCKET, keys[0], 1, ACCOUNT))


def by_list(keys: list[str], number: int) -> str:
    """Somebody's list, as for a back-fill."""
    return text({"objects": [f"s3://{BUCKET}/{key}" for key in keys]})


def by_step_functions(keys: list[str], number: int) -> str:
    """A batch of a distributed map."""
    return text({"BatchInput": {"bucket": BUCKET}, "Items": [{"Key": key} for key in keys]})


WAYS: dict[str, Callable[[list[str], int], str]] = {
    "S3's notification": by_s3,
    "S3 by SNS": by_sns,
    "CloudTrail by SNS, raw": by_cloudtrail,
    "CloudTrail by SNS": by_cloudtrail_topic,
    "EventBridge": by_eventbridge,
    "a list": by_list,
    "Step Functions": by_step_functions,
}
# Those that name several objects in one message.
OF_MANY = [name for name in WAYS if name != "EventBridge"]


def single_event(record: Any, number: int) -> str:
    """An event that EventBridge sends at once."""
    return eventbridge(number, "AWS API Call via CloudTrail", "aws.cloudtrail", record)


def eventbridge(number: int, kind: str, source: str, detail: Any) -> str:
    """An event of EventBridge."""
    time = "2026-11-05T10:00:00Z"
    return text(sample_ways.eventbridge(f"soak-{number}", kind, source, "eu-west-1", ACCOUNT, time, detail))


def log_events(records: list[dict[str, Any]]) -> str:
    """What a subscription of CloudWatch Logs sends."""
    return text({"awslogs": {"data": sample_ways.packed(sample_ways.log_message(records, ACCOUNT, "eu-west-1"))}})


# Nothing is to be done about these.
IDLE: list[Callable[[int], str]] = [
    lambda number: text({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET, "RequestId": f"soak-{number}"}),
    lambda number: "CloudTrail validation message.",
    lambda number: text({"awslogs": {"data": sample_ways.packed(sample_ways.log_probe())}}),
    lambda number: text({"Records": [s3_record(f"gone/{number}.json.gz", "ObjectRemoved:Delete")]}),
    lambda number: text(sample_ways.sns_envelope("CloudTrail validation message.", f"soak-{number}")),
]

# Nobody knows what these mean.
UNKNOWN: list[Callable[[int], str]] = [
    lambda number: text({"orderId": number}),
    lambda number: f"hello {number}",
    lambda number: f"[{number}, 2]",
    lambda number: text({"Records": [{"eventSource": "aws:ses", "number": number}]}),
    lambda number: eventbridge(number, "EC2 Instance State-change Notification", "aws.ec2", {}),
    lambda number: text({**sample_ways.sns_envelope("x", f"soak-{number}"), "Type": "SubscriptionConfirmation"}),
    lambda number: by_s3([f"cut/{number}.json"], number)[:-7],
]
