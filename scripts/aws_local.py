#!/usr/bin/env python3
"""Runs trailhound's real deployment on this machine, without an AWS account.

Starts MiniStack (an emulator of AWS, one process on a loopback port), lets `sam deploy` put template.yaml with the given
function binary on it, and then one of two things:

    python scripts/aws_local.py --bootstrap PATH            show: one sample log file in, print the alerts that come out
    python scripts/aws_local.py --bootstrap PATH --serve    for tests: print where everything is, stay until stdin closes

While it serves, each line on stdin is a JSON object of variables for the function (null takes one away; `{}` changes none).
The function's processes are replaced by new ones that have them; then the line comes back on stdout.

    python scripts/aws_local.py --bare                      for tests: the emulator with nothing on it, until stdin closes

Needs the tools of scripts/requirements.txt in the Python that runs it. Alerts and the lines of `--serve` and `--bare` go to
stdout, everything else to stderr. Exit code 0: an alert came, or serving ended; 1: something failed, and the message says what.

How this differs from template.yaml in AWS:
* The function's code is the given binary, not built by `sam build`.
* MiniStack takes a mapping's MaximumConcurrency for text when it comes from a parameter, so the number itself stands there.
* The emulator speaks plain HTTP, so the bucket policy's denial of insecure transport is left out. The other policies count:
  MiniStack runs with AUTH=true, and the function has the rights of its role and no more.
* MiniStack sends no e-mail. The e-mail text is read from the function's own publish call, which passes through this script.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import http.server
import json
import os
import platform
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

try:
    import boto3
    import botocore.exceptions
    import ministack  # noqa: F401  (started as a process; imported to tell early that it is missing)
    import samcli  # noqa: F401
    from samtranslator.yaml_helper import yaml_parse
except ImportError as error:
    sys.exit(f"aws_local: {error.name} is not installed; try: pip install -r scripts/requirements.txt (Python >= 3.10)")

import local_notifier

ROOT = Path(__file__).resolve().parent.parent
EVENTS = ROOT / "events"
OBJECTS = EVENTS / "objects"

REGION = "eu-west-1"
STACK_NAME = "trailhound"
FUNCTION = "Function"  # logical ids in template.yaml
FUNCTION_LOG = "FunctionLog"
LOG_FILES = "LogFiles"
MAXIMUM_CONCURRENCY = "MaximumConcurrency"  # the parameter's name, and the property's
BUCKET_POLICY = "LogBucketPolicy"
HTTPS_ONLY = "DenyInsecureTransport"

START_SECONDS = 30
DEPLOY_SECONDS = 180
ALERT_SECONDS = 60
# Once an alert came, further ones of the same log file follow within this time.
QUIET_SECONDS = 2
LARGE_BINARY_BYTES = 40 * 1024 * 1024


class Failure(Exception):
    """What failed and what to try, for people; `details` are log lines that help to find out why."""

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


@dataclass(frozen=True)
class Stack:
    """Where the deployed parts are. The fields are the keys of the `--serve` line."""

    endpoint: str
    region: str
    bucket: str
    queue_url: str
    dlq_url: str
    topic_arn: str
    table: str
    function_name: str
    log_file: str  # the emulator's log, which holds the function's output too
    notifier_queue_url: str = ""  # with --notifier
    notifier_dlq_url: str = ""


def say(text: str) -> None:
    """Tells the person at the terminal what happens; never on stdout."""
    print(f"aws_local: {text}", file=sys.stderr, flush=True)


# ---- Processes ----


def scrub_environment(home: Path) -> None:
    """Leaves PATH and the locale in this process's environment, and nothing that could lead to a real account.

    MiniStack inherits it and hands its own environment on to the function, so what stands here is in the function too.
    """
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    os.environ.clear()
    os.environ.update(kept, HOME=str(home), TMPDIR=str(home), PYTHONUNBUFFERED="1", NO_PROXY="*")


def free_port() -> int:
    """A loopback port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Emulator:
    """A running MiniStack. Knows its process group and ends just that."""

    def __init__(self, home: Path) -> None:
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.log_file = home / "ministack.log"
        environment = {
            **os.environ,
            "AWS_ENDPOINT_URL": self.endpoint,  # what deployed functions get as theirs
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": REGION,
            "AUTH": "true",  # the function has the rights of its role, no more
            # Else it opens a second, fixed port, which two emulators would fight for.
            "IOT_MTLS_ENABLED": "0",
            # Its usual places under /tmp outlive it, and all emulators share them.
            "STATE_DIR": str(home / "ministack-state"),
            "S3_DATA_DIR": str(home / "ministack-data"),
        }
        with self.log_file.open("wb") as log:
            # A group of its own, so that the functions it starts end with it, and Ctrl-C reaches this script alone.
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ministack"],
                cwd=home, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )

    def wait_until_healthy(self) -> None:
        """Returns once requests are answered; raises Failure when it ended or START_SECONDS passed."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self.check_alive()
            with contextlib.suppress(OSError, urllib.error.URLError):
                urllib.request.urlopen(f"{self.endpoint}/_ministack/health", timeout=2).close()
                return
            time.sleep(0.05)
        raise Failure(f"MiniStack did not answer within {START_SECONDS} s", self.last_lines())

    def check_alive(self) -> None:
        """Raises Failure when the process has ended."""
        if self.process.poll() is not None:
            raise Failure(f"MiniStack ended with exit code {self.process.returncode}", self.last_lines())

    def last_lines(self, count: int = 20) -> str:
        """The end of its log, which holds the function's output too."""
        lines = self.log_file.read_text(errors="replace").splitlines()
        return "\n".join(lines[-count:])

    def stop(self) -> None:
        """Ends the process group that `__init__` started; safe to call when it has ended already."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=3)


class PublishRecorder:
    """Stands between the function and SNS: hands every request on to the emulator and keeps what was published.

    A subscriber sees its own protocol's variant of a message only, so no subscription could show the e-mail text.
    """

    def __init__(self, upstream_port: int) -> None:
        self.published: dict[str, dict[str, str]] = {}  # SNS message id -> the form fields of its Publish call
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                # Headers unchanged, `Host` too: the signature covers it.
                upstream = http.client.HTTPConnection("127.0.0.1", upstream_port, timeout=30)
                upstream.request("POST", self.path, body, dict(self.headers.items()))
                answer = upstream.getresponse()
                content = answer.read()
                upstream.close()
                recorder.keep(body, content)
                self.send_response(answer.status)
                for name in ("Content-Type", "x-amzn-RequestId"):
                    if answer.headers.get(name):
                        self.send_header(name, answer.headers[name])
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def keep(self, request: bytes, answer: bytes) -> None:
        """Remembers a Publish call under the message id that SNS answered with; other calls pass by."""
        fields = dict(urllib.parse.parse_qsl(request.decode("utf-8", "replace")))
        message_id = re.search(rb"<MessageId>([^<]+)</MessageId>", answer)
        if fields.get("Action") == "Publish" and message_id:
            self.published[message_id.group(1).decode()] = fields

    def stop(self) -> None:
        """Stops listening."""
        self.server.shutdown()
        self.server.server_close()


# ---- Deployment ----


def stage_bootstrap(binary: Path, folder: Path) -> None:
    """Makes `folder` the function's code: the binary under the name that the runtime looks for."""
    if not binary.is_file():
        raise Failure(f"there is no file `{binary}`; build the function first, or correct --bootstrap")
    folder.mkdir()
    staged = folder / "bootstrap"
    strip = shutil.which("strip")
    # A debug build is mostly debug information: packing that takes longer than everything else here.
    if not (strip and binary.stat().st_size > LARGE_BINARY_BYTES and run_quietly([strip, "-o", str(staged), str(binary)])):
        shutil.copyfile(binary, staged)
    staged.chmod(0o755)


