"""`vouch prove`: trials that hold, trials that find what is broken, and nothing left behind."""

import json
import re
import shutil
import signal
import subprocess
import time
import unittest

from broker_servers import PATHS, Kafka, Mosquitto, broker_settings
from database_servers import MariaDbServer, PostgresServer
from prove_case import LONG_SECONDS, Page, ProveTestCase
from vouch_server import PATIENCE, SANITIZED, eventually


class ProveSqliteTestCase(ProveTestCase):
    """On an SQLite file and the local broker."""

    CONFIG = """\
storage: {{ plugin: storage-sqlite, settings: {{ path: "{path}" }} }}
brokers: {{ local: {{ plugin: broker-local, settings: {{ {broker} }} }} }}
"""

    def configure(self, broker: str = "") -> None:
        self.config.write_text(self.CONFIG.format(path="${DATA:-users.db}", broker=broker))

    def test_the_promise_holds_and_the_report_is_one_file(self):
        self.configure()
        done = self.prove("--hosts", "2", seconds=LONG_SECONDS)
        self.assert_held(done)
        self.assertIn("The storage takes one host only", done.stderr)
        self.assertIn("kill -9", done.stdout)
        self.assertIn("2 of 100 validation messages were lost on purpose", done.stdout)
        page = Page(self.report.read_text())
        self.assertEqual(page.loads, [])
        self.assertEqual(page.elements.count("svg"), 2)
        self.assertEqual(sorted(path.name for path in self.directory.iterdir()),
                         ["report.html", "tmp", "vouch.yaml"])
        self.assert_nothing_is_left()

    @unittest.skipIf(SANITIZED, "it takes time, and nothing that other tests here don't do")
    def test_the_same_seed_gives_the_same_faults(self):
        self.configure()
        faults = []
        for _ in range(2):
            self.assertEqual(self.prove(seconds=8).returncode, 0)
            rows = re.findall(r"<tr><td>[\d.]+</td><td>[\d.]+</td>(<td class=\"t\">.*)</tr>",
                              self.report.read_text())
            self.assertGreater(len(rows), 1)
            faults.append(rows)
        self.assertEqual(faults[0], faults[1])

    def test_a_broker_that_loses_what_it_acknowledged_breaks_the_promise(self):
        self.configure('drop_percent: 5, drop_topics: ["vouch-prove-"]')
        done = self.prove(seconds=8)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertTrue(done.stdout.endswith("\nthe promise was broken\n"), done.stdout)
        self.assertRegex(done.stdout, r"is stored and never went out on vouch-prove-\w+\.events\.")
        self.assertRegex(done.stdout, r"history of (hot|many)-")
        self.assertIn("is stored and never went out", self.report.read_text())
        self.assert_nothing_is_left()

    def interrupted(self, signals: int) -> tuple[int, str, str]:
        """Exit code and words of a trial that got so many signals while it ran."""
        self.configure()
        process = subprocess.Popen(self.command("--minutes", "10"), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=self.environment)
        self.addCleanup(process.kill)
        eventually("a host that is at work", lambda: any(
            "listening" in log.read_text() for log in self.temporary.glob("*/h1.log")))
        time.sleep(3)
        for _ in range(signals):
            process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        out, errors = process.communicate(timeout=4 * PATIENCE)
        return process.returncode, out, errors

    def test_a_signal_ends_it_early_with_a_verdict_and_nothing_left(self):
        code, out, errors = self.interrupted(1)
        self.assertEqual(code, 0, out + errors)
        self.assertIn("Ending: ", errors)
        self.assertIn("The trial was ended early", errors)
        self.assertTrue(out.endswith("\nthe promise held\n"), out)
        self.assert_nothing_is_left()

    def test_two_signals_end_it_at_once_without_a_verdict_and_nothing_left(self):
        code, out, errors = self.interrupted(2)
        self.assertEqual(code, 75, out + errors)
        self.assertIn("nothing was judged", errors)
        self.assertEqual(out, "")
        self.assert_nothing_is_left()

    def test_kept_files_are_named(self):
        self.configure()
        done = self.prove("--keep", seconds=4)
        kept, = self.temporary.iterdir()
        self.assertIn(f"Kept: {kept}", done.stderr)
        self.assertTrue((kept / "store.db").exists())
        self.assertTrue((kept / "h1.log").read_text())

    def test_mistakes_are_told_in_words(self):
        self.configure()
        self.assertEqual(self.prove("--scratch", "store.name=x").returncode, 64)
        self.assertEqual(self.prove("--hosts", "0").returncode, 64)
        unwritable = self.run_to_end(self.command("--report", str(self.directory / "gone" / "r.html")))
        self.assertEqual(unwritable.returncode, 74)
        self.assertIn("r.html: No such file or directory", unwritable.stderr)
        self.environment["TMPDIR"] = str(self.directory / "gone")
        self.assertIn("(TMPDIR): No such file", self.prove().stderr)
        self.environment["TMPDIR"] = str(self.temporary)
        self.config.write_text("storage: { plugin: storage-sqlite }\n")
        wrong = self.prove()
        self.assertEqual(wrong.returncode, 78)
        self.assertIn("storage.settings.path", wrong.stderr)
        self.config.unlink()
        gone = self.prove()
        self.assertEqual(gone.returncode, 78)
        self.assertIn("can't be read", gone.stderr)
        self.assert_nothing_is_left()


