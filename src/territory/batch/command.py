"""``territory batch``: its options, and what it says."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

__all__ = ["add_options", "run"]

_EPILOG = """\
exit codes:
  0    done
  2    the command was not understood
  3    bad input: configuration, tables, or inputs that changed since the first run of the night
  5    partly failed: some tasks failed; the others are written
  7    not written: a full disk, a read-only folder
  8    the time budget is exhausted; what was done is written, and the same command goes on
  9    locked: another run holds the night's folder
  130  interrupted or terminated; the same command goes on
"""


def add_options(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to a parser."""
    import argparse  # noqa: PLC0415 - the caller has it

    parser = commands.add_parser(
        "batch", parents=[common], help="plan every rep, every night: resumes, isolates failures", epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Plan every rep in a process of its own, check and write it; a rerun goes on where the last ended.",
    )  # fmt: skip
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--config", type=Path, metavar="FILE", help="configuration, e.g. nightly.toml")
    what.add_argument("--example-config", action="store_true", help="print a configuration with every key, and end")
    parser.add_argument("--dry-run", action="store_true", help="tell what would be planned; write nothing")
    parser.add_argument("--force", action="store_true", help="forget an earlier run of the same night")
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--date", metavar="DAY", help="what counts as today: the plan begins on the day after")
    when.add_argument("--since", metavar="DAY", help="first day of the plan (default: tomorrow)")


def run(args: argparse.Namespace, log: Any) -> int:
    """Run the command; `log` is the command line's.

    Raises
    ------
    KeyboardInterrupt
        After a request to terminate, when what was done is written.
    """
    if args.example_config:
        from territory.batch.config_keys import example_config  # noqa: PLC0415 - loaded when used

        log.text(example_config())
        return 0
    from territory.batch.operations import run_night  # noqa: PLC0415 - loaded when used
    from territory.batch.preview import preview_night  # noqa: PLC0415 - loaded when used

    if args.dry_run:
        found = preview_night(args.config, date=args.date, since=args.since, force=args.force)
        log.event("dry-run", found.text(), **found.values())
        return 3 if found.refusal else 0

    def say(event: str, text: str, values: dict[str, Any]) -> None:
        if event == "error" and not log.as_json:
            log.close()
            sys.stderr.write(f"{text}\n")
        elif text or log.as_json:
            log.event(event, text, **values)

    with _asked_once():
        code, _ = run_night(
            args.config, date=args.date, since=args.since, force=args.force, say=say, on_progress=log.progress
        )
    log.close()
    return int(code)


@contextmanager
def _asked_once() -> Iterator[None]:
    """End a block on the first request to terminate, as on Ctrl-C."""
    try:
        before = [(number, signal.signal(number, _once)) for number in (signal.SIGINT, signal.SIGTERM)]
    except ValueError:  # only the main thread may say so
        before = []
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _once(_signal: int, _frame: object) -> None:
    """End on the first request to terminate; more of them do not disturb the writing of what was done."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