def run_quietly(command: list[str]) -> bool:
    """Whether the command succeeded; its output is dropped."""
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def local_template(
    code: Path, notifier: Path, variables: dict[str, str], parameters: dict[str, str]
) -> dict[str, Any]:
    """template.yaml for the emulator: ready-made code, additional variables for the function, and plain HTTP allowed.

    Of the additional variables, the first two are what Lambda makes of LoggingConfig and MiniStack does not.
    """
    template: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    function = template["Resources"][FUNCTION]
    function.pop("Metadata", None)
    function["Properties"]["CodeUri"] = str(code)
    logging = function["Properties"]["LoggingConfig"]
    logged = {"AWS_LAMBDA_LOG_FORMAT": logging["LogFormat"], "AWS_LAMBDA_LOG_LEVEL": logging["ApplicationLogLevel"]}
    function["Properties"]["Environment"]["Variables"].update({**logged, **variables})
    local_notifier.stage(template, notifier, logged)
    scaling = function["Properties"]["Events"][LOG_FILES]["Properties"]["ScalingConfig"]
    default = template["Parameters"][MAXIMUM_CONCURRENCY]["Default"]
    scaling[MAXIMUM_CONCURRENCY] = int(parameters.get(MAXIMUM_CONCURRENCY, default))
    policy = template["Resources"][BUCKET_POLICY]["Properties"]["PolicyDocument"]
    policy["Statement"] = [statement for statement in policy["Statement"] if statement["Sid"] != HTTPS_ONLY]
    return template


