"""What figures hold for: the machine, the build, the versions, the disk, the day."""

import datetime
import hashlib
import os
import pathlib
import platform
import subprocess

from figures import sync_ms

#: What a figure depends on besides the server; scripts/bench builds them all, whatever it measures.
PLUGINS = ("broker-kafka", "broker-local", "broker-mqtt", "storage-mysql", "storage-postgres",
           "storage-sqlite")


def processor() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def memory_gib() -> float:
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemTotal"):
            return round(int(line.split()[1]) / 2**20, 1)
    return 0


def build(binaries: pathlib.Path) -> str:
    """A digest of the server and its plugins: figures of two builds are never shown as one."""
    digest = hashlib.sha256()
    plugins = binaries.parent / "lib/vouch/plugins"
    for file in [binaries / "vouch", *(plugins / f"{name}.so" for name in PLUGINS)]:
        if file.exists():
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def version(binaries: pathlib.Path) -> str:
    done = subprocess.run([binaries / "vouch", "--version"], capture_output=True, text=True,
                          check=False)
    return done.stdout.strip()


def run_of(options) -> dict:
    """What must be the same for figures that are compared."""
    return {"build": build(options.binaries), "processor": processor(), "cores": os.cpu_count(),
            "kernel": platform.release(), "seconds": options.seconds, "warm_up": options.warm_up}


def conditions_of(options, servers: str) -> dict:
    """What else is told with each figure."""
    return {"date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "version": version(options.binaries), "servers": servers, "memory_gib": memory_gib(),
            "sync_ms": round(sync_ms(options.directory), 3),
            "load_before": round(os.getloadavg()[0], 2)}
