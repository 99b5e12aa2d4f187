"""Runs a server under load, kills it at random moments, and gives the history of it all. The same
for every storage and broker: a test case takes `KillTests` and says what it is configured with."""

import os
import random
import sys
import time

from clients import Address, Follower, Writer
from history import EventSeen, History, Joint, Outbound
from invariants import assert_promise_kept
from vouch_server import PATIENCE, SANITIZED, Server, eventually

WRITERS = 6


class KillTests:
    """Mixed into a `ServerTestCase` with `starts = False`."""

    #: A start takes ten times as long under sanitizers.
    kills = 15 if SANITIZED else 60

    def test_promise_holds_over_kills_at_random_moments(self):
        seed = int(os.environ.get("VOUCH_KILL_SEED") or random.randrange(1 << 32))
        kills = int(os.environ.get("VOUCH_KILLS") or self.kills)
        replay = f"replay with VOUCH_KILL_SEED={seed} VOUCH_KILLS={kills}"
        say(f"{kills} kills{' (fewer, for the sanitizers)' * SANITIZED}; {replay}")
        run = KillRun(self.server, seed)
        began = time.monotonic()
        try:
            history = run.over_kills(kills)
        except AssertionError as failed:
            raise AssertionError(f"{failed}; {replay}") from failed
        say(f"{history.summary()}; {run.kills_at_start} kills during the start, in all "
            f"{time.monotonic() - began:.0f} s")
        assert_promise_kept(history, replay)
        # The run has shown nothing if it was idle, or if nothing ever hung in the balance.
        self.assertEqual(run.too_few(kills), [])
        self.assertGreater(sum(follower.connections for follower in run.followers), kills)


class KillRun:
    def __init__(self, server: Server, seed: int):
        self.server = server
        self.kills_at_start = 0
        self._kills = 0
        self.rng = random.Random(seed)
        self._address = Address(server.machine.address)
        heads: dict[str, int] = {}
        self._writers = [Writer(self._address, f"w{n}", random.Random(self.rng.random()), heads)
                         for n in range(WRITERS)]
        self.followers = [Follower(self._address, "ndjson", False),
                          Follower(self._address, "sse", True)]

    def over_kills(self, kills: int) -> History:
        clients = [*self._writers, *self.followers]
        for client in clients:
            client.start()
        start_takes = self._start()
        for _ in range(kills):
            self._live_for_a_while()
            self._kill()
            while self.rng.random() < 0.2:
                self.kills_at_start += 1
                self.server.spawn()
                time.sleep(self.rng.uniform(0, start_takes))
                self._kill()
            self._start()
        # Between kills a slow machine has hardly time for an append. What nobody contests takes
        # more of it, and ends when there was enough; the test tells what never came.
        deadline = time.monotonic() + 4 * PATIENCE
        while self.too_few(kills) and time.monotonic() < deadline:
            self._live_for_a_while()
        for writer in self._writers:
            writer.finish()
        return self._collect()

    def too_few(self, kills: int) -> list[str]:
        """What the writers have not seen often enough for a run over so many kills. They may be at
        work meanwhile."""
        appends = [append for writer in self._writers for append in list(writer.appends)]
        statuses = [attempt.status for append in appends
                    for part in append.parts for attempt in list(part.attempts)]
        joints = [append for append in appends if isinstance(append, Joint) and append.committed]
        counts = {
            "appends that were committed": (statuses.count(201), 5 * kills),
            "appends that were refused": (statuses.count(412), 0),
            "appends without an answer": (statuses.count(0), kills),
            "commits to several streams": (len(joints), kills),
            "commits with preconditions": (sum(bool(joint.preconditions) for joint in joints), 0),
        }
        return [f"{what}: {count}, more than {least} wanted"
                for what, (count, least) in counts.items() if count <= least]

    def over_faults(self, count: int, fault) -> History:
        """The server lives on; `fault(run)` does something to what it depends on, `count` times."""
        clients = [*self._writers, *self.followers]
        self._start()
        for client in clients:
            client.start()
        for _ in range(count):
            self._live_for_a_while()
            fault(self.rng)
            self._check_alive()
        for writer in self._writers:
            writer.finish()
        return self._collect()

    def _check_alive(self) -> None:
        ended = self.server.process.poll()
        if ended is not None:
            raise AssertionError(f"vouch ended by itself with {ended}:\n{self.server.words()}")

    def _start(self) -> float:
        """Gives clients the address as soon as there is one. Returns the seconds it took."""
        began = time.monotonic()
        self.server.spawn()
        self.server.port = int(eventually("the address in the log", self.server.address_port,
                                          2 * PATIENCE))
        self._address.set(self.server.port)
        return time.monotonic() - began

    def _live_for_a_while(self) -> None:
        longest = self.rng.choice([0.05, 0.4, 1.0]) * (3 if SANITIZED else 1)
        time.sleep(self.rng.uniform(0, longest))

    def _kill(self) -> None:
        self._address.set(None)
        self._check_alive()
        self.server.kill()
        self._kills += 1

    def _collect(self) -> History:
        wanted = [append for writer in self._writers for append in writer.appends]
        history = History(appends=[part for append in wanted for part in append.parts],
                          joints=[append for append in wanted if isinstance(append, Joint)])
        eventually("everything delivered", self._all_delivered, 4 * PATIENCE)
        history.feed = self._events("/v1/events?after=start")
        # A follower that misses events is for the judge to tell, not for this.
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and any(
                len(follower.followed.seen) < len(history.feed) for follower in self.followers):
            time.sleep(0.02)
        for follower in self.followers:
            follower.finish()
        history.followers = [follower.followed for follower in self.followers]
        history.heads = self._heads()
        history.streams = {name: self._events(f"/v1/streams/{name}/events")
                           for name in history.heads}
        history.transactions = self._transactions(history)
        history.routes = self.server.routes
        if self.server.collector is not None:
            self._wait_for_the_collector(len(history.feed) * len(history.routes))
        # A kill leaves at most one message that was not acknowledged.
        history.outbound = [
            Outbound(topic, EventSeen(event["id"], event["subject"], int(event["sequence"]),
                                      event["data"]["mark"]))
            for topic, event in self.server.outbound(most_torn=self._kills)]
        return history

    def _wait_for_the_collector(self, count: int) -> None:
        """It may lag behind the acknowledgements. What never comes is for the judge to tell."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            seen = {(topic, event["id"]) for topic, event in self.server.collector.messages()}
            if len(seen) >= count:
                return
            time.sleep(0.2)

    def _all_delivered(self) -> bool:
        answer = self.server.get("/v1/delivery")
        return answer.status == 200 and answer.json["total"]["undelivered"] == 0

    def _events(self, path: str) -> list[EventSeen]:
        answer = self.server.get(path, {"Accept": "application/x-ndjson"})
        assert answer.status == 200, answer.body
        return [EventSeen.of(event) for event in answer.lines]

    def _heads(self) -> dict[str, int]:
        heads: dict[str, int] = {}
        while True:
            after = f"&after={max(heads)}" if heads else ""
            page = self.server.get(f"/v1/streams?limit=500{after}").json["streams"]
            heads.update({stream["stream"]: stream["version"] for stream in page})
            if not page:
                return heads

    def _transactions(self, history: History) -> dict[str, str]:
        """What became of a part of them, by asking, one by one."""
        tokens = sorted({attempt.tx for append in history.appends for attempt in append.attempts
                         if attempt.tx})
        chosen = self.rng.sample(tokens, min(300, len(tokens)))
        return {tx: self.server.get(f"/v1/transactions/{tx}").json["state"] for tx in chosen}


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