def host_architecture() -> str:
    """This machine's processor in Lambda's words."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


def client(service: str, endpoint: str) -> Any:
    """A boto3 client of the emulator, with test credentials."""
    return boto3.client(
        service, endpoint_url=endpoint, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
    )


def sam_deploy(endpoint: str, template: Path, parameters: dict[str, str]) -> None:
    """Deploys the template as stack STACK_NAME; raises Failure with SAM's last lines when that fails."""
    artifacts = "sam-artifacts"  # cheaper than --resolve-s3, which deploys a stack of its own first
    client("s3", endpoint).create_bucket(
        Bucket=artifacts, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    avoid_version_check(Path(os.environ["HOME"]))
    command = [
        sys.executable, "-m", "samcli", "deploy", "--template-file", str(template), "--stack-name", STACK_NAME,
        "--s3-bucket", artifacts, "--region", REGION, "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset",
        "--no-progressbar", "--parameter-overrides", *(f'{name}="{value}"' for name, value in parameters.items()),
    ]
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.2",
    }
    try:
        done = subprocess.run(
            command, cwd=template.parent, env=environment, timeout=DEPLOY_SECONDS, check=False, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
    except subprocess.TimeoutExpired as error:
        raise Failure(f"sam deploy did not finish within {DEPLOY_SECONDS} s") from error
    if done.returncode != 0:
        lines = done.stdout.splitlines()[-40:]
        raise Failure("sam deploy failed; does `cfn-lint template.yaml` pass?", "\n".join(lines))


def avoid_version_check(home: Path) -> None:
    """Tells SAM that it has just looked for a newer version: there is no other way to keep it off the network."""
    settings = home / ".aws-sam" / "metadata.json"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(json.dumps({"lastVersionCheck": time.time()}))


def deployed_stack(emulator: Emulator) -> Stack:
    """What template.yaml's outputs say."""
    stacks = client("cloudformation", emulator.endpoint).describe_stacks(StackName=STACK_NAME)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}
    return Stack(
        endpoint=emulator.endpoint,
        region=REGION,
        bucket=outputs["BucketName"],
        queue_url=outputs["QueueUrl"],
        dlq_url=outputs["DlqUrl"],
        topic_arn=outputs["TopicArn"],
        table=outputs["StateTableName"],
        function_name=outputs["FunctionName"],
        log_file=str(emulator.log_file),
        notifier_queue_url=outputs.get("NotifierQueueUrl", ""),
        notifier_dlq_url=outputs.get("NotifierDlqUrl", ""),
    )


def hurry_queue(stack: Stack, url: str, visibility: int | None, max_receive: int | None) -> None:
    """Shortens a source queue's retries, so that a test sees the dead-letter queue within seconds.

    Done after the deployment, because an event source mapping is refused if the function's timeout exceeds the visibility.
    """
    sqs = client("sqs", stack.endpoint)
    attributes = {}
    if visibility is not None:
        attributes["VisibilityTimeout"] = str(visibility)
    if max_receive is not None:
        now = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]
        redrive = json.loads(now["RedrivePolicy"])
        attributes["RedrivePolicy"] = json.dumps({**redrive, "maxReceiveCount": max_receive})
    if attributes:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)


# ---- Show: one log file in, its alerts out ----


@dataclass(frozen=True)
class Alert:
    """One alert as a subscriber's queue received it, and as the function published it."""

    subject: str
    email: str
    other_variants: list[str]


