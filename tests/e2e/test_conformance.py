"""vouch-conformance: our own plugins pass; one that breaks the contract is told so, in every format."""

import json
import os
import pathlib
import re
import subprocess
import unittest
import urllib.parse
import xml.etree.ElementTree

from broker_servers import Mosquitto
from conformance_case import BROKEN, ConformanceTestCase, LIMIT, PLUGIN_FIXTURES, PLUGINS


class ConformingPluginsTestCase(ConformanceTestCase):
    def test_sqlite(self):
        self.passes("storage-sqlite", "path: ${VOUCH_CASE_DIRECTORY}/store.db\n", at_least=115,
                    skipped=14)

    def test_local(self):
        self.passes("broker-local", "queue_messages: 1000\n", "--overflow", 3000, at_least=33,
                    skipped=7)


#: What a program may get wrong with servers: places, proxies, crashes.
SOME = [argument for pattern in ("settings.*", "lifecycle.*", "*.migrate.*", "storage.resolve.*",
                                 "storage.ledger.claim_ends_with_a_crash")
        for argument in ("--filter", pattern)]


class ConformingServersTestCase(ConformanceTestCase):
    """On the servers that VOUCH_TEST_* name, and on a Mosquitto of the test's own. Other tests run the
    whole suite on them; here a part shows that the program gets along with servers."""

    def test_postgres(self):
        self.storage("storage-postgres", "VOUCH_TEST_POSTGRES", "schema: vouch_prove_${VOUCH_CASE_ID}\n",
                     at_least=21)

    def test_mysql(self):
        self.storage("storage-mysql", "VOUCH_TEST_MYSQL", "", at_least=21)

    def storage(self, plugin: str, variable: str, more: str, at_least: int) -> None:
        uri = os.environ.get(variable)
        if not uri:
            print(f"SKIPPED: {variable} is not set; scripts/services up starts a server and says how")
            return
        parts = urllib.parse.urlsplit(uri)
        login = parts.netloc.rpartition("@")[0]
        address = f"{parts.hostname}:{parts.port}"
        path = "/vouch_prove_${VOUCH_CASE_ID}" if "mysql" in plugin else parts.path
        settings = f"uri: {parts.scheme}://{login}@${{VOUCH_CASE_SERVER}}{path}\n{more}"
        self.passes(plugin, settings, "--server", address, *SOME, at_least=at_least, skipped=0)

    def test_mosquitto(self):
        if Mosquitto.missing():
            print(f"SKIPPED: {Mosquitto.missing()}")
            return
        server = Mosquitto()
        self.addCleanup(server.close)
        self.passes("broker-mqtt", "uri: mqtt://${VOUCH_CASE_SERVER}\nclient_id: ${VOUCH_CASE_ID}\n"
                    "queue_messages: 1000\n"
                    "buffer: 2000\nmax_message_bytes: 2MiB\n",
                    "--server", f"127.0.0.1:{server.port}", "--overflow", 3000, at_least=38, skipped=2)

    def test_kafka(self):
        servers = os.environ.get("VOUCH_TEST_KAFKA")
        if not servers:
            print("SKIPPED: VOUCH_TEST_KAFKA is not set; scripts/services up starts a broker")
            return
        self.passes("broker-kafka", f"bootstrap_servers: [{servers!r}]\noutbound_partitions: 1\n",
                    at_least=30, skipped=8)


#: Id, done, expected, came back, log.
FAILURES = (
    ("settings.table_is_sound", "read the row of pause", "a default that the row takes",
     'must be a duration such as 250ms, 5s, 2m, 1h or 7d, but is "5 seconds"', []),
    ("settings.odd_values_are_survived", "ran the case", "the process to live",
     "the process died of signal 6 (SIGABRT, Aborted)",
     ["info: giving an odd value key=color value=nothing"]),
    ("lifecycle.query_is_honest", "asked for an interface that does not exist", "null", "a pointer",
     []),
    ("broker.ensure.accepts_and_refuses", "ensured a topic without a name", "a refusal in words", "ok",
     []),
    ("broker.publish.acked_is_delivered", "ran the case", "the process to live",
     "the process died of signal 6 (SIGABRT, Aborted)",
     ["warning: about to crash topic=acked odd=<&\"\x01\ufffd>"]),
    ("broker.publish.payload_is_exact", "received every byte value", "the same bytes",
     "something else", []),
    ("broker.publish.headers_are_exact", "ended the process after the case", "a clean end",
     "the process died of signal 6 (SIGABRT, Aborted)", []),
    ("broker.publish.nobody_listens", "ran the case", f"an end within {LIMIT} s",
     "none: it hung and was killed", ["info: about to hang"]),
    ("broker.subscribe.several_subscribers", "ran the case", "no exception",
     "one: no subscribers today", []),
    ("broker.subscribe.partitions_are_separate", "ran the case", "the process to live",
     "the process ended with exit code 3", []),
)


