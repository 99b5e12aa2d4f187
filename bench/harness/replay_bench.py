"""Live traffic on a host, alone and while it publishes a big history again: how much later an append is
answered, a follower sees it, and the broker has it."""

import http.client
import json
import os
import threading
import time

from embedded import load
from figures import Figures, conditions, print_table, spread
from host import Host

ALONE = "alone"
DEFAULT = "beside a replay at its default rate"
UNBOUNDED = "beside a replay without a bound"
#: Bodies of the replay that goes on meanwhile.
REPLAYS = {ALONE: None, DEFAULT: {"after": "start"}, UNBOUNDED: {"after": "start", "rate": 0}}
MEASURED = ["p50_ms", "p99_ms", "follow_p50_ms", "follow_p99_ms", "out_p50_ms", "out_p99_ms"]
LAG = "vouch_delivery_lag_seconds_bucket"


class Replaying(threading.Thread):
    """Has the host replay, again from the start whenever it is done, until `end`."""

    def __init__(self, port: int, body: dict):
        super().__init__(daemon=True)
        self.published = 0
        self._over = threading.Event()
        self._port, self._body = port, body
        self.start()

    def run(self):
        while not self._over.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
            connection.request("POST", "/v1/delivery:replay", json.dumps(self._body),
                               {"Content-Type": "application/json"})
            answer = connection.getresponse()
            of_this = 0
            while not self._over.is_set() and (line := answer.readline()):
                of_this = json.loads(line).get("published", of_this)
            self.published += of_this
            connection.close()

    def end(self) -> int:
        """Returns how many messages went out."""
        self._over.set()
        self.join()
        return self.published


class ReplayBench:
    def __init__(self, options, server):
        self.options = options
        self.server = server
        self.figures = Figures()
        self.store = f"vouch_bench_{os.getpid()}"
        self.history: list[int] = []

    def run_round(self) -> None:
        self.server.prepare(self.store)
        try:
            host = Host(self.options.binaries, self.options.directory, self.options.port,
                        self.server.storage(self.store))
            try:
                self._measure(host)
            finally:
                host.close()
        finally:
            self.server.drop(self.store)

    def _measure(self, host: Host) -> None:
        options = self.options
        history = load(options, host, "the history", 16, 100, 0, follow=False)["appended"]
        deadline = time.monotonic() + 60
        while json.loads(host.get("/v1/delivery"))["total"]["undelivered"] and time.monotonic() < deadline:
            time.sleep(0.1)
        self.history.append(history)
        for name, body in REPLAYS.items():
            replay = Replaying(options.port, body) if body else None
            before = lag_buckets(host)
            figure = load(options, host, name, 64, 1, 1000)
            passed = {bound: count - before[bound] for bound, count in lag_buckets(host).items()}
            figure["out_p50_ms"], figure["out_p99_ms"] = quantile_ms(passed, 0.5), quantile_ms(passed, 0.99)
            figure["replayed_per_second"] = replay.end() / figure["took"] if replay else 0
            self.figures.note(name, figure)

    def print_report(self) -> None:
        figures = self.figures
        print(f"\nA replay beside live traffic, {self.server.title}, {min(self.history):,} events or more of "
              f"history: {conditions(self.options, self.server.describe() + '; ')}\n")
        print_table(["1,000 events/s, open loop", "replayed/s", "append p50 / p99 ms",
                     "append to follower p50 / p99 ms", "written to outbound p50 / p99 ms (by its histogram)"],
                    [[name, figures.cell(name, "replayed_per_second", "{:,.0f}"),
                      *(figures.pair(name, *MEASURED[at:at + 2]) for at in (0, 2, 4))]
                     for name in REPLAYS])
        print()
        for name in (DEFAULT, UNBOUNDED):
            for key in MEASURED:
                ratios = [beside / alone for beside, alone
                          in zip(figures.column(name, key), figures.column(ALONE, key))]
                print(f"{name} / alone, {key}: {spread(ratios, '{:.2f}')}"
                      + " (target: at most 1.5)" * (name == DEFAULT))


def lag_buckets(host: Host) -> dict[float, float]:
    """How many deliveries took at most so many seconds."""
    found = {}
    for line in host.get("/metrics").decode().splitlines():
        if line.startswith(LAG):
            bound = line.split('le="')[1].split('"')[0]
            found[float(bound.replace("+Inf", "inf"))] = float(line.rpartition(" ")[2])
    return found


def quantile_ms(buckets: dict[float, float], part: float) -> float:
    """Within a bucket evenly spread."""
    below, low = 0.0, 0.0
    wanted = part * max(buckets.values())
    for bound, count in sorted(buckets.items()):
        if count >= wanted and bound != float("inf"):
            return 1000 * (low + (bound - low) * (wanted - below) / max(1, count - below))
        below, low = count, bound
    return 1000 * low
