"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

from benchmarks.compare import read, tables
from benchmarks.record import DATA, Options, document, write

#: Family -> what it measures; each is the module of its name.
FAMILIES = {
    "load": "a million customers from three kinds of frames, and the import, against their promises",
    "territories": "design_territories against KMeans and k-means-constrained",
    "power": "territory design at 200 to 1,000,000 places, against METIS, k-means, k-means-constrained and spopt",
    "realign": "least change after a drift, or without a rep, against a free redesign",
    "driving": "balance of routed hours, and the estimate of driving before and after it is fitted",
    "bounds": "territories of proven least cost, and bounds on any centres",
    "teammonth": "territory.plan for a team's four weeks, against nearest-neighbour days",
    "calendar": "schedule_visits: 60 reps, loads, random team-months, against days chosen first, or one by one",
    "repday": "a rep's day of 12, 20 or 30 possible visits: proofs, and days per second",
    "repmonth": "a rep's month on real places, against choosing the days first",
    "nights": "overnight tours: a rep far from the customers, at several prices of a hotel",
    "travel": "sources of road travel: tables, fit of the great circle, 100,000 customers, plans driven by road",
    "scale": "one solve of 100 to 2,000 visits",
    "coldstart": "the first call on a fresh machine, and of a later process",
    "tsptw": "travelling salesman with time windows",
    "vrptw": "vehicle routing with time windows",
    "mdvrptw": "vehicle routing with several depots and time windows",
    "toptw": "team orienteering with time windows",
    "pvrp": "periodic vehicle routing",
    "tdp": "commercial territory design: three measures, connected",
    "cccp": "capacitated centred clustering",
    "cpmp": "capacitated p-median",
    "batch": "the nightly batch: rep-days a second against loops over OR-Tools, PyVRP and VROOM; rep-months",
}


def main(argv: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the library.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="FAMILY")
    for family, about in FAMILIES.items():
        module = import_module(f"benchmarks.{family}")
        sub = commands.add_parser(
            family, help=about, description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        sub.add_argument("--data", type=Path, default=DATA, help="folder of places, instances (default: %(default)s)")
        sub.add_argument("--instances", default="*", metavar="GLOB", help="only instances whose name matches")
        budget = sub.add_mutually_exclusive_group()
        budget.add_argument("--seconds", type=float, metavar="S", help="time limit of a solve")
        budget.add_argument("--iterations", type=int, metavar="N", help="iteration limit of a solve, or repeats")
        sub.add_argument("--seed", type=int, default=0)
        sub.add_argument("--size", type=int, metavar="N", help="a smaller run, see above")
        sub.add_argument("--engine", metavar="E", help="of routing families: auto, ..., or all, see above")
        sub.add_argument("--jobs", type=int, default=1, metavar="N", help="processes, each on one thread")
        sub.add_argument("--visits", type=int, metavar="N", help="possible visits of a rep's day")
        sub.add_argument("--out", type=Path, metavar="FILE.json", help="where the full solutions go")
    sub = commands.add_parser("compare", help="print tables of runs")
    sub.add_argument("files", nargs="+", type=Path, metavar="FILE.json")
    args = parser.parse_args(argv)
    if args.command == "compare":
        print(tables([read(path) for path in args.files]))
        return 0
    options = Options(
        args.data, args.instances, args.seconds, args.iterations, args.seed, args.size,
        engine=args.engine, jobs=args.jobs, visits=args.visits,
    )  # fmt: skip
    run = document(args.command, options, import_module(f"benchmarks.{args.command}").run(options))
    if args.out is not None:
        write(args.out, run)
    print(tables([run]))
    return 1 if any(r["status"] in {"invalid", "failed"} for r in run["results"]) else 0


if __name__ == "__main__":
    raise SystemExit(main())
