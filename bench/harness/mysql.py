"""MariaDB and MySQL: a database for each store, what the server is set to, its processor time."""

import os
import subprocess
import urllib.parse

from processor import listener, own_seconds

DURABLE = {"innodb_flush_log_at_trx_commit": "1", "sync_binlog": "1"}


class Mysql:
    title = "MariaDB"
    variable = "VOUCH_TEST_MYSQL"
    ceiling = "ceiling-mysql"

    def __init__(self, uri: str):
        self.parts = urllib.parse.urlsplit(uri)
        self.process = None
        if self.parts.hostname in ("127.0.0.1", "localhost", "::1"):
            self.process = listener(self.parts.port or 3306)
        self.settings = {name: self._ask(f"SELECT @@{name}") for name in DURABLE}
        self.log_bin = self._ask("SELECT @@log_bin") == "1"
        wanted = dict(DURABLE)
        if not self.log_bin:
            wanted["sync_binlog"] = self.settings["sync_binlog"]
        if self.settings != wanted:
            raise SystemExit(f"the server is not durable, so its figures tell nothing: "
                             f"{self.settings}")
        self.version = self._ask("SELECT VERSION()")

    def _ask(self, sql: str) -> str:
        unquote = urllib.parse.unquote
        command = ["mariadb", "--no-defaults", "--protocol=tcp", f"--host={self.parts.hostname}",
                   f"--port={self.parts.port or 3306}",
                   f"--user={unquote(self.parts.username or '')}", "-N", "-B", "-e", sql]
        environment = {**os.environ, "MYSQL_PWD": unquote(self.parts.password or "")}
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              env=environment)
        if done.returncode != 0:
            raise SystemExit(f"mariadb failed: {done.stderr}")
        return done.stdout.strip()

    def describe(self) -> str:
        return (f"{self.version} ("
                + ", ".join(f"{name} {value}" for name, value in self.settings.items())
                + f", binary log {'on' if self.log_bin else 'off'})")

    def uri(self, store: str) -> str:
        return urllib.parse.urlunsplit(self.parts._replace(path=f"/{store}"))

    def prepare(self, store: str) -> None:
        self.drop(store)
        self._ask(f"CREATE DATABASE {store} CHARACTER SET utf8mb4")

    def drop(self, store: str) -> None:
        self._ask(f"DROP DATABASE IF EXISTS {store}")

    def disk_bytes(self, store: str) -> int:
        """Of the tables' files; the logs are the server's own."""
        return int(float(self._ask(
            "SELECT COALESCE(SUM(file_size), 0) FROM information_schema.innodb_sys_tablespaces "
            f"WHERE name LIKE '{store}/%'")))

    def storage(self, store: str) -> str:
        return '{ plugin: storage-mysql, settings: { uri: "' + self.uri(store) + '" } }'

    def ceiling_arguments(self, store: str) -> list[str]:
        return ["--uri", self.uri(store)]

    def processor_seconds(self) -> float | None:
        """None when the server's process can't be seen from here."""
        return own_seconds(self.process) if self.process else None
