"""What a run has left in its folder, read back for the checker: alerts as a subscriber got them, faults, quarantine, the log."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from soak.steps import BUCKET

OWN = "trailhound"
TOLD_BEFORE = "may have been told before"
# What became of a publish call that the emulator got.
PASSED_ON = (None, "delay", "cut_after", "cut_middle", "kill_after")
ANSWER_LOST = ("cut_after", "cut_middle", "kill_after")


@dataclass(frozen=True)
class Alert:
    """One alert that arrived."""

    sent: float
    rule: str
    uid: str
    # Of which events it speaks; of a correlation the principal; of trailhound's own the cause.
    events: tuple[str, ...]
    is_own: bool
    about: str  # own alerts: the object's key, or nothing
    says_maybe: bool  # that it may have been told before
    dedup_key: str


def alert_of(line: dict[str, Any]) -> Alert:
    """From what the subscriber's queue held: SNS's envelope around an OCSF finding."""
    finding = line["finding"]
    unmapped = finding["unmapped"]
    evidences = finding["evidences"]
    data = evidences[0].get("data", {})
    is_own = data.get("eventSource") == OWN
    events = tuple(evidence["uid"] for evidence in evidences)
    if "correlation" in unmapped:
        events = tuple(unmapped["correlation"]["group"].values())
    elif is_own:
        events = tuple(evidence["data"]["errorCode"] for evidence in evidences)
    return Alert(
        sent=line["sent"], rule=finding["finding_info"]["analytic"]["uid"], uid=finding["metadata"]["uid"], events=events,
        is_own=is_own, about=data.get("requestParameters", {}).get("key", "") if is_own else "",
        says_maybe=TOLD_BEFORE in json.dumps(unmapped["story"]["notes"]), dedup_key=finding["metadata"]["correlation_uid"],
    )


@dataclass(frozen=True)
class Kept:
    """Something in quarantine."""

    cause: str
    key: str  # empty for a payload
    sha256: str
    name: str


class Seen:
    """Everything in the folder but the plan."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = json.loads((folder / "run.json").read_text())

    def lines(self, name: str) -> list[dict[str, Any]]:
        """A file of JSON lines."""
        return [json.loads(line) for line in (self.folder / name).read_text().splitlines()]

    @cached_property
    def alerts(self) -> list[Alert]:
        """In the order in which they were sent."""
        return sorted((alert_of(line) for line in self.lines("alerts.jsonl")), key=lambda alert: alert.sent)

    @cached_property
    def proxy(self) -> list[dict[str, Any]]:
        """Faults, kills and publish calls, in their order."""
        return self.lines("proxy.jsonl")

    @cached_property
    def publishes(self) -> list[dict[str, Any]]:
        """Publish calls."""
        return [line for line in self.proxy if line.get("operation") == "Publish"]

    @cached_property
    def ledgers(self) -> dict[str, list[tuple[float, int]]]:
        """By dedup key: when the item of its alerts was written, and how many it said were told."""
        found: dict[str, list[tuple[float, int]]] = {}
        for line in self.proxy:
            if line.get("wrote"):
                found.setdefault(line["ledger"], []).append((line["time"], line["told"]))
        return found

    def was_killed(self, publish: dict[str, Any], until: float) -> bool:
        """Whether the process that published was killed before a moment."""
        kills = (line for line in self.proxy if line.get("killed") and publish["time"] <= line["time"] <= until)
        return any(publish["client"] in line["clients"] for line in kills)

    def phase_at(self, time: float) -> str:
        """The part of the run that a moment belongs to."""
        begun = [entry["name"] for entry in self.run["timeline"] if entry["from"] <= time]
        return begun[-1] if begun else "start"

    def end_of(self, phase: str) -> float:
        """When a part was over."""
        return next(float(entry["to"]) for entry in self.run["timeline"] if entry["name"] == phase)

    @cached_property
    def quarantine(self) -> list[Kept]:
        """What was put aside, as docs/delivery.md says it is named: CAUSE/BUCKET/KEY[@VERSION].raw or CAUSE/payload/HASH.raw."""
        found = []
        for line in self.lines("quarantine.jsonl"):
            if line["name"].endswith(".raw"):
                cause, place, rest = line["name"].removesuffix(".raw").split("/", 2)
                key = rest.rpartition("@")[0] or rest if place == BUCKET else ""
                found.append(Kept(cause, key, line["sha256"], line["name"].removesuffix(".raw")))
        return found

    @cached_property
    def reasons(self) -> dict[str, dict[str, Any]]:
        """What stands beside it, by the name of what it explains."""
        end = ".reason.txt"
        lines = self.lines("quarantine.jsonl")
        return {line["name"].removesuffix(end): line["reason"] for line in lines if line["name"].endswith(end)}

    def bodies(self, name: str) -> list[str]:
        """Texts of messages."""
        return [line["body"] for line in self.lines(name)]

    @cached_property
    def log(self) -> list[dict[str, Any]]:
        """Lines of the function that are JSON; the emulator's own lines are around them."""
        found = []
        for line in (self.folder / "function.log").read_text(errors="replace").splitlines():
            if line.startswith("{"):
                try:
                    found.append(json.loads(line))
                except ValueError:
                    continue
        return found

    @cached_property
    def metrics(self) -> list[dict[str, Any]]:
        """Documents in CloudWatch's embedded metric format."""
        return [line for line in self.log if "_aws" in line]

    def events(self, name: str) -> list[dict[str, Any]]:
        """Fields of the log's lines of one kind."""
        fields = (line.get("fields", {}) for line in self.log)
        return [line for line in fields if line.get("event") == name]

    def mentions(self, text: str) -> int:
        """How many lines of the log hold a text, the emulator's included."""
        return len(re.findall(re.escape(text), (self.folder / "function.log").read_text(errors="replace")))
