"""Running it: start, readiness, metrics, stopping, refused starts, idling."""

import os
import pathlib
import re
import signal
import socket
import threading
import time
import unittest

from vouch_server import PATIENCE, SANITIZED, Server, ServerTestCase, eventually


class OperationsTestCase(ServerTestCase):
    def test_readiness_names_each_check(self):
        text = self.server.get("/readyz?verbose").body.decode()
        for check in ("storage", "broker main", "lanes"):
            self.assertIn(f"[+]{check} ok", text)
        self.assertEqual(self.server.get("/livez").status, 200)

    def test_info_says_in_words_what_is_guaranteed(self):
        info = self.server.get("/v1/info").json
        self.assertEqual((info["store"], info["partitions"]), ("test", 4))
        self.assertEqual(info["storage"]["plugin"], "storage-sqlite")
        self.assertFalse(info["storage"]["capabilities"]["several_hosts"])
        self.assertEqual(info["brokers"]["main"]["plugin"], "broker-local")
        words = " ".join(info["guarantees"])
        self.assertIn("at least once", words)
        self.assertIn("database:", words)

    def test_metrics_are_prometheus_text(self):
        self.server.append("m-1", query="?ack=delivered&wait=10s")
        text = self.server.get("/metrics").body.decode()
        self.assertRegex(text, r'(?m)^vouch_build_info\{version="[^"]+"\} 1')
        self.assertIn("process_cpu_seconds_total", text)
        sample = re.compile(r"^[a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\})? \S+$")
        for line in text.splitlines():
            if line and not line.startswith("#"):
                self.assertRegex(line, sample)

    def test_delivery_summary_counts(self):
        for _ in range(5):
            self.server.append("d-1", query="?ack=delivered&wait=10s")
        report = self.server.get("/v1/delivery").json
        self.assertEqual(report["total"]["undelivered"], 0)
        self.assertEqual(report["total"]["delivered"], 5)
        self.assertEqual(len(report["partitions"]), 4)
        self.assertTrue(all(partition["owned"] for partition in report["partitions"]))

    def test_sigterm_drains_and_ends_followers(self):
        connection = self.server.connect()
        connection.request("GET", "/v1/feed", headers={"Accept": "text/event-stream"})
        feed = connection.getresponse()
        statuses = []

        def write():
            try:
                while True:
                    statuses.append(self.server.append("w-1").status)
            except Exception:  # the listener is gone
                return

        writer = threading.Thread(target=write)
        writer.start()
        eventually("appends", lambda: len(statuses) > 5)
        begun = time.monotonic()
        self.assertEqual(self.server.stop(), 0)
        self.assertLess(time.monotonic() - begun, 5.0 if not SANITIZED else PATIENCE)
        writer.join()
        feed.read()  # ends, instead of hanging
        connection.close()
        self.assertIn("draining", self.server.words())
        self.assertIn("stopped", self.server.words())
        committed = statuses.count(201)
        self.server.start()
        # What was cut off without an answer may be stored; what was answered is.
        self.assertGreaterEqual(len(self.server.versions("w-1")), committed)

    def test_second_signal_under_load_ends_it_cleanly_and_at_once(self):
        over = threading.Event()

        def write():
            while not over.is_set():
                try:
                    self.server.append("w-1", query="?ack=delivered")
                except Exception:  # the listener is gone
                    return

        writers = [threading.Thread(target=write) for _ in range(4)]
        for writer in writers:
            writer.start()
        eventually("appends", lambda: len(self.server.versions("w-1")) > 5)
        begun = time.monotonic()
        self.server.process.send_signal(signal.SIGTERM)
        time.sleep(0.001)
        self.assertEqual(self.server.stop(signal.SIGINT), 0, self.server.words())
        self.assertLess(time.monotonic() - begun, 3.0 if not SANITIZED else PATIENCE)
        over.set()
        for writer in writers:
            writer.join()

    def test_second_host_on_the_same_file_is_refused_in_words(self):
        second = Server(self.directory, name="second")
        process = second.spawn()
        code = process.wait(PATIENCE)
        self.assertIn(code, (69, 78), second.words())
        self.assertRegex(second.words(), r"(?i)another|held|in use|already")
        self.assertEqual(self.server.append("still-1").status, 201)


