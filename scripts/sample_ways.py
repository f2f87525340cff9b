"""Envelopes of the sample payloads: what AWS services make of a notification, an object or a record on its way to the function.

Pure: documents in, documents out. `make_sample_events.py` writes them.
"""

from __future__ import annotations

import base64
import json
import struct
import zlib

TOPIC = "arn:aws:sns:eu-west-1:111122223333:trail-files"
MAX_STORED = 65_535


def text(document: dict) -> str:
    return json.dumps(document, separators=(",", ":"))


def sns_envelope(message: str, message_id: str, subject: str | None = None) -> dict:
    """What SNS wraps around a message, unless raw delivery is on."""
    envelope = {
        "Type": "Notification",
        "MessageId": message_id,
        "TopicArn": TOPIC,
        "Message": message,
        "Timestamp": "2026-11-05T11:05:31.962Z",
        "SignatureVersion": "1",
        "Signature": "EXAMPLE",
        "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-example.pem",
        "UnsubscribeURL": f"https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={TOPIC}:example",
    }
    return {**envelope, "Subject": subject} if subject else envelope


def sns_event(message: str, message_id: str) -> dict:
    """SNS straight to Lambda: there two members are spelled otherwise."""
    envelope = sns_envelope(message, message_id)
    sns = {name.replace("URL", "Url"): value for name, value in envelope.items()}
    record = {"EventVersion": "1.0", "EventSource": "aws:sns", "EventSubscriptionArn": f"{TOPIC}:example"}
    return {"Records": [{**record, "Sns": {**sns, "Subject": None, "MessageAttributes": {}}}]}


def cloudtrail_notification(bucket: str, keys: list[str]) -> dict:
    """What CloudTrail publishes to the topic of a trail: keys as they are, more than one at a time."""
    return {"s3Bucket": bucket, "s3ObjectKey": keys}


def eventbridge(event_id: str, detail_type: str, source: str, region: str, account: str, time: str, detail: dict) -> dict:
    return {
        "version": "0",
        "id": event_id,
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": time,
        "region": region,
        "resources": [],
        "detail": detail,
    }


def object_created(event_id: str, bucket: str, key: str, size: int, account: str) -> dict:
    detail = {
        "version": "0",
        "bucket": {"name": bucket},
        "object": {"key": key, "size": size, "etag": "1e70e3c3e72743df15839746ad32c14c", "sequencer": "00693ABE1234567890"},
        "request-id": "N4N7GDK58NMKJ12R",
        "requester": "cloudtrail.amazonaws.com",
        "source-ip-address": "198.51.100.20",
        "reason": "PutObject",
    }
    return eventbridge(event_id, "Object Created", "aws.s3", "eu-west-1", account, "2026-11-05T11:05:31Z", detail)


def log_message(records: list[dict], account: str, region: str) -> dict:
    """What a subscription of CloudWatch Logs sends, before it is packed."""
    events = [
        {"id": f"3195310660696698337850902507980421114328961554242982{number:04}", "timestamp": 1793876751000, "message": text(record)}
        for number, record in enumerate(records)
    ]
    return {
        "messageType": "DATA_MESSAGE",
        "owner": account,
        "logGroup": "cloudtrail/org-trail",
        "logStream": f"{account}_CloudTrail_{region}",
        "subscriptionFilters": ["to-trailhound"],
        "logEvents": events,
    }


def log_probe() -> dict:
    """What it sends first, to see whether anybody is there."""
    probe = {"id": "", "timestamp": 1793876751000, "message": "CWL CONTROL MESSAGE: Checking health of destination Firehose."}
    return {
        "messageType": "CONTROL_MESSAGE",
        "owner": "CloudwatchLogs",
        "logGroup": "",
        "logStream": "",
        "subscriptionFilters": [],
        "logEvents": [probe],
    }


def packed(message: dict) -> str:
    return base64.b64encode(stored_gzip(text(message).encode())).decode()


def kinesis_event(messages: list[dict], region: str, account: str) -> dict:
    stream = f"arn:aws:kinesis:{region}:{account}:stream/trail"
    records = [
        {
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": "trail",
                "sequenceNumber": f"4956816737333333000000000000000000000000000000000000000{number}",
                "data": packed(message),
                "approximateArrivalTimestamp": 1793876751.123,
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"shardId-000000000000:{number}",
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": f"arn:aws:iam::{account}:role/trailhound",
            "awsRegion": region,
            "eventSourceARN": stream,
        }
        for number, message in enumerate(messages)
    ]
    return {"Records": records}


def stored_gzip(content: bytes) -> bytes:
    """Not compressed, so that it is the same bytes whatever zlib a machine has."""
    blocks = [content[at : at + MAX_STORED] for at in range(0, len(content), MAX_STORED)]
    deflate = b"".join(
        struct.pack("<BHH", block is blocks[-1], len(block), len(block) ^ 0xFFFF) + block for block in blocks
    )
    head = bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF])
    return head + deflate + struct.pack("<II", zlib.crc32(content), len(content))


def insight(account: str) -> dict:
    """An unusual rate of calls, as CloudTrail Insights writes it down: it has no caller and no call."""
    def average(value: str, number: float) -> dict:
        return {"value": value, "average": number}

    role = f"arn:aws:sts::{account}:assumed-role/ci-deploy/build"
    return {
        "eventVersion": "1.08",
        "eventTime": "2026-11-05T09:42:00Z",
        "awsRegion": "us-east-1",
        "eventID": "55ed45c5-0b0c-4228-9fe5-000000000001",
        "eventType": "AwsCloudTrailInsight",
        "recipientAccountId": account,
        "sharedEventID": "979c82fe-14d4-4e4c-aa01-000000000002",
        "insightDetails": {
            "state": "Start",
            "eventSource": "iam.amazonaws.com",
            "eventName": "CreateAccessKey",
            "insightType": "ApiCallRateInsight",
            "insightContext": {
                "statistics": {
                    "baseline": {"average": 9.82222e-05},
                    "insight": {"average": 5.0},
                    "insightDuration": 1,
                    "baselineDuration": 10181,
                },
                "attributions": [
                    {"attribute": "userIdentityArn", "insight": [average(role, 5.0)], "baseline": []},
                    {"attribute": "errorCode", "insight": [average("null", 5.0)], "baseline": [average("null", 9.82222e-05)]},
                ],
            },
        },
        "eventCategory": "Insight",
    }
