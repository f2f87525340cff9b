#!/usr/bin/env python3
"""Fetches AWS's list of its networks, ip-ranges.json, into a folder: `make ip-ranges`.

    scripts/fetch_ip_ranges.py enrichment
    scripts/fetch_ip_ranges.py enrichment --url file:///tmp/ip-ranges.json

The file that is there is replaced by a whole new one or stays as it is: the new one is written beside it, looked at, and then
renamed. What is no such list, or has less than half of the networks of the one that is there, is refused, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import http.client
import ipaddress
import json
import os
import sys
import tempfile
import urllib.request
from pathlib import Path

URL = "https://ip-ranges.amazonaws.com/ip-ranges.json"
NAME = "ip-ranges.json"
# The list has some 2 MB.
MAX_BYTES = 64 << 20
TIMEOUT_SECONDS = 30


class Refused(Exception):
    """What came is not the list."""


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:  # raises for anything but success
        content = answer.read(MAX_BYTES + 1)
        # A connection that ends early is no error to `read` with a size.
        length = answer.headers.get("content-length")
    if len(content) > MAX_BYTES:
        raise Refused(f"it is larger than {MAX_BYTES} bytes")
    if length is not None and int(length) != len(content):
        raise Refused(f"it ends after {len(content)} of {length} bytes")
    return content


def check(content: bytes) -> tuple[str, int]:
    """When the list was made, and how many networks it has."""
    try:
        document = json.loads(content)
        prefixes = [(entry["ip_prefix"], entry) for entry in document["prefixes"]]
        prefixes += [(entry["ipv6_prefix"], entry) for entry in document.get("ipv6_prefixes", [])]
        for network, entry in prefixes:
            ipaddress.ip_network(network)
            entry["region"], entry["service"]
        made = document["createDate"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(f"it is not what AWS publishes: {type(error).__name__} {error}") from error
    if not document["prefixes"]:
        raise Refused("there is no network in it")
    return made, len(prefixes)


def networks_of(path: Path) -> int:
    try:
        return check(path.read_bytes())[1]
    except (OSError, Refused):
        return 0


def replace(path: Path, content: bytes) -> None:
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{NAME}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, 0o644)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--url", default=URL)
    args = parser.parse_args()
    path = args.folder / NAME
    try:
        content = fetch(args.url)
        made, networks = check(content)
        before = networks_of(path)
        if networks * 2 < before:
            raise Refused(f"it has {networks} networks, and {path} has {before}; delete that if it is right all the same")
        args.folder.mkdir(parents=True, exist_ok=True)
        replace(path, content)
    except (OSError, http.client.HTTPException, Refused) as error:
        print(f"{args.url}: {error}; {path} stays as it is", file=sys.stderr)
        return 1
    print(f"{path}: {networks} networks, as of {made}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
