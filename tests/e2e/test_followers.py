"""Followers that are many, and one that stops reading: what they cost the server and each other.
A sanitizer keeps memory and threads of its own, so that what the server needs is bounded in other
builds only."""

import json
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from following import MIB, Crowd, Load, MemoryWatch, RawFollower, say
from vouch_server import SANITIZED, SQLITE, ServerTestCase


class Followers:
    """Mixed into a `ServerTestCase`."""

    # What goes out is not looked at here, and need not fill the disk.
    broker_settings = {"tap_topics": ["none."]}

    def check_no_gap(self, lines: list[bytes]) -> None:
        """That each stream's events are all there, in order, from its first to its last here."""
        last: dict[str, int] = {}
        for line in lines:
            event = json.loads(line)["event"]
            self.assertEqual(event["version"], last.get(event["stream"], 0) + 1, event["stream"])
            last[event["stream"]] = event["version"]


class StalledFollowerTestCase(Followers, ServerTestCase):
    # The database's page cache grows with the file, whoever follows: here it is small.
    storage = SQLITE.replace("store.db", "store.db, cache_size: 1MiB")
    stall = 15 if SANITIZED else 60  # seconds
    aside = 3 if SANITIZED else 8  # seconds
    #: The live feed's ring is 16 MiB of events and what it costs to hold them; a follower's buffer
    #: is 256 KiB. Far less than what is appended in the meantime.
    most_growth = 36 * MIB

    def test_follower_that_stops_reading_slows_nobody_costs_bounded_memory_and_misses_nothing(self):
        if SANITIZED:
            say(f"under a sanitizer: no reading for {self.stall} s only, memory not bounded")
        load = Load(self.server)
        try:
            before = load.median_over(self.aside)
            follower = RawFollower(self.server, "?after=start", receive_buffer=4096)
            self.addCleanup(follower.close)
            seen: list[bytes] = []
            while not follower.live or len(seen) < 100:
                seen += follower.read()
            memory = MemoryWatch(self.server)
            meanwhile = load.median_over(self.stall)
            grown = memory.end()
            behind = load.appended() - len(seen)
            # It reads on under load, until it is at the live end again.
            while load.appended() - len(seen) > 5 * Load.WRITERS * Load.BATCH:
                seen += follower.read()
            follower.close()
            after = load.median_over(self.aside)
        finally:
            load.end()
        say(f"{behind} events behind after {self.stall} s; memory grew by {grown / MIB:.1f} MiB; "
            f"median of an append: {before * 1e3:.1f} ms before, {meanwhile * 1e3:.1f} ms while it "
            f"did not read, {after * 1e3:.1f} ms afterwards")
        self.check_no_gap(seen)
        self.assertLess(meanwhile, 3 * max(before, after) + 0.005)
        # Otherwise what is kept in memory for everybody may have been enough.
        self.assertGreater(behind * Load.BYTES, (4 if SANITIZED else 60) * MIB)
        if not SANITIZED:
            self.assertLess(grown, self.most_growth)


class ManyFollowersTestCase(Followers, ServerTestCase):
    followers = 500
    events = 200 if SANITIZED else 1000
    #: The ring, and for each follower some book-keeping and a buffer while it is behind.
    most_growth = 64 * MIB

    def test_500_followers_see_every_event_in_order_and_the_server_is_idle_afterwards(self):
        if SANITIZED:
            say(f"under a sanitizer: {self.events} events, memory and idleness not bounded")
        memory = MemoryWatch(self.server)
        crowd = Crowd(self.server, self.followers)
        self.addCleanup(crowd.close)
        crowd.read_until(lambda member: member.follower.live)
        began = time.monotonic()
        with ThreadPoolExecutor(4) as pool:
            writers = [pool.submit(self._write, number, self.events // 4) for number in range(4)]
            crowd.read_until(lambda member: member.count >= self.events)
            for writer in writers:
                writer.result()
        took = time.monotonic() - began
        grown = memory.end()
        spent = self._spent_in(2.0)
        say(f"{self.followers} followers saw {self.events} events each in {took:.1f} s; memory "
            f"grew by {grown / MIB:.1f} MiB; {spent:.2f} s of processor time in the 2 s afterwards")
        self.check_no_gap(crowd.lines_of_first)
        self.assertEqual(crowd.counts(), {self.events})
        self.assertEqual(len(crowd.digests()), 1, "followers saw different things")
        if not SANITIZED:
            self.assertLess(grown, self.most_growth)
            self.assertLess(spent, 0.1)

    def _write(self, number: int, count: int) -> None:
        connection = self.server.connect()
        for _ in range(count):
            connection.request("POST", f"/v1/streams/crowd-{number}/events",
                               '{"type":"t","data":1}', {"Content-Type": "application/json"})
            answer = connection.getresponse()
            told = answer.read()
            self.assertEqual(answer.status, 201, told)
        connection.close()

    def _spent_in(self, seconds: float) -> float:
        """Processor time. What was appended may still be on its way out for a moment."""
        time.sleep(0.5)
        before = self.server.cpu_seconds()
        time.sleep(seconds)
        return self.server.cpu_seconds() - before


if __name__ == "__main__":
    unittest.main()
