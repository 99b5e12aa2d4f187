"""Other event stores on the same PostgreSQL, each in a database of its own for each measurement:
message-db and Emmett, driven as they are used, by node and its pool of connections. Each is
measured with several numbers of connections and of node processes; of a round the best counts."""

import os
import pathlib
import shutil
import subprocess
import sys
import urllib.parse

from host import run_program

SOURCES = pathlib.Path(__file__).resolve().parent.parent / "peers"
MESSAGE_DB = "message-db, 1 event"
EMMETT = "Emmett, 1 event"
EMMETT_HUNDREDS = "Emmett, 100 events"
# Connections, node processes.
VARIANTS = {
    MESSAGE_DB: [(16, 1), (32, 1), (64, 1), (32, 2)],
    EMMETT: [(8, 1), (32, 1), (32, 2)],
    EMMETT_HUNDREDS: [(8, 1), (16, 1), (16, 2)],
}


def npm_error(output: str) -> str:
    """The beginning of what npm says about it: a code, and mostly the reason."""
    lines = [line.removeprefix("npm error ") for line in output.splitlines()
             if line.startswith("npm error ")]
    return "; ".join(lines[:4]) or "it said nothing"


def limits(figure: dict) -> str:
    """What it was measured with and how busy that was, in shares of one processor."""
    database = figure["server_busy"]
    return (f"{figure['note']}, node {figure['busy']:.0%}"
            + ("" if database is None else f", database {database:.0%}"))


class Peers:
    def __init__(self, options, server):
        self.options = options
        self.server = server
        self.directory = options.peers

    @staticmethod
    def fetch(directory: pathlib.Path) -> str | None:
        """Puts the programs and, with npm, what they need into `directory`. Returns why it could
        not."""
        if not shutil.which("npm") or not shutil.which("node"):
            return "node and npm are missing; install the packages nodejs and npm"
        directory.mkdir(parents=True, exist_ok=True)
        for source in SOURCES.iterdir():
            shutil.copy(source, directory)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        try:
            done = subprocess.run(command, cwd=directory, capture_output=True, text=True,
                                  timeout=300, check=False)
        except subprocess.TimeoutExpired:
            return "npm did not answer within 300 s"
        if done.returncode != 0:
            return f"npm could not fetch the packages: {npm_error(done.stderr)}"
        return None

    def run_round(self, note) -> None:
        """Calls `note(name, figure)` with the best figure of each peer."""
        for name in VARIANTS:
            note(name, self.best_of(name))

    def best_of(self, name: str) -> dict:
        program = "message_db.js" if name == MESSAGE_DB else "emmett.js"
        best = None
        for connections, processes in VARIANTS[name]:
            figure = self._measure(program, connections, processes,
                                   100 if name == EMMETT_HUNDREDS else 1)
            figure["note"] = (f"{connections} connections of {processes} node "
                              f"process{'es' if processes > 1 else ''}")
            print(f"  {name}: {figure['events_per_second']:,.0f} events/s, {limits(figure)}",
                  file=sys.stderr, flush=True)
            if best is None or figure["events_per_second"] > best["events_per_second"]:
                best = figure
        return best

    def _measure(self, program: str, connections: int, processes: int, events: int) -> dict:
        database = f"vouch_bench_peer_{os.getpid()}"
        self.server.drop_database(database)
        role_there = self.server.role_there("message_store")
        try:
            if program == "message_db.js":
                self._install_message_db(database)
            else:
                self.server.create_database(database)
                # Emmett makes its tables before several processes could race for it.
                self._run(program, database, 1, 1, 1, seconds=0.1, warm_up=0)
            self.server.checkpoint()
            before = self.server.processor_seconds()
            figure = self._run(program, database, connections, processes, events,
                               self.options.seconds, 2)
            after = self.server.processor_seconds()
            # Over the whole run, the start of node included.
            micros = 1e6 / max(1, figure["appended"])
            figure["server_us"] = None if before is None else (after - before) * micros
            figure["program_us"] = figure["program_seconds"] * micros
            figure["busy"] = figure["program_seconds"] / figure["took"]
            figure["server_busy"] = None if before is None else (after - before) / figure["took"]
            return figure
        finally:
            self.server.drop_database(database)
            if program == "message_db.js" and not role_there:
                self.server.drop_role("message_store")

    def _run(self, program: str, database: str, connections: int, processes: int, events: int,
             seconds: float, warm_up: float) -> dict:
        return run_program(["node", self.directory / program, "--uri", self.server.uri_of(database),
                            "--connections", connections, "--processes", processes, "--events",
                            events, "--seconds", seconds, "--warm-up", warm_up])

    def _install_message_db(self, database: str) -> None:
        """With its own script, which takes the server from the environment."""
        parts = self.server.parts
        environment = {
            **os.environ, "DATABASE_NAME": database, "PGHOST": parts.hostname or "127.0.0.1",
            "PGPORT": str(parts.port or 5432), "PGUSER": urllib.parse.unquote(parts.username or ""),
            "PGPASSWORD": urllib.parse.unquote(parts.password or "")}
        script = self.directory / "node_modules/@eventide/message-db/database/install.sh"
        done = subprocess.run(["bash", script], capture_output=True, text=True, env=environment,
                              check=False)
        if done.returncode != 0:
            raise SystemExit(f"message-db could not be installed: {done.stderr}")
