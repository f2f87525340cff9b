"""The reliability run: objects and messages of many shapes through the compiled function, while S3, SNS and DynamoDB fail and
processes are killed; then a checker that knows what was put in.

    python scripts/soak --bootstrap PATH                        the whole run; the report goes to stdout
    python scripts/soak --bootstrap PATH --objects 500 --seed 7 a shorter one, another one
    python scripts/soak --check FOLDER                          checks again what a run with --keep FOLDER has left

Everything runs on this machine, on loopback, and ends with it. Needs the tools of scripts/requirements.txt; kills need Linux.
Exit code 0: nothing was lost; 1: the checker found something, or the run could not be carried out; 2: wrong arguments.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import tempfile
from pathlib import Path

# A run leaves nothing behind.
sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import aws_local  # noqa: E402
from botocore.exceptions import BotoCoreError, ClientError  # noqa: E402
from soak import plan as plans  # noqa: E402
from soak.check import check  # noqa: E402
from soak.doubt import doubt  # noqa: E402
from soak.drive import Run  # noqa: E402
from soak.report import render  # noqa: E402
from soak.steps import write_plan  # noqa: E402

MARK = "<!-- report -->\n"


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="soak", description="trailhound's reliability run")
    parser.add_argument("--bootstrap", type=Path, metavar="PATH", help="the compiled function")
    parser.add_argument("--objects", type=int, default=2000, metavar="N", help="log files and other objects to put (default 2000)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another seed is another run (default 1)")
    parser.add_argument("--concurrency", type=int, default=6, metavar="N", help="processes of the function (default 6)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave the plan and all that was seen there")
    parser.add_argument("--check", type=Path, metavar="FOLDER", help="run nothing; check what --keep has left")
    parser.add_argument("--report", type=Path, metavar="FILE", help="put the report into a file, behind its line `<!-- report -->`")
    arguments = parser.parse_args()
    if not (arguments.bootstrap or arguments.check):
        parser.error("what is to be run? Give --bootstrap PATH (`make function` builds it), or --check FOLDER")
    return arguments


def carry_out(arguments: argparse.Namespace, folder: Path) -> None:
    """The run; what was seen stands in the folder then."""
    steps = plans.make_plan(arguments.seed, arguments.objects)
    write_plan(folder / "plan.jsonl", arguments.seed, steps)
    with tempfile.TemporaryDirectory(prefix="trailhound-soak-", ignore_cleanup_errors=True) as home:
        aws_local.scrub_environment(Path(home))
        with contextlib.ExitStack() as cleanup:
            Run(arguments, steps, Path(home), folder, cleanup).all()


def judge(folder: Path, report: Path | None) -> int:
    """Checks, writes the report, and gives the exit code."""
    verdict = check(folder)
    if not verdict.problems:
        doubt(verdict)
    text = render(verdict)
    print(text)
    if report:
        kept, mark, _ = report.read_text().partition(MARK) if report.exists() else ("", "", "")
        report.write_text(f"{kept}{mark or MARK}\n{text}")
    for problem in verdict.problems:
        print(f"soak: {problem}", file=sys.stderr)
    return 1 if verdict.problems else 0


def main() -> int:
    """Exit code of the program."""
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, aws_local.leave)
    if arguments.check:
        return judge(arguments.check, arguments.report)
    with contextlib.ExitStack() as cleanup:
        folder = arguments.keep or Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="trailhound-soak-seen-")))
        folder.mkdir(parents=True, exist_ok=True)
        try:
            carry_out(arguments, folder.resolve())
        except aws_local.Failure as failure:
            print(f"{failure.details}\nsoak: {failure}", file=sys.stderr)
            return 1
        except (BotoCoreError, ClientError) as error:
            print(f"soak: the emulator refused a call of the run itself: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("soak: interrupted", file=sys.stderr)
            return 130
        return judge(folder, arguments.report)


if __name__ == "__main__":
    sys.exit(main())