def subscribe_queue(stack: Stack) -> str:
    """Makes a queue that receives every alert of the topic; returns its URL."""
    sqs = client("sqs", stack.endpoint)
    url = str(sqs.create_queue(QueueName="alerts")["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {
        "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": stack.topic_arn}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    client("sns", stack.endpoint).subscribe(TopicArn=stack.topic_arn, Protocol="sqs", Endpoint=arn)
    return url


def default_sample() -> Path:
    """The log file that events/sqs-s3-put.json points to."""
    message = json.loads((EVENTS / "sqs-s3-put.json").read_text())["Records"][0]
    s3 = json.loads(message["body"])["Records"][0]["s3"]
    key = urllib.parse.unquote_plus(s3["object"]["key"])  # S3 sends keys form-encoded
    return OBJECTS / str(s3["bucket"]["name"]) / key


def object_key(sample: Path) -> str:
    """The key that a sample stands for: its path below events/objects/BUCKET, else from AWSLogs on."""
    parts = sample.resolve().parts
    with contextlib.suppress(ValueError):
        return "/".join(sample.resolve().relative_to(OBJECTS).parts[1:])
    if "AWSLogs" not in parts:
        raise Failure(f"`{sample}` does not tell its key: its path needs AWSLogs/ACCOUNT/CloudTrail/... in it")
    return "/".join(parts[parts.index("AWSLogs"):])


def put_sample(stack: Stack, sample: Path) -> str:
    """Puts the sample into the bucket under its own key, as CloudTrail would; returns the key."""
    if not sample.is_file():
        raise Failure(f"there is no sample log file `{sample}`; give one with --sample")
    if not sample.name.endswith(".json.gz"):
        raise Failure(f"`{sample}` does not end in .json.gz, so the bucket would not tell the queue about it")
    key = object_key(sample)
    client("s3", stack.endpoint).put_object(
        Bucket=stack.bucket, Key=key, Body=sample.read_bytes(),
        ContentType="application/json", ContentEncoding="gzip",
    )
    return key


def receive(stack: Stack, queue_url: str) -> Iterator[dict[str, Any]]:
    """SNS's envelopes from the subscriber's queue: until ALERT_SECONDS without one, or QUIET_SECONDS after the last one."""
    sqs = client("sqs", stack.endpoint)
    deadline = time.monotonic() + ALERT_SECONDS
    while time.monotonic() < deadline:
        answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in answer.get("Messages", []):
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            yield json.loads(message["Body"])
            deadline = time.monotonic() + QUIET_SECONDS


def read_alert(envelope: dict[str, Any], published: dict[str, dict[str, str]]) -> Alert:
    """Joins what the subscriber received with what was published under the same message id."""
    call = published.get(envelope["MessageId"])
    if call is None:
        say("the function did not publish through AWS_ENDPOINT_URL_SNS: what follows is the text for queues, not for e-mail")
        call = envelope
    variants = variants_of(call["Message"], call.get("MessageStructure", ""))
    mailed = "email" if "email" in variants else "default"
    return Alert(
        subject=envelope.get("Subject", "(none)"),
        email=variants[mailed],
        other_variants=sorted(set(variants) - {mailed}),
    )


def variants_of(message: str, structure: str) -> dict[str, str]:
    """The texts of a published message by protocol; raises Failure for what SNS would reject (MiniStack takes it)."""
    if structure != "json":
        return {"default": message}
    try:
        variants = json.loads(message)
    except ValueError as error:
        raise Failure(f"published with MessageStructure=json, but not JSON ({error})", message) from error
    if not isinstance(variants, dict) or not isinstance(variants.get("default"), str):
        raise Failure("published with MessageStructure=json, but without a text for `default`", message)
    return variants


def print_alert(alert: Alert) -> None:
    """The alert as its e-mail would read, and what else was published."""
    print(f"Subject: {alert.subject}\n\n{alert.email.rstrip()}\n")
    print(f"[other variants published: {', '.join(alert.other_variants) or 'none'}]\n{'-' * 72}", flush=True)


def show(emulator: Emulator, stack: Stack, recorder: PublishRecorder, sample: Path) -> None:
    """Puts the sample and prints its alerts; raises Failure when none comes."""
    queue_url = subscribe_queue(stack)
    started = time.monotonic()
    key = put_sample(stack, sample)
    say(f"put s3://{stack.bucket}/{key}")
    count = 0
    for envelope in receive(stack, queue_url):
        if count == 0:
            say(f"first alert after {time.monotonic() - started:.1f} s")
        count += 1
        print_alert(read_alert(envelope, recorder.published))
    if count == 0:
        raise Failure(*why_no_alert(emulator, stack))
    say(f"{count} alert(s)")


def why_no_alert(emulator: Emulator, stack: Stack) -> tuple[str, str]:
    """A message with what to try, and the log lines that belong to it."""
    output = function_log(stack)
    waiting, in_flight = queue_depth(stack, stack.queue_url)
    dead, _ = queue_depth(stack, stack.dlq_url)
    message = (
        f"no alert within {ALERT_SECONDS} s. "
        f"Queue: {waiting} waiting, {in_flight} taken and not done; dead-letter queue: {dead}.\n"
    )
    if in_flight or dead:
        message += "The function failed on it: the logs above say why. More of them with --env AWS_LAMBDA_LOG_LEVEL=DEBUG."
    elif waiting:
        message += "The function was not called: the emulator's log above may say why."
    else:
        message += "The function took the file and found nothing to tell: does a rule fire on it? Or try another --sample."
    return message, f"--- function ---\n{output}\n--- emulator ---\n{emulator.last_lines()}"


def function_log(stack: Stack, count: int = 40) -> str:
    """The last lines that the function wrote, from its log group; what it wrote before a crash is in the emulator's log."""
    resource = client("cloudformation", stack.endpoint).describe_stack_resource(
        StackName=STACK_NAME, LogicalResourceId=FUNCTION_LOG
    )
    group = resource["StackResourceDetail"]["PhysicalResourceId"]
    events = client("logs", stack.endpoint).filter_log_events(logGroupName=group)["events"]
    return "\n".join(event["message"].rstrip() for event in events[-count:])


def queue_depth(stack: Stack, queue_url: str) -> tuple[int, int]:
    """How many messages wait, and how many were taken and not yet deleted."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = client("sqs", stack.endpoint).get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
    waiting, in_flight = (int(found[name]) for name in names)
    return waiting, in_flight


# ---- Staying ----


def lines_of_stdin(emulator: Emulator) -> Iterator[str]:
    """What comes on stdin until it is closed; raises Failure when the emulator ends before that."""
    begun = b""
    while True:
        readable, _, _ = select.select([sys.stdin], [], [], 1.0)
        if readable:
            chunk = os.read(sys.stdin.fileno(), 4096)
            if not chunk:
                return
            *lines, begun = (begun + chunk).split(b"\n")
            yield from (line.decode() for line in lines)
        emulator.check_alive()


def stay(emulator: Emulator) -> None:
    """Returns when stdin is closed; what comes on it is passed over."""
    for _ in lines_of_stdin(emulator):
        pass


def serve(emulator: Emulator, stack: Stack) -> None:
    """Prints where everything is, and gives the function the variables that come on stdin until it is closed."""
    print(json.dumps(vars(stack)), flush=True)
    for line in lines_of_stdin(emulator):
        replace_function(stack, json.loads(line))
        print(line, flush=True)


def replace_function(stack: Stack, changes: dict[str, str | None]) -> None:
    """Changes variables of the function. Its processes end, as they do in Lambda, whether something changes or not."""
    functions = client("lambda", stack.endpoint)
    now = functions.get_function_configuration(FunctionName=stack.function_name)["Environment"]["Variables"]
    variables = {name: value for name, value in {**now, **changes}.items() if value is not None}
    functions.update_function_configuration(FunctionName=stack.function_name, Environment={"Variables": variables})
    functions.get_waiter("function_updated_v2").wait(FunctionName=stack.function_name)


# ---- Command line ----


def key_value(text: str) -> tuple[str, str]:
    """NAME=VALUE as a pair."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"`{text}` is not NAME=VALUE")
    return name, value


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="trailhound's deployment on a local AWS emulator")
    parser.add_argument("--bootstrap", type=Path, metavar="PATH", help="the compiled function")
    parser.add_argument("--sample", type=Path, metavar="PATH",
                        help="log file to put (default: the one that events/sqs-s3-put.json points to)")
    parser.add_argument("--keep", action="store_true", help="after the alerts stay until Ctrl-D, to look around")
    parser.add_argument("--serve", action="store_true",
                        help="put nothing; print where everything is as one line of JSON, and stay until stdin closes")
    parser.add_argument("--bare", action="store_true",
                        help="deploy nothing; print the emulator's endpoint and Region as one line of JSON, and stay likewise")
    parser.add_argument("--param", type=key_value, action="append", default=[], metavar="NAME=VALUE",
                        help="a parameter of template.yaml (repeatable)")
    parser.add_argument("--notifier", type=Path, metavar="PATH", help="the compiled notifier, to deploy it too; needs --config")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the organisation file, which names the notifier's channels")
    parser.add_argument("--secret", type=key_value, action="append", default=[], metavar="NAME=VALUE",
                        help="a secret of the notifier's, as ssm:NAME=VALUE or secretsmanager:NAME=VALUE (repeatable)")
    parser.add_argument("--env", type=key_value, action="append", default=[], metavar="NAME=VALUE",
                        help="a variable for the function (repeatable)")
    parser.add_argument("--visibility", type=int, metavar="SECONDS",
                        help="the source queue's visibility timeout, set after the deployment")
    parser.add_argument("--max-receive", type=int, metavar="N",
                        help="receives before a message moves to the dead-letter queue, set after the deployment")
    arguments = parser.parse_args()
    if arguments.notifier and not arguments.config:
        parser.error("which channels is the notifier to tell? Give --config FILE")
    if not (arguments.bootstrap or arguments.bare):
        parser.error("what is to be deployed? Give --bootstrap PATH, or --bare for nothing")
    return arguments


