"""Carries a plan out: the emulator, the compiled function, the proxy between them, phase after phase; and writes down what came out.

What it leaves in its folder is all that the checker reads: `plan.jsonl`, `alerts.jsonl` (what a subscriber of the topic got),
`dead.jsonl`, `quarantine.jsonl`, `proxy.jsonl` (faults, kills, publish calls), `function.log`, and `run.json` (when what happened).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import aws_local
from soak import plan as plans
from soak.observe import AlertCollector, quarantined, take_all
from soak.steps import BUCKET, DENIED_PREFIX, MISSING_BUCKET, Put, Step

RULES = f"core,{aws_local.ROOT / 'tests' / 'aws' / 'rules'}"
# The run has to end. A message that waits for the two minutes for which a killed process claims an alert can use up its tries
# by this, and is sent back from the dead-letter queue: five tries end after 100 s.
VISIBILITY_SECONDS = 25
MAX_RECEIVE = 5
# More than these wait in the queue: the next ones are put later, so that a phase's objects are read in their phase.
MOST_WAITING = 150
DRAIN_SECONDS = 400
# A storm lasts at least so long: longer than a message takes to come again.
STORM_SECONDS = 40
PUTTING_AT_ONCE = 4


class Proxy:
    """The misbehaving process; ends when its stdin closes."""

    def __init__(self, emulator: aws_local.Emulator, seed: int, log: Path) -> None:
        command = [
            sys.executable, "-B", "-m", "soak.proxy", "--upstream", str(emulator.port), "--emulator", str(emulator.process.pid),
            "--seed", str(seed), "--log", str(log),
        ]
        scripts = Path(__file__).parent.parent
        self.process = subprocess.Popen(command, cwd=scripts, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.endpoint = f"http://127.0.0.1:{int(self.line())}"

    def line(self) -> str:
        """The next line of its stdout."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise aws_local.Failure(f"the proxy ended (exit code {self.process.wait()}); its error stands above")
        return line

    def behave(self, **behaviour: Any) -> dict[str, int]:
        """Has it behave so from now on; returns how many requests each service got by now."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps(behaviour) + "\n")
        self.process.stdin.flush()
        return dict(json.loads(self.line()))

    def stop(self) -> None:
        """Ends it."""
        with contextlib.suppress(OSError):
            if self.process.stdin:
                self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=3)
        self.process.kill()


class Run:
    """One run, from the emulator's start to its end."""

    def __init__(self, arguments: argparse.Namespace, steps: list[Step], home: Path, folder: Path, cleanup: contextlib.ExitStack):
        self.arguments, self.steps, self.home, self.folder, self.cleanup = arguments, steps, home, folder, cleanup
        self.timeline: list[dict[str, Any]] = []
        self.started = time.time()

    def all(self) -> None:
        """Everything; raises aws_local.Failure when the run can't be carried out."""
        self.start()
        for phase in plans.PHASES:
            if phase.name == plans.AFTER:
                self.quiet_down()
            self.phase(phase)
        self.finish()

    def start(self) -> None:
        """The emulator, the proxy, the stack, and a subscriber."""
        code = self.home / "code"
        aws_local.stage_bootstrap(self.arguments.bootstrap, code)
        self.emulator = aws_local.Emulator(self.home)
        self.cleanup.callback(self.emulator.stop)
        self.emulator.wait_until_healthy()
        self.proxy = Proxy(self.emulator, self.arguments.seed, self.folder / "proxy.jsonl")
        self.cleanup.callback(self.proxy.stop)
        services = ("S3", "SNS", "DYNAMODB")
        variables = {f"AWS_ENDPOINT_URL_{service}": self.proxy.endpoint for service in services}
        # Before the deployment, because the emulator may start a process then.
        self.requests = self.behave("start")
        parameters = [("LogBucketName", BUCKET), ("MaximumConcurrency", str(self.arguments.concurrency))]
        wanted = argparse.Namespace(
            param=parameters, visibility=VISIBILITY_SECONDS, max_receive=MAX_RECEIVE, notifier=None, config=None, secret=[]
        )
        self.stack = aws_local.deploy(wanted, self.emulator, code, {**variables, **plans.SETTINGS, "TRAILHOUND_RULES": RULES})
        self.clients = threading.local()
        self.collector = AlertCollector(self.stack, aws_local.subscribe_queue(self.stack), self.folder / "alerts.jsonl")
        self.cleanup.callback(self.collector.stop)
        aws_local.say(f"deployed ({time.time() - self.started:.0f} s)")

    def behave(self, phase: str, rate: float = 0.0, kill: float = 0.0, denied: bool = False) -> dict[str, int]:
        """Tells the proxy."""
        keys = [DENIED_PREFIX] if denied else []
        return self.proxy.behave(phase=phase, rate=rate, kill=kill, denied=keys, missing=[MISSING_BUCKET])

    @contextlib.contextmanager
    def stretch(self, name: str, rate: float = 0.0, kill: float = 0.0, denied: bool = False) -> Any:
        """Writes down when a part of the run began and ended, and how many requests it had."""
        before = self.behave(name, rate, kill, denied)
        entry: dict[str, Any] = {"name": name, "rate": rate, "kill": kill, "from": time.time()}
        yield entry
        after = self.behave(name, rate, kill, denied)
        entry["requests"] = {service: count - before.get(service, 0) for service, count in after.items()}
        entry["to"] = time.time()
        entry["log_bytes"] = self.emulator.log_file.stat().st_size
        self.timeline.append(entry)
        aws_local.say(f"{name}: {entry['to'] - entry['from']:.0f} s, requests {entry['requests']}")

    def phase(self, phase: plans.Phase) -> None:
        """Puts a phase's objects and sends its messages while that goes wrong which belongs to it."""
        mine = [step for step in self.steps if step.phase == phase.name]
        with self.stretch(phase.name, phase.rate, phase.kill, phase.is_denied) as entry:
            entry["objects"] = sum(len(step.puts) for step in mine)
            entry["messages"] = sum(len(step.sends) for step in mine)
            with ThreadPoolExecutor(PUTTING_AT_ONCE) as pool:
                for at in range(0, len(mine), 20):
                    self.wait_for_queue(MOST_WAITING)
                    list(pool.map(self.carry_out, mine[at : at + 20]))
            if phase.rate == 0:
                self.drain()
            else:
                self.wait_for_queue(20)
                time.sleep(max(0.0, entry["from"] + STORM_SECONDS - time.time()))

    def quiet_down(self) -> None:
        """Nothing goes wrong any more: what is left comes again, and what was given up is sent back once."""
        with self.stretch("quiet"):
            self.drain()
        dead = take_all(self.stack, self.stack.dlq_url)
        write_lines(self.folder / "redriven.jsonl", [{"body": body} for body in dead])
        aws_local.say(f"sending {len(dead)} messages back from the dead-letter queue")
        for body in dead:
            self.client("sqs").send_message(QueueUrl=self.stack.queue_url, MessageBody=body)

    def finish(self) -> None:
        """Writes down what is there at the end."""
        self.collector.stop()
        write_lines(self.folder / "dead.jsonl", [{"body": body} for body in take_all(self.stack, self.stack.dlq_url)])
        write_lines(self.folder / "quarantine.jsonl", quarantined(self.stack))
        shutil.copyfile(self.emulator.log_file, self.folder / "function.log")
        run = {
            "seed": self.arguments.seed, "objects": self.arguments.objects, "concurrency": self.arguments.concurrency,
            "started": self.started, "seconds": time.time() - self.started, "timeline": self.timeline,
        }
        (self.folder / "run.json").write_text(json.dumps(run, indent=1))

    # ---- Single things ----

    def client(self, service: str) -> Any:
        """One of this thread's."""
        if not hasattr(self.clients, service):
            setattr(self.clients, service, aws_local.client(service, self.stack.endpoint))
        return getattr(self.clients, service)

    def carry_out(self, step: Step) -> None:
        """Puts a step's objects, in their order, then sends its messages."""
        for put in step.puts:
            self.put(put)
        for text in step.sends:
            self.client("sqs").send_message(QueueUrl=self.stack.queue_url, MessageBody=text)

    def put(self, put: Put) -> None:
        """Puts an object, and deletes it if the step says so."""
        s3 = self.client("s3")
        version = s3.put_object(Bucket=BUCKET, Key=put.key, Body=put.content())["VersionId"]
        if put.then == "mark":
            s3.delete_object(Bucket=BUCKET, Key=put.key)
        elif put.then == "erase":
            s3.delete_object(Bucket=BUCKET, Key=put.key, VersionId=version)

    def wait_for_queue(self, most: int) -> None:
        """Until no more messages than these wait."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while aws_local.queue_depth(self.stack, self.stack.queue_url)[0] > most:
            self.still_going(deadline)

    def drain(self) -> None:
        """Until no message waits or is in anybody's hands."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while any(aws_local.queue_depth(self.stack, self.stack.queue_url)):
            self.still_going(deadline)

    def still_going(self, deadline: float) -> None:
        """Waits a little; raises Failure when there is no more to wait for."""
        self.emulator.check_alive()
        if time.monotonic() > deadline:
            depth = aws_local.queue_depth(self.stack, self.stack.queue_url)
            raise aws_local.Failure(f"the queue doesn't run dry: {depth[0]} wait, {depth[1]} in hand", self.emulator.last_lines())
        time.sleep(0.2)


def write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    """JSON, one a line."""
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