class BrokenPluginTestCase(ConformanceTestCase):
    maxDiff = None

    def broken(self, *arguments) -> subprocess.CompletedProcess:
        # `pause` has to be given, since its default is one of the faults.
        return self.run_program(BROKEN, "--settings",
                                self.settings("color: ${VOUCH_TEST_COLOR}\npause: 1s\n"),
                                "--timeout", LIMIT, *arguments)

    def test_text(self):
        crash = self.broken("--filter", "broker.publish.acked*")
        self.assertEqual((crash.returncode, crash.stderr), (1, ""))
        self.assertEqual(re.sub(r"\d+\.\d\d s", "TIME", crash.stdout).replace(str(BROKEN), "PLUGIN"), """\
FAILED  broker.publish.acked_is_delivered (TIME)
    promised:  What is acked reaches a subscriber, in order.
    contract:  docs/plugin-authoring.md#publishing
    done:      ran the case
    expected:  the process to live
    came back: the process died of signal 6 (SIGABRT, Aborted)
    last lines of its log:
      warning: about to crash topic=acked odd=<&"?\ufffd>
PLUGIN: 0 passed, 1 failed, 0 skipped in TIME
""")
        semantics = self.broken("--filter", "broker.ensure.*", "--repeat", 3)
        self.assertEqual((semantics.returncode, semantics.stderr), (1, ""))
        self.assertEqual(re.sub(r"\d+\.\d\d s", "TIME", semantics.stdout).replace(str(BROKEN), "PLUGIN"), """\
FAILED  broker.ensure.accepts_and_refuses (TIME)
    in run:    1 of 3
    promised:  Topics are made ready; a nameless one is refused.
    contract:  docs/plugin-authoring.md#topics
    done:      ensured a topic without a name
    expected:  a refusal in words
    came back: ok
PLUGIN: 0 passed, 1 failed, 0 skipped in TIME
""")
        here = self.broken("--filter", "broker.ensure.*", "--in-process")
        self.assertEqual(here.returncode, 1)
        self.assertIn("    came back: ok\n", here.stdout)

    def test_json_tells_every_failure(self):
        done = self.broken("--format", "json")
        self.assertEqual(done.returncode, 1, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual((report["plugin"], report["kind"], report["usable"], report["failed"]),
                         (str(BROKEN), "broker", True, len(FAILURES)))
        cases = report["cases"]
        for result in ("passed", "failed", "skipped"):
            self.assertEqual(report[result], sum(case["result"] == result for case in cases))
        failed = [case for case in cases if case["result"] == "failed"]
        self.assertEqual([(case["id"], case["done"], case["expected"], case["came_back"], case["log"])
                          for case in failed], [tuple(row) for row in FAILURES])
        page = (pathlib.Path(os.environ["VOUCH_SOURCE"]) / "docs/plugin-authoring.md").read_text()
        anchors = {re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").lower()).replace(" ", "-")
                   for line in page.splitlines() if line.startswith("#")}
        for case in cases:
            document, _, anchor = case["contract"].partition("#")
            self.assertEqual(document, "docs/plugin-authoring.md")
            self.assertIn(anchor, anchors, case["id"])
            self.assertIn(case["level"], ("binary", "settings", "lifecycle", "semantics", "faults"))
            self.assertTrue(case["promised"].endswith("."), case)

    def test_junit(self):
        done = self.broken("--format", "junit", "--filter", "broker.publish.acked*",
                           "--filter", "settings.*", "--filter", "broker.publish.overloaded")
        self.assertEqual(done.returncode, 1, done.stderr)
        root = xml.etree.ElementTree.fromstring(done.stdout)
        self.assertEqual((root.tag, root.get("name")), ("testsuites", str(BROKEN)))
        cases = root.findall("testsuite/testcase")
        failed = {case.get("name"): case for case in cases if case.find("failure") is not None}
        self.assertEqual(int(root.get("tests")), len(cases))
        self.assertEqual(int(root.get("failures")), len(failed))
        self.assertEqual(int(root.get("skipped")), len(root.findall(".//skipped")))
        crash = failed["broker.publish.acked_is_delivered"]
        self.assertEqual(crash.get("classname"), "broker.semantics")
        failure = crash.find("failure")
        self.assertEqual(failure.get("message"), "ran the case: expected the process to live, came back "
                         "the process died of signal 6 (SIGABRT, Aborted)")
        self.assertEqual(failure.text, "promised: What is acked reaches a subscriber, in order.\n"
                         "contract: docs/plugin-authoring.md#publishing\ndone: ran the case\n"
                         "expected: the process to live\n"
                         "came back: the process died of signal 6 (SIGABRT, Aborted)")
        self.assertEqual(crash.find("system-out").text,
                         'warning: about to crash topic=acked odd=<&"\ufffd\ufffd>\n')


class ConformanceUsageTestCase(ConformanceTestCase):
    def test_a_plugin_that_can_not_be_loaded(self):
        for fixture, case, words in (
                ("broker-wrong-magic", "binary.is_built_for_this_host", "no plugin descriptor"),
                ("broker-other-major", "binary.is_built_for_this_host", "is built for plugin ABI 2.3"),
                ("broker-other-build", "binary.is_built_for_this_host", "was built differently"),
                ("broker-missing-dependency", "binary.loads", "which is not installed here"),
                ("broker-undefined-symbol", "binary.loads", "needs the symbol"),
                ("broker-renamed", "binary.describes_itself", "says that its name is"),
                ("broker-unknown-kind", "binary.describes_itself", "of a kind that this host does not"),
                ("foreign", "binary.is_a_library", "it has no symbol vouch_plugin_descriptor")):
            with self.subTest(fixture):
                plugin = PLUGIN_FIXTURES / f"{fixture}.so"
                done = self.run_program(plugin, "--format", "json")
                self.assertEqual((done.returncode, done.stderr), (2, ""))
                report = json.loads(done.stdout)
                self.assertFalse(report["usable"])
                self.assertEqual(report["failed"], 1)
                self.assertEqual(report["cases"][-1]["id"], case)
                self.assertIn(words, report["cases"][-1]["came_back"])
        done = self.run_program(self.directory / "none.so")
        self.assertEqual(done.returncode, 2)
        self.assertIn("none.so can't be read: No such file or directory", done.stdout)
        self.assertTrue(done.stdout.endswith("none.so can't be used; nothing else was run\n"))

    def test_settings_that_do_not_fit(self):
        sqlite = PLUGINS / "storage-sqlite.so"
        settings = self.settings("path: ${VOUCH_CASE_DIRECTORY}/store.db\nreaders: many\nreader: 3\n")
        done = self.run_program(sqlite, "--settings", settings, "--filter", "storage.*")
        self.assertEqual((done.returncode, done.stderr), (2, ""))
        self.assertIn("settings.given_are_taken", done.stdout)
        self.assertIn(f'{settings}:2:10: error: readers: must be a whole number', done.stdout)
        self.assertIn(f"{settings}:3:1: error: reader: ", done.stdout)
        one_place = self.settings(f"path: {self.directory}/store.db\n")
        done = self.run_program(sqlite, "--settings", one_place)
        self.assertEqual(done.returncode, 2)
        self.assertIn("came back: one place for all, which may be somebody's store\n", done.stdout)
        self.assertFalse((self.directory / "store.db").exists())
        done = self.run_program(sqlite)
        self.assertEqual(done.returncode, 2)
        self.assertIn("path: ", done.stdout)

    def test_usage(self):
        local = PLUGINS / "broker-local.so"
        for arguments in ((), (local, "--format", "html"), (local, "--repeat", "0"),
                          (local, "--server", "nowhere"), (local, "--filter", "nothing.*"),
                          (local, "--lots")):
            with self.subTest(arguments):
                done = self.run_program(*arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertNotEqual(done.stderr, "")
        help_text = self.run_program("--help").stdout
        for option in ("--settings", "--list", "--filter", "--format", "--in-process", "--repeat",
                       "--timeout", "--server", "--restart", "--overflow", "Exit codes"):
            self.assertIn(option, help_text)
        listed = self.run_program(local, "--list", "--filter", "broker.close.*").stdout.splitlines()
        self.assertEqual([line.split()[:2] for line in listed],
                         [["broker.close.gives_unknown", "faults"],
                          ["broker.close.refuses_afterwards", "semantics"],
                          ["broker.close.while_publishing", "semantics"]])


if __name__ == "__main__":
    unittest.main()
