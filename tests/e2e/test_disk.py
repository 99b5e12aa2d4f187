"""Disks that are full or can't be written: clear answers, nothing half-written, and back to work."""

import json
import socket
import threading
import unittest

from disk_case import LARGE, DiskTestCase
from small_disk import BreakableDisk
from vouch_server import PATIENCE, eventually


class FullDiskTestCase(DiskTestCase):
    def test_a_full_disk_is_answered_in_words_and_the_host_works_again_when_there_is_space(self):
        self.server.start()
        for n in range(20):
            self.assertEqual(self.append(f"before-{n % 3}").status, 201)
        self.check_delivered()
        for _ in range(2):
            self.disk.fill()
            self.append_until_refused("no space left")
            self._many_at_once()
            self.check_stored()
            self._readiness_is_honest()
            self._what_was_committed_is_delivered_or_it_is_said_why()
            self.disk.free()
            self.works_again()
            self.check_stored()
            self.check_delivered()
        self.assertEqual(self.server.stop(), 0, self.server.words())
        self.server.start()
        self.check_stored()
        self.check_delivered()

    def _many_at_once(self):
        """Groups of appends fail as a whole, and each is told."""
        answers = []

        def write(worker: int):
            answers.append(self.server.append(f"full-{worker}", LARGE, LARGE))

        threads = [threading.Thread(target=write, args=(worker,)) for worker in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(answers), 16)
        for answer in answers:
            self.refused(answer, "no space left")

    def _readiness_is_honest(self):
        """Small writes may still fit into the log, so both answers can be true; not without words."""
        ready = self.server.get("/readyz")
        if ready.status != 200:
            self.assertEqual(ready.status, 503)
            self.assertIn("no space left", ready.body.decode())
        self.assertEqual(self.server.get("/livez").status, 200)

    def _what_was_committed_is_delivered_or_it_is_said_why(self):
        committed = {event for ids in self.stored.values() for event in ids}

        def out_or_said():
            if committed <= {event["id"] for event in self.server.tapped()}:
                return True
            partitions = self.server.get("/v1/delivery").json["partitions"]
            return any("no space left" in part.get("problem", "") for part in partitions)
        eventually("delivered, or a reason", out_or_said)

    def test_a_host_that_starts_on_a_full_disk_says_so_and_starts_when_there_is_space(self):
        self.disk.fill()
        process = self.server.spawn()
        self.assertEqual(process.wait(PATIENCE), 69)
        self.assertIn("no space left", self.server.words())
        self.disk.free()
        self.server.start()
        self.assertEqual(self.append("a-1").status, 201)
        self.check_stored()


class FullDiskOfLogAndTapTestCase(DiskTestCase):
    """The database has space; the log and the tap have none."""

    def setUp(self):
        super().setUp()
        self.change_config(f"{self.disk.path}/store.db", f"{self.directory}/store.db")
        self.log_file = self.disk.path / "vouch.json"
        self.change_config("shutdown:", f"log: {{ file: {self.log_file}, level: debug }}\nshutdown:")
        self.change_config(json.dumps(str(self.server.tap)), f"{self.disk.path}/outbound.jsonl")
        self.change_config("127.0.0.1:0", "127.0.0.1:{port}")
        self.server.tap = self.disk.path / "outbound.jsonl"
        self.server.tapped = self.whole_lines

    def test_appends_go_on_and_the_events_go_out_when_there_is_space(self):
        self._start()
        self.assertEqual(self.append("a-1").status, 201)
        self.check_delivered()
        self.disk.fill()
        for n in range(200):
            self.assertEqual(self.append(f"s-{n % 4}").status, 201)
        eventually("the reason", lambda: any(
            "No space left on device" in part.get("problem", "")
            for part in self.server.get("/v1/delivery").json["partitions"]))
        self.check_stored()
        self.assertEqual(self.server.get("/livez").status, 200)
        self.disk.free()
        self.check_delivered()
        self.check_stored()

    def whole_lines(self) -> list[dict]:
        """The tap's messages; a write that a full disk cut short leaves a part of a line."""
        events = []
        for line in self.server.tap.read_text().split("\n"):
            try:
                events.append(json.loads(json.loads(line)["payload"]))
            except ValueError:
                pass
        return events

    def _start(self):
        """The address, which others read in the log, is chosen here."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.server.port = free.getsockname()[1]
        self.change_config("{port}", str(self.server.port))
        self.server.spawn()
        eventually("ready", self.server.ready)


class ReadOnlyDiskTestCase(DiskTestCase):
    def test_a_host_refuses_to_start_on_a_read_only_disk_and_starts_when_it_can_write(self):
        self.server.start()
        self.append("a-1")
        self.assertEqual(self.server.stop(), 0)
        self.assertEqual(self.disk.allow_writing(False), "")
        process = self.server.spawn()
        self.assertEqual(process.wait(PATIENCE), 77, self.server.words())
        lock = self.disk.path / "store.db.lock"
        self.assertIn("vouch: error: can't open the database (storage-sqlite): can't create the "
                      f"lock {lock}: Read-only file system; the host writes to that directory\n",
                      self.server.words())
        self.assertEqual(self.disk.allow_writing(True), "")
        self.server.start()
        self.assertEqual(self.append("a-1").status, 201)
        self.check_stored()
        self.check_delivered()


class DiskThatTurnsReadOnlyTestCase(DiskTestCase):
    disk_kind = BreakableDisk

    def test_appends_are_refused_in_words_and_everything_committed_is_there_afterwards(self):
        self.server.start()
        for n in range(20):
            self.append(f"a-{n % 3}")
        self.check_delivered()
        self.disk.turn_read_only()
        for n in range(5):
            self.refused(self.append(f"a-{n % 3}"), "read-only")
        self.check_stored()
        # Asked at most once a second, the host may still know the answer of before.
        eventually("not ready", lambda: not self.server.ready())
        self.assertIn("read-only", self.server.get("/readyz").body.decode())
        self.assertEqual(self.server.stop(), 0, self.server.words())
        self.disk.repair()
        self.server.start()
        self.works_again()
        self.check_stored()
        self.check_delivered()


if __name__ == "__main__":
    unittest.main()
