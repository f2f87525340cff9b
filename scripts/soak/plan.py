"""Makes a plan from a seed: which objects and messages are put in, in which phase, and what must come of each."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from soak import records, ways
from soak.records import Caller, call
from soak.steps import BUCKET, DENIED_PREFIX, MISSING_BUCKET, NOTIFIED, Aside, Finding, Put, Step, sha256

ACCOUNTS = ["111122223333"] * 3 + ["123456789012"]
# Left to others by the function's settings.
UNWANTED_ACCOUNT = "444455556666"
REGIONS = ["eu-west-1", "eu-west-1", "us-east-1", "ap-southeast-2"]
FOLDERS = ["CloudTrail"] * 6 + ["CloudTrail-Insight", "CloudTrail-NetworkActivity", "CloudTrail-Aggregated"]
PREFIXES = ["", "", "org/", "team a+b/", "größe 100%/"]
MAX_FILE_BYTES = 4_000_000
MAX_RECORD_BYTES = 300_000
# What the function is given, for what is planned here.
SETTINGS = {
    "TRAILHOUND_ACCOUNTS": "111122223333,123456789012",
    "TRAILHOUND_MAX_FILE_BYTES": str(MAX_FILE_BYTES),
    "TRAILHOUND_MAX_RECORD_BYTES": str(MAX_RECORD_BYTES),
    # MiniStack hands out no public keys. tests/it/integrity checks digests, with keys and damage of its own.
    "TRAILHOUND_KEYS": "none",
}


@dataclass(frozen=True)
class Phase:
    """A stretch of the run: `share` of the objects, and how much goes wrong meanwhile."""

    name: str
    share: float
    rate: float
    kill: float
    is_denied: bool = False


CALM = "calm"
AFTER = "after"
PHASES = [
    Phase(CALM, 0.25, 0.0, 0.0),
    Phase("2 %", 0.3, 0.02, 0.002, is_denied=True),
    Phase("10 %", 0.25, 0.10, 0.004, is_denied=True),
    Phase("30 %", 0.1, 0.30, 0.006),
    Phase(AFTER, 0.1, 0.0, 0.0),
]
STORM = [phase.name for phase in PHASES if phase.rate]


class Planner:
    """Makes steps, one behind the other, by a seed alone."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.numbers = 0
        self.phase = CALM
        # Who makes noise: the same callers from the same places, so that little of it is new.
        self.crowd = [self.caller(f"crowd-{number}", 20 + number) for number in range(30)]

    # ---- Names ----

    def number(self) -> int:
        """A new one."""
        self.numbers += 1
        return self.numbers

    def event_id(self) -> str:
        """A new event's."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.seed}/{self.number()}"))

    def caller(self, name: str, place: int | None = None) -> Caller:
        """Somebody, from somewhere."""
        place = self.random.randrange(250) if place is None else place
        account, region = self.random.choice(ACCOUNTS), self.random.choice(REGIONS)
        return Caller(name, f"203.0.113.{place}", account, region, self.random.random() < 0.3)

    def stranger(self) -> Caller:
        """Somebody new, whose alerts nobody else's hold back."""
        return self.caller(f"soak-{self.number()}")

    def key(
        self, end: str = NOTIFIED, prefix: str | None = None, folder: str | None = None, account: str | None = None
    ) -> str:
        """A new log file's."""
        prefix = self.random.choice(PREFIXES) if prefix is None else prefix
        organization = self.random.choice(["", "", "o-exampleorgid/"])
        account = account or self.random.choice(ACCOUNTS)
        region = self.random.choice(REGIONS)
        folder = folder or self.random.choice(FOLDERS)
        name = f"{account}_{folder}_{region}_20261105T1015Z_{self.number():016d}{end}"
        return f"{prefix}AWSLogs/{organization}{account}/{folder}/{region}/2026/11/05/{name}"

    # ---- Records ----

    def noise(self, count: int) -> list[dict[str, Any]]:
        """Records of which none alerts."""
        return [records.near_miss(number, self.random.choice(self.crowd), self.event_id()) for number in range(count)]

    def alerting(self, step: Step, caller: Caller | None = None, **others: Any) -> dict[str, Any]:
        """A record that must alert, by somebody new; the step says so."""
        caller = caller or self.stranger()
        kinds = [
            (records.STOPPED, "StopLogging", {}),
            (records.DELETED, "DeleteTrail", {}),
            (records.DENIED, "UpdateTrail", {"errorCode": "AccessDenied", "errorMessage": "no"}),
            (records.KEY_DELETION, "ScheduleKeyDeletion", {"source": "kms"}),
        ]
        rule, name, members = self.random.choice(kinds)
        event = self.event_id()
        step.findings.append(Finding(rule, event, event))
        return call(caller, event, name, **{**members, **others})

    def mixture(self, step: Step, alerts: int | None = None) -> list[Any]:
        """Some noise, and none to two records that must alert, in any order."""
        alerts = self.random.choice([0, 0, 1, 1, 2]) if alerts is None else alerts
        mixed = self.noise(self.random.randrange(1, 7)) + [self.alerting(step) for _ in range(alerts)]
        self.random.shuffle(mixed)
        return mixed

    # ---- Steps ----

    def step(self, shape: str, **counts: int | tuple[int, int]) -> Step:
        """An empty one of the phase."""
        step = Step(self.number(), self.phase, shape)
        step.counted(**counts)
        return step

    def plain(self) -> list[Step]:
        """A log file in one of the forms that are read, told by the bucket itself."""
        step = self.step("log file", Deliveries=1, Files=1)
        content = records.log_file(self.mixture(step), self.random.choice([None, None, None, 2]))
        forms = [records.packed, records.packed, records.stored, lambda content: records.in_members(content, 3), bytes]
        form = self.random.choice(forms)
        step.puts.append(Put.of(self.key(), form(content)))
        return [step]

    def told_otherwise(self) -> list[Step]:
        """Log files that the bucket doesn't tell about; a message does."""
        way = self.random.choice(list(ways.WAYS))
        count = self.random.randrange(1, 4) if way in ways.OF_MANY else 1
        step = self.step(f"told by {way}", Deliveries=1, Files=count)
        for _ in range(count):
            content = records.log_file(self.mixture(step))
            step.puts.append(Put.of(self.key(".json"), self.random.choice([records.packed, bytes])(content)))
        step.sends.append(ways.WAYS[way]([put.key for put in step.puts], step.number))
        return [step]

    def told_by_prefix(self) -> list[Step]:
        """Log files below a prefix that a message names."""
        step = self.step("told by a prefix", Deliveries=1, Files=3)
        prefix = f"prefix-{step.number}/"
        for _ in range(3):
            step.puts.append(Put.of(self.key(".json", prefix), records.log_file(self.mixture(step, 1))))
        step.sends.append(ways.text({"prefix": f"s3://{BUCKET}/{prefix}"}))
        return [step]

    def told_often(self) -> list[Step]:
        """One object of which several messages tell, in several ways."""
        times = self.random.randrange(2, 5)
        # Those that come to one invocation are read once.
        step = self.step("told several times", Deliveries=times, Files=(1, times))
        key = self.key(self.random.choice([".json", NOTIFIED]))
        step.puts.append(Put.of(key, records.packed(records.log_file(self.mixture(step, 1)))))
        by_itself = int(key.endswith(NOTIFIED))
        for _ in range(times - by_itself):
            step.sends.append(self.random.choice(list(ways.WAYS.values()))([key], self.number()))
        return [step]

    def single(self) -> list[Step]:
        """An event that comes without a file."""
        step = self.step("single event", Deliveries=1)
        record = self.alerting(step)
        several = ways.text({"Records": [record, *self.noise(2)]})
        forms = [ways.single_event(record, step.number), ways.text(record), several, ways.log_events([record])]
        step.sends.append(self.random.choice(forms))
        return [step]

    def event_in_many_places(self) -> list[Step]:
        """The same event by EventBridge and in two files: one alert."""
        step = self.step("one event in three places", Deliveries=3, Files=2)
        record = self.alerting(step)
        for _ in range(2):
            step.puts.append(Put.of(self.key(), records.packed(records.log_file([*self.noise(2), record]))))
        step.sends.append(ways.single_event(record, step.number))
        return [step]

    def group(self) -> list[Step]:
        """Events of one dedup key, each in a file of its own: one alert speaks for all."""
        count = self.random.randrange(3, 7)
        step = self.step("events of one kind", Deliveries=count, Files=count)
        caller = self.stranger()
        for minute in range(count):
            event = self.event_id()
            step.findings.append(Finding(records.STOPPED, event, f"group-{step.number}"))
            record = call(caller, event, "StopLogging", time=f"10:{minute:02}:00")
            step.puts.append(Put.of(self.key(), records.packed(records.log_file([record]))))
        return [step]

    def story(self) -> list[Step]:
        """Two events that add up, each in a file of its own."""
        step = self.step("events that add up", Deliveries=2, Files=2)
        caller = self.stranger()
        for rule, name, time in [(records.STOPPED, "StopLogging", "10:00:00"), (records.DELETED, "DeleteTrail", "10:20:00")]:
            event = self.event_id()
            step.findings.append(Finding(rule, event, event))
            step.puts.append(Put.of(self.key(), records.packed(records.log_file([call(caller, event, name, time=time)]))))
        step.findings.append(Finding(records.STOPPED_THEN_DELETED, caller.principal(), caller.principal()))
        return [step]

    def uneventful(self) -> list[Step]:
        """Files of which nothing comes, and messages that ask for nothing."""
        kind = self.random.choice(["empty", "foreign", "unwanted", "digest", "idle", "gone", "marked"])
        step = self.step(f"nothing to tell: {kind}", Deliveries=1)
        getattr(self, kind)(step)
        return [step]

    def empty(self, step: Step) -> None:
        step.puts.append(Put.of(self.key(), records.packed(records.log_file([]))))
        step.counted(Files=1)

    def foreign(self, step: Step) -> None:
        key = self.random.choice([self.key(folder="Config"), self.key(folder="elasticloadbalancing"), f"packages/{step.number}.json.gz"])
        step.puts.append(Put.of(key, records.packed(b'{"name": "somebody else\'s"}')))
        step.counted(ObjectsForeign=1)

    def unwanted(self, step: Step) -> None:
        caller = Caller(f"soak-{step.number}", "203.0.113.9", UNWANTED_ACCOUNT)
        content = records.log_file([call(caller, self.event_id(), "StopLogging")])
        step.puts.append(Put.of(self.key(account=UNWANTED_ACCOUNT), records.packed(content)))
        step.counted(ObjectsUnwanted=1)

    def digest(self, step: Step) -> None:
        step.puts.append(Put.of(self.key(folder="CloudTrail-Digest"), records.packed(b'{"logFiles": []}')))
        step.counted(Digests=1)

    def idle(self, step: Step) -> None:
        step.sends.append(self.random.choice(ways.IDLE)(step.number))
        step.counted(Ignored=1)

    def gone(self, step: Step) -> None:
        step.puts.append(Put.of(self.key(".json"), records.log_file([call(self.stranger(), self.event_id(), "StopLogging")]), "erase"))
        step.sends.append(ways.by_s3([step.puts[0].key], step.number))
        step.counted(ObjectsGone=1)

    def marked(self, step: Step) -> None:
        """Deleted, but the notification names the version, which is still there: no intruder hides anything by it."""
        step.puts.append(Put.of(self.key(), records.packed(records.log_file(self.mixture(step, 1))), "mark"))
        step.counted(Files=1)

    def overwritten(self) -> list[Step]:
        """One key, two versions: both are read."""
        step = self.step("overwritten", Deliveries=2, Files=2)
        key = self.key()
        for _ in range(2):
            step.puts.append(Put.of(key, records.packed(records.log_file(self.mixture(step, 1)))))
        return [step]

    def poison(self) -> list[Step]:
        """A file that can't be read, or not as a whole."""
        kind = self.random.choice(
            ["cut off", "cut off, told", "garbled", "wrong checksum", "not JSON", "no bytes", "bomb", "bad records", "large record"]
        )
        step = self.step(f"poison: {kind}", Deliveries=1, Quarantined=1)
        cause, content = self.poisoned(step, kind)
        step.counted(**({"Files": 1, "BadRecords": 1} if cause == "partly_done" else {"ObjectsFailed": 1}))
        key = self.key()
        step.puts.append(Put.of(key, content))
        step.asides.append(Aside(cause, sha256(content), key))
        return [step]

    def poisoned(self, step: Step, kind: str) -> tuple[str, bytes]:
        """Why it can't be read, and what it is."""
        noise = records.log_file(self.noise(8))
        if kind == "bomb":
            return "too_large", records.bomb(40)
        if kind == "bad records":
            bad = self.random.choice([17, "text", None, [1]])
            return "partly_done", records.packed(records.log_file([*self.mixture(step, 1), bad, *self.mixture(step, 1)]))
        if kind == "large record":
            data = {"x": "x" * 2 * MAX_RECORD_BYTES}
            large = call(self.stranger(), self.event_id(), "DescribeTrails", additionalEventData=data)
            return "partly_done", records.packed(records.log_file([*self.mixture(step, 1), large, *self.mixture(step, 1)]))
        if kind == "cut off, told":
            # What stands before the damage alerts.
            return "damaged", records.stored(records.log_file([self.alerting(step), *self.noise(8)]))[:-900]
        if kind == "wrong checksum":
            return "damaged", records.wrong_checksum(records.packed(records.log_file(self.mixture(step, 1))))
        packed = records.packed(noise)
        broken = {
            "cut off": packed[: len(packed) // 2],
            "garbled": records.garbled(packed),
            "not JSON": records.packed(b"<html>not a log file</html>"),
            "no bytes": b"",
        }
        return "damaged", broken[kind]

    def bad_message(self) -> list[Step]:
        """A message that nobody understands, or whose event is none."""
        step = self.step("unknown message", Deliveries=1, Quarantined=1)
        if self.random.random() < 0.2:
            step.shape = "single event that is none"
            step.sends.append(ways.single_event(f"text {step.number}", step.number))
            step.asides.append(Aside("partly_done", sha256(ways.text(f"text {step.number}"))))
            step.counted(BadRecords=1)
        else:
            step.sends.append(self.random.choice(ways.UNKNOWN)(step.number))
            step.asides.append(Aside("not_understood", sha256(step.sends[0])))
        return [step]

    def mixed_message(self) -> list[Step]:
        """A good file, a removal and a poisoned one in one message."""
        step = self.step("good and bad in one message", Deliveries=1, Files=1, ObjectsFailed=1, Quarantined=1, Ignored=1)
        good, bad = self.key(".json"), self.key(".json")
        step.puts += [Put.of(good, records.log_file(self.mixture(step, 1))), Put.of(bad, b"\x1f\x8b broken")]
        step.asides.append(Aside("damaged", sha256(step.puts[1].content()), bad))
        told = [ways.s3_record(bad), ways.s3_record("old.json", "ObjectRemoved:Delete"), ways.s3_record(good)]
        step.sends.append(ways.text({"Records": told}))
        return [step]

    def denied(self) -> list[Step]:
        """A file that is denied for a while."""
        step = self.step("denied for a while", Deliveries=1, Files=1)
        step.puts.append(Put.of(self.key(prefix=DENIED_PREFIX), records.packed(records.log_file(self.mixture(step, 1)))))
        return [step]

    def lost_bucket(self) -> list[Step]:
        """A notification of a bucket that isn't there."""
        step = self.step("bucket that is not there", Deliveries=1)
        key = self.key()
        step.sends.append(ways.text({"Records": [ways.s3_record(key, bucket=MISSING_BUCKET)]}))
        step.dead.append(step.sends[0])
        return [step]

    def first_sightings(self, phases: list[str], count: int) -> list[Step]:
        """Callers known for longer than the rule learns, who then call from somewhere new: one alert each."""
        steps = []
        for place in range(count):
            caller = self.caller(f"known-{place}", 1)
            self.phase = CALM
            before = self.step("first sighting, before", Deliveries=1, Files=1)
            known = call(caller, self.event_id(), "DescribeTrails", day=records.WEEK_BEFORE)
            before.puts.append(Put.of(self.key(), records.packed(records.log_file([known]))))
            self.phase = self.random.choice(phases)
            step = self.step("first sighting", Deliveries=1, Files=1)
            event = self.event_id()
            moved = Caller(caller.name, "203.0.113.251", caller.account, caller.region, caller.is_role)
            step.findings.append(Finding(records.NEW_ADDRESS, event, event))
            step.puts.append(Put.of(self.key(), records.packed(records.log_file([*self.noise(2), call(moved, event, "DescribeTrails")]))))
            steps += [before, step]
        return steps


# How often each shape comes, of a hundred.
SHAPES: list[tuple[Callable[[Planner], list[Step]], int]] = [
    (Planner.plain, 38),
    (Planner.told_otherwise, 13),
    (Planner.told_by_prefix, 1),
    (Planner.told_often, 8),
    (Planner.single, 6),
    (Planner.event_in_many_places, 4),
    (Planner.group, 3),
    (Planner.story, 3),
    (Planner.uneventful, 9),
    (Planner.overwritten, 2),
    (Planner.poison, 9),
    (Planner.bad_message, 3),
    (Planner.mixed_message, 1),
]


def make_plan(seed: int, objects: int) -> list[Step]:
    """A plan with at least so many objects, in the order in which it is carried out."""
    planner = Planner(seed)
    steps = planner.first_sightings([*STORM, AFTER], max(3, objects // 60))
    for phase in PHASES:
        planner.phase = phase.name
        made = 0
        while made < objects * phase.share:
            shape = planner.random.choices([make for make, _ in SHAPES], [weight for _, weight in SHAPES])[0]
            new = shape(planner)
            made += sum(len(step.puts) for step in new)
            steps += new
        if phase.is_denied:
            for _ in range(max(2, objects // 100)):
                steps += planner.denied()
    planner.phase = STORM[0]
    for _ in range(3):
        steps += planner.lost_bucket()
    # In any order, so that shapes meet; within a phase only.
    planner.random.shuffle(steps)
    return sorted(steps, key=lambda step: [phase.name for phase in PHASES].index(step.phase))
