"""Holds findings in the AWS Security Finding Format against AWS's own model of Security Hub, and against its limits.

    scripts/asff.py FOLDER    every line of FOLDER/*.jsonl: {"name": what the finding is of, "finding": the finding}

The model knows members and types; the limits are those of
https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html. Before it believes a yes, it hears a no: findings
with one defect each have to be refused. Exits 1 otherwise.
"""

from __future__ import annotations

import copy
import json
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Iterator

import botocore.session
from botocore.validate import ParamValidator

Finding = dict[str, Any]

MODEL = botocore.session.get_session().get_service_model("securityhub").operation_model("BatchImportFindings").input_shape
TEXTS = {"Id": 512, "GeneratorId": 512, "Title": 256, "Description": 1024, "ProductName": 128, "CompanyName": 128, "SourceUrl": 2048}
TIMES = ["CreatedAt", "UpdatedAt", "FirstObservedAt", "LastObservedAt"]
NAMESPACES = ["Software and Configuration Checks", "TTPs", "Effects", "Unusual Behaviors", "Sensitive Data Identifications"]
SEVERITIES = ["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"]
PRODUCT = r"arn:(aws|aws-cn|aws-us-gov|aws-eusc):securityhub:([a-z0-9-]*):([^:]*):product/([^:]*)/default"

DEFECTS = {
    "no id": lambda finding: finding.pop("Id"),
    "an unknown member": lambda finding: finding.update(Colour="red"),
    "a text in place of a list": lambda finding: finding.update(Types="TTPs/Persistence"),
    "an empty title": lambda finding: finding.update(Title=""),
    "a long description": lambda finding: finding.update(Description="x" * 1025),
    "an unknown severity": lambda finding: finding["Severity"].update(Label="WORST"),
    "an unknown type": lambda finding: finding.update(Types=["Odd/Things"]),
    "a time without zone": lambda finding: finding.update(UpdatedAt="2026-11-05T10:00:00"),
    "an update before it was made": lambda finding: finding.update(UpdatedAt="2001-01-01T00:00:00Z"),
    "no resource": lambda finding: finding.update(Resources=[]),
    "too many resources": lambda finding: finding.update(Resources=finding["Resources"][:1] * 33),
    "a long field": lambda finding: finding["ProductFields"].update({"trailhound/x": "x" * 2049}),
    "another account's product": lambda finding: finding.update(AwsAccountId="999999999999"),
}


def problems(finding: Finding) -> Iterator[str]:
    """What Security Hub would refuse."""
    report = ParamValidator().validate({"Findings": [finding]}, MODEL)
    if report.has_errors():
        yield report.generate_report()
        return
    for name, most in TEXTS.items():
        if name in finding and not 1 <= len(finding[name]) <= most:
            yield f"{name} has {len(finding[name])} characters, not 1 to {most}"
    times = {name: datetime.fromisoformat(finding[name].replace("Z", "+00:00")) for name in TIMES}
    yield from (f"{name} has no zone" for name, time in times.items() if time.tzinfo is None)
    if all(time.tzinfo for time in times.values()) and times["UpdatedAt"] < times["CreatedAt"]:
        yield "UpdatedAt is before CreatedAt"
    if finding["Severity"]["Label"] not in SEVERITIES:
        yield f"no severity: {finding['Severity']['Label']}"
    yield from (f"no type: {kind}" for kind in finding["Types"] if kind.split("/")[0] not in NAMESPACES)
    if not 1 <= len(finding["Resources"]) <= 32:
        yield f"{len(finding['Resources'])} resources, not 1 to 32"
    yield from (f"a resource's Id of {len(resource['Id'])}" for resource in finding["Resources"] if not 1 <= len(resource["Id"]) <= 512)
    fields = finding["ProductFields"]
    if len(fields) > 50 or any(len(key) > 128 or not 1 <= len(value) <= 2048 for key, value in fields.items()):
        yield "ProductFields takes 50 names of 128 characters with values of 1 to 2048"
    product = re.fullmatch(PRODUCT, finding["ProductArn"])
    if product is None or {product[3], product[4]} != {finding["AwsAccountId"]}:
        yield f"{finding['ProductArn']} is not the default product of {finding['AwsAccountId']}"
    if len(finding.get("Remediation", {}).get("Recommendation", {}).get("Text", "-")) > 512:
        yield "the recommendation has more than 512 characters"
    if len(json.dumps(finding).encode()) > 240 * 1024:
        yield "larger than 240 KB"


def main(folder: Path) -> int:
    lines = [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()]
    if not lines:
        print(f"no findings in {folder}: run `make ocsf`", file=sys.stderr)
        return 1
    wrong = [f"{line['name']}: {problem}" for line in lines for problem in problems(line["finding"])]
    for name, defect in DEFECTS.items():
        finding = copy.deepcopy(lines[0]["finding"])
        defect(finding)
        if not list(problems(finding)):
            wrong.append(f"the defect `{name}` was accepted")
    for problem in wrong[:50]:
        print(problem, file=sys.stderr)
    print(f"{len(lines)} findings, {len(wrong)} problems; {len(DEFECTS)} defects tried")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
