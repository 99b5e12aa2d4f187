"""PostgreSQL: a schema for each store, what the server is set to, and its processor time."""

import subprocess
import urllib.parse

from processor import family_seconds, listener

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


class Postgres:
    title = "PostgreSQL"
    variable = "VOUCH_TEST_POSTGRES"
    ceiling = "ceiling-postgres"

    def __init__(self, uri: str):
        self.uri = uri
        self.parts = urllib.parse.urlsplit(uri)
        self.process = None
        if self.parts.hostname in ("127.0.0.1", "localhost", "::1"):
            self.process = listener(self.parts.port or 5432)
        self.settings = {name: self._ask(f"SHOW {name}") for name in DURABLE}
        if self.settings != DURABLE:
            raise SystemExit(f"the server is not durable, so its figures tell nothing: "
                             f"{self.settings}")
        self.version = self._ask("SHOW server_version").split()[0]

    def _ask(self, *statements: str) -> str:
        """Each in a transaction of its own. What they answer."""
        command = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.uri]
        for sql in statements:
            command += ["-c", sql]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"psql failed: {done.stderr}")
        return done.stdout.strip()

    def describe(self) -> str:
        return (f"PostgreSQL {self.version} ("
                + ", ".join(f"{name} {value}" for name, value in self.settings.items()) + ")")

    def prepare(self, store: str) -> None:
        """A store's place, free of what an earlier run left there. The plugin makes the schema. What
        an earlier measurement wrote is out of the way of the next one."""
        self.drop(store)
        self.checkpoint()

    def checkpoint(self) -> None:
        self._ask("CHECKPOINT")

    def drop(self, store: str) -> None:
        self._ask(f'SET client_min_messages = warning; DROP SCHEMA IF EXISTS "{store}" CASCADE')

    def disk_bytes(self, store: str) -> int:
        """Of the tables with their indexes; the write-ahead log is the server's own."""
        return int(self._ask(
            "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace "
            f"WHERE n.nspname = '{store}' AND c.relkind = 'r'"))

    def storage(self, store: str) -> str:
        return ('{ plugin: storage-postgres, settings: { uri: "' + self.uri
                + f'", schema: {store} }} }}')

    def ceiling_arguments(self, store: str) -> list[str]:
        return ["--uri", self.uri, "--schema", store]

    def processor_seconds(self) -> float | None:
        """None when the server's processes can't be seen from here."""
        return family_seconds(self.process) if self.process else None

    def uri_of(self, database: str) -> str:
        return urllib.parse.urlunsplit(self.parts._replace(path=f"/{database}"))

    def create_database(self, database: str) -> None:
        self._ask(f"CREATE DATABASE {database}")

    def drop_database(self, database: str) -> None:
        self._ask("SET client_min_messages = warning", f"DROP DATABASE IF EXISTS {database}")

    def role_there(self, role: str) -> bool:
        return self._ask(f"SELECT 1 FROM pg_roles WHERE rolname = '{role}'") == "1"

    def drop_role(self, role: str) -> None:
        self._ask(f"DROP ROLE IF EXISTS {role}")
