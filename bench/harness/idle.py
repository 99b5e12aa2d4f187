"""What a host costs that has nothing to do: its share of a core, and how often threads wake up."""

import dataclasses
import pathlib
import time
from collections.abc import Iterator

from host import Host
from matrix import Step
from pair import Pair
from results import Cell

SETTLE = 3  # seconds after the start
IDLE = "an idle host"


@dataclasses.dataclass(frozen=True)
class Threads:
    """Of one process, at one time: nanoseconds on a processor and how often each gave it up to
    wait. A thread that waits again has been woken up before."""

    nanoseconds: dict[str, int]
    waits: dict[str, int]
    names: dict[str, str]

    @staticmethod
    def of(process: int) -> "Threads":
        found = Threads({}, {}, {})
        for task in pathlib.Path(f"/proc/{process}/task").iterdir():
            try:
                spent = (task / "schedstat").read_text().split()[0]
                status = (task / "status").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended between the listing and the look
            found.nanoseconds[task.name] = int(spent)
            found.waits[task.name] = int(
                status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])
            found.names[task.name] = status.partition("Name:")[2].split("\n")[0].strip()
        return found


def idle_figure(before: Threads, after: Threads, seconds: float) -> dict:
    """Threads that came between the two count from their beginning."""
    waits = {task: (after.waits[task] - before.waits.get(task, 0)) / seconds
             for task in after.waits}
    spent = sum(after.nanoseconds[task] - before.nanoseconds.get(task, 0)
                for task in after.nanoseconds)
    busiest = max(waits, key=waits.get)
    return {"core_share": spent / 1e9 / seconds, "threads": len(waits),
            "wakeups_per_second": sum(waits.values()),
            "fastest_thread_per_second": waits[busiest], "fastest_thread": after.names[busiest]}


def steps(pair: Pair, seconds: float) -> Iterator[Step]:
    yield Step(Cell("idle", pair.name, IDLE), lambda: _measure(pair, seconds))


def _measure(pair: Pair, seconds: float) -> dict:
    with pair.empty_host() as host:
        return watch(host, seconds)


def watch(host: Host, seconds: float) -> dict:
    time.sleep(SETTLE)
    before, begun = Threads.of(host.process.pid), time.monotonic()
    time.sleep(seconds)
    after = Threads.of(host.process.pid)
    return idle_figure(before, after, time.monotonic() - begun) | {
        "resident_mib": host.resident_mib()}
