"""Measures Vouch on SQLite and the local broker, beside the ceiling: the same rows written straight
into the database. Each round makes each measurement once, on a new store; the table shows median,
minimum and maximum over the rounds, and ratios are taken within a round. Standard library only."""

import argparse
import json
import os
import pathlib
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

CONFIG = """\
store: {{ name: bench, partitions: 8 }}
storage: {{ plugin: storage-sqlite, settings: {{ path: "{directory}/bench.db" }} }}
brokers: {{ local: {{ plugin: broker-local }} }}
http: {{ listen: "127.0.0.1:{port}" }}
log: {{ file: "{directory}/log" }}
"""


class Host:
    """A `vouch serve` on a store of its own, which goes away with it."""

    def __init__(self, binaries: pathlib.Path, parent: str, port: int):
        self.directory = tempfile.mkdtemp(prefix="bench-", dir=parent)
        self.port = port
        config = pathlib.Path(self.directory) / "vouch.yaml"
        config.write_text(CONFIG.format(directory=self.directory, port=port))
        self.process = subprocess.Popen([binaries / "vouch", "serve", "--config", config])
        deadline = time.monotonic() + 20
        while not self._ready():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise SystemExit(f"the host did not start; see {self.directory}/log")
            time.sleep(0.05)

    def _ready(self) -> bool:
        try:
            return self.get("/readyz").startswith(b"ready")
        except OSError:
            return False

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return answer.read()

    def delivered(self) -> int:
        return json.loads(self.get("/v1/delivery"))["total"]["delivered"]

    def memory_mib(self) -> float:
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def close(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        shutil.rmtree(self.directory, ignore_errors=True)


class Bench:
    def __init__(self, options):
        self.options = options
        self.figures: dict[str, list[dict]] = {}

    def run(self) -> None:
        for number in range(1, self.options.rounds + 1):
            print(f"round {number} of {self.options.rounds}", file=sys.stderr, flush=True)
            self._ceiling("ceiling, groups of 32", 32, 1)
            self._load("1 event, 64 connections", connections=64, events=1)
            self._ceiling("ceiling, groups of 500", 500, 100)
            self._load("100 events, 16 connections", connections=16, events=100)
            self._load("1,000 events/s, open loop", connections=64, events=1, rate=1000)

    def _note(self, name: str, figure: dict) -> None:
        self.figures.setdefault(name, []).append(figure)

    def _ceiling(self, name: str, group: int, events: int) -> None:
        with tempfile.TemporaryDirectory(prefix="bench-", dir=self.options.directory) as directory:
            self._note(name, self._program("ceiling-sqlite", "--directory", directory, "--group",
                                           group, "--events", events))

    def _load(self, name: str, connections: int, events: int, rate: int = 0) -> None:
        host = Host(self.options.binaries, self.options.directory, self.options.port)
        try:
            begun = time.monotonic()
            figure = self._program("vouch-load", "--port", self.options.port, "--connections",
                                   connections, "--events", events, "--rate", rate, "--follow")
            # Everything that was appended since the start, and of it what is delivered by now.
            figure["delivered"] = host.delivered()
            figure["delivered_per_second"] = figure["delivered"] / (time.monotonic() - begun)
            figure["memory_mib"] = host.memory_mib()
            refused = {k: v for k, v in figure["statuses"].items() if k != "201"}
            if refused:
                raise SystemExit(f"{name}: appends were refused: {refused}")
            self._note(name, figure)
        finally:
            host.close()

    def _program(self, name: str, *arguments) -> dict:
        command = [self.options.binaries / name, *map(str, arguments), "--seconds",
                   str(self.options.seconds)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{name} failed: {done.stderr}")
        return json.loads(done.stdout)

    def column(self, name: str, key: str) -> list[float]:
        return [figure[key] for figure in self.figures[name]]

    def ratios(self, over: str, under: str) -> list[float]:
        pairs = zip(self.column(over, "events_per_second"), self.column(under, "events_per_second"))
        return [a / b for a, b in pairs]

    def print_table(self) -> None:
        print(f"\n{conditions(self.options)}\n")
        print("| | events/s | delivered/s | behind at the end | append p50 / p99 ms | "
              "append to follower p50 / p99 ms | memory MiB |")
        print("|---|---|---|---|---|---|---|")
        for name, figures in self.figures.items():
            rate = spread(self.column(name, "events_per_second"), "{:,.0f}")
            if "p50_ms" not in figures[0]:
                print(f"| {name} | {rate} | | | | | |")
                continue
            # Appends under way at the end are not counted as appended.
            behind = [max(0, f["appended"] - f["delivered"]) for f in figures]
            print(f"| {name} | {rate} | {spread(self.column(name, 'delivered_per_second'), '{:,.0f}')}"
                  f" | {max(behind):,}"
                  f" | {self._pair(name, 'p50_ms', 'p99_ms')}"
                  f" | {self._pair(name, 'follow_p50_ms', 'follow_p99_ms')}"
                  f" | {spread(self.column(name, 'memory_mib'), '{:.0f}')} |")
        print()
        for over, under in [("1 event, 64 connections", "ceiling, groups of 32"),
                            ("100 events, 16 connections", "ceiling, groups of 500")]:
            print(f"{over} / {under}: {spread(self.ratios(over, under), '{:.2f}')}")

    def _pair(self, name: str, first: str, second: str) -> str:
        return (spread(self.column(name, first), "{:.1f}") + " / "
                + spread(self.column(name, second), "{:.1f}"))


def spread(values: list[float], form: str) -> str:
    middle = form.format(statistics.median(values))
    if len(values) == 1:
        return middle
    return f"{middle} ({form.format(min(values))} to {form.format(max(values))})"


def sync_ms(directory: str) -> float:
    """What one 4 KiB write with fdatasync takes there, the median of 200."""
    with tempfile.NamedTemporaryFile(dir=directory) as file:
        took = []
        for _ in range(200):
            begun = time.perf_counter()
            os.pwrite(file.fileno(), b"x" * 4096, 0)
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - begun)
    return statistics.median(took) * 1000


def conditions(options) -> str:
    return (f"{os.cpu_count()} cores ({platform.machine()}), Linux {platform.release()}; generator, "
            f"follower and host on the same machine; a synced 4 KiB write takes "
            f"{sync_ms(options.directory):.2f} ms; 256 bytes of data in an event; 100,000 streams; "
            f"{options.seconds:g} s after 2 s of warming up; median (minimum to maximum) of "
            f"{options.rounds} rounds.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binaries", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--directory", default=tempfile.gettempdir(), help="on the disk to measure")
    parser.add_argument("--port", type=int, default=17070)
    bench = Bench(parser.parse_args())
    bench.run()
    bench.print_table()


if __name__ == "__main__":
    main()
