"""The report of a run, in Markdown: what was put in, what went wrong on purpose, what came out, and the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from soak.check import Verdict

# Faults by their groups, for the table.
CUTS = {
    "cut_before": "cut before", "cut_after": "answer lost", "cut_middle": "answer cut", "delay": "late", "undone": "batch not done",
    "kill_before": "killed before", "kill_after": "killed after",
}
SERVICES = {"s3": "S3", "sns": "SNS", "dynamodb": "DynamoDB"}


def table(head: list[str], rows: Iterable[Iterable[Any]]) -> str:
    """A table."""
    lines = [head, ["---"] * len(head), *([str(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def render(verdict: Verdict) -> str:
    """The whole report."""
    parts = [summary, phases, faults, findings, repeated, aside, counted]
    return "\n".join(part(verdict) for part in parts)


def summary(verdict: Verdict) -> str:
    """Verdict and sizes."""
    run, numbers = verdict.seen.run, verdict.numbers
    objects = sum(len(step.puts) for step in verdict.steps)
    messages = sum(len(step.sends) for step in verdict.steps)
    lines = [
        f'`make soak SOAK="--objects {run["objects"]} --seed {run["seed"]}"`\n\n',
        f"**Verdict: {'nothing was lost' if not verdict.problems else f'{len(verdict.problems)} problems'}.** "
        f"Seed {run['seed']}, {objects} objects, {messages} messages besides, {numbers['invocations']} invocations "
        f"by up to {run['concurrency']} processes, {run['seconds']:.0f} s.\n",
        *(f"- {problem}\n" for problem in verdict.problems),
    ]
    if "doubted" in numbers and not verdict.problems:
        lines.append(f"Shown {numbers['doubted']} copies of what was seen, each spoilt in one place, the checker complained of all.\n")
    return "".join(lines)


def phases(verdict: Verdict) -> str:
    """What was done when."""
    by_phase = Counter(line["phase"] for line in verdict.seen.proxy if line.get("fault"))
    kills = Counter(line["phase"] for line in verdict.seen.proxy if line.get("killed"))
    rows = []
    for entry in verdict.seen.run["timeline"]:
        requests = sum(entry["requests"].values())
        rows.append([
            entry["name"], f"{entry['rate']:.0%}", entry.get("objects", 0), entry.get("messages", 0),
            f"{entry['to'] - entry['from']:.0f}", requests, by_phase[entry["name"]], kills[entry["name"]],
        ])
    return table(["phase", "fault rate", "objects", "messages", "seconds", "requests", "went wrong", "kills"], rows)


def faults(verdict: Verdict) -> str:
    """What went wrong with which service."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in SERVICES}
    for line in verdict.seen.proxy:
        if line.get("fault"):
            counts[line["service"]][CUTS.get(line["fault"], line["fault"])] += 1
    rows = [[SERVICES[name], ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))] for name, kinds in counts.items()]
    return table(["service", "what went wrong"], rows)


def findings(verdict: Verdict) -> str:
    """What must alert, by phase."""
    rows = []
    for phase, counts in verdict.numbers["findings"].items():
        lost = counts["planned"] - counts["arrived"] - counts["held"]
        rows.append([phase, counts["planned"], counts["arrived"], counts["held"], lost])
    total: Counter[str] = sum(verdict.numbers["findings"].values(), Counter())
    rows.append(["all", total["planned"], total["arrived"], total["held"], total["planned"] - total["arrived"] - total["held"]])
    return table(["put in while", "findings", "arrived", "held by an alert of their kind", "lost"], rows)


def repeated(verdict: Verdict) -> str:
    """How many alerts came again, and why."""
    numbers = verdict.numbers
    again = sum(numbers["repeated"].values())
    share = again / max(1, numbers["alerts"])
    own = sum(numbers["own"].values())
    text = (
        f"{numbers['alerts']} alerts arrived, of {numbers['published']} publish calls that reached SNS; {own} of them tell of "
        f"trailhound's own work. {again} ({share:.1%}) were told once more than needed; {numbers['told_maybe']} say that they may "
        "have been told before.\n\n"
    )
    return text + table(["repeated because", "alerts"], sorted(numbers["repeated"].items())) if again else text


def aside(verdict: Verdict) -> str:
    """Quarantine and dead-letter queue."""
    rows = [[f"quarantine, `{cause}`", wanted, found] for cause, (wanted, found) in verdict.numbers["quarantine"].items()]
    wanted, found, redriven = verdict.numbers["dead"]
    rows.append([f"dead-letter queue, once the {redriven} messages that lay there after the storm were sent back", wanted, found])
    return table(["where", "should be", "is"], rows)


def counted(verdict: Verdict) -> str:
    """The function's own metrics."""
    names = [
        "Deliveries", "DeliveriesFailed", "Files", "Digests", "ObjectsForeign", "ObjectsUnwanted", "ObjectsGone", "ObjectsFailed",
        "Ignored", "Quarantined", "Records", "BadRecords", "Findings", "Alerts", "FindingsHeld", "FindingsFailed", "StateFailures",
    ]
    totals = verdict.numbers["metrics"]
    returned = ", ".join(f"`{cause}` {count}" for cause, count in verdict.numbers["returned"].most_common())
    metrics = ", ".join(f"`{name}` {totals[name]}" for name in names)
    return f"The function counted: {metrics}. Deliveries came again because of: {returned or 'nothing'}.\n"
