"""vouch-conformance: our own plugins pass; one that breaks the contract is told so, in every format."""

import contextlib
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import unittest
import xml.etree.ElementTree

import conformance_runs as runs
from broker_servers import Mosquitto
from conformance_case import BROKEN, ConformanceTestCase, LIMIT, PLUGIN_FIXTURES, PLUGINS
from conformance_table import PAGE


class ConformingPluginsTestCase(ConformanceTestCase):
    def test_sqlite(self):
        self.passes(runs.sqlite())

    def test_local(self):
        self.passes(runs.local())


#: What a program may get wrong with servers: places, proxies, crashes.
SOME = ("settings.*", "lifecycle.*", "*.migrate.*", "storage.resolve.*",
        "storage.ledger.claim_ends_with_a_crash")
#: A server that other tests use as well is not killed.
NOT_RESTARTED = {case: "needs --restart COMMAND: kills and starts the server" for case in
                 ("broker.fault.order_across_restarts", "broker.fault.comes_back_by_itself")}


class ConformingServersTestCase(ConformanceTestCase):
    """On the servers that VOUCH_TEST_* name, and on a Mosquitto of the test's own. Other tests run the
    whole suite on databases; here a part shows that the program gets along with them."""

    def test_postgres(self):
        self.storage("storage-postgres", "VOUCH_TEST_POSTGRES")

    def test_mysql(self):
        self.storage("storage-mysql", "VOUCH_TEST_MYSQL")

    def storage(self, plugin: str, variable: str) -> None:
        uri = os.environ.get(variable)
        if not uri:
            print(f"SKIPPED: {variable} is not set; scripts/services up starts a server and says how")
            return
        self.passes(runs.database(plugin, uri), SOME)

    def test_mosquitto(self):
        if Mosquitto.missing():
            print(f"SKIPPED: {Mosquitto.missing()}")
            return
        server = Mosquitto()
        self.addCleanup(server.close)
        self.passes(runs.mqtt(f"127.0.0.1:{server.port}", self.restart_of(server)))

    @staticmethod
    def kill(pid: pathlib.Path) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid.read_text()), signal.SIGKILL)

    def restart_of(self, server: Mosquitto) -> str:
        """A command as anybody would write it, that detaches nothing."""
        pid, script = self.directory / "pid", self.directory / "restart"
        pid.write_text(str(server.process.pid))
        self.addCleanup(self.kill, pid)
        ask = shlex.join([*server.client("mosquitto_pub"), "-t", "probe", "-n", "-q", "1"])
        start = shlex.join([server.client("mosquitto")[0], "-c",
                            str(server.directory / "mosquitto.conf")])
        script.write_text(f"kill -9 $(cat {pid})\nwhile {ask} 2>/dev/null; do sleep 0.05; done\n"
                          f"{start} >/dev/null 2>&1 &\necho $! >{pid}\n"
                          f"until {ask} 2>/dev/null; do sleep 0.05; done\n")
        return f"sh {script}"

    def test_kafka(self):
        proxied = os.environ.get("VOUCH_TEST_KAFKA_PROXIED")
        if not proxied:
            print("SKIPPED: VOUCH_TEST_KAFKA_PROXIED is not set; scripts/services up starts a broker")
            return
        self.passes(runs.kafka(proxied), left_out_here=NOT_RESTARTED)


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
    ("broker.publish.order_within_key", "published to a broker that is well", "acked",
     "rejected, permission_denied: no keys today", []),
    ("broker.publish.payload_is_exact", "received every byte value, twice", "512 bytes", "no bytes",
     []),
    ("broker.publish.headers_are_exact", "ended the process after the case", "a clean end",
     "the process died of signal 6 (SIGABRT, Aborted)", []),
    ("broker.publish.nobody_listens", "ran the case", f"an end within {LIMIT} s",
     "none: it hung and was killed", ["info: about to hang"]),
    ("broker.subscribe.several_subscribers", "ran the case", "no exception",
     "one: no subscribers today", []),
    ("broker.subscribe.partitions_are_separate", "ran the case", "the process to live",
     "the process ended with exit code 3", []),
    ("broker.publish.large_payload", "received 900,000 bytes", "900000 bytes",
     "900000 bytes, of which byte 7 is 0x69 instead of 0x96", []),
    ("broker.subscribe.stop_while_messages_stream", "published", "one outcome for each message",
     "two for one", []),
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


    def test_the_failure_that_the_page_shows(self):
        shown = re.search(r"```\n(FAILED  .*?)```", PAGE.read_text(), re.S)[1]
        done = self.broken("--filter", "broker.publish.order_within_key")
        self.assertEqual(done.returncode, 1)
        time = re.compile(r"\d+\.\d\d s")
        self.assertIn(time.sub("TIME", shown), time.sub("TIME", done.stdout))

    def test_a_plugin_that_does_not_open_is_told_so_once(self):
        arguments = (BROKEN, "--settings", self.settings("color: closed\npause: 1s\n"))
        done = self.run_program(*arguments, "--format", "json")
        self.assertEqual((done.returncode, done.stderr), (2, ""))
        report = json.loads(done.stdout)
        self.assertFalse(report["usable"])
        last = report["cases"][-1]
        self.assertEqual((last["id"], last["done"], last["came_back"]),
                         ("lifecycle.opens", "opened the broker", "failed_precondition: closed today"))
        self.assertFalse([case for case in report["cases"] if case["id"].startswith("broker.")])
        done = self.run_program(*arguments, "--filter", "broker.publish.*")
        self.assertEqual(done.returncode, 2)
        self.assertIn("FAILED  lifecycle.opens ", done.stdout)
        self.assertTrue(done.stdout.endswith(" does not open; nothing that needs it open was run\n"))
        done = self.run_program(*arguments, "--filter", "lifecycle.c*")
        self.assertEqual((done.returncode, done.stdout.count("passed  lifecycle.c")), (0, 2))

    def test_a_case_whose_plugin_does_not_open_is_not_blamed(self):
        closing = self.directory / "opened-once"
        arguments = (BROKEN, "--settings",
                     self.settings(f"color: 'closed after {closing}'\npause: 1s\n"))
        done = self.run_program(*arguments, "--filter", "broker.publish.empty_call")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("    done:      before the case itself: opened the broker\n"
                      "    expected:  ok\n    came back: failed_precondition: closed today\n",
                      done.stdout)

    def test_runs_are_counted(self):
        done = self.broken("--filter", "broker.publish.empty_call", "--repeat", 3)
        self.assertRegex(done.stdout, r"^passed  broker.publish.empty_call \(3 runs, \d+\.\d\d s\)\n")
        report = self.broken("--filter", "broker.publish.empty_call", "--repeat", 3, "--format", "json")
        self.assertEqual(json.loads(report.stdout)["cases"][0]["runs"], 3)


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
        self.assertIn("none.so can't be read: No such file or directory; put the plugin's .so file "
                      "there\n", done.stdout)
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
        self.assertRegex(done.stdout, "came back: path: .*; --settings FILE gives them\n")

    def test_hints_about_the_settings_file(self):
        mqtt = PLUGINS / "broker-mqtt.so"
        for text, hint in (
                ("uri: mqtt://${VOUCH_CASE_SERVER}\n",
                 "; ${VOUCH_CASE_SERVER} has a value with --server HOST:PORT\n"),
                ("uri: mqtt://x\nclient_id: ${VOUCH_CASE_NAME}\n",
                 "; the variables of a case are VOUCH_CASE_ID, VOUCH_CASE_DIRECTORY and "
                 "VOUCH_CASE_SERVER\n"),
                ("settings:\n  uri: mqtt://x\n",
                 "; the file holds what stands under `settings:`\n")):
            with self.subTest(text):
                done = self.run_program(mqtt, "--settings", self.settings(text))
                self.assertEqual(done.returncode, 2)
                self.assertIn(hint, done.stdout)
                self.assertNotIn("own check failed", done.stdout)

    def test_a_server_that_is_not_there(self):
        settings = self.settings("uri: mqtt://${VOUCH_CASE_SERVER}\n")
        done = self.run_program(PLUGINS / "broker-mqtt.so", "--settings", settings, "--server",
                                "127.0.0.1:1", "--filter", "broker.*")
        self.assertEqual(done.returncode, 2)
        self.assertIn("    done:      connected to the server of --server, 127.0.0.1:1\n"
                      "    expected:  a server that listens\n"
                      "    came back: can't connect: Connection refused\n", done.stdout)

    def test_usage(self):
        local = PLUGINS / "broker-local.so"
        for words, *arguments in (
                ("name a PLUGIN.so",),
                ("--format: html not in", local, "--format", "html"),
                ("--repeat: Value 0 not in range", local, "--repeat", "0"),
                ("--server: nowhere is not HOST:PORT", local, "--server", "nowhere"),
                ("no case fits --filter nothing.*; --list", local, "--filter", "broker.*", "--filter",
                 "nothing.*"),
                ("no case fits --filter storage.*; --list", local, "--list", "--filter", "storage.*"),
                ("--lots", local, "--lots"),
                ("--list is text or json", "--list", "--format", "junit"),
                ("--proxy-port needs --server", local, "--proxy-port", "7000"),
                ("--proxy-port is for brokers", PLUGINS / "storage-sqlite.so", "--proxy-port", "7000",
                 "--server", "127.0.0.1:1")):
            with self.subTest(arguments):
                done = self.run_program(*arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertTrue(done.stderr.startswith("vouch-conformance: error: "), done.stderr)
                self.assertIn(words, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        help_text = self.run_program("--help").stdout
        for option in ("--settings", "--list", "--filter", "--format", "--in-process", "--repeat",
                       "--timeout", "--server", "--proxy-port", "--restart", "--overflow",
                       "Exit codes"):
            self.assertIn(option, help_text)
        listed = self.run_program(local, "--list", "--filter", "broker.close.*").stdout.splitlines()
        self.assertEqual([line.split()[:2] for line in listed],
                         [["broker.close.gives_unknown", "faults"],
                          ["broker.close.refuses_afterwards", "semantics"],
                          ["broker.close.while_publishing", "semantics"]])
        self.assertTrue(all("#closing-a-broker" in line for line in listed))
        of_all = json.loads(self.run_program("--list", "--format", "json").stdout)["cases"]
        kinds = {case["id"]: case["kinds"] for case in of_all}
        self.assertEqual(len(kinds), len(of_all))
        self.assertEqual((kinds["lifecycle.opens"], kinds["lifecycle.two_brokers"],
                          kinds["storage.feed.end"]), (["storage", "broker"], ["broker"], ["storage"]))


if __name__ == "__main__":
    unittest.main()
