"""HTTP/1.1 as far as the proxy speaks it: whole messages, with a length or in chunks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


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


async def send(writer: asyncio.StreamWriter, answered: Message, of_head: bool = False) -> bool:
    """Answers; the connection goes on."""
    writer.write(head_answer(answered) if of_head else answered.encode())
    await writer.drain()
    return True


def head_answer(answered: Message) -> bytes:
    """An answer without a body; its length is that of the body it would have."""
    lines = [answered.start, *(f"{name}: {value}" for name, value in answered.headers)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