def deploy(arguments: argparse.Namespace, emulator: Emulator, code: Path, variables: dict[str, str]) -> Stack:
    """Brings template.yaml with the staged code onto the emulator."""
    home = code.parent
    template = home / "template.json"
    notifier, parameters = code, {"Architecture": host_architecture(), **dict(arguments.param)}
    if arguments.notifier:
        notifier = home / "notifier"
        stage_bootstrap(arguments.notifier, notifier)
        parameters |= local_notifier.parameters(lambda service: client(service, emulator.endpoint), arguments.config, REGION)
    for name, value in arguments.secret:
        local_notifier.keep_secret(lambda service: client(service, emulator.endpoint), name, value)
    template.write_text(json.dumps(local_template(code, notifier, variables, parameters), indent=1))
    sam_deploy(emulator.endpoint, template, parameters)
    stack = deployed_stack(emulator)
    for url in filter(None, [stack.queue_url, stack.notifier_queue_url]):
        hurry_queue(stack, url, arguments.visibility, arguments.max_receive)
    return stack


def run(arguments: argparse.Namespace, home: Path, cleanup: contextlib.ExitStack) -> None:
    """The whole story; `cleanup` gets what is to be stopped, in the reverse order."""
    code = home / "code"
    if not arguments.bare:
        stage_bootstrap(arguments.bootstrap, code)
    started = time.monotonic()
    emulator = Emulator(home)
    cleanup.callback(emulator.stop)
    emulator.wait_until_healthy()
    say(f"MiniStack listens on {emulator.endpoint} ({time.monotonic() - started:.1f} s), log in {emulator.log_file}")
    if arguments.bare:
        print(json.dumps({"endpoint": emulator.endpoint, "region": REGION}), flush=True)
        stay(emulator)
        return

    variables = dict(arguments.env)
    if arguments.serve:
        stack = deploy(arguments, emulator, code, variables)
        say(f"deployed ({time.monotonic() - started:.1f} s)")
        serve(emulator, stack)
        return

    recorder = PublishRecorder(emulator.port)
    cleanup.callback(recorder.stop)
    stack = deploy(arguments, emulator, code, {"AWS_ENDPOINT_URL_SNS": recorder.endpoint, **variables})
    say(f"deployed ({time.monotonic() - started:.1f} s)")
    show(emulator, stack, recorder, arguments.sample or default_sample())
    if arguments.keep:
        say(f"staying until Ctrl-D; AWS_ENDPOINT_URL={emulator.endpoint} AWS_REGION={REGION} "
            f"AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test; bucket {stack.bucket}")
        stay(emulator)


def leave(*_: Any) -> NoReturn:
    """Signal handler: ends through the usual clean-up."""
    sys.exit(143)


def main() -> int:
    """Exit code of the program."""
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, leave)
    with tempfile.TemporaryDirectory(prefix="trailhound-aws-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        scrub_environment(home)
        with contextlib.ExitStack() as cleanup:
            try:
                run(arguments, home, cleanup)
            except Failure as failure:
                if failure.details:
                    print(failure.details, file=sys.stderr)
                say(f"error: {failure}")
                return 1
            except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
                say(f"error: the emulator refused a call of this script: {error}")
                return 1
            except KeyboardInterrupt:
                say("interrupted")
                return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
