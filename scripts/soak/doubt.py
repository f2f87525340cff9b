"""Doubts the checker: shows it copies of what was seen that are spoilt in one place each. It has to complain of every one."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from soak.check import Verdict, check

Lines = list[str]


def without_first(lines: Lines) -> Lines:
    """Something is missing."""
    return lines[1:]


def first_again(lines: Lines) -> Lines:
    """Something came twice."""
    return [*lines, lines[0]]


def changed(lines: Lines, which: Callable[[dict[str, Any]], bool], change: Callable[[dict[str, Any]], None]) -> Lines:
    """The first line of a kind is another one."""
    place, line = next((place, line) for place, text in enumerate(lines) if which(line := json.loads(text)))
    change(line)
    return [*lines[:place], json.dumps(line), *lines[place + 1 :]]


def other_event(line: dict[str, Any]) -> None:
    """An alert speaks of what nobody did."""
    line["finding"]["evidences"][0]["uid"] = "nobody"


def is_raw(line: dict[str, Any]) -> bool:
    """Whether something in quarantine is the thing itself."""
    return bool(line["name"].endswith(".raw"))


def without_metrics(lines: Lines) -> Lines:
    """An invocation was not counted."""
    place = next(place for place, line in enumerate(lines) if line.startswith("{") and "CloudWatchMetrics" in line)
    return lines[:place] + lines[place + 1 :]


def one_file_more(lines: Lines) -> Lines:
    """A summary's numbers don't add up."""
    return [re.sub(r"(\d+) objects = ", r"1\1 objects = ", line) for line in lines]


def without(lines: Lines, which: Callable[[dict[str, Any]], bool]) -> Lines:
    """The first line of a kind is missing."""
    place = next(place for place, line in enumerate(lines) if which(json.loads(line)))
    return lines[:place] + lines[place + 1 :]


def is_reason(line: dict[str, Any]) -> bool:
    """Whether something in quarantine says why something else is there."""
    return "reason" in line


def cut_short(line: dict[str, Any]) -> None:
    """A thing is not what was put in."""
    line["sha256"] = "0"


def silent(line: dict[str, Any]) -> None:
    """A reason says nothing."""
    line["reason"]["why"] = ""


SPOILT: list[tuple[str, str, Callable[[Lines], Lines]]] = [
    ("an alert is missing", "alerts.jsonl", without_first),
    ("an alert came twice", "alerts.jsonl", first_again),
    ("an alert speaks of another event", "alerts.jsonl", lambda lines: changed(lines, lambda line: True, other_event)),
    ("a thing in quarantine is missing", "quarantine.jsonl", lambda lines: without(lines, is_raw)),
    ("a thing in quarantine is not whole", "quarantine.jsonl", lambda lines: changed(lines, is_raw, cut_short)),
    ("a reason is missing", "quarantine.jsonl", lambda lines: without(lines, is_reason)),
    ("a reason says nothing", "quarantine.jsonl", lambda lines: changed(lines, is_reason, silent)),
    ("a dead letter is missing", "dead.jsonl", without_first),
    ("there is a dead letter more", "dead.jsonl", lambda lines: [*lines, json.dumps({"body": "more"})]),
    ("an invocation was not counted", "function.log", without_metrics),
    ("counts don't add up", "function.log", one_file_more),
    ("the function panicked", "function.log", lambda lines: [*lines, "thread 'main' panicked at src/lib.rs"]),
]


def doubt(verdict: Verdict) -> None:
    """Adds a problem for each spoilt copy that the checker takes for sound."""
    folder = verdict.seen.folder.resolve()
    for name, file, spoil in SPOILT:
        with tempfile.TemporaryDirectory(prefix="trailhound-soak-doubt-") as home:
            for each in folder.iterdir():
                (Path(home) / each.name).symlink_to(each)
            spoilt = Path(home) / file
            spoilt.unlink()
            spoilt.write_text("\n".join(spoil((folder / file).read_text(errors="replace").splitlines())) + "\n")
            if not check(Path(home)).problems:
                verdict.problems.append(f"the checker is blind: it was shown that {name}, and did not complain")
    verdict.numbers["doubted"] = len(SPOILT)
