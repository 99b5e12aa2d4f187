"""The file of results: one line of JSON for each measurement, with what it holds for. A run that
was interrupted goes on where it stopped: what is in the file is not measured again, unless it was
measured on something else (another build, machine or length), which counts as another run."""

import dataclasses
import json
import pathlib
import statistics


@dataclasses.dataclass(frozen=True)
class Cell:
    """What was measured: `what` (Vouch, or what it is compared with) of `suite`, `on` a pair, with
    so many events in a request, connections and bytes of data; `size` is the number of events that
    the store held."""

    suite: str
    on: str
    what: str
    events: int = 0
    connections: int = 0
    payload: int = 0
    size: int = 0

    def named(self, what: str) -> "Cell":
        """The same, of something else."""
        return dataclasses.replace(self, what=what)


class Results:
    """`run`: what must be the same for all figures that are shown together. Without it (a report):
    that of the last line."""

    def __init__(self, path: pathlib.Path, run: dict | None = None):
        self.path = path
        self.conditions: dict[str, dict] = {}
        self._figures: dict[Cell, dict[int, dict]] = {}
        lines = _lines(path)
        if run is None:
            if not lines:
                raise SystemExit(f"{path} holds no results: measure first")
            run = lines[-1]["run"]
        self.run = run
        #: Lines of other runs, which are left alone.
        self.others = sum(line["run"] != run for line in lines)
        for line in lines:
            if line["run"] == run:
                self._take(line)

    def _take(self, line: dict) -> None:
        cell = Cell(**line["cell"])
        self._figures.setdefault(cell, {})[line["round"]] = line["figure"]
        self.conditions[cell.on] = line["conditions"]

    def has(self, cell: Cell, number: int) -> bool:
        return number in self._figures.get(cell, {})

    def note(self, cell: Cell, number: int, figure: dict, conditions: dict) -> None:
        """Writes it through, so that nothing is lost by whatever comes next."""
        line = {"run": self.run, "cell": dataclasses.asdict(cell), "round": number,
                "figure": figure, "conditions": conditions}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            if _torn(self.path):
                file.write("\n")
            file.write(json.dumps(line) + "\n")
        self._take(line)

    def cells(self, **wanted) -> list[Cell]:
        """In the order of their first measurement."""
        return [cell for cell in self._figures
                if all(getattr(cell, name) == value for name, value in wanted.items())]

    def rounds(self, cell: Cell) -> dict[int, dict]:
        """The figures by the number of their round."""
        return self._figures.get(cell, {})

    def column(self, cell: Cell, key: str) -> list[float]:
        return [value for _, value in sorted(self.by_round(cell, key).items())]

    def by_round(self, cell: Cell, key: str) -> dict[int, float]:
        return {number: figure[key] for number, figure in self.rounds(cell).items()
                if figure.get(key) is not None}


def _lines(path: pathlib.Path) -> list[dict]:
    """A last line that was torn when its run was killed is left out; torn ones elsewhere too, since
    a later run wrote behind it."""
    found = []
    if path.exists():
        for text in path.read_text(encoding="utf-8").splitlines():
            try:
                found.append(json.loads(text))
            except json.JSONDecodeError:
                continue
    return found


def _torn(path: pathlib.Path) -> bool:
    if not path.exists() or path.stat().st_size == 0:
        return False
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) != b"\n"


def ratios(over: dict[int, float], *under: dict[int, float]) -> list[float]:
    """Of the rounds that all have, in their order; the greatest of `under` in each round counts."""
    numbers = sorted(set(over).intersection(*under)) if under else []
    return [over[number] / best for number in numbers
            if (best := max(column[number] for column in under)) > 0]


def largest(*columns: dict[int, float]) -> dict[int, float]:
    """In each round that all have."""
    if not columns:
        return {}
    numbers = set(columns[0]).intersection(*columns[1:])
    return {number: max(column[number] for column in columns) for number in numbers}


@dataclasses.dataclass(frozen=True)
class Spread:
    """A median and between what the rounds lie."""

    median: float
    low: float
    high: float
    rounds: int

    @staticmethod
    def of(values: list[float]) -> "Spread | None":
        if not values:
            return None
        return Spread(statistics.median(values), min(values), max(values), len(values))

    def text(self, form: str) -> str:
        middle = form.format(self.median)
        if self.rounds == 1:
            return middle
        return f"{middle} ({form.format(self.low)} to {form.format(self.high)})"
