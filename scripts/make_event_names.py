#!/usr/bin/env python3
"""Writes src/lint/data/events.txt: the event names that CloudTrail writes, by event source, from botocore's service models.

    python3 -m venv .venv-data && .venv-data/bin/pip install -r scripts/requirements-data.txt
    .venv-data/bin/python scripts/make_event_names.py            writes the file
    .venv-data/bin/python scripts/make_event_names.py --check    exits 1 when the file is not what this script would write

Made with botocore 1.44.5 (scripts/requirements-data.txt). What no service model says stands in events_extra.txt beside the file,
which is kept by hand; names that it says CloudTrail does not write are left out here.

Where it is not known under which of two names a service logs, both are written: a lint must rather miss than cry wolf.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import defaultdict
from pathlib import Path

import botocore
import botocore.session
from botocore.model import OperationModel, ServiceModel

DATA = Path(__file__).resolve().parent.parent / "src" / "lint" / "data"
EVENTS, EXTRA = DATA / "events.txt", DATA / "events_extra.txt"

HEADER = """\
# Event names by event source (each without its .amazonaws.com; a comma joins sources that log the same names).
# Made by scripts/make_event_names.py from the service models of botocore {version}; do not edit. See events_extra.txt.
"""

# Sources by botocore's service, where the endpoint's and the signature's names are not what CloudTrail writes, or not all of it.
SOURCES = {
    "apigatewaymanagementapi": ["apigateway", "execute-api"],
    "application-autoscaling": ["autoscaling", "application-autoscaling"],
    "autoscaling-plans": ["autoscaling", "autoscaling-plans"],
    "bedrock-agent": ["bedrock"],
    "bedrock-agent-runtime": ["bedrock"],
    "bedrock-runtime": ["bedrock"],
    "cloudwatchomni": ["cloudwatch-omni", "monitoring"],
    "connectparticipant": ["connect", "participant.connect"],
    "ecr": ["ecr"],
    "ecr-public": ["ecr-public"],
    "identitystore": ["identitystore", "sso-directory"],
    "mailmanager": ["ses"],
    "pinpoint-email": ["ses"],
    "rds-data": ["rdsdata", "rds-data"],
    "s3control": ["s3"],
    "ses": ["ses"],
    "sesv2": ["ses"],
    "sso": ["sso"],
    "sso-oidc": ["sso", "sso-oauth"],
}
# One source for every service whose name starts so.
FAMILIES = {"chime": "chime", "sagemaker": "sagemaker"}

# Lambda's names are logged with their API's date until 2018 (CreateFunction20150331, PublishLayerVersion20181031), and no other
# way. Later ones have been seen without (PutFunctionEventInvokeConfig); not every one of them has been seen.
LAMBDA_DATED = "2018-12-31"
# Calls whose second generation is logged as such (UpdateFunctionCode20150331v2).
LAMBDA_SECOND = {
    *("AddPermission", "GetFunction", "GetFunctionConfiguration", "GetPolicy", "RemovePermission", "UpdateFunctionCode"),
    *("UpdateFunctionConfiguration", "TagResource", "UntagResource"),
}
LAMBDA_UNDATED = {"Invoke", "InvokeAsync", "InvokeWithResponseStream"}


def sources(service: ServiceModel) -> list[str]:
    """The event sources, without .amazonaws.com, that a service may log under."""
    name = service.service_name
    if name in SOURCES:
        return SOURCES[name]
    for family, source in FAMILIES.items():
        if name == family or name.startswith((f"{family}-", f"{family}job", f"{family}training")):
            return [source]
    endpoint = service.endpoint_prefix
    # `api.mediatailor` is an address, `mediatailor` the service.
    found = {endpoint, endpoint.split(".", 1)[-1], (service.signing_name or endpoint).lower()}
    return sorted(source for source in found if not source.startswith("api."))


def event_names(service: ServiceModel, operation: OperationModel) -> list[str]:
    """What CloudTrail may write as eventName for an operation."""
    if service.service_name != "lambda":
        # The name on the wire has the version of CloudFront's API (CreateDistribution2020_05_31); records have either.
        return [operation.name, operation.wire_name]
    date = re.match(r"/(20\d\d-\d\d-\d\d)/", operation.http["requestUri"])
    name = operation.name
    if name in LAMBDA_UNDATED or not date:
        return [name]
    dated = name + date[1].replace("-", "")
    names = [dated] if date[1] <= LAMBDA_DATED else [name, dated]
    return [*names, f"{dated}v2"] if name in LAMBDA_SECOND else names


def not_logged() -> set[tuple[str, str]]:
    """Pairs that events_extra.txt turns into advice (`s3 PutPublicAccessBlock>PutBucketPublicAccessBlock`)."""
    lines = [line.split() for line in EXTRA.read_text().splitlines() if line and not line.startswith(("#", "@"))]
    return {(source, name.split(">")[0]) for line in lines for source in line[0].split(",") for name in line[1:] if ">" in name}


def table() -> dict[str, set[str]]:
    """Event names by source."""
    found: dict[str, set[str]] = defaultdict(set)
    session, dropped = botocore.session.get_session(), not_logged()
    for name in session.get_available_services():
        service = session.get_service_model(name)
        names = {event for o in service.operation_names for event in event_names(service, service.operation_model(o))}
        for source in sources(service):
            found[source] |= {event for event in names if (source, event) not in dropped}
    return found


def text() -> str:
    """The file. Sources with the same names share a line."""
    lines: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for source, names in sorted(table().items()):
        lines[tuple(sorted(names))].append(source)
    body = sorted(" ".join([",".join(owners), *names]) for names, owners in lines.items())
    return HEADER.format(version=botocore.__version__) + "\n".join(body) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    wanted = text()
    if not parser.parse_args().check:
        EVENTS.write_text(wanted)
    elif EVENTS.read_text() != wanted:
        sys.exit(f"{EVENTS.name} is not what this script writes: run it without --check, and look at the difference")


if __name__ == "__main__":
    main()
