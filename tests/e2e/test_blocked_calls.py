"""A plugin's call that does not return: the host says which one, since when and what waits for it, in
its log and in /readyz, goes on with what does not need it, and ends all the same when it is told to.
The plugins keep everything in memory; their calls block while a file names them."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from vouch_server import BINARY, PATIENCE, Server, ServerTestCase, eventually

PLUGINS = pathlib.Path(os.environ["VOUCH_FIXTURES"]).parent / "blocking"
STORAGE = "storage: {{ plugin: storage-blocking, settings: {{ gate: gate }} }}"
BROKERS = ("brokers: { main: { plugin: broker-blocking, settings: { gate: gate } } }\n"
           "outbound: [{ topic: 'events.{category}' }]")
EXTRA = (f"plugins: {{ search_path: [{PLUGINS}], call_limit: 300ms }}\n"
         "append: { lanes: 1 }")


class Gate:
    """The file that names calls which block."""

    def __init__(self, directory: str):
        self.file = pathlib.Path(directory) / "gate"

    def shut(self, *calls: str):
        new = self.file.with_suffix(".new")
        new.write_text(" ".join(calls))
        new.rename(self.file)

    def open(self):
        self.file.unlink(missing_ok=True)


def plain(text: str) -> str:
    """With T for each time, and N for how long something took."""
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", "T", text)
    return re.sub(r"( ms=|for )\d+(?= s\b|\n|$)", r"\1N", text)


class BlockedCallTestCase(ServerTestCase):
    storage = STORAGE
    brokers = BROKERS
    extra = EXTRA

    def setUp(self):
        super().setUp()
        self.gate = Gate(self.directory)
        self.addCleanup(self.gate.open)

    def said(self) -> list[str]:
        """What the host said of calls."""
        return [plain(line) for line in self.server.words().splitlines() if "plugin's call" in line]

    def blocks(self, call: str, ask) -> tuple[threading.Thread, list]:
        """Asks on a thread of its own, and waits until the call is said to be stuck."""
        answers: list = []
        self.gate.shut(call)
        thread = threading.Thread(target=lambda: answers.append(ask()))
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.gate.open)
        eventually(f"{call} is stuck", self.said)
        return thread, answers

    def readiness(self) -> tuple[int, str]:
        answer = self.server.get("/readyz")
        return answer.status, plain(answer.body.decode())

    def metrics(self) -> set[str]:
        return {line for line in self.server.get("/metrics").body.decode().splitlines()
                if line.startswith("vouch_plugin_stuck_calls")}

    def test_a_commit_that_blocks_is_named_and_so_is_its_return(self):
        self.assertEqual(self.metrics(), {'vouch_plugin_stuck_calls{plugin="storage-blocking"} 0',
                                          'vouch_plugin_stuck_calls{plugin="main"} 0'})
        thread, answers = self.blocks("commit", lambda: self.server.append("a-1"))
        stuck = ("T error   host: a plugin's call has not returned for 300 ms: the appends of this "
                 "lane wait plugin=storage-blocking call=commit thread=lane-0 since=T")
        self.assertEqual(self.said(), [stuck])
        self.assertEqual(self.readiness(), (
            503, "[-]plugin storage-blocking failed: commit has not returned since T (thread "
                 "lane-0): the appends of this lane wait\nnot ready\n"))
        self.assertEqual(self.metrics(), {
            'vouch_plugin_stuck_calls{plugin="storage-blocking"} 1',
            'vouch_plugin_stuck_calls{plugin="main"} 0',
            'vouch_plugin_stuck_calls_total{call="commit",plugin="storage-blocking"} 1'})
        self.assertEqual(self.server.get("/livez").status, 200)
        self.assertEqual(self.server.versions("a-1"), [])

        self.gate.open()
        thread.join(PATIENCE)
        self.assertEqual([answer.status for answer in answers], [201])
        eventually("ready", self.server.ready)
        eventually("the return in the log", lambda: len(self.said()) > 1)
        self.assertEqual(self.said(), [
            stuck, "T info    host: a plugin's call returned after all plugin=storage-blocking "
                   "call=commit thread=lane-0 since=T ms=N"])
        self.assertIn('vouch_plugin_stuck_calls{plugin="storage-blocking"} 0', self.metrics())

    def test_a_publish_that_blocks_is_named_with_what_is_not_delivered(self):
        self.blocks("publish", lambda: self.server.append("a-1"))
        self.assertEqual(self.said(), [
            "T error   host: a plugin's call has not returned for 300 ms: nothing is delivered "
            "plugin=main call=publish thread=saga since=T"])
        self.assertEqual(self.readiness(), (
            503, "[-]plugin main failed: publish has not returned since T (thread saga): nothing "
                 "is delivered\nnot ready\n"))
        # Appending and reading go on.
        self.assertEqual(self.server.append("a-1").status, 201)
        self.assertEqual(self.server.versions("a-1"), [1, 2])

    def test_a_read_that_blocks_holds_up_its_request_only(self):
        self.server.append("a-1")
        self.blocks("read", lambda: self.server.versions("a-1"))
        self.assertEqual(self.said(), [
            "T warning host: a plugin's call has not returned for 300 ms: the request waits "
            "plugin=storage-blocking call=heads thread=http since=T"])
        self.assertEqual(self.readiness(), (
            200, "[!]plugin storage-blocking: heads has not returned since T (thread http): the "
                 "request waits\nready\n"))
        another = threading.Thread(target=lambda: self.server.versions("a-1"))
        another.start()
        self.addCleanup(another.join)
        self.addCleanup(self.gate.open)
        eventually("both are stuck", lambda: len(self.said()) == 2)
        self.assertEqual(self.readiness(), (
            200, "[!]plugin storage-blocking: heads has not returned since T (thread http, and 1 "
                 "more): the request waits\nready\n"))

    def test_a_health_that_blocks_holds_up_one_probe_and_the_others_are_told(self):
        def probe():
            time.sleep(1.1)  # until the answer that the host remembers is too old
            return self.server.get("/readyz")

        thread, answers = self.blocks("health", probe)
        self.assertEqual(self.said(), [
            "T error   host: a plugin's call has not returned for 300 ms: it is not known whether "
            "the plugin works plugin=main call=health thread=http since=T"])
        for _ in range(3):
            self.assertEqual(self.readiness(), (
                503, "[-]checks failed: no answer for N s\n[-]plugin main failed: health has not "
                     "returned since T (thread http): it is not known whether the plugin works\n"
                     "not ready\n"))
        self.gate.open()
        thread.join(PATIENCE)
        self.assertEqual(answers[0].status, 200)
        eventually("ready", self.server.ready)


class BlockedEndTestCase(unittest.TestCase):
    """A host that is told to stop ends, whatever a plugin's call does."""

    def start(self, call: str, ready: bool | None) -> Server:
        """With that call blocked, from its start or once it is ready; None: not started."""
        directory = tempfile.mkdtemp(prefix="vouch-e2e-")
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        server = Server(directory, storage=STORAGE, brokers=BROKERS, extra=EXTRA)
        server.gate = Gate(directory)
        if ready:
            server.start()
            server.gate.shut(call)
        else:
            server.gate.shut(call)
            if ready is not None:
                server.spawn()
        self.addCleanup(self.end, server)
        return server

    @staticmethod
    def end(server: Server):
        if server.process is not None and server.process.poll() is None:
            server.kill()

    def test_it_says_what_it_waited_for_and_ends_with_70(self):
        # One after the other each would take the five seconds that a call has to finish.
        servers = {call: self.start(call, ready=call != "open")
                   for call in ("open", "commit", "close", "destroy")}
        eventually("the start waits", lambda: "has not returned" in servers["open"].words())
        answers: list = []
        commits = threading.Thread(target=self.append_in_vain, args=[servers["commit"], answers])
        commits.start()
        eventually("the lane waits", lambda: "has not returned" in servers["commit"].words())
        for server in servers.values():
            server.process.send_signal(signal.SIGTERM)
        # A second signal ends waiting, but not a call.
        eventually("it drains", lambda: "draining" in servers["commit"].words())
        servers["commit"].process.send_signal(signal.SIGTERM)
        for call, plugin, thread in (("open", "main", "vouch"),
                                     ("commit", "storage-blocking", "lane-0"),
                                     ("close", "main", "vouch"), ("destroy", "main", "vouch")):
            with self.subTest(call):
                server = servers[call]
                self.assertEqual(server.process.wait(PATIENCE), 70, server.words())
                waited = f"{call} of plugin {plugin} (thread {thread}, for N s)"
                self.assertEqual(
                    [plain(line) for line in server.words().splitlines()[-2:]],
                    ["T error   host: ending without having stopped: a plugin's calls do not "
                     f'return calls="{waited}"',
                     "vouch: error: ending without having stopped: a plugin's calls do not "
                     f"return: {waited}"])
        commits.join(PATIENCE)
        self.assertEqual(answers, ["no answer"])

    @staticmethod
    def append_in_vain(server: Server, answers: list):
        try:
            answers.append(server.append("a-1").status)
        except OSError:
            answers.append("no answer")

    def test_a_check_that_connects_says_what_it_waits_for(self):
        server = self.start("open", ready=None)
        with subprocess.Popen([BINARY, "check", "--connect", "--config", str(server.config)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as check:
            self.addCleanup(check.kill)
            self.assertEqual(
                plain(check.stderr.readline()),
                "T error   host: a plugin's call has not returned for 300 ms: the check waits "
                "plugin=main call=open thread=vouch since=T\n")
            server.gate.open()
            check.communicate(timeout=PATIENCE)
            self.assertEqual(check.returncode, 0)

    def test_a_call_that_returns_in_time_lets_it_stop_as_usual(self):
        server = self.start("close", ready=True)
        server.process.send_signal(signal.SIGTERM)
        eventually("the stop waits", lambda: "has not returned" in server.words())
        server.gate.open()
        self.assertEqual(server.process.wait(PATIENCE), 0, server.words())
        self.assertIn("host: stopped ", server.words())


if __name__ == "__main__":
    unittest.main()