class ProveNetworkedTestCase(ProveTestCase):
    """Two hosts on servers of the test's own, over the trial's proxies."""

    def configure(self, storage: str, broker: Mosquitto) -> None:
        uri = broker_settings(broker)["uri"]
        self.environment["BROKER"] = uri
        self.config.write_text(storage + """
brokers: { edge: { plugin: broker-mqtt, settings: { uri: "${BROKER}" } } }
validation: { topic: vouch/validation }
outbound: [ { topic: "events/{category}/{stream}" } ]
""")

    def test_postgres_and_mosquitto(self):
        self.skip_without(PostgresServer, Mosquitto)
        database, broker = self.start(PostgresServer), self.start(Mosquitto)
        self.configure(database.storage(0, lost_host_timeout="3s"), broker)
        done = self.prove(seconds=LONG_SECONDS)
        self.assert_held(done)
        self.assertRegex(done.stdout, r"with 2 hosts")
        self.assertRegex(done.stdout, r"(cut|stall|lost answers|delayed answers|half-close|unreach)")
        self.assertNotIn(PostgresServer.PASSWORD, done.stdout + done.stderr)
        self.assertNotIn(PostgresServer.PASSWORD, self.report.read_text())
        self.assertEqual(database.query("SELECT nspname FROM pg_namespace WHERE nspname LIKE "
                                        "'%vouch%'").strip(), "")
        retained = subprocess.run([shutil.which("mosquitto_sub", path=PATHS), "-p", str(broker.port),
                                   "-t", "#", "-W", "1", "-v"], capture_output=True, text=True,
                                  timeout=PATIENCE, check=False)
        self.assertEqual(retained.stdout, "")
        self.assert_nothing_is_left()

    def test_a_database_or_broker_that_is_not_there_is_told_in_words(self):
        self.skip_without(Mosquitto)
        broker = self.start(Mosquitto)
        self.configure("storage: { plugin: storage-sqlite, settings: { path: users.db } }", broker)
        without_broker = subprocess.Popen(
            self.command("--minutes", "1"), stderr=subprocess.PIPE, text=True,
            env={**self.environment, "BROKER": "mqtt://127.0.0.1:1"})
        self.addCleanup(without_broker.kill)
        time.sleep(1)  # it has read its configuration
        self.configure("storage: { plugin: storage-postgres, settings: { uri: "
                       "'postgresql://vouch:not-to-be-seen@127.0.0.1:1/vouch' } }", broker)
        gone = self.prove()
        self.assertEqual(gone.returncode, 69, gone.stdout + gone.stderr)
        self.assertIn("making the trial's schema: 127.0.0.1:1/vouch", gone.stderr)
        self.assertNotIn("not-to-be-seen", gone.stderr)
        self.assertNotIn("Not removed", gone.stderr)
        _, errors = without_broker.communicate(timeout=PATIENCE)
        self.assertEqual(without_broker.returncode, 69, errors)
        self.assertIn("broker edge: 127.0.0.1:1: no connection", errors)
        self.assert_nothing_is_left()

    def test_mariadb_needs_rights_for_a_database_of_its_own(self):
        self.skip_without(MariaDbServer, Mosquitto)
        database, broker = self.start(MariaDbServer), self.start(Mosquitto)
        self.configure(database.storage(0), broker)
        refused = self.prove()
        self.assertEqual(refused.returncode, 77, refused.stdout + refused.stderr)
        self.assertIn(r"ON `vouch\_prove\_%`.* TO vouch", refused.stderr)
        self.assertEqual(database.query("SHOW TABLES"), "")
        database.query(r"GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP ON `vouch\_prove\_%`.* "
                       "TO vouch@'127.0.0.1'")
        self.assert_held(self.prove())
        self.assertEqual(database.query("SHOW TABLES"), "")
        self.assertEqual(database.query("SHOW DATABASES LIKE 'vouch%'").split(), ["vouch"])
        self.assert_nothing_is_left()


class ProveKafkaTestCase(ProveTestCase):
    """On an SQLite file and a Kafka, whose connections go through the trial's proxies."""

    def test_connections_to_the_addresses_that_brokers_tell_are_disturbed(self):
        self.skip_without(Kafka)
        broker = self.start(Kafka)
        self.config.write_text(f"""\
storage: {{ plugin: storage-sqlite, settings: {{ path: users.db }} }}
brokers: {{ log: {{ plugin: broker-kafka, settings: {json.dumps(broker_settings(broker))} }} }}
outbound: [ {{ topic: "events.{{category}}" }} ]
""")
        done = self.prove()
        self.assert_held(done)
        self.assertNotIn("left alone", done.stderr)
        page = self.report.read_text()
        self.assertIn(f"h1 to broker log at 127.0.0.1:{broker.port}", page)
        self.assertRegex(page, r"(cut|stall|lost answers|delayed answers|half-close|unreachable)")
        self.assert_nothing_is_left()


if __name__ == "__main__":
    unittest.main()
