"""Holds what came out of a run against its plan. Knows what was put in and what docs/ promise, and none of trailhound's code.

Each check adds sentences to `problems`; none means that nothing was lost. What it counts on the way stands in the report.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from soak.seen import ANSWER_LOST, PASSED_ON, Alert, Seen
from soak.steps import DENIED_PREFIX, Finding, Step, read_plan

# Rules of rules/trailhound/.
CANNOT_READ = "8f4b3d52-2a0d-4a0b-8a5e-6c3b5a1d9e22"
MAY_NOT_READ = "3b7f0c0e-6a51-4f0e-9a0c-4f6f1c1f7d11"
FAILS_AGAIN = "c51b4c0d-93f7-4c3a-8b1f-0f7f4a6f2e33"
FAULTLESS = ("calm", "after")
# Within these, what goes wrong after a publish call is what makes an alert repeat.
MARKING_SECONDS = 60
LISTED = 10
SUMMARY = re.compile(
    r"(\d+) objects = (\d+) files read \+ (\d+) digests \+ (\d+) foreign \+ (\d+) unwanted \+ (\d+) gone \+ (\d+) failed; "
    r".*; (\d+) findings = (\d+) told in (\d+) alerts \+ (\d+) held back.* \+ (\d+) failed"
)
# Counted once for each such object: its message is never returned.
EXACT_WHEN_CALM = ("Digests", "ObjectsForeign", "ObjectsUnwanted", "ObjectsGone")


@dataclass
class Verdict:
    """What the checker found, and the numbers of the report."""

    seen: Seen
    steps: list[Step]
    problems: list[str] = field(default_factory=list)
    numbers: dict[str, Any] = field(default_factory=dict)

    def complain(self, what: str, of: Iterable[Any]) -> None:
        """Adds a problem if there is anything to complain of."""
        listed = [str(each) for each in of]
        if listed:
            more = f", and {len(listed) - LISTED} more" if len(listed) > LISTED else ""
            self.problems.append(f"{what} ({len(listed)}): {'; '.join(listed[:LISTED])}{more}")


def check(folder: Path) -> Verdict:
    """Everything."""
    _, steps = read_plan(folder / "plan.jsonl")
    verdict = Verdict(Seen(folder), steps)
    parts = [nothing_is_lost, nothing_is_invented, own_alerts, repetitions, emulator_is_honest, quarantine, dead_letters, metrics, log]
    for part in parts:
        part(verdict)
    return verdict


def planned(verdict: Verdict) -> list[tuple[Step, Finding]]:
    """Each finding with the step that it belongs to."""
    return [(step, finding) for step in verdict.steps for finding in step.findings]


def nothing_is_lost(verdict: Verdict) -> None:
    """Each finding arrived in an alert, or one of its rule and key did that holds it back."""
    told = {(alert.rule, event) for alert in verdict.seen.alerts for event in alert.events}
    keys = {(finding.rule, finding.key) for _, finding in planned(verdict) if (finding.rule, finding.event) in told}
    by_phase: dict[str, Counter[str]] = defaultdict(Counter)
    lost = []
    for step, finding in planned(verdict):
        counts = by_phase[step.phase]
        counts["planned"] += 1
        if (finding.rule, finding.event) in told:
            counts["arrived"] += 1
        elif (finding.rule, finding.key) in keys:
            counts["held"] += 1
        else:
            lost.append(f"rule {finding.rule}, event {finding.event} of step {step.number} ({step.shape}, phase {step.phase})")
    verdict.numbers["findings"] = by_phase
    verdict.complain("findings were lost", lost)


def nothing_is_invented(verdict: Verdict) -> None:
    """No alert speaks of anything else."""
    expected = {(finding.rule, finding.event) for _, finding in planned(verdict)}
    others = [
        f"rule {alert.rule}, event {event}"
        for alert in verdict.seen.alerts if not alert.is_own
        for event in alert.events if (alert.rule, event) not in expected
    ]
    verdict.complain("alerts that are not in the plan", others)


def own_alerts(verdict: Verdict) -> None:
    """People were told of each kind of trouble, and of none that there wasn't."""
    own = [alert for alert in verdict.seen.alerts if alert.is_own]
    told = {(alert.rule, cause) for alert in own for cause in alert.events}
    expected = {(CANNOT_READ, aside.cause) for step in verdict.steps for aside in step.asides}
    if any(step.dead for step in verdict.steps):
        expected.add((FAILS_AGAIN, "unavailable"))
    if any(line.get("fault") == "AccessDenied" for line in verdict.seen.proxy):
        expected.add((MAY_NOT_READ, "denied"))
    verdict.complain("nobody was told of", [f"{cause} (rule {rule})" for rule, cause in sorted(expected - told)])
    poisoned = {aside.key for step in verdict.steps for aside in step.asides}
    groundless = []
    for alert in own:
        if alert.rule == CANNOT_READ and alert.about not in poisoned:
            groundless.append(f"{alert.events} {alert.about}")
        elif alert.rule == MAY_NOT_READ and not alert.about.startswith(DENIED_PREFIX):
            groundless.append(f"{alert.events} {alert.about}")
        elif alert.rule == FAILS_AGAIN and verdict.seen.phase_at(alert.sent) == "calm":
            groundless.append(f"a delivery failed three times while all was well: {alert.events}")
    verdict.complain("alerts of trailhound's own work without a ground", groundless)
    verdict.numbers["own"] = Counter((alert.rule, alert.events[0]) for alert in own)


