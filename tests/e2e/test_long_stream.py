"""A stream that is much longer than what fits into memory."""

import json
import time
import unittest

from following import MIB, MemoryWatch, say
from vouch_server import SANITIZED, ServerTestCase, eventually

PATH = "/v1/streams/long-1/events"


class LongStreamTestCase(ServerTestCase):
    # What goes out is not looked at here, and need not fill the disk.
    broker_settings = {"tap_topics": ["none."]}
    events = 100_000 if SANITIZED else 1_000_000
    request = 1_000  # events; the default limit
    most_growth = 32 * MIB

    def test_million_events_are_read_with_little_memory_and_by_pages_in_both_directions(self):
        if SANITIZED:
            say(f"under a sanitizer: {self.events} events, memory not bounded")
        began = time.monotonic()
        self._fill()
        eventually("everything delivered", self._all_delivered, 300)
        filled = time.monotonic()
        memory = MemoryWatch(self.server)
        self._read_all()
        grown = memory.end()
        say(f"{self.events} events written and delivered in {filled - began:.0f} s, read in "
            f"{time.monotonic() - filled:.0f} s; memory grew by {grown / MIB:.1f} MiB")
        if not SANITIZED:
            self.assertLess(grown, self.most_growth)
        self._read_pages_forward()
        self._read_pages_backward()

    def _fill(self) -> None:
        connection = self.server.connect()
        for first in range(1, self.events + 1, self.request):
            body = "[%s]" % ",".join(f'{{"type":"counted","data":{{"n":{n}}}}}'
                                     for n in range(first, first + self.request))
            connection.request("POST", PATH, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            told = json.loads(answer.read())
            self.assertEqual((answer.status, told.get("first_version")), (201, first), told)
        connection.close()

    def _all_delivered(self) -> bool:
        return self.server.get("/v1/delivery").json["total"]["undelivered"] == 0

    def _read_all(self) -> None:
        """Line by line, as a client with little memory does."""
        connection = self.server.connect()
        connection.request("GET", PATH, headers={"Accept": "application/x-ndjson"})
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.headers["ETag"]), (200, f'"{self.events}"'))
        version = 0
        for line in _lines(answer):
            version += 1
            event = json.loads(line)
            if (event["version"], event["data"]["n"]) != (version, version):
                self.fail(f"in the place of version {version}: {line}")
        self.assertEqual(version, self.events)
        connection.close()

    def _read_pages_forward(self) -> None:
        """By their links, from the middle and up to the end."""
        for first in (self.events // 2, self.events - 2_500):
            path, expected = f"{PATH}?from={first}&limit=1000", first
            for _ in range(3):
                page = self._page(path)
                versions = [event["version"] for event in page.json["events"]]
                self.assertEqual(versions, list(range(expected, expected + len(versions))))
                expected += len(versions)
                path = _next(page)
                if path is None:
                    break
            self.assertEqual(expected, min(first + 3_000, self.events + 1))
            self.assertEqual(path is None, expected == self.events + 1)

    def _read_pages_backward(self) -> None:
        for first, query in ((self.events, ""), (2_500, "&from=2500")):
            path, expected = f"{PATH}?direction=backward&limit=1000{query}", first
            for _ in range(3):
                page = self._page(path)
                versions = [event["version"] for event in page.json["events"]]
                self.assertEqual(versions, list(range(expected, expected - len(versions), -1)))
                expected -= len(versions)
                path = _next(page)
            self.assertEqual(expected, max(first - 3_000, 0))
            self.assertEqual(path is None, expected == 0)

    def _page(self, path: str):
        page = self.server.get(path, {"Accept": "application/json"})
        self.assertEqual((page.status, page.headers["ETag"]), (200, f'"{self.events}"'))
        return page


def _lines(answer):
    """Large reads: one by one, the standard library takes a system call for each line."""
    rest = b""
    while taken := answer.read1(MIB):
        *lines, rest = (rest + taken).split(b"\n")
        yield from lines
    if rest:
        raise AssertionError(f"the answer ends within a line: {rest!r}")


def _next(page) -> str | None:
    link = page.headers.get("Link")
    return link.split("<")[1].split(">")[0] if link else None


if __name__ == "__main__":
    unittest.main()
