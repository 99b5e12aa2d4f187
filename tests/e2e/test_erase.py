"""Erased data is gone: from every answer, from the tables, and from the database's own files."""

import pathlib
import secrets
import unittest

from database_faults import say
from database_servers import MariaDbServer, PostgresServer
from vouch_server import ServerTestCase, eventually

REASON = "request 1178 of the owner"


def files_with(directory: pathlib.Path, secret: str, pattern: str = "**/*") -> list[str]:
    """Names of the files that hold the text."""
    found = []
    for path in directory.glob(pattern):
        try:
            if path.is_file() and secret.encode() in path.read_bytes():
                found.append(str(path.relative_to(directory)))
        except FileNotFoundError:
            pass  # a server's file that went away meanwhile
    return found


class ErasureTests:
    """Takes what a server is asked; `stored_secret` and `settle` are the storage's."""

    def fill(self) -> None:
        """Streams whose events lie side by side, small ones and large ones, and their snapshots."""
        self.gone = f"gone-{secrets.token_hex(16)}"
        self.kept = f"kept-{secrets.token_hex(16)}"
        for number in range(20):
            for stream, secret in (("person-1", self.gone), ("person-2", self.kept)):
                event = {"type": "named", "data": {"name": secret, "more": secret * (number * 17)},
                         "metadata": {"by": secret}}
                appended = self.server.append(stream, event, event, query="?ack=delivered",
                                              headers={"Idempotency-Key": f"{stream}-{number}"})
                self.assertEqual(appended.status, 201, appended.body)
        for stream, secret in (("person-1", self.gone), ("person-2", self.kept)):
            for version in (3, 30):
                self.server.request("PUT", f"/v1/streams/{stream}/snapshot",
                                    {"version": version, "data": {"name": secret * version}})
                eventually("the snapshot", lambda: self.server.get(
                    f"/v1/streams/{stream}/snapshot").json.get("version") == version)

    def read(self, stream: str) -> list[dict]:
        return self.server.get(f"/v1/streams/{stream}/events").json["events"]

    def erase(self, stream: str, **more) -> dict:
        answer = self.server.request("POST", f"/v1/streams/{stream}:erase",
                                     {"confirm": True, "reason": REASON, **more})
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json

    def assert_answers_without_it(self) -> None:
        for path in ("/v1/streams/person-1/events", "/v1/streams/person-1/state", "/v1/events?limit=500",
                     "/v1/streams/person-1/events?direction=backward", "/v1/streams/person-1/erasures"):
            self.assertNotIn(self.gone.encode(), self.server.get(path).body, path)

    def test_nothing_is_left_of_it_and_everything_else_is_whole(self):
        self.fill()
        before, other = self.read("person-1"), self.read("person-2")
        self.settle()
        self.assertIn(self.gone, self.stored_secret(self.gone))
        answer = self.erase("person-1")
        self.assertEqual((answer["from"], answer["to"], answer["events"], answer["snapshots"]),
                         (1, 40, 40, 1))
        self.assert_answers_without_it()
        self.settle()
        self.assertEqual(self.stored_secret(self.gone), "")
        self.assertIn(self.kept, self.stored_secret(self.kept))
        self.assertNotIn(REASON, self.server.words())

        after = self.read("person-1")
        for was, now in zip(before, after, strict=True):
            self.assertEqual(now, {**was, "data": None, "metadata": {"erased": answer["time"]}})
        self.assertEqual(self.read("person-2"), other)
        self.assertEqual(self.server.get("/v1/streams/person-2/snapshot").json["version"], 30)

        # A restart changes nothing of that, and the streams go on.
        self.server.stop()
        self.server.start()
        self.assertEqual(self.read("person-1"), after)
        self.assertEqual(self.read("person-2"), other)
        records = self.server.get("/v1/streams/person-1/erasures").json["erasures"]
        self.assertEqual(records, [{"from": 1, "to": 40, "time": answer["time"], "reason": REASON,
                                    "events": 40}])
        repeated = self.server.append(
            "person-1", *[{"type": "named", "data": {"name": self.gone, "more": ""},
                           "metadata": {"by": self.gone}}] * 2,
            headers={"Idempotency-Key": "person-1-0"})
        self.assertEqual(repeated.headers["Idempotent-Replayed"], "true", repeated.body)
        self.assertEqual(self.server.append("person-1").json["first_version"], 41)
        self.assertEqual(self.erase("person-1", to=40)["events"], 0)

    def test_an_erasure_outlives_a_kill_of_the_host(self):
        self.fill()
        answer = self.erase("person-1", **{"from": 11, "to": 30})
        self.server.kill()
        self.server.start()
        events = self.read("person-1")
        self.assertEqual([event["version"] for event in events if event["data"] is None],
                         list(range(11, 31)))
        self.assertEqual(events[10]["metadata"], {"erased": answer["time"]})
        self.assertEqual(self.server.get("/v1/streams/person-1/snapshot").status, 404)
        self.assertEqual(len(self.server.get("/v1/streams/person-1/erasures").json["erasures"]), 1)


class SqliteErasureTestCase(ErasureTests, ServerTestCase):
    def settle(self) -> None:
        """An erasure ends with a checkpoint of its own."""

    def stored_secret(self, secret: str) -> str:
        """The secret, if a file of the store holds it."""
        found = files_with(self.server.directory, secret, "store.db*")
        return f"{secret} in {found}" if found else ""


class ErasureOnServerTests(ErasureTests):
    database_class = None
    starts = False

    def setUp(self):
        missing = self.database_class.missing()
        if missing:
            # ctest looks for this word and counts the test as skipped.
            say(f"SKIPPED: {missing}")
            self.skipTest(missing)
        self.database = self.database_class(**self.database_settings)
        self.addCleanup(self.database.close)
        self.storage = self.database.storage()
        super().setUp()
        self.server.start()

    database_settings: dict = {}

    def stored_secret(self, secret: str) -> str:
        """The secret, if a row of any table, or a file of the tables, holds it."""
        dump = self.dump()
        found = files_with(self.database.directory / "data", secret, self.table_files)
        in_rows = secret in dump or secret.encode().hex() in dump.lower()
        if in_rows != bool(found):
            raise AssertionError(f"in rows: {in_rows}; in files: {found}")
        return f"{secret} in {found}" if found else ""


class PostgresErasureTestCase(ErasureOnServerTests, ServerTestCase):
    database_class = PostgresServer
    table_files = "base/**/*"

    def settle(self) -> None:
        self.database.query("VACUUM FULL")
        self.database.query("CHECKPOINT")

    def dump(self) -> str:
        tables = self.database.query(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'vouch'").split()
        return "".join(self.database.query(f"SELECT * FROM vouch.{table}") for table in tables)


class MariaDbErasureTestCase(ErasureOnServerTests, ServerTestCase):
    database_class = MariaDbServer
    table_files = "vouch/*"

    def settle(self) -> None:
        for table in ("vouch_events", "vouch_snapshots"):
            self.database.query(f"OPTIMIZE TABLE {table}")
            self.database.query(f"FLUSH TABLES {table} FOR EXPORT; UNLOCK TABLES")

    def dump(self) -> str:
        columns: dict[str, list[str]] = {}
        for line in self.database.query("SELECT table_name, column_name FROM information_schema.columns "
                                        "WHERE table_schema = 'vouch'").splitlines():
            table, column = line.split()
            columns.setdefault(table, []).append(f"HEX({column})")
        return "".join(self.database.query(f"SELECT {', '.join(those)} FROM {table}")
                       for table, those in columns.items())


if __name__ == "__main__":
    unittest.main()
