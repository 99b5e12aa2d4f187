"""usage: budgets.py [--set] [--functions N] [WORDS OF A PATH]

Measures how many instructions an event costs the host (VOUCH_INSTRUCTIONS, VOUCH_VALGRIND,
VOUCH_CXX and VOUCH_CXX_FLAGS say with what) and shows it beside the budgets. --set: they become the
budgets. --functions: the N functions of each path that cost most. scripts/instructions builds and
calls it.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import sys

import measure
from measure import Measured

FILE = pathlib.Path(__file__).with_name("budgets.json")
HOW_TO_SET = "scripts/instructions --set"
#: So much above its budget a path fails, and so much below it the budget should follow.
TOLERANCE = 0.10
NAMED_FUNCTIONS = 8


@dataclasses.dataclass
class Verdict:
    complaints: list[str]
    warnings: list[str]


def growth(budget: dict[str, float], now: dict[str, float]) -> list[str]:
    """The functions that grew most, in words. Of those that were not kept it is only known that
    they cost no more than the last one that was."""
    most = min(budget.values()) if len(budget) >= measure.KEPT_FUNCTIONS else 0
    grown = sorted(((cost - budget.get(name, most), name) for name, cost in now.items()),
                   reverse=True)
    return [f"    {more:+9,.0f}  {name} "
            f"({'' if name in budget else 'at most '}{budget.get(name, most):,.0f} before)"
            for more, name in grown[:NAMED_FUNCTIONS] if more >= 1]


def judge(budgets: dict[str, dict], measured: dict[str, Measured]) -> Verdict:
    """What is above its budget, and what is far below it. Each path has a budget."""
    verdict = Verdict([], [])
    for name, now in measured.items():
        budget = budgets.get(name)
        if budget is None:
            verdict.complaints.append(f"{name}: has no budget; set it with {HOW_TO_SET}")
            continue
        change = now.instructions / budget["instructions"] - 1
        words = (f"{name}: {now.instructions:,.0f} instructions for each event, the budget is "
                 f"{budget['instructions']:,.0f} ({change:+.1%})")
        if change > TOLERANCE:
            verdict.complaints.append("\n".join([
                words, "  What grew most, by itself:",
                *growth(budget["by_themselves"], now.by_themselves),
                "  and of the host's own, with all that it calls:",
                *growth(budget["with_calls"], now.with_calls),
                f"  If it has to cost that much, say why in the commit, and set it: {HOW_TO_SET}"]))
        elif change < -TOLERANCE:
            verdict.warnings.append(f"{words}: the budget should follow: {HOW_TO_SET}")
    for name in budgets.keys() - measured.keys():
        verdict.complaints.append(f"{name}: has a budget and is not measured; {HOW_TO_SET}")
    return verdict


def stored() -> dict:
    return json.loads(FILE.read_text())


def of_another_toolchain(kept: dict[str, str], now: dict[str, str]) -> str:
    """Why the budgets say nothing here, or nothing."""
    differs = [f"{what} {kept.get(what)!r}, here it is {now[what]!r}"
               for what in now if kept.get(what) != now[what]]
    return f"the budgets are of {'; '.join(differs)}" if differs else ""


def heaviest(costs: dict[str, float], count: int) -> dict[str, int]:
    chosen = sorted(costs, key=lambda name: -costs[name])[:count]
    return {name: round(costs[name]) for name in chosen if costs[name] >= 0.5}


def to_keep(toolchain: dict[str, str], measured: dict[str, Measured]) -> dict:
    return {"toolchain": toolchain,
            "paths": {name: {"instructions": round(now.instructions),
                             "by_themselves": heaviest(now.by_themselves, measure.KEPT_FUNCTIONS),
                             "with_calls": heaviest(now.with_calls, measure.KEPT_FUNCTIONS)}
                      for name, now in measured.items()}}


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[1])
    words.add_argument("--set", action="store_true", help="make what is measured the budgets")
    words.add_argument("--functions", type=int, default=0, metavar="N", help="show N functions")
    words.add_argument("path", nargs="*", help="only paths whose names hold these words")
    given = words.parse_args()
    only = " ".join(given.path)
    if given.set and only:
        words.error("all budgets are set together")

    toolchain = measure.toolchain(os.environ["VOUCH_CXX"], os.environ["VOUCH_CXX_FLAGS"])
    measured = measure.measure(os.environ["VOUCH_INSTRUCTIONS"], os.environ["VOUCH_VALGRIND"], only)
    known = stored() if FILE.exists() else {"toolchain": toolchain, "paths": {}}
    if other := of_another_toolchain(known["toolchain"], toolchain):
        print(f"note: {other}")
    for name, now in measured.items():
        budget = known["paths"].get(name, {}).get("instructions", 0)
        change = f"{now.instructions / budget - 1:+7.1%}" if budget else "      –"
        print(f"{name:36} {now.instructions:10,.0f}  budget {budget:10,} {change}")
        for costs in (now.by_themselves, now.with_calls):
            for function, cost in list(heaviest(costs, given.functions).items()):
                print(f"    {cost:9,} {cost / now.instructions:6.1%}  {function}")
            if given.functions:
                print()
    if given.set:
        FILE.write_text(json.dumps(to_keep(toolchain, measured), indent=1) + "\n")
        print(f"These are the budgets now: {FILE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