def repetitions(verdict: Verdict) -> None:
    """An alert comes twice only where docs/memory.md says that it may."""
    keys = {(finding.rule, finding.event): finding.key for _, finding in planned(verdict)}
    calm_keys = {finding.key for step, finding in planned(verdict) if step.phase in FAULTLESS}
    latest: dict[tuple[str, str], Alert] = {}
    causes: Counter[str] = Counter()
    unexplained = []
    for alert in verdict.seen.alerts:
        # All alerts of one rule and key; of trailhound's own those of one key of its own making.
        key = alert.dedup_key if alert.is_own else keys.get((alert.rule, alert.events[0]), alert.uid)
        before = latest.get((alert.rule, key))
        latest[alert.rule, key] = alert
        if before is None:
            continue
        cause = None if key in calm_keys else why_again(verdict.seen, before, alert)
        causes[cause or "unexplained"] += 1
        if cause is None:
            phase = verdict.seen.phase_at(before.sent)
            unexplained.append(f"rule {alert.rule}, {key}: at {before.sent:.3f} ({phase}), then {alert.sent:.3f}")
    verdict.numbers["repeated"] = causes
    verdict.numbers["alerts"] = len(verdict.seen.alerts)
    verdict.numbers["told_maybe"] = sum(alert.says_maybe for alert in verdict.seen.alerts)
    verdict.complain("alerts were repeated without a reason", unexplained)


def why_again(seen: Seen, before: Alert, again: Alert) -> str | None:
    """What makes a repetition one of those that docs/memory.md allows; None when nothing does."""
    earlier = [line for line in seen.publishes if line["uid"] == before.uid and line["time"] < again.sent]
    if any(line["fault"] in ANSWER_LOST for line in earlier):
        return "the answer to the first publish was lost"
    if again.says_maybe or before.says_maybe:
        return "the memory could not be asked, and the alert says so"
    if is_marked(seen, before, again):
        return None
    end = min(again.sent, before.sent + MARKING_SECONDS)
    if any(seen.was_killed(line, end) for line in earlier):
        return "the process was killed before it had marked the first"
    faults = (line for line in seen.proxy if line.get("service") == "dynamodb" and line.get("fault"))
    if any(before.sent - 1 <= line["time"] <= end for line in faults):
        return "the first could not be marked, because the memory failed"
    return None


def is_marked(seen: Seen, before: Alert, again: Alert) -> bool:
    """Whether the memory was told of the first before the second went out: the item of their key then says one more."""
    writes = seen.ledgers.get(before.dedup_key, [])
    # A publish call is sent a moment before the alert arrives.
    by_then = max((told for time, told in writes if time <= before.sent - 0.001), default=0)
    return any(told > by_then for time, told in writes if before.sent - 0.001 < time < again.sent)


def emulator_is_honest(verdict: Verdict) -> None:
    """What was published arrived: else the emulator has lost it, and not trailhound."""
    passed = [line for line in verdict.seen.publishes if line["fault"] in PASSED_ON]
    published = Counter(line["uid"] for line in passed)
    arrived = Counter(alert.uid for alert in verdict.seen.alerts)
    verdict.numbers["published"] = len(passed)
    verdict.complain("published and never arrived, which is the emulator's fault", (published - arrived).elements())
    verdict.complain("arrived and was never published, which is the emulator's fault", (arrived - published).elements())


def quarantine(verdict: Verdict) -> None:
    """Holds the poison, whole, with its reasons, and nothing else."""
    expected = Counter((aside.cause, aside.key, aside.sha256) for step in verdict.steps for aside in step.asides)
    found = Counter((kept.cause, kept.key, kept.sha256) for kept in verdict.seen.quarantine)
    verdict.complain("not in quarantine", sorted(expected.keys() - found.keys()))
    verdict.complain("in quarantine, and should not be", sorted(found.keys() - expected.keys()))
    reasons = verdict.seen.reasons
    names = {kept.name for kept in verdict.seen.quarantine}
    verdict.complain("in quarantine without a reason", sorted(names - reasons.keys()))
    verdict.complain("a reason without what it explains", sorted(reasons.keys() - names))
    wrong = [kept.name for kept in verdict.seen.quarantine if not explains(reasons.get(kept.name, {}), kept.cause)]
    verdict.complain("in quarantine with a reason that doesn't explain it", wrong)
    verdict.numbers["quarantine"] = {
        cause: (sum(1 for each in expected if each[0] == cause), sum(1 for each in found if each[0] == cause))
        for cause in sorted({each[0] for each in [*expected, *found]})
    }


