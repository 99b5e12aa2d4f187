"""Measures pairs of a database and a broker into a file of results, and writes the page about them:
matrix, idle, scale, report. Standard library only."""

import argparse
import pathlib
import socket
import tempfile

import idle
import matrix
from conditions import run_of
from main import server_of
from pair import Pair
from report import Report
from results import Results
from scale import Scale, Sizes
from targets import verdicts

STORAGES = ("sqlite", "postgres", "mysql")
PAIRS = [f"{storage}+{broker}" for storage in STORAGES for broker in ("local", "kafka", "mqtt")]
MULTIPLES = {"k": 1_000, "M": 1_000_000}


def counts(text: str) -> list[int]:
    """`0,250k,10M`"""
    found = []
    for word in text.split(","):
        number, unit = (word[:-1], word[-1:]) if word[-1:] in MULTIPLES else (word, "")
        if not number.isdigit():
            raise argparse.ArgumentTypeError(f"not a number of events: {word!r}")
        found.append(int(number) * MULTIPLES.get(unit, 1))
    return found


def numbers(text: str) -> tuple[int, ...]:
    return tuple(counts(text))


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["matrix", "idle", "scale", "report"])
    parser.add_argument("pairs", nargs="*", metavar="PAIR")
    parser.add_argument("--binaries", type=pathlib.Path, required=True)
    parser.add_argument("--results", type=pathlib.Path, required=True, help="the file of results")
    parser.add_argument("--docs", type=pathlib.Path, help="where report writes performance.md")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--warm-up", type=float)
    parser.add_argument("--connections", type=numbers)
    parser.add_argument("--payloads", type=numbers)
    parser.add_argument("--events", type=counts, default=[1_000_000, 10_000_000],
                        help="of the stores of scale, such as 1M,10M,50M")
    parser.add_argument("--part", type=float, default=1,
                        help="of the special cases of scale, for a trial")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--peers", type=pathlib.Path, metavar="DIRECTORY")
    parser.add_argument("--directory", default=tempfile.gettempdir(), help="on the disk to measure")
    parser.add_argument("--broker-settings", default="", metavar="YAML")
    parser.add_argument("--port", type=int, default=0, help="of the host; 0: a free one")
    return parser


def complete(options) -> matrix.Plan:
    """Fills in what was left out, and returns the plan of the matrix."""
    plan = matrix.Plan.short() if options.short else matrix.Plan()
    options.seconds = options.seconds or (2 if options.short else 8)
    options.warm_up = (0.5 if options.short else 2) if options.warm_up is None else options.warm_up
    options.rounds = options.rounds or plan.rounds
    if not options.port:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            options.port = listening.getsockname()[1]
    return matrix.Plan(plan.requests, options.connections or plan.connections,
                       options.payloads or plan.payloads, options.rounds)


def measure(options, plan: matrix.Plan, name: str, results: Results) -> None:
    pair = Pair(name, options, server_of(name.partition("+")[0]))
    if options.command == "matrix":
        if options.peers and name == "postgres+local" and (reason := pair.fetch_peers()):
            print(f"SKIPPED: the peers: {reason}", flush=True)
        matrix.run(pair, plan, results)
    elif options.command == "idle":
        for number in range(1, options.rounds + 1):
            matrix.measure(idle.steps(pair, options.seconds), number, results, pair)
    else:
        if pair.broker:
            raise SystemExit("scale is measured with the local broker")
        sizes = Sizes(options.events)
        for what in ("long_stream", "many_streams", "undelivered", "followers"):
            setattr(sizes, what, max(1, round(getattr(sizes, what) * options.part)))
        Scale(pair, results, sizes, options.rounds).run()


def print_verdicts(results: Results) -> None:
    print(f"\n{'Measured':>34}  {'Target':>18}  ")
    for verdict in verdicts(results):
        if verdict.measured:
            target = verdict.target
            print(f"{verdict.measured.text(target.form):>34}  {target.wanted():>18}  "
                  f"{verdict.word().strip('*'):6}  {target.what}")


def main() -> None:
    parser = arguments()
    options = parser.parse_args()
    if unknown := set(options.pairs) - set(PAIRS):
        parser.error(f"not a pair: {', '.join(sorted(unknown))}")
    if options.command == "report":
        results = Results(options.results)
        Report(results, options.docs / "images").write(options.docs / "performance.md")
        print(f"{options.docs / 'performance.md'} is written"
              + (f"; {results.others} measurements of other builds or lengths are left out"
                 if results.others else ""))
        return
    plan = complete(options)
    results = Results(options.results, run_of(options))
    for name in options.pairs or ["postgres+local"]:
        measure(options, plan, name, results)
    print_verdicts(results)


if __name__ == "__main__":
    main()
