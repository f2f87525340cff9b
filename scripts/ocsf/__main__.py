"""Holds OCSF findings against implementations of OCSF that are not ours.

    scripts/ocsf FOLDER    every line of FOLDER/*.jsonl: {"name": what the finding is of, "finding": the finding}

Before it believes a yes, it hears a no: findings with one defect each (defects.py) have to be refused. Exits 1 otherwise.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from defects import DEFECTS, broken
from validators import Validators

Finding = dict[str, Any]


def main(folder: Path) -> int:
    lines = [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()]
    if not lines:
        print(f"no findings in {folder}: run `make ocsf`", file=sys.stderr)
        return 1
    validators = Validators()
    wrong = [f"{line['name']}: {problem}" for line in lines for problem in validators.problems(line["finding"])]
    wrong += [f"{model.name} no longer asks for {deviation}" for model in validators.models for deviation in model.never_met]
    wrong += accepted(validators, [line["finding"] for line in lines])
    for problem in wrong[:50]:
        print(problem, file=sys.stderr)
    print(f"{len(lines)} findings, {len(wrong)} problems; {len(DEFECTS)} defects tried")
    return 1 if wrong else 0


def accepted(validators: Validators, findings: list[Finding]) -> list[str]:
    """Defects that the validators don't see, and validators that see none."""
    found, awake = [], set()
    for name, defect in DEFECTS.items():
        finding = broken(findings, defect)
        problems = [] if finding is None else validators.problems(finding)
        awake |= {problem.split(":")[0] for problem in problems}
        if finding is None:
            found.append(f"no finding has what the defect `{name}` breaks")
        elif not problems:
            found.append(f"the defect `{name}` was accepted")
    return found + [f"{name} accepts every defect" for name in validators.names if name not in awake]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