class ReloadTestCase(ServerTestCase):
    """SIGHUP. Each answer is a line of the log, which says what became of it."""

    starts = False

    def setUp(self):
        super().setUp()
        # The file that standard error goes to as well, in which the harness looks for the address.
        self.log = self.server.log
        self.server.config.write_text(self.server.config.read_text()
                                      + f"log: {{ level: info, file: {self.log} }}\n")
        self.server.start()

    def change(self, old: str, new: str):
        text = self.server.config.read_text()
        self.assertIn(old, text)
        self.server.config.write_text(text.replace(old, new))

    def reload(self, until: str) -> str:
        """What the log says from the signal to that word."""
        start = self.log.stat().st_size
        self.server.process.send_signal(signal.SIGHUP)

        def words():
            with self.log.open() as log:
                log.seek(start)
                said = log.read()
            return until in said and said

        return eventually(until, words)

    def test_rotated_log_file_is_opened_anew(self):
        kept = self.log.rename(self.log.with_suffix(".1"))
        self.server.process.send_signal(signal.SIGHUP)
        eventually("a new file", lambda: self.log.exists() and "reloaded" in self.log.read_text())
        self.assertIn("ready", kept.read_text())
        self.assertNotIn("reloaded", kept.read_text())

    def test_level_of_the_log_is_taken_over(self):
        self.change("level: info", "level: debug")
        said = self.reload("reloaded")
        self.assertRegex(said, "the log level changed from=info to=debug")
        self.assertNotIn("restart", said)

    def test_everything_else_waits_for_a_restart_and_is_named(self):
        self.assertNotIn("restart", self.reload("reloaded"))
        self.change("timeout: 5s", "timeout: 6s")
        self.change("log: {", "append: { lanes: 2 }\nlog: {")
        said = self.reload("reloaded")
        self.assertRegex(said, r'warning.*restart.*"append\.lanes, shutdown\.timeout"')
        self.assertIn("timeout_ms=5000", self.stopping())

    def test_default_that_is_written_down_is_no_change(self):
        self.change("log: {", "append: { queue: 20000 }\nlog: {")
        self.assertNotIn("restart", self.reload("reloaded"))

    def test_file_that_cannot_be_used_changes_nothing(self):
        self.change("level: info", "level: debug, lovel: 1")
        said = self.reload("nothing was changed")
        self.assertRegex(said, r"error.*vouch\.yaml:\d+:\d+: error: .*lovel")
        self.assertNotIn("reloaded", said)
        self.assertNotIn("log level", said)
        self.assertEqual(self.server.append("h-1").status, 201)
        self.server.config.unlink()
        self.assertIn(str(self.server.config), self.reload("nothing was changed"))
        self.assertEqual(self.server.append("h-1").status, 201)

    def stopping(self) -> str:
        self.assertEqual(self.server.stop(), 0)
        return self.log.read_text()


class FailingBrokerTestCase(ServerTestCase):
    """A device that is always full: nothing that goes out is acknowledged."""

    broker_settings = {"tap": "/dev/full"}

    def test_delivery_is_reported_as_waiting_and_does_not_keep_the_host_from_stopping(self):
        answer = self.server.append("w-1", query="?ack=delivered&wait=300ms")
        self.assertEqual((answer.status, answer.json["state"]), (202, "committed"))
        total = self.server.get("/v1/delivery").json["total"]
        self.assertEqual((total["undelivered"], total["delivered"]), (1, 0))
        begun = time.monotonic()
        self.assertEqual(self.server.stop(), 0)
        self.assertLess(time.monotonic() - begun, 6.0 if not SANITIZED else PATIENCE)


class DoubtfulSetUpTestCase(ServerTestCase):
    broker_settings = {"max_message_bytes": "64KiB"}
    extra = "limits: { event_bytes: 63KiB }"

    def test_events_that_the_broker_may_not_carry_are_warned_of_at_start(self):
        self.assertRegex(self.server.words(), r"warning.*limits\.event_bytes.*broker main")


class RefusedStartTestCase(ServerTestCase):
    starts = False

    def refused(self, text: str) -> tuple[int, str]:
        self.server.config.write_text(text)
        code = self.server.spawn().wait(PATIENCE)
        return code, self.server.words()

    def test_bad_config_is_refused_with_line_and_column(self):
        code, words = self.refused("store: { name: x }\nappend:\n  lames: 4\n")
        self.assertEqual(code, 78)
        self.assertRegex(words, r"vouch\.yaml:3:3: error: .*lames")
        self.assertIn("lanes", words)  # the nearest name

    def test_missing_plugin_is_refused_with_every_path_tried(self):
        text = self.server.config.read_text().replace("storage-sqlite", "storage-nowhere")
        code, words = self.refused(text)
        self.assertEqual(code, 78)
        self.assertIn("storage-nowhere", words)

    def test_address_in_use_is_said(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            text = self.server.config.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}")
            code, words = self.refused(text)
        self.assertEqual(code, 69)
        self.assertIn(str(port), words)

    def test_other_partition_count_than_the_store_was_made_with_is_refused(self):
        self.server.start()
        self.server.stop()
        text = self.server.config.read_text().replace("partitions: 4", "partitions: 5")
        code, words = self.refused(text)
        self.assertEqual(code, 78, words)
        self.assertRegex(words, r"4.*5|5.*4")

    def test_database_in_a_place_that_cannot_be_written_is_said(self):
        text = self.server.config.read_text().replace(self.directory + "/store.db",
                                                      "/proc/nowhere/store.db")
        code, words = self.refused(text)
        self.assertIn(code, (69, 77, 78), words)
        self.assertIn("/proc/nowhere", words)


class NotifyTestCase(ServerTestCase):
    starts = False

    def test_service_manager_hears_ready_and_stopping(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            path = str(pathlib.Path(self.directory) / "notify")
            manager.bind(path)
            manager.settimeout(PATIENCE)
            self.server.start(NOTIFY_SOCKET=path)
            self.assertIn(b"READY=1", manager.recv(4096))
            self.assertEqual(self.server.stop(), 0)
            self.assertIn(b"STOPPING=1", manager.recv(4096))


class StartAndIdleTestCase(ServerTestCase):
    starts = False

    def test_ready_within_a_second(self):
        begun = time.monotonic()
        self.server.start()
        if not SANITIZED:
            self.assertLess(time.monotonic() - begun, 1.0, self.server.words())
        self.assertRegex(self.server.words(), r"ready.*ms")

    @unittest.skipIf(SANITIZED, "sanitizers run threads of their own")
    def test_idle_costs_less_than_one_percent_of_a_core(self):
        self.server.start()
        self.server.append("i-1", query="?ack=delivered&wait=10s")
        time.sleep(0.5)
        before = self.server.cpu_seconds()
        time.sleep(3)
        spent = self.server.cpu_seconds() - before
        self.assertLess(spent, 0.03 + 1 / os.sysconf("SC_CLK_TCK"), f"{spent} s of CPU in 3 s")


if __name__ == "__main__":
    unittest.main()