def explains(reason: dict[str, Any], cause: str) -> bool:
    """Whether a reason says which cause, why, and of single records which."""
    records = reason.get("bad_records", [])
    named = all(record.get("why") and "index" in record for record in records)
    return reason.get("cause") == cause and bool(reason.get("why")) and named and (bool(records) or cause != "partly_done")


def dead_letters(verdict: Verdict) -> None:
    """After one sending back, there is only what nothing can be done about."""
    expected = Counter(text for step in verdict.steps for text in step.dead)
    found = Counter(verdict.seen.bodies("dead.jsonl"))
    verdict.complain("should be in the dead-letter queue", (expected - found).elements())
    verdict.complain("in the dead-letter queue, and should not be", (found - expected).elements())
    redriven = verdict.seen.bodies("redriven.jsonl")
    verdict.numbers["dead"] = (sum(expected.values()), sum(found.values()), len(redriven))


def metrics(verdict: Verdict) -> None:
    """Counts add up, in each invocation and in the stretch in which nothing went wrong."""
    seen = verdict.seen
    wrong = []
    for line in seen.events("invocation"):
        match = SUMMARY.search(line["summary"])
        numbers = [int(number) for number in match.groups()] if match else []
        if not (numbers and numbers[0] == sum(numbers[1:7]) and numbers[7] == numbers[8] + numbers[10] + numbers[11]):
            wrong.append(line["summary"])
    verdict.complain("counts that don't add up", wrong)
    verdict.numbers["invocations"] = len(seen.metrics)
    totals = summed(seen.metrics)
    verdict.numbers["metrics"] = totals
    arrived = len(seen.alerts)
    if totals["Alerts"] > arrived:
        verdict.problems.append(f"{totals['Alerts']} alerts were counted, and {arrived} arrived")
    for name, (least, _) in planned_counts(verdict.steps).items():
        done = totals["Deliveries"] - totals["DeliveriesFailed"] if name == "Deliveries" else totals[name]
        wanted = least - sum(len(step.dead) for step in verdict.steps) if name == "Deliveries" else least
        if done < wanted:
            verdict.problems.append(f"{name}: {done} counted in all, at least {wanted} were put in")
    calm(verdict)


def calm(verdict: Verdict) -> None:
    """While nothing goes wrong, each message is done with once, and what may not come twice is counted once."""
    seen = verdict.seen
    end = seen.end_of("calm")
    totals = summed(line for line in seen.metrics if line["_aws"]["Timestamp"] / 1000 <= end)
    # Beside these stands the test message that S3 sends when the notification is set up.
    totals["Done"] = totals["Deliveries"] - totals["DeliveriesFailed"]
    wanted = planned_counts(step for step in verdict.steps if step.phase == "calm")
    tests = 1
    exact = {name: wanted.get(name, [0, 0])[0] for name in EXACT_WHEN_CALM}
    exact["Done"] = wanted["Deliveries"][0] + tests
    for name, count in exact.items():
        if totals[name] != count:
            verdict.problems.append(f"{name}: {totals[name]} counted while all was well, {count} expected")
    arrived = sum(alert.sent <= end for alert in seen.alerts)
    if totals["Alerts"] != arrived:
        verdict.problems.append(f"while all was well {totals['Alerts']} alerts were counted, and {arrived} arrived")


def planned_counts(steps: Iterable[Step]) -> dict[str, list[int]]:
    """What metrics must show, all in all."""
    sums: dict[str, list[int]] = {}
    for step in steps:
        for name, (least, most) in step.counts.items():
            now = sums.get(name, [0, 0])
            sums[name] = [now[0] + least, now[1] + most]
    return sums


def summed(documents: Iterable[dict[str, Any]]) -> Counter[str]:
    """All metrics that are numbers."""
    sums: Counter[str] = Counter()
    for document in documents:
        sums.update({name: value for name, value in document.items() if isinstance(value, int)})
    return sums


def log(verdict: Verdict) -> None:
    """The function started each time, and never broke down."""
    seen = verdict.seen
    verdict.complain("the function did not start", seen.events("start_failed"))
    for text in ("panicked at", "stack overflow"):
        if count := seen.mentions(text):
            verdict.problems.append(f"`{text}` stands in the function's log {count} times")
    verdict.numbers["timed_out"] = seen.mentions("Task timed out")
    verdict.numbers["returned"] = Counter(line.get("cause", "?") for line in seen.events("delivery_failed"))
