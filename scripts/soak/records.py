"""CloudTrail's records and files, as the run puts them in: what must alert, what must not, and what can't be read.

Pure, and the same for the same arguments. Accounts, addresses and names are those that documentation may use.
"""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass
from typing import Any

# Event times are fixed: a seed makes the same plan on any day.
DAY = "2026-11-05"
WEEK_BEFORE = "2026-10-26"

STOPPED = "0ecdf9dc-725f-4a61-9663-97282bd58c98"
DELETED = "9e0e7e8a-f6e2-4d15-9df2-b2f75165b44a"
DENIED = "414d1f09-8959-4cb0-8537-4790cf4b6e79"
KEY_DELETION = "f58b7680-40f7-4b5c-9788-54fb990de6b5"
NEW_ADDRESS = "c9615467-ea64-423f-95f2-c1930697fe9b"
STOPPED_THEN_DELETED = "4f0b8f0a-7a2c-4e6b-9d0c-1f6f0d6b2a03"


@dataclass(frozen=True)
class Caller:
    """Who called, from where."""

    name: str
    address: str
    account: str = "111122223333"
    region: str = "eu-west-1"
    is_role: bool = False

    def principal(self) -> str:
        """As rules group by it: a role stands for its sessions."""
        return f"arn:aws:iam::{self.account}:{'role' if self.is_role else 'user'}/{self.name}"

    def identity(self) -> dict[str, Any]:
        """The record's `userIdentity`."""
        if not self.is_role:
            return {
                "type": "IAMUser", "principalId": "AIDAEXAMPLEUSERID0001", "arn": self.principal(), "accountId": self.account,
                "accessKeyId": "AKIAEXAMPLEKEYID0001", "userName": self.name,
            }
        issuer = {
            "type": "Role", "principalId": "AROAEXAMPLEROLEID0001", "arn": self.principal(), "accountId": self.account,
            "userName": self.name,
        }
        return {
            "type": "AssumedRole", "principalId": "AROAEXAMPLEROLEID0001:build",
            "arn": f"arn:aws:sts::{self.account}:assumed-role/{self.name}/build", "accountId": self.account,
            "accessKeyId": "ASIAEXAMPLEKEYID0001", "sessionContext": {"sessionIssuer": issuer, "attributes": {}},
        }


def call(caller: Caller, event_id: str, event_name: str, source: str = "cloudtrail", time: str = "10:00:00", day: str = DAY,
         **others: Any) -> dict[str, Any]:
    """A call, as CloudTrail writes it; `others` are further members."""
    trail = f"arn:aws:cloudtrail:{caller.region}:{caller.account}:trail/org-trail"
    key = f"arn:aws:kms:{caller.region}:{caller.account}:key/0a1b2c3d-0000-4000-8000-{event_id[-12:]}"
    return {
        "eventVersion": "1.11",
        "userIdentity": caller.identity(),
        "eventTime": f"{day}T{time}Z",
        "eventSource": f"{source}.amazonaws.com",
        "eventName": event_name,
        "awsRegion": caller.region,
        "sourceIPAddress": caller.address,
        "userAgent": "aws-cli/2.31.4",
        "requestParameters": {"name": trail} if source == "cloudtrail" else {"keyId": key, "pendingWindowInDays": 7},
        "responseElements": None,
        "requestID": event_id,
        "eventID": event_id,
        "readOnly": event_name.startswith(("Describe", "Get", "List")),
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": caller.account,
        "eventCategory": "Management",
        **others,
    }


def near_miss(number: int, caller: Caller, event_id: str) -> dict[str, Any]:
    """Looks like an alert and is none. No DeleteTrail: with the failed StopLogging it would add up to a story."""
    kinds = [
        ("StartLogging", {}),
        ("DescribeTrails", {}),
        ("StopLogging", {"errorCode": "TrailNotFoundException", "errorMessage": "Unknown trail"}),
        ("UpdateTrail", {"errorCode": "InvalidTrailNameException", "errorMessage": "Trail name too short"}),
        ("GetTrailStatus", {}),
    ]
    name, others = kinds[number % len(kinds)]
    return call(caller, event_id, name, **others)


def log_file(records: list[Any], indent: int | None = None) -> bytes:
    """A file of records as JSON."""
    return json.dumps({"Records": records}, indent=indent, ensure_ascii=False).encode()


def packed(content: bytes, level: int = 6) -> bytes:
    """As gzip, without the time."""
    return gzip.compress(content, level, mtime=0)


def in_members(content: bytes, count: int) -> bytes:
    """As several gzip members, one behind the other."""
    step = max(1, -(-len(content) // count))
    return b"".join(packed(content[at : at + step]) for at in range(0, len(content), step))


def stored(content: bytes) -> bytes:
    """As gzip that doesn't compress: where it is cut off, all before is there."""
    return packed(content, 0)


def garbled(content: bytes) -> bytes:
    """With some bytes changed, in the middle."""
    middle = len(content) // 2
    return content[:middle] + bytes(byte ^ 0x5A for byte in content[middle : middle + 8]) + content[middle + 8 :]


def wrong_checksum(content: bytes) -> bytes:
    """Gzip whose checksum isn't that of what it holds."""
    return content[:-8] + bytes(byte ^ 0xFF for byte in content[-8:-4]) + content[-4:]


def bomb(megabytes: int) -> bytes:
    """A small file that inflates to a large one: a log file whose records never begin."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packer.compress(b'{"Records":[')]
    parts += [packer.compress(b" " * 1_000_000) for _ in range(megabytes)]
    return b"".join(parts) + packer.compress(b"]}") + packer.flush()
