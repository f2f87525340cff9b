"""Stands between the function and the emulator, and misbehaves as AWS and networks may.

A process of its own: `python proxy.py --upstream PORT --emulator PID --seed N --log FILE`. Its first line on stdout is the port it
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
    kill_before, kill_after    as the cuts, and the process that asked is killed (Linux: it is found in /proc)
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import signal
import sys
import time
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

DELAY_SECONDS = 3.0
# Killing faster than processes start would leave nothing that works.
KILL_GAP_SECONDS = 1.5
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
DENIED = Refusal("403 Forbidden", "AccessDenied")
NO_BUCKET = Refusal("404 Not Found", "NoSuchBucket")


@dataclass
class Message:
    """A request or an answer as it came."""

    start: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """The first value, or nothing."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    def encode(self) -> bytes:
        """With its length in place of its chunks."""
        framing = ("content-length", "transfer-encoding")
        kept = [(name, value) for name, value in self.headers if name.lower() not in framing]
        lines = [self.start, *(f"{name}: {value}" for name, value in kept), f"Content-Length: {len(self.body)}"]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body

    def is_head(self) -> bool:
        """Whether it asks for an answer without a body."""
        return self.start.startswith("HEAD ")


@dataclass
class Behaviour:
    """How it behaves at the moment."""

    phase: str = "start"
    rate: float = 0.0
    kill: float = 0.0
    denied: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


async def read_message(reader: asyncio.StreamReader, of_head: bool = False) -> Message | None:
    """The next message of a connection; None when it has ended."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    start, *lines = head.rstrip("\r\n").split("\r\n")
    headers = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    message = Message(start, headers, b"")
    if of_head:
        return message
    if message.header("transfer-encoding").lower() == "chunked":
        message.body = await read_chunks(reader)
    elif length := int(message.header("content-length") or 0):
        message.body = await reader.readexactly(length)
    return message


async def read_chunks(reader: asyncio.StreamReader) -> bytes:
    """A body in HTTP's chunks; what follows the last one is dropped."""
    body = b""
    while True:
        size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
        if size == 0:
            while await reader.readuntil(b"\r\n") != b"\r\n":
                pass
            return body
        body += await reader.readexactly(size)
        await reader.readexactly(2)


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


class Processes:
    """The function's processes: children of the emulator."""

    def __init__(self, emulator: int) -> None:
        self.emulator = emulator
        self.last_kill = 0.0

    def may_kill(self) -> bool:
        """Whether the last kill is long enough ago."""
        return time.monotonic() - self.last_kill >= KILL_GAP_SECONDS

    def kill(self, client_port: int, own_port: int) -> int | None:
        """Kills the one that holds a connection; its id, or None when it is not found."""
        inode = socket_inode(client_port, own_port)
        pid = next((pid for pid in children(self.emulator) if inode in sockets(pid)), None) if inode else None
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            self.last_kill = time.monotonic()
        return pid


def socket_inode(local_port: int, remote_port: int) -> str | None:
    """The socket that stands at the other end of a loopback connection."""
    ends = (f":{local_port:04X}", f":{remote_port:04X}")
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        columns = line.split()
        if columns[1].endswith(ends[0]) and columns[2].endswith(ends[1]):
            return columns[9]
    return None


def children(parent: int) -> list[int]:
    """Processes that a process has started, and no others."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "stat").read_text()
            except OSError:
                continue
            # The name before may hold anything, but no parenthesis after its last one.
            if int(status.rpartition(")")[2].split()[1]) == parent:
                found.append(int(entry.name))
    return found


def sockets(pid: int) -> set[str]:
    """Inodes of a process's sockets."""
    found = set()
    for name in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(name)
        except OSError:
            continue
        if target.startswith("socket:["):
            found.add(target[8:-1])
    return found


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

    def note(self, **what: Any) -> None:
        """A line of the log."""
        self.log.write(json.dumps({"time": time.time(), "phase": self.behaviour.phase, **what}) + "\n")
        self.log.flush()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the function."""
        try:
            while (request := await read_message(reader)) is not None:
                if not await self.answer(request, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # The other side has gone, or the run is over.
        finally:
            writer.close()

    async def answer(self, request: Message, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection goes on."""
        service = service_of(request)
        operation = operation_of(service, request)
        refusal = self.refusal_of_place(request) if service == "s3" else None
        chance = self.next_chance(service)
        fault = None if refusal else self.fault(service, chance)
        noted = NOTED[operation](request) if operation in NOTED else {}
        if fault or refusal or operation == "Publish":
            name = fault.code if isinstance(fault, Refusal) else fault or (refusal.code if refusal else None)
            self.note(service=service, operation=operation, fault=name, **noted)
        if refusal or isinstance(fault, Refusal):
            return await refuse(writer, service, refusal or fault, request)
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
        encoded = answered.encode() if not request.is_head() else head_answer(answered)
        if fault == "cut_middle":
            encoded = encoded[: max(1, len(encoded) - max(1, len(answered.body)) // 2 - 1)]
        writer.write(encoded)
        await writer.drain()
        return fault != "cut_middle"

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

    def fault(self, service: str, chance: random.Random) -> Refusal | str | None:
        """What goes wrong with a request."""
        if chance.random() < self.behaviour.kill and self.processes.may_kill():
            # A process that dies over its answer has had its effect.
            return chance.choice(["kill_before", "kill_after", "kill_after"])
        if chance.random() >= self.behaviour.rate:
            return None
        return chance.choice([*REFUSALS.get(service, []), *REFUSALS.get(service, []), *CUTS])

    def kill(self, writer: asyncio.StreamWriter) -> bool:
        """Ends the process that asked, and so the connection."""
        pid = self.processes.kill(writer.get_extra_info("peername")[1], self.port)
        self.note(killed=pid is not None)
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
    writer.write(head_answer(answered) if request.is_head() else answered.encode())
    await writer.drain()
    return True


def head_answer(answered: Message) -> bytes:
    """An answer without a body; its length is that of the body it would have."""
    lines = [answered.start, *(f"{name}: {value}" for name, value in answered.headers)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


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
