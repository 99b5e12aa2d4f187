"""A `vouch serve` on a store of its own, and the programs that are run beside it."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request

CONFIG = """\
store: {{ name: {name}, partitions: 8 }}
storage: {storage}
brokers: {brokers}
outbound: {outbound}
http: {{ listen: "127.0.0.1:{port}" }}
{more}log: {{ file: "{directory}/log" }}
"""
LOCAL = "{ local: { plugin: broker-local } }"
EVERYTHING = "[ { topic: \"events.{category}\" } ]"
LANES = 4  # append.lanes, its default


class Host:
    """A `vouch serve`. `storage`, `brokers` and `outbound` are what stands under those words in its
    configuration, `more` is further lines of it; "{directory}" in `storage` is the host's own
    directory, which goes away with it. `patience`: seconds until `probe` must answer 200."""

    def __init__(self, binaries: pathlib.Path, parent: str, port: int, storage: str,
                 name: str = "bench", brokers: str = LOCAL, outbound: str = EVERYTHING,
                 more: str = "", patience: float = 20, probe: str = "/readyz"):
        self.directory = tempfile.mkdtemp(prefix="bench-", dir=parent)
        self.port = port
        self.name = name
        self.probe = probe
        self.binaries = binaries
        config = pathlib.Path(self.directory) / "vouch.yaml"
        config.touch(mode=0o600)  # it may hold a password
        config.write_text(CONFIG.format(
            directory=self.directory, port=port, name=name, brokers=brokers, outbound=outbound,
            more=more,
            storage=storage.replace("{directory}", self.directory)))
        begun = time.monotonic()
        self.process = subprocess.Popen([binaries / "vouch", "serve", "--config", config])
        while not self._ready():
            if time.monotonic() > begun + patience or self.process.poll() is not None:
                raise SystemExit(f"the host did not start; see {self.directory}/log")
            time.sleep(0.01)
        #: Seconds from the start of the process until it answered 200.
        self.start_seconds = time.monotonic() - begun

    def _ready(self) -> bool:
        try:
            self.get(self.probe)
            return True
        except OSError:  # no connection yet, or 503
            return False

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return answer.read()

    def delivered(self) -> int:
        return json.loads(self.get("/v1/delivery"))["total"]["delivered"]

    def undelivered(self) -> int:
        return json.loads(self.get("/v1/delivery"))["total"]["undelivered"]

    def wait_delivered(self, patience: float) -> None:
        """Until nothing waits any more, `patience` seconds without an event less at most."""
        least, since = self.undelivered(), time.monotonic()
        while least:
            time.sleep(0.1)
            now = self.undelivered()
            if now < least:
                least, since = now, time.monotonic()
            elif time.monotonic() > since + patience:
                raise SystemExit(f"{least} events are not delivered; see {self.directory}/log")

    def resident_mib(self) -> float:
        """Now."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def memory_mib(self) -> float:
        """The most since its start."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def group_totals(self) -> tuple[float, float]:
        """The transactions that wrote events so far, and their events."""
        found = {"vouch_append_group_events_count": 0.0, "vouch_append_group_events_sum": 0.0}
        for line in self.get("/metrics").decode().splitlines():
            name = line.partition("{")[0].partition(" ")[0]
            if name in found:
                found[name] += float(line.rpartition(" ")[2])
        return tuple(found.values())

    def close(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        shutil.rmtree(self.directory, ignore_errors=True)


def run_program(command: list) -> dict:
    """Runs a program that prints one JSON object; adds the seconds that it took, "took", and those
    of processors, "program_seconds"."""
    begun = time.monotonic()
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen([str(word) for word in command], stdout=output, stderr=errors)
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
        took = time.monotonic() - begun
        output.seek(0)
        errors.seek(0)
        if process.returncode != 0:
            raise SystemExit(f"{command[0]} failed: {errors.read().decode()}")
        figure = json.loads(output.read())
    figure["took"] = took
    figure["program_seconds"] = used.ru_utime + used.ru_stime
    return figure
