"""Stands between the function and the emulator, and misbehaves as AWS and networks may.

A process of its own: `python -m soak.proxy --upstream PORT --emulator PID --seed N --log FILE`. Its first line on stdout is the port it
listens on. Each line on stdin is a JSON object that says how it behaves from then on:

    {"phase": NAME, "rate": 0..1, "kill": 0..1, "denied": [KEY PREFIX], "missing": [BUCKET]}

and it answers with the requests of each service so far. It ends when stdin closes. What went wrong is written to the log file,
one JSON object a line; so is every alert that was published, whether anything went wrong with it or not.

Faults, each decided by the seed and the request's number:
    errors      as the service itself answers them; the request goes no further
    cut_before  the connection breaks before the request is passed on
    cut_after   it breaks once the request has had its effect: the answer is lost
    cut_middle  it breaks in the middle of the answer
    delay       the request is passed on late, by up to DELAY_SECONDS
    undone      DynamoDB does nothing of a batch, and says so
    kill_before, kill_after    as the cuts, and the process that asked is killed (Linux: it is found in /proc)
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import sys
import time
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from soak.processes import Processes
from soak.wire import Message, read_message, send

DELAY_SECONDS = 3.0
CUTS = ("cut_before", "cut_after", "cut_middle", "delay")
JSON_TYPE = "application/x-amz-json-1.0"
XML_TYPE = "application/xml"


@dataclass(frozen=True)
class Refusal:
    """An error as a service words it."""

    status: str
    code: str

    def body(self, service: str) -> tuple[str, bytes]:
        """Content type and document."""
        if service == "dynamodb":
            kind = f"com.amazonaws.dynamodb.v20120810#{self.code}"
            return JSON_TYPE, json.dumps({"__type": kind, "message": "injected by the soak run"}).encode()
        error = f"<Error><Code>{self.code}</Code><Message>injected by the soak run</Message></Error>"
        if service == "sns":
            error = f'<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">{error}<RequestId>soak</RequestId></ErrorResponse>'
        return XML_TYPE, f'<?xml version="1.0" encoding="UTF-8"?>{error}'.encode()


REFUSALS = {
    "s3": [Refusal("503 Slow Down", "SlowDown"), Refusal("500 Internal Server Error", "InternalError")],
    "sns": [Refusal("429 Too Many Requests", "Throttled"), Refusal("500 Internal Server Error", "InternalError")],
    "dynamodb": [
        Refusal("400 Bad Request", "ProvisionedThroughputExceededException"),
        Refusal("400 Bad Request", "ThrottlingException"),
        Refusal("500 Internal Server Error", "InternalServerError"),
    ],
}
# Calls that may be done in part, and how the answer calls the rest.
BATCHES = {"BatchGetItem": "UnprocessedKeys", "BatchWriteItem": "UnprocessedItems"}
DENIED = Refusal("403 Forbidden", "AccessDenied")
NO_BUCKET = Refusal("404 Not Found", "NoSuchBucket")


@dataclass
class Behaviour:
    """How it behaves at the moment."""

    phase: str = "start"
    rate: float = 0.0
    kill: float = 0.0
    denied: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def service_of(request: Message) -> str:
    """The service that the signature names."""
    scope = re.search(r"Credential=[^/]+/\d+/[^/]+/(\w+)/", request.header("authorization"))
    return scope.group(1) if scope else "s3"


def operation_of(service: str, request: Message) -> str:
    """What is asked, in the service's words (S3: the method)."""
    if service == "dynamodb":
        return request.header("x-amz-target").rpartition(".")[2]
    if service == "sns":
        return urllib.parse.parse_qs(request.body.decode("utf-8", "replace")).get("Action", ["?"])[0]
    method = request.start.split(" ")[0]
    return "COPY" if request.header("x-amz-copy-source") else method


def published(request: Message) -> dict[str, str]:
    """Which finding an SNS call publishes."""
    form = dict(urllib.parse.parse_qsl(request.body.decode("utf-8", "replace")))
    finding = json.loads(json.loads(form["Message"])["sqs"])
    return {"uid": finding["metadata"]["uid"], "rule": finding["finding_info"]["analytic"]["uid"]}


def written(request: Message) -> dict[str, Any]:
    """Which alerts' item a DynamoDB call writes, and how many alerts it then says were told (docs/memory.md: an item `A`)."""
    item = json.loads(request.body)["Item"]
    if not (item["pk"]["S"].startswith("A#") and item["sk"]["S"] == "-"):
        return {}
    return {"ledger": item["pk"]["S"][2:], "told": len(json.loads(item["v"]["S"]).get("published", []))}


NOTED = {"Publish": published, "PutItem": written}


