"""Processor time of processes of this machine, from /proc (proc(5))."""

import os
import pathlib

TICKS = os.sysconf("SC_CLK_TCK")
LISTENING = "0A"


def _stat(process: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name: [0] is the state, field 3 of the manual page."""
    return pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()


def own_seconds(process: int) -> float:
    fields = _stat(process)
    return (int(fields[11]) + int(fields[12])) / TICKS


def family_seconds(process: int) -> float:
    """Of a process and its children: of those that live, and of those that it has waited for."""
    fields = _stat(process)
    total = sum(int(field) for field in fields[11:15]) / TICKS
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            if int(_stat(int(entry))[1]) == process:
                total += own_seconds(int(entry))
        except (FileNotFoundError, ProcessLookupError):
            pass  # it ended between the listing and the look
    return total


def listener(port: int) -> int | None:
    """The process that listens on a TCP port of this machine; None when there is none to be seen."""
    sockets = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = pathlib.Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                sockets.add(f"socket:[{fields[9]}]")
    holders = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()
               and _holds(int(entry), sockets)]
    # Children may hold it too; theirs is the one whose parent does not.
    for process in holders:
        if int(_stat(process)[1]) not in holders:
            return process
    return None


def _holds(process: int, sockets: set[str]) -> bool:
    try:
        return any(os.readlink(link) in sockets for link in os.scandir(f"/proc/{process}/fd"))
    except OSError:
        return False  # another user's, or gone
