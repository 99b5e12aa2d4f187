"""What callgrind wrote about one thread, and how much of it the host has to answer for.

The format: https://valgrind.org/docs/manual/cl-format.html
"""

import collections
import dataclasses
import pathlib
import re
from collections.abc import Callable

#: What stands for a database and a broker here costs nothing: it is not what is measured.
TESTKIT = "vouch::testkit::"
HOST = "vouch::"

_NAMED = re.compile(r"(c?fn)=\((\d+)\)(?: (.*))?")
_COST = re.compile(r"[+*\-\d]")


@dataclasses.dataclass
class Thread:
    """Instructions of functions themselves, and of what they called, with all that was below; by
    their short names."""

    self_cost: dict[str, int]
    calls: dict[tuple[str, str], int]

    def has(self, function: str) -> bool:
        return any(name.startswith(function) for name in self.self_cost)

    def inclusive(self) -> dict[str, int]:
        """Of each function with all that it called. What calls itself counts its turns once."""
        total = dict(self.self_cost)
        for (caller, callee), cost in self.calls.items():
            if caller != callee:
                total[caller] = total.get(caller, 0) + cost
        return total

    def host_part(self) -> dict[str, float]:
        """For each function, which part of its cost is the host's, from 0 to 1.

        That of the testkit is not, and that of a library (memcpy, malloc, the C++ library) is so
        far as it was called by the host: by the cost of the calls, as gprof attributes it.
        """
        callers: dict[str, list[tuple[str, int]]] = collections.defaultdict(list)
        for (caller, callee), cost in self.calls.items():
            if caller != callee:
                callers[callee].append((caller, cost))
        part = {name: float(not is_testkit(name)) for name in set(self.self_cost) | set(callers)}
        libraries = {name: sum(cost for _, cost in callers[name]) for name in part
                     if not name.startswith(HOST)}
        return settle(part, {name: lambda name=name, all_cost=all_cost: sum(
            part[caller] * cost for caller, cost in callers[name]) / all_cost
            for name, all_cost in libraries.items() if all_cost > 0})

    def host_cost(self) -> dict[str, float]:
        """Instructions of functions themselves, so far as they are the host's."""
        part = self.host_part()
        return {name: cost * part[name] for name, cost in self.self_cost.items()}

    def host_inclusive(self) -> dict[str, float]:
        """Instructions of the host's functions with all that they called, without what the testkit
        did in it; what the testkit called of the host is in it."""
        total = self.inclusive()
        calls: dict[str, list[tuple[str, int]]] = collections.defaultdict(list)
        for (caller, callee), cost in self.calls.items():
            if caller != callee:
                calls[caller].append((callee, cost))
        part = dict.fromkeys(total, 1.0)

        def part_of(name: str) -> float:
            own = 0 if is_testkit(name) else self.self_cost.get(name, 0)
            below = sum(cost * (part.get(callee, 1.0) if callee.startswith(HOST) else
                                float(not is_testkit(name))) for callee, cost in calls[name])
            return (own + below) / total[name]

        settle(part, {name: lambda name=name: part_of(name) for name in total
                      if name.startswith(HOST) and total[name] > 0})
        return {name: total[name] * part[name] for name in total
                if name.startswith(HOST) and not is_testkit(name)}


def is_testkit(function: str) -> bool:
    return function.startswith(TESTKIT)


def settle(values: dict[str, float], rules: dict[str, Callable[[], float]]) -> dict[str, float]:
    """Applies rules, which look at each other's values, until nothing changes any more. (Chains of
    calls are short, and what calls in a circle comes near its end quickly.)"""
    for _ in range(200):
        change = 0.0
        for name, rule in rules.items():
            new = rule()
            change = max(change, abs(new - values[name]))
            values[name] = new
        if change < 1e-6:
            break
    return values


def short(function: str) -> str:
    """Without its arguments, what templates were made of, and the type that templates return."""
    name = re.sub(r"\[abi:\w+\]", "", function.replace("(anonymous namespace)::", ""))
    while (shorter := re.sub(r"<[^<>]*>", "", name)) != name:
        name = shorter
    found = re.search(r"(operator [\w\[\]]+|\S+)$", re.sub(r"\(.*", "", name))
    return found.group() if found else function


def parse(text: str) -> Thread:
    self_cost: collections.Counter[str] = collections.Counter()
    calls: collections.Counter[tuple[str, str]] = collections.Counter()
    names: dict[str, str] = {}
    current = {"fn": "", "cfn": ""}
    of_a_call = False
    for line in text.splitlines():
        named = _NAMED.match(line)
        if named:
            kind, number, name = named.groups()
            if name:
                names[number] = short(name)
            current[kind] = names[number]
        elif line.startswith("calls="):
            of_a_call = True
        elif current["fn"] and _COST.match(line):
            cost = int(line.split()[1])
            if of_a_call:
                calls[current["fn"], current["cfn"]] += cost
            else:
                self_cost[current["fn"]] += cost
            of_a_call = False
    return Thread(dict(self_cost), dict(calls))


def read(folder: pathlib.Path) -> list[Thread]:
    """Of each thread, from the files that --separate-threads=yes and
    --callgrind-out-file=FOLDER/out make: out-01, out-02 … (and an empty out, of nobody)."""
    return [parse(file.read_text()) for file in sorted(folder.glob("out-*"))]
