"""`vouch prove`: trials that hold, trials that find what is broken, and nothing left behind."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
import unittest

from broker_servers import PATHS, Kafka, Mosquitto, broker_settings
from database_servers import MariaDbServer, PostgresServer
from prove_case import Page, ProveTestCase
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
        done = self.prove("--hosts", "2")
        self.assert_held(done)
        self.assertIn("The storage takes one host only", done.stderr)
        self.assertIn("kill -9", done.stdout)
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

    @unittest.skipIf(SANITIZED, "it takes time, and nothing that other tests here don't do")
    def test_lies_of_plugins_are_found_under_the_invariant_that_they_break(self):
        fixtures = pathlib.Path(os.environ["VOUCH_FIXTURES"]).parent.parent / "prove" / "fixtures"
        self.configure()
        for lie, invariants in (("committed-and-gone", {4}), ("failed-and-there", {4}),
                                ("phantom", {1}), ("out-of-order", {3})):
            with self.subTest(lie):
                self.environment["VOUCH_PLANTED"] = lie
                done = self.prove("--plugin-dir", str(fixtures), seconds=8)
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                found = {int(number) for number in
                         re.findall(r"^  invariant (\d), ", done.stdout, re.MULTILINE)}
                # What is wrong with one promise may be wrong with others too.
                self.assertLessEqual(invariants, found, done.stdout)
        self.environment["VOUCH_PLANTED"] = "nothing"
        self.assert_held(self.prove("--plugin-dir", str(fixtures), seconds=8))

    def test_a_signal_ends_it_early_with_a_verdict_and_nothing_left(self):
        self.configure()
        process = subprocess.Popen(self.command("--minutes", "10"), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=self.environment)
        self.addCleanup(process.kill)
        eventually("a scratch directory", lambda: list(self.temporary.glob("*/store.db")))
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=4 * PATIENCE)
        self.assertEqual(process.returncode, 0, out + errors)
        self.assertIn("The run was ended early", errors)
        self.assertTrue(out.endswith("\nthe promise held\n"), out)
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
        done = self.prove(seconds=30)
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

    def test_a_database_that_is_not_there_is_told_in_words(self):
        self.skip_without(Mosquitto)
        broker = self.start(Mosquitto)
        self.configure("storage: { plugin: storage-postgres, settings: { uri: "
                       "'postgresql://vouch:not-to-be-seen@127.0.0.1:1/vouch' } }", broker)
        gone = self.prove()
        self.assertEqual(gone.returncode, 69, gone.stdout + gone.stderr)
        self.assertIn("can't open the database", gone.stderr)
        self.assertNotIn("not-to-be-seen", gone.stderr)
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
