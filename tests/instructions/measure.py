"""Runs the scenarios under callgrind: instructions of the host for each event, by path."""

import concurrent.futures
import dataclasses
import json
import os
import pathlib
import platform
import re
import subprocess
import tempfile

import callgrind

#: Threads of the host by what only they run.
THREADS = {
    "connection": "vouch::http::Connection::",
    "lane": "vouch::append::LaneWriter::",
    "signals": "vouch::saga::PartitionTable::ValidationSink::",
    "saga": "vouch::saga::RouteDelivery::",
    "tailer": "vouch::read::FeedEntry::",
    "followers": "vouch::http::FollowHub::",
}

#: What is measured: of a scenario (scenarios.cpp) the threads that an event passes.
PATHS = {
    "append, 1 event a request": ("one", ["connection", "lane"]),
    "append, 100 events a request": ("hundred", ["connection", "lane"]),
    "append, 100 appends a transaction": ("group", ["lane"]),
    "saga, 1 event a transaction": ("one", ["signals", "saga"]),
    "saga, 100 events a transaction": ("hundred", ["signals", "saga"]),
    "saga, 100 appends a transaction": ("group", ["signals", "saga"]),
    "saga, transactions of another host": ("others", ["signals", "saga"]),
    "read, a stream as NDJSON": ("stream", ["connection"]),
    "follow, 100 events a transaction": ("follower", ["tailer", "followers"]),
}

#: memcpy and its like differ by processor; these are what every x86-64 has. (glibc manual,
#: "Hardware Capability Tunables"; a glibc that does not know a name passes over it.)
BASELINE = "glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-AVX_Fast_Unaligned_Load,-SSSE3,-SSE4_2,-ERMS"

KEPT_FUNCTIONS = 40


@dataclasses.dataclass
class Measured:
    """Of one path: all instructions for each event, and what functions take of them, by themselves
    and (of the host's own) with all that they call."""

    instructions: float
    by_themselves: dict[str, float]
    with_calls: dict[str, float]


def toolchain(compiler: str, flags: str) -> dict[str, str]:
    """What the numbers depend on, beside the source."""
    words = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True)
    # gcc says first by which of its names it was called.
    version = re.sub(r"^\S*[cg]\+\+\S*", "g++", words.stdout.splitlines()[0])
    return {"compiler": version, "flags": flags,
            "library": os.confstr("CS_GNU_LIBC_VERSION") or "", "processor": platform.machine()}


def run_scenario(program: str, valgrind: str, scenario: str) -> tuple[int, list[callgrind.Thread]]:
    """Events, and the threads that worked for them."""
    with tempfile.TemporaryDirectory(prefix="vouch-instructions-") as folder:
        ran = subprocess.run(
            [valgrind, "--tool=callgrind", "--instr-atstart=no", "--separate-threads=yes",
             "--fair-sched=yes", f"--callgrind-out-file={folder}/out", program, scenario],
            env={**os.environ, "GLIBC_TUNABLES": BASELINE}, capture_output=True, text=True)
        if ran.returncode != 0:
            raise RuntimeError(f"{scenario} failed:\n{ran.stdout}{ran.stderr}")
        return json.loads(ran.stdout)["events"], callgrind.read(pathlib.Path(folder))


def sum_up(events: int, threads: list[callgrind.Thread], kinds: list[str]) -> Measured:
    by_themselves: dict[str, float] = {}
    with_calls: dict[str, float] = {}
    for kind in kinds:
        mine = [thread for thread in threads if thread.has(THREADS[kind])]
        if not mine:
            raise RuntimeError(f"no thread ran {THREADS[kind]}: was it renamed?")
        for thread in mine:
            for name, cost in thread.host_cost().items():
                by_themselves[name] = by_themselves.get(name, 0) + cost / events
            for name, cost in thread.host_inclusive().items():
                with_calls[name] = with_calls.get(name, 0) + cost / events
    return Measured(sum(by_themselves.values()), by_themselves, with_calls)


def measure(program: str, valgrind: str, only: str = "") -> dict[str, Measured]:
    """All paths (whose names hold `only`), by name."""
    wanted = {name: path for name, path in PATHS.items() if only in name}
    scenarios = sorted({scenario for scenario, _ in wanted.values()})
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        ran = dict(zip(scenarios, pool.map(
            lambda scenario: run_scenario(program, valgrind, scenario), scenarios)))
    return {name: sum_up(*ran[scenario], threads) for name, (scenario, threads) in wanted.items()}
