"""The matrix: each pair with single events and requests of 100, on 1 to 256 connections, with small
and large payloads, beside its ceilings and baselines. A round measures everything once, what is
compared one after the other; what the file of results has already is passed over."""

import dataclasses
import sys
from collections.abc import Callable, Iterator

import peers
from conditions import conditions_of
from host import LANES
from pair import MOST_OUTBOX_CONNECTIONS, Pair
from results import Cell, Results

VOUCH = "Vouch"
BARE_WRITER = "bare writer"  # see bare_writer()
BARE_PRODUCER = "bare producer"
OUTBOX = "outbox table"
QUICK_OUTBOX = "outbox table polled each 10 ms"
AT_1000 = ", 1,000 events/s"
OPEN_LOOP = VOUCH + AT_1000
HALF_RATE = "Vouch at half of its highest rate"
ROUND_TRIPS = "a synced write and a round trip to the broker"

#: Events of a group of the bare writer, by events of a request.
GROUPS = {1: (32, 128), 100: (100, 500)}
POLL_MS = 100


@dataclasses.dataclass(frozen=True)
class Plan:
    requests: tuple[int, ...] = (1, 100)
    connections: tuple[int, ...] = (1, 16, 64, 256)
    payloads: tuple[int, ...] = (256, 4096)
    rounds: int = 5

    @staticmethod
    def short() -> "Plan":
        return Plan(connections=(1, 64), payloads=(256,), rounds=3)


@dataclasses.dataclass(frozen=True)
class Step:
    cell: Cell
    measure: Callable[[], dict]


def bare_writer(sessions: int, group: int) -> str:
    return f"{BARE_WRITER}, {sessions} session{'s' * (sessions > 1)}, groups of {group}"


def ceilings(results: Results, cell: Cell) -> list[Cell]:
    """The bare writers that a cell of Vouch is compared with. A single connection has one request
    on its way: it is compared with one session that writes one request at a time."""
    if cell.connections == 1:
        return [cell_of_bare(cell, bare_writer(1, cell.events))]
    return [bare for bare in results.cells(suite="matrix", on=cell.on, events=cell.events,
                                           payload=cell.payload)
            if bare.what.startswith(BARE_WRITER)]


def cell_of_bare(cell: Cell, what: str) -> Cell:
    return dataclasses.replace(cell, what=what, connections=0)


def steps(pair: Pair, plan: Plan, results: Results, number: int) -> Iterator[Step]:
    """Of one round, in the order in which they are measured."""
    for payload in plan.payloads:
        if pair.broker:
            yield Step(Cell("matrix", pair.name, BARE_PRODUCER, payload=payload),
                       lambda payload=payload: pair.bare_producer(payload))
        for events in plan.requests:
            yield from _bare_writers(pair, events, payload)
            for connections in plan.connections:
                yield from _loads(pair, events, connections, payload)
    yield from _latencies(pair, results, number)
    if pair.peers:
        for name in peers.VARIANTS:
            yield Step(Cell("matrix", pair.name, name, payload=256),
                       lambda name=name: pair.peer(name))


def _bare_writers(pair: Pair, events: int, payload: int) -> Iterator[Step]:
    sessions = 1 if pair.storage == "sqlite" else LANES  # SQLite has one writer
    ways = {(1, events): None} | {(sessions, group): None for group in GROUPS[events]}
    for lanes, group in ways:
        yield Step(Cell("matrix", pair.name, bare_writer(lanes, group), events=events,
                        payload=payload),
                   lambda lanes=lanes, group=group: pair.bare_writer(events, payload, lanes, group))


def _loads(pair: Pair, events: int, connections: int, payload: int) -> Iterator[Step]:
    cell = Cell("matrix", pair.name, VOUCH, events, connections, payload)
    yield Step(cell, lambda: pair.vouch(events, connections, payload))
    if pair.name == "postgres+kafka" and connections <= MOST_OUTBOX_CONNECTIONS:
        yield Step(cell.named(OUTBOX),
                   lambda: pair.outbox(events, connections, payload, 0, POLL_MS))


def _latencies(pair: Pair, results: Results, number: int) -> Iterator[Step]:
    """At rates that leave room: what one waits for when nothing is queued."""
    cell = Cell("matrix", pair.name, OPEN_LOOP, 1, 64, 256)
    yield Step(cell, lambda: pair.vouch(1, 64, 256, rate=1000))
    if pair.name == "postgres+kafka":
        yield Step(cell.named(OUTBOX + AT_1000),
                   lambda: pair.outbox(1, 64, 256, 1000, POLL_MS))
        yield Step(cell.named(QUICK_OUTBOX + AT_1000),
                   lambda: pair.outbox(1, 64, 256, 1000, 10))
    yield Step(Cell("matrix", pair.name, ROUND_TRIPS), pair.round_trips)
    highest = results.rounds(cell.named(VOUCH)).get(number)
    if highest:
        yield Step(cell.named(HALF_RATE),
                   lambda: pair.vouch(1, 64, 256, rate=highest["events_per_second"] / 2))


def run(pair: Pair, plan: Plan, results: Results) -> None:
    for number in range(1, plan.rounds + 1):
        print(f"{pair.title}: round {number} of {plan.rounds}", file=sys.stderr, flush=True)
        measure(steps(pair, plan, results, number), number, results, pair)


def measure(todo: Iterator[Step], number: int, results: Results, pair: Pair) -> None:
    """Those that the results do not have."""
    conditions = None
    for step in todo:
        if results.has(step.cell, number):
            continue
        conditions = conditions or conditions_of(pair.options, pair.describe())
        figure = step.measure()
        results.note(step.cell, number, figure, conditions)
        print(f"  {described(step.cell)}: {headline(figure)}", file=sys.stderr, flush=True)


def described(cell: Cell) -> str:
    parts = [cell.what]
    if cell.size:
        parts.append(f"store of {cell.size:,}")
    if cell.events:
        parts.append(f"{cell.events} event{'s' * (cell.events > 1)}")
    if cell.connections:
        parts.append(f"{cell.connections} connection{'s' * (cell.connections > 1)}")
    if cell.payload:
        parts.append(f"{cell.payload:,} B")
    return ", ".join(parts)


def headline(figure: dict) -> str:
    if "events_per_second" in figure:
        return f"{figure['events_per_second']:,.0f} events/s"
    return ", ".join(f"{key} {value:,.3g}" for key, value in figure.items()
                     if isinstance(value, (int, float)))
