"""What can be seen of the stack from outside: alerts that a subscriber gets, messages of a queue, what lies in quarantine."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import aws_local
from soak.steps import BUCKET, QUARANTINE, sha256

EMPTY_TRIES = 3


class AlertCollector:
    """Takes alerts from the subscriber's queue as they come, and writes each down."""

    def __init__(self, stack: aws_local.Stack, queue_url: str, path: Path) -> None:
        self.sqs = aws_local.client("sqs", stack.endpoint)
        self.queue_url = queue_url
        self.file = path.open("w")
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.collect, daemon=True)
        self.thread.start()

    def collect(self) -> None:
        """Until stopped, and then until nothing comes any more."""
        while True:
            was_stopping = self.stopping.is_set()
            bodies = receive(self.sqs, self.queue_url, ["SentTimestamp"])
            for body, attributes in bodies:
                envelope = json.loads(body)
                alert = {"sent": int(attributes["SentTimestamp"]) / 1000, "finding": json.loads(envelope["Message"])}
                self.file.write(json.dumps({**alert, "subject": envelope.get("Subject")}) + "\n")
            if not bodies:
                if was_stopping:
                    return
                self.stopping.wait(0.5)

    def stop(self) -> None:
        """Takes what is left; safe to call twice."""
        self.stopping.set()
        self.thread.join()
        self.file.close()


def receive(sqs: Any, queue_url: str, names: list[str]) -> list[tuple[str, dict[str, str]]]:
    """Up to ten messages with their attributes, which are deleted."""
    answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, MessageSystemAttributeNames=names)
    messages = answer.get("Messages", [])
    if messages:
        entries = [{"Id": str(at), "ReceiptHandle": message["ReceiptHandle"]} for at, message in enumerate(messages)]
        sqs.delete_message_batch(QueueUrl=queue_url, Entries=entries)
    return [(message["Body"], message.get("Attributes", {})) for message in messages]


def take_all(stack: aws_local.Stack, queue_url: str) -> list[str]:
    """The texts of all messages of a queue, which is empty then."""
    sqs = aws_local.client("sqs", stack.endpoint)
    texts: list[str] = []
    empty = 0
    while empty < EMPTY_TRIES:
        got = [text for text, _ in receive(sqs, queue_url, [])]
        texts += got
        empty = 0 if got else empty + 1
        if not got:
            time.sleep(0.2)
    return texts


def quarantined(stack: aws_local.Stack) -> list[dict[str, Any]]:
    """Every object of the quarantine: its name below the prefix, its hash, and what a reason says."""
    s3 = aws_local.client("s3", stack.endpoint)
    found = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=QUARANTINE):
        for entry in page.get("Contents", []):
            content = s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()
            line = {"name": entry["Key"].removeprefix(QUARANTINE), "sha256": sha256(content)}
            if line["name"].endswith(".reason.txt"):
                line["reason"] = json.loads(content)
            found.append(line)
    return found
