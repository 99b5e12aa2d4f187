"""What the tests of full and read-only disks share: a server whose database is on a disk of its own,
and what clients were told."""

from small_disk import SmallDisk
from vouch_server import ServerTestCase, eventually

#: Large enough that a few fill what the write-ahead log still had.
LARGE = {"type": "happened", "data": "x" * 200_000}


class DiskTestCase(ServerTestCase):
    """The database is on a disk of its own; the tap and the logs are not, unless a test says so."""

    starts = False
    disk_kind = SmallDisk

    def setUp(self):
        super().setUp()
        self.disk = self.disk_kind(self, self.directory)
        # What runs later comes first: the server is ended before its disk goes.
        self.addCleanup(self._end)
        self.change_config(f"{self.directory}/store.db", f"{self.disk.path}/store.db")
        self.stored: dict[str, list[str]] = {}

    def change_config(self, before: str, after: str):
        text = self.server.config.read_text()
        self.assertIn(before, text)
        self.server.config.write_text(text.replace(before, after))

    def append(self, stream: str, event: dict | None = None):
        """Appends and remembers what was answered as committed."""
        answer = self.server.append(stream, *([event] if event else []))
        if answer.status == 201:
            self.stored.setdefault(stream, []).extend(answer.json["ids"])
        return answer

    def refused(self, answer, words: str):
        self.assertEqual(answer.status, 503, answer.body)
        problem = answer.json
        self.assertEqual(problem["type"], "urn:vouch:problem:storage-unavailable", problem)
        self.assertIn(words, problem["detail"])
        self.assertIn(str(self.disk.path / "store.db"), problem["detail"])
        self.assertEqual(answer.headers["Retry-After"], "1")

    def append_until_refused(self, words: str):
        for n in range(400):
            answer = self.append(f"large-{n % 3}", LARGE)
            if answer.status != 201:
                self.refused(answer, words)
                return
        self.fail("400 appends of 200 kB fit on a full disk")

    def check_stored(self):
        """Streams and feed hold what was answered as committed, and nothing else."""
        for stream, ids in self.stored.items():
            lines = self.server.get(f"/v1/streams/{stream}/events",
                                    {"Accept": "application/x-ndjson"}).lines
            self.assertEqual([event["id"] for event in lines], ids, stream)
            self.assertEqual([event["version"] for event in lines],
                             list(range(1, len(ids) + 1)), stream)
        feed = self.server.get("/v1/events", {"Accept": "application/x-ndjson"}).lines
        in_feed: dict[str, list[str]] = {}
        for event in feed:
            in_feed.setdefault(event["stream"], []).append(event["id"])
        self.assertEqual(in_feed, self.stored)

    def check_delivered(self):
        """Everything is on its topic, in order, and the ledger knows it."""
        def delivered():
            total = self.server.get("/v1/delivery").json["total"]
            return total["undelivered"] == 0
        eventually("all delivered", delivered)
        seen = self.server.first_occurrences()
        self.assertEqual(seen, {stream: list(range(1, len(ids) + 1))
                                for stream, ids in self.stored.items()})

    def works_again(self):
        eventually("an append", lambda: self.append("after-1").status == 201)
        eventually("ready", self.server.ready)