class Proxy:
    """Passes requests on, or not."""

    def __init__(self, upstream: int, emulator: int, seed: int, log: TextIO) -> None:
        self.upstream = upstream
        self.processes = Processes(emulator)
        self.seed = seed
        self.log = log
        self.behaviour = Behaviour()
        self.requests: dict[str, int] = {}
        self.count = 0
        self.port = 0
        # The event loop itself would let go of those that wait.
        self.connections: set[asyncio.Task[None]] = set()

    def note(self, **what: Any) -> None:
        """A line of the log."""
        self.log.write(json.dumps({"time": time.time(), "phase": self.behaviour.phase, **what}) + "\n")
        self.log.flush()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the function."""
        task = asyncio.current_task()
        assert task is not None  # This runs in one.
        self.connections.add(task)
        try:
            while (request := await read_message(reader)) is not None:
                if not await self.answer(request, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # The other side has gone, or the run is over.
        finally:
            self.connections.discard(task)
            writer.close()

    async def answer(self, request: Message, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection goes on."""
        service = service_of(request)
        operation = operation_of(service, request)
        refusal = self.refusal_of_place(request) if service == "s3" else None
        chance = self.next_chance(service)
        fault = None if refusal else self.fault(service, operation, chance)
        noted = NOTED[operation](request) if operation in NOTED else {}
        if fault or refusal or operation == "Publish":
            name = fault.code if isinstance(fault, Refusal) else fault or (refusal.code if refusal else None)
            self.note(service=service, operation=operation, fault=name, client=writer.get_extra_info("peername")[1], **noted)
        if refusal or isinstance(fault, Refusal):
            return await refuse(writer, service, refusal or fault, request)
        if fault == "undone":
            return await send(writer, undone(operation, request))
        if fault == "kill_before":
            return self.kill(writer)
        if fault == "cut_before":
            return False
        if fault == "delay":
            await asyncio.sleep(chance.uniform(0.1, DELAY_SECONDS))
        answered = await self.passed_on(request)
        if "ledger" in noted and answered and " 200 " in answered.start:
            self.note(wrote=True, **noted)
        if fault == "kill_after":
            return self.kill(writer)
        if answered is None or fault == "cut_after":
            return False
        if fault == "cut_middle":
            whole = answered.encode()
            writer.write(whole[: len(whole) - len(answered.body) // 2 - 1])
            await writer.drain()
            return False
        return await send(writer, answered, request.is_head())

    def next_chance(self, service: str) -> random.Random:
        """What decides over this request."""
        self.count += 1
        self.requests[service] = self.requests.get(service, 0) + 1
        return random.Random(f"{self.seed}:{self.count}")

    def refusal_of_place(self, request: Message) -> Refusal | None:
        """Keys that are denied at the moment, and buckets that aren't there."""
        path = urllib.parse.unquote(request.start.split(" ")[1].partition("?")[0]).lstrip("/")
        bucket, _, key = path.partition("/")
        if bucket in self.behaviour.missing:
            return NO_BUCKET
        is_denied = request.start.startswith("GET ") and any(key.startswith(start) for start in self.behaviour.denied)
        return DENIED if is_denied else None

    def fault(self, service: str, operation: str, chance: random.Random) -> Refusal | str | None:
        """What goes wrong with a request."""
        if chance.random() < self.behaviour.kill and self.processes.may_kill():
            # A process that dies over its answer has had its effect.
            return chance.choice(["kill_before", "kill_after", "kill_after"])
        if chance.random() >= self.behaviour.rate:
            return None
        refusals: list[Refusal | str] = [*REFUSALS.get(service, []), *(["undone"] if operation in BATCHES else [])]
        # As often refused as broken off.
        return chance.choice([*refusals, *refusals, *CUTS])

    def kill(self, writer: asyncio.StreamWriter) -> bool:
        """Ends the process that asked, and so the connection."""
        ports = self.processes.kill(writer.get_extra_info("peername")[1], self.port)
        self.note(killed=bool(ports), clients=ports)
        return False

    async def passed_on(self, request: Message) -> Message | None:
        """The emulator's answer. Headers go unchanged, `Host` too: the signature covers it."""
        # A connection for each: one that was kept might be closed from the other side, which would be a fault nobody asked for.
        reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream, limit=2**20)
        try:
            writer.write(request.encode())
            await writer.drain()
            while True:
                answered = await read_message(reader, request.is_head())
                if answered is None or not answered.start.split(" ")[1].startswith("1"):
                    return answered
        finally:
            writer.close()


async def refuse(writer: asyncio.StreamWriter, service: str, refusal: Refusal, request: Message) -> bool:
    """Answers with an error; the connection goes on."""
    content_type, body = refusal.body(service)
    answered = Message(f"HTTP/1.1 {refusal.status}", [("Content-Type", content_type), ("x-amzn-RequestId", "soak")], body)
    return await send(writer, answered, request.is_head())


def undone(operation: str, request: Message) -> Message:
    """The answer to a batch of which nothing was done."""
    asked = json.loads(request.body)["RequestItems"]
    answer: dict[str, Any] = {BATCHES[operation]: asked}
    if operation == "BatchGetItem":
        answer["Responses"] = {table: [] for table in asked}
    return Message("HTTP/1.1 200 OK", [("Content-Type", JSON_TYPE), ("x-amzn-RequestId", "soak")], json.dumps(answer).encode())


async def obey(proxy: Proxy) -> None:
    """Changes behaviour as stdin says, until it closes."""
    loop = asyncio.get_running_loop()
    stdin = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    while line := await stdin.readline():
        proxy.behaviour = Behaviour(**json.loads(line))
        print(json.dumps(proxy.requests), flush=True)


async def run(arguments: argparse.Namespace) -> None:
    """Listens until stdin closes."""
    with arguments.log.open("a") as log:
        proxy = Proxy(arguments.upstream, arguments.emulator, arguments.seed, log)
        server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, limit=2**20)
        proxy.port = server.sockets[0].getsockname()[1]
        print(proxy.port, flush=True)
        await obey(proxy)


def main() -> None:
    """The process."""
    parser = argparse.ArgumentParser(description="a misbehaving way to AWS")
    parser.add_argument("--upstream", type=int, required=True, help="the emulator's port")
    parser.add_argument("--emulator", type=int, required=True, help="the emulator's process, whose children may be killed")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--log", type=Path, required=True)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
