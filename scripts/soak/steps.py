"""What a plan is made of: steps, each with what is done and what must come of it. A plan file has one step a line."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

BUCKET = "trailhound-soak-logs"
MISSING_BUCKET = "trailhound-soak-not-there"
QUARANTINE = "trailhound-quarantine/"
# Keys below it are denied for a while.
DENIED_PREFIX = "denied/"
# What the bucket tells the queue about by itself.
NOTIFIED = ".json.gz"


@dataclass
class Put:
    """An object. `then` is what follows at once: nothing, `mark` (a delete marker) or `erase` (this version is gone)."""

    key: str
    body: str  # base64
    then: str = ""

    @staticmethod
    def of(key: str, content: bytes, then: str = "") -> Put:
        """From bytes."""
        return Put(key, base64.b64encode(content).decode(), then)

    def content(self) -> bytes:
        """As it is put."""
        return base64.b64decode(self.body)


@dataclass
class Finding:
    """A rule that must speak of an event, in an alert of its own or held back by one of the same rule and `key`.

    `optional`: it may also stay away. For correlations `event` is the principal.
    """

    rule: str
    event: str
    key: str
    optional: bool = False


@dataclass
class Aside:
    """Something that must lie in quarantine: an object by its key, a payload by what it says."""

    cause: str
    sha256: str
    key: str = ""


@dataclass
class Step:
    """Objects that are put, then messages that are sent, and what must come of it."""

    number: int
    phase: str
    shape: str
    puts: list[Put] = field(default_factory=list)
    sends: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    asides: list[Aside] = field(default_factory=list)
    # Messages that must end in the dead-letter queue.
    dead: list[str] = field(default_factory=list)
    # Metric -> least and most that it counts where nothing goes wrong.
    counts: dict[str, list[int]] = field(default_factory=dict)

    def counted(self, **metrics: int | tuple[int, int]) -> None:
        """Adds to what metrics must show."""
        for name, value in metrics.items():
            least, most = value if isinstance(value, tuple) else (value, value)
            now = self.counts.get(name, [0, 0])
            self.counts[name] = [now[0] + least, now[1] + most]


def sha256(content: bytes | str) -> str:
    """Of bytes, or of a text in UTF-8."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def write_plan(path: Path, seed: int, steps: list[Step]) -> None:
    """One header line, then a line for each step."""
    lines = [{"seed": seed, "steps": len(steps)}, *(asdict(step) for step in steps)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def read_plan(path: Path) -> tuple[int, list[Step]]:
    """The seed and the steps of a plan file."""
    header, *lines = (json.loads(line) for line in path.read_text().splitlines())
    return int(header["seed"]), [read_step(line) for line in lines]


def read_step(line: dict[str, Any]) -> Step:
    """A step as `write_plan` wrote it."""
    parts = {"puts": Put, "findings": Finding, "asides": Aside}
    made = {name: [kind(**each) for each in line[name]] for name, kind in parts.items()}
    return Step(**{**line, **made})
