"""The table of docs/conformance.md: which case of the suite passes with which plugin, and which is left
out for what reason. Rendered from reports of `vouch-conformance --format json`, and read back from the
page, so that tests can hold their own runs against it. Run by scripts/conformance-table."""

import dataclasses
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs/conformance.md"
BEGIN = "<!-- Written by scripts/conformance-table, from here -->\n"
END = "<!-- to here -->\n"

#: The plugins of this tree, and what they are tried on; those that are built out of it follow.
IN_TREE = {
    "storage-sqlite": "a file in each case's directory",
    "storage-postgres": "PostgreSQL, through the proxy; a schema for each case",
    "storage-mysql": "MariaDB, through the proxy; a database for each case",
    "broker-local": "nothing: it lives in the process",
    "broker-kafka": "Apache Kafka, through the proxy, killed and started again",
    "broker-mqtt": "Mosquitto, through the proxy, killed and started again",
}
TEMPLATE = {"storage-journal": "storage", "broker-files": "broker"}


def out_of_tree() -> dict[str, pathlib.Path]:
    """Plugins that are built as a stranger's are: their names, and the folder of the project."""
    found = {name: ROOT / "sdk/template" for name in TEMPLATE}
    for folder in sorted((ROOT / "examples").glob("*/conformance.yaml")):
        found[folder.parent.name] = folder.parent
    return found


def all_plugins() -> list[str]:
    """In the order of the columns."""
    names = [*IN_TREE, *out_of_tree()]
    return sorted(names, key=lambda name: name.startswith("broker-"))


def kind_of(plugin: str) -> str:
    return plugin.partition("-")[0]


def short(plugin: str) -> str:
    return plugin.partition("-")[2]


@dataclasses.dataclass(frozen=True)
class Case:
    id: str
    level: str
    promised: str
    contract: str
    kinds: tuple[str, ...]

    @staticmethod
    def all_of(listed: dict) -> list["Case"]:
        """Of what `vouch-conformance --list --format json` says."""
        return [Case(one["id"], one["level"], one["promised"], one["contract"], tuple(one["kinds"]))
                for one in listed["cases"]]


class Table:
    """`cells[plugin][case]`: empty for a case that passed, or why it was left out."""

    def __init__(self, cells: dict[str, dict[str, str]]):
        self.cells = cells

    @staticmethod
    def recorded() -> "Table":
        return Table.read(PAGE.read_text())

    @staticmethod
    def read(page: str) -> "Table":
        region = page[page.index(BEGIN) + len(BEGIN):page.index(END)]
        reasons = {number: reason
                   for number, reason in re.findall(r"^(\d+)\. (.*)$", region, re.M)}
        names = {short(plugin): plugin for plugin in re.findall(r"^\| `([\w-]+)` \|", region, re.M)}
        cells: dict[str, dict[str, str]] = {plugin: {} for plugin in names.values()}
        columns: list[str] = []
        for line in region.splitlines():
            row = [cell.strip() for cell in line.strip("|").split("|")]
            if row[0] == "Case":
                columns = [names[head] for head in row[3:]]
            case = re.fullmatch(r"`([\w.]+\.[\w.]+)`", row[0])
            for plugin, mark in zip(columns, row[3:]) if case else ():
                if mark != NOT_FOR_IT:
                    cells[plugin][case[1]] = "" if mark == PASSED else reasons[mark.strip("()")]
        return Table(cells)

    def add(self, plugin: str, report: dict) -> None:
        """A column. All cases of the report passed or were skipped."""
        self.cells[plugin] = {case["id"]: case.get("reason", "") for case in report["cases"]}

    def left_out(self, plugin: str) -> dict[str, str]:
        return {case: reason for case, reason in self.cells[plugin].items() if reason}

    def missing(self, cases: list[Case], plugins: list[str]) -> list[str]:
        """What the table does not know, in words."""
        found = [f"{plugin} has no column" for plugin in plugins if plugin not in self.cells]
        found += [f"{plugin} has a column and is no plugin of this tree"
                  for plugin in self.cells if plugin not in plugins]
        ids = {case.id for case in cases}
        for plugin, column in self.cells.items():
            wanted = {case.id for case in cases if kind_of(plugin) in case.kinds}
            found += [f"{case} has no mark for {plugin}" for case in sorted(wanted - set(column))]
            found += [f"{case}, marked for {plugin}, is no case of the suite"
                      for case in sorted(set(column) - ids)]
        return found

    def render(self, cases: list[Case]) -> str:
        plugins = [plugin for plugin in all_plugins() if plugin in self.cells]
        reasons: list[str] = []
        for plugin in plugins:
            for case in cases:
                reason = self.cells[plugin].get(case.id)
                if reason and reason not in reasons:
                    reasons.append(reason)
        out = ["| Plugin | Tried on | Passed | Left out |", "|---|---|--:|--:|"]
        for plugin in plugins:
            left_out = len(self.left_out(plugin))
            tried = IN_TREE.get(plugin, "as its own `conformance.yaml` and build say, out of this tree")
            out.append(f"| `{plugin}` | {tried} | {len(self.cells[plugin]) - left_out} | {left_out} |")
        groups = (("Every plugin", ("storage", "broker"),
                   lambda case: case.level in ("binary", "settings", "lifecycle")),
                  ("Storages", ("storage",), lambda case: case.id.startswith("storage.")),
                  ("Brokers", ("broker",), lambda case: case.id.startswith("broker.")))
        for title, kinds, belongs in groups:
            columns = [plugin for plugin in plugins if kind_of(plugin) in kinds]
            if columns:
                out += ["", f"### {title}", *self._rows(columns, list(filter(belongs, cases)), reasons)]
        out += ["", "### Reasons", ""]
        out += [f"{number}. {reason}" for number, reason in enumerate(reasons, 1)]
        return "\n".join(out) + "\n"

    def _rows(self, columns: list[str], cases: list[Case], reasons: list[str]) -> list[str]:
        heads = " | ".join(map(short, columns))
        out = [f"| Case | What it demands | Level | {heads} |", "|---|---|---|" + ":-:|" * len(columns)]
        section = ""
        # One block for each section of the contract, in the order of their first cases.
        order = list(dict.fromkeys(case.contract for case in cases))
        for case in sorted(cases, key=lambda case: order.index(case.contract)):
            if case.contract != section:
                section = case.contract
                document, _, anchor = section.partition("#")
                words = anchor.replace("-", " ").capitalize()
                link = f"{document.removeprefix('docs/')}#{anchor}"
                out.append(f"| **[{words}]({link})** | | |" + " |" * len(columns))
            marks = " | ".join(self._mark(plugin, case, reasons) for plugin in columns)
            out.append(f"| `{case.id}` | {case.promised} | {case.level} | {marks} |")
        return out

    def _mark(self, plugin: str, case: Case, reasons: list[str]) -> str:
        reason = self.cells[plugin].get(case.id)
        if reason is None:
            return NOT_FOR_IT
        return f"({reasons.index(reason) + 1})" if reason else PASSED


PASSED = "✓"
NOT_FOR_IT = "–"


def page_with(table: Table, cases: list[Case]) -> str:
    """The page with this table in its place."""
    page = PAGE.read_text()
    before = page[:page.index(BEGIN) + len(BEGIN)]
    return before + table.render(cases) + page[page.index(END):]
