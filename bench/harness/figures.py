"""Figures of all rounds by the name of their measurement, and how they are written."""

import os
import platform
import statistics
import tempfile
import time


class Figures:
    def __init__(self):
        self.all: dict[str, list[dict]] = {}

    def note(self, name: str, figure: dict) -> None:
        self.all.setdefault(name, []).append(figure)

    def has(self, name: str) -> bool:
        return name in self.all

    def column(self, name: str, key: str) -> list[float]:
        return [figure[key] for figure in self.all[name]]

    def ratios(self, over: str, *under: str, key: str = "events_per_second") -> list[float]:
        """In each round; `under`: the best of these of the round, in events per second."""
        rows = zip(self.column(over, key), *(self.column(u, "events_per_second") for u in under))
        return [row[0] / max(row[1:]) for row in rows]

    def cell(self, name: str, key: str, form: str) -> str:
        if any(figure.get(key) is None for figure in self.all[name]):
            return ""
        return spread(self.column(name, key), form)

    def pair(self, name: str, first: str, second: str) -> str:
        if first not in self.all[name][0]:
            return ""
        return self.cell(name, first, "{:.1f}") + " / " + self.cell(name, second, "{:.1f}")

    def behind(self, name: str) -> int:
        """The most events that were appended and not delivered at the end of a round. Appends under
        way at the end are not counted as appended."""
        return max(max(0, f["appended"] - f["delivered"]) for f in self.all[name])


def spread(values: list[float], form: str) -> str:
    middle = form.format(statistics.median(values))
    if len(values) == 1:
        return middle
    return f"{middle} ({form.format(min(values))} to {form.format(max(values))})"


def print_table(titles: list[str], rows: list[list[str]]) -> None:
    def line(cells: list[str]) -> str:
        return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)

    print(line(titles))
    print("|" + "---|" * len(titles))
    for row in rows:
        print(line(row))


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


def conditions(options, more: str = "") -> str:
    """What the figures hold for; `more` ends with "; " unless it is empty."""
    return (f"{os.cpu_count()} cores ({platform.machine()}), Linux {platform.release()}; generator, "
            f"follower and host on the same machine; {more}a synced 4 KiB write takes "
            f"{sync_ms(options.directory):.2f} ms; 256 bytes of data in an event; 100,000 streams; "
            f"{options.seconds:g} s after 2 s of warming up; median (minimum to maximum) of "
            f"{options.rounds} rounds.")
