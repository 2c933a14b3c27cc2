"""The command line: ``territory plan``, ``check``, ``report``, ``batch`` and ``demo``.

Exit codes
----------
0
    Done.
1
    An unexpected error: a fault of this program.
2
    The command was not understood.
3
    Bad input; what is wrong with it is printed.
4
    Infeasible: no answer keeps the hard limits; the reasons are printed.
5
    Partly done: time ran out, and what was not reached is listed as unassigned; or some tasks of a batch failed. The
    output is written.
6
    The check found violations.
7
    The output cannot be written: a full disk, a read-only folder.
8
    The time budget of a batch is exhausted: what was done is written, and the same command goes on.
9
    Another run of a batch holds the night's folder.
130
    Interrupted, or asked to terminate (SIGTERM). A batch has written what was done, and the same command goes on.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

import territory
from territory.batch import command
from territory.batch.rollover import alignment_as_before
from territory.errors import InfeasibleError, InputError, Problem, TerritoryError
from territory.io import REPORT, OutputError, probe_writable, refuse_foreign
from territory.maps import report_html

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from territory.model import Customers, Plan, Reps

__all__ = ["main"]

DONE: Final = 0
FAULT: Final = 1
BAD_INPUT: Final = 3
INFEASIBLE: Final = 4
PARTLY: Final = 5
VIOLATIONS: Final = 6
NOT_WRITTEN: Final = 7
INTERRUPTED: Final = 130


class Log:
    """Says what happens: sentences and a progress bar for people, a JSON object a line for programs.

    Parameters
    ----------
    as_json : bool
        Everything goes to standard output as JSON lines.
    quiet : bool
        No progress.
    """

    def __init__(self, *, as_json: bool, quiet: bool) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self.began = time.monotonic()
        self._bar: Any = None

    def event(self, event: str, text: str, /, **values: Any) -> None:
        """Report one event."""
        if self.as_json:
            seconds = round(time.monotonic() - self.began, 2)
            print(json.dumps({"event": event, "seconds": seconds, **values}, default=str), flush=True)
        else:
            self.close()
            print(text, flush=True)

    def text(self, text: str) -> None:
        """Print a text as it is."""
        print(text, end="", flush=True)

    def progress(self, step: str, share: float) -> None:
        """Report how far a long step is; `share` runs from 0 to 1."""
        if self.as_json:
            self.event("progress", "", step=step, share=round(share, 4))
        elif not self.quiet and sys.stderr.isatty():
            self._show(step, share)

    def _show(self, step: str, share: float) -> None:
        try:
            from tqdm import tqdm  # noqa: PLC0415 - an extra
        except ImportError:
            print(f"\r{share:6.1%} {step:<30}", end="", file=sys.stderr, flush=True)
            return
        if self._bar is None or share * 100 < self._bar.n:
            self.close()
            self._bar = tqdm(total=100, bar_format="{l_bar}{bar}| {elapsed}", leave=False)
        self._bar.set_description(step)
        self._bar.update(share * 100 - self._bar.n)

    def close(self) -> None:
        """End a progress bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="territory",
        description="Balanced territories, a visit calendar and timed daily routes for field sales.",
        epilog="Exit codes: 0 done, 2 usage, 3 bad input, 4 infeasible, 5 time ran out or partly failed, 6 violations, "
        "7 not written, 8 budget exhausted, 9 locked, 130 interrupted.",
    )
    parser.add_argument("--version", action="version", version=f"territory {territory.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="log JSON lines to standard output")
    common.add_argument("--quiet", action="store_true", help="no progress bar")

    solving = argparse.ArgumentParser(add_help=False)
    solving.add_argument("--weeks", type=int, default=4, help="length of the horizon (default 4)")
    solving.add_argument("--time-limit", type=float, default=600.0, metavar="S", help="seconds (default 600)")
    solving.add_argument(
        "--iterations", type=int, default=10_000, metavar="N", help="search rounds a rep (default 10000)"
    )
    solving.add_argument("--jobs", type=int, default=-1, metavar="N", help="processes (default: one a core)")
    solving.add_argument("--seed", type=int, default=0, help="seed of the search (default 0)")

    make = commands.add_parser("plan", parents=[common, solving], help="plan from a table of customers and one of reps")
    make.add_argument("--customers", required=True, type=Path, metavar="FILE", help="CSV or Parquet")
    make.add_argument("--reps", required=True, type=Path, metavar="FILE", help="CSV or Parquet")
    make.add_argument("--visits", type=Path, metavar="FILE", help="appointments, events, ...: CSV or Parquet")
    make.add_argument("--start", required=True, metavar="DATE", help="first day, e.g. 2026-01-05")
    make.add_argument("--out", required=True, type=Path, metavar="DIR", help="output folder")
    make.add_argument("--preset", choices=["salesforce", "hubspot", "dynamics"], help="column names of that export")
    make.add_argument(
        "--column", action="append", default=[], metavar="NAME=THEIRS", help="a customer column's name in the file"
    )
    make.add_argument("--measure", action="append", default=[], metavar="NAME", help="a further numeric column")
    make.add_argument(
        "--balance", action="append", default=[], metavar="MEASURE=SHARE", help="hard limit, e.g. workload_s=0.05"
    )
    make.add_argument("--holiday", action="append", default=[], metavar="DATE", help="a day without visits")
    make.add_argument(
        "--overload", choices=["value", "stretch"], default="value",
        help="where more is due than fits: what is worth most comes first, or all intervals become longer",
    )  # fmt: skip
    make.add_argument(
        "--previous", type=Path, metavar="DIR",
        help="an earlier plan: its territories, its promises and, where little is gained, its days are kept; where "
        "FILE has no last_visit, its visits before --start count as made",
    )  # fmt: skip
    make.add_argument(
        "--keep-owners", action="store_true", help="keep today's territories instead of designing new ones"
    )

    check = commands.add_parser("check", parents=[common], help="check a plan in an output folder")
    check.add_argument("dir", type=Path, metavar="DIR")
    report = commands.add_parser("report", parents=[common], help="write the HTML report of an output folder")
    report.add_argument("dir", type=Path, metavar="DIR")
    report.add_argument("--out", type=Path, metavar="FILE", help="default: DIR/report.html")
    command.add_options(commands, common)
    demo = commands.add_parser("demo", parents=[common, solving], help="the whole job on the shipped country")
    demo.add_argument("--out", type=Path, default=Path("territory-demo"), metavar="DIR", help="default: territory-demo")
    demo.add_argument("--reps", type=int, default=60, metavar="N", help="number of reps (default 60)")
    return parser


def _pairs(values: Sequence[str], option: str) -> dict[str, str]:
    pairs = {}
    for value in values:
        name, equals, rest = value.partition("=")
        if not equals or not name or not rest:
            raise InputError([Problem("bad-option", f"{option}: expected NAME=VALUE, not {value!r}")], "command line")
        pairs[name] = rest
    return pairs


def _number(text: str, option: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError([Problem("bad-option", f"{option}: not a number: {text!r}")], "command line") from None


def _plan(args: argparse.Namespace, log: Log) -> int:
    columns = _pairs(args.column, "--column")
    balance = {name: _number(v, "--balance") for name, v in _pairs(args.balance, "--balance").items()}
    customers = territory.read_customers(
        args.customers, columns=columns or None, preset=args.preset, measures=args.measure
    )
    reps = territory.read_reps(args.reps)
    visits = None if args.visits is None else territory.read_visits(args.visits)
    previous = None if args.previous is None else territory.read_plan(args.previous)
    log.event("read", f"read {len(customers)} customers and {len(reps)} reps", customers=len(customers), reps=len(reps))
    _warn(customers, reps, log)
    alignment = None
    if previous is not None and customers.last_visit is None:
        customers = _visited(customers, previous, args.start)
    if args.keep_owners:
        alignment = territory.Alignment.from_owners(customers, reps)
    elif previous is not None and previous.alignment is not None:
        alignment = alignment_as_before(previous.alignment, customers, reps, balance)
    options = {
        "start": args.start, "holidays": args.holiday, "balance": balance or None, "alignment": alignment,
        "visits": visits, "previous": previous, "overload": args.overload,
    }  # fmt: skip
    return _solve(args, log, customers, reps, {}, **options)


def _visited(customers: Customers, previous: Plan, start: str) -> Customers:
    """Return customers whose last visits are those of an earlier plan, as if what it planned had been made."""
    made = previous.as_made(start)
    if made.last_visit is None:
        return customers
    last = dict(zip(made.id.tolist(), made.last_visit, strict=True))
    days = np.array([last.get(name, np.datetime64("NaT", "D")) for name in customers.id.tolist()], "M8[D]")
    return replace(customers, last_visit=days)


def _demo(args: argparse.Namespace, log: Log) -> int:
    from territory.datasets import ATTRIBUTION, REFERENCE_DAY, load_germany  # noqa: PLC0415 - data is read when used

    customers, reps = load_germany(n_reps=args.reps)
    text = f"read {len(customers)} places of Germany and {len(reps)} reps\n{ATTRIBUTION['germany']}"
    log.event("read", text, customers=len(customers), reps=len(reps))
    credits_file = {"ATTRIBUTION.txt": ATTRIBUTION["germany"] + "\n"}
    return _solve(args, log, customers, reps, credits_file, start=REFERENCE_DAY)


def _solve(
    args: argparse.Namespace, log: Log, customers: Customers, reps: Reps, extra: dict[str, str], **options: Any
) -> int:
    refuse_foreign(args.out)  # before minutes are spent on a plan that could not be written
    probe_writable(args.out)
    made = territory.plan(
        customers, reps, weeks=args.weeks, time_limit_s=args.time_limit, iterations=args.iterations, n_jobs=args.jobs,
        rng=args.seed, on_progress=log.progress, **options,
    )  # fmt: skip
    log.close()
    for problem in made.diagnostics:
        if problem not in (*customers.diagnostics, *reps.diagnostics):
            _tell(problem, "plan", log)
    log.progress("writing", 1.0)
    territory.write_plan(made, args.out, extra_files={REPORT: report_html(made), **extra})
    page = args.out / REPORT
    text = f"{_sentence(made)}\nwritten to {args.out}; look at {page}"
    log.event("done", text, out=str(args.out), report=str(page), **made.summary())
    return PARTLY if made.status is territory.Status.TIME_LIMIT else DONE


def _warn(customers: Customers, reps: Reps, log: Log) -> None:
    for table in (customers, reps):
        for problem in table.diagnostics:
            _tell(problem, table.subject, log)


def _tell(problem: Problem, subject: str, log: Log) -> None:
    hint = f" {problem.hint}" if problem.hint else ""
    log.event("warning", f"warning: {subject}: {problem}{hint}", code=problem.code, message=str(problem))


def _sentence(made: Plan) -> str:
    s = made.summary()
    driving = (
        f"{s['drive_h']:,.0f} h and {s['distance_km']:,} km of driving ({s['drive_min_per_visit']:.0f} min a visit)"
    )
    lines = [f"{s['visits']} visits on {s['routes']} rep days, {driving}; {s['unassigned']} due visits are not planned"]
    lines += [f"  {count:6} {reason}" for reason, count in s["unassigned_by_reason"].items()]
    lines += [f"{step}: {seconds:.1f} s" for step, seconds in made.trace.items()]
    return "\n".join(lines)


def _check(args: argparse.Namespace, log: Log) -> int:
    made = territory.read_plan(args.dir)
    found = [territory.check_plan(made)]
    if made.alignment is not None:
        found.append(territory.check_alignment(made.alignment))
    violations = [v for report in found for v in report]
    for violation in violations:
        log.event("violation", f"{violation.code}: {violation.message}", code=violation.code, message=violation.message)
    count = len(violations)
    log.event("done", f"{count} violation{'s' * (count != 1)} in {len(made.stops)} visits", violations=count)
    return VIOLATIONS if violations else DONE


def _report(args: argparse.Namespace, log: Log) -> int:
    page = territory.read_plan(args.dir).report(args.out or args.dir / REPORT)
    log.event("done", f"written: {page}", report=str(page))
    return DONE


_COMMANDS: Final[dict[str, Callable[[argparse.Namespace, Log], int]]] = {
    "plan": _plan,
    "check": _check,
    "report": _report,
    "batch": command.run,
    "demo": _demo,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code (see the module)."""
    args = _parser().parse_args(argv)
    with suppress(ValueError):  # only the main thread may say so
        signal.signal(signal.SIGTERM, _interrupt)
    log = Log(as_json=args.json, quiet=args.quiet)
    try:
        return _COMMANDS[args.command](args, log)
    except InputError as error:
        code = BAD_INPUT
        _fail(log, "bad-input", error, error.problems)
    except InfeasibleError as error:
        code = INFEASIBLE
        _fail(log, "infeasible", error, error.reasons)
    except OutputError as error:
        code = NOT_WRITTEN
        _fail(log, "not-written", error, ())
    except TerritoryError as error:
        code = FAULT
        _fail(log, "error", error, ())
    except KeyboardInterrupt:
        log.close()
        print("interrupted", file=sys.stderr)
        code = INTERRUPTED
    except OSError as error:
        code = BAD_INPUT
        _fail(log, "error", error, ())
    return code


def _interrupt(_signal: int, _frame: object) -> None:
    """End on a request to terminate as on Ctrl-C: workers are ended, nothing half-written stays."""
    raise KeyboardInterrupt


def _fail(log: Log, event: str, error: BaseException, problems: Sequence[Problem]) -> None:
    log.close()
    if log.as_json:
        listed = [{"code": p.code, "message": str(p), "hint": p.hint, "rows": p.rows} for p in problems]
        log.event(event, "", message=str(error), problems=listed)
    else:
        print(error, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
