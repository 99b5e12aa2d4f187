"""The promise while the database, or the way to it, fails: tests that hold for every database server.
A test case takes these classes and says which server it starts (see database_servers.py)."""

import os
import random
import signal
import time

from clients import Address, Follower, Writer
from history import Attempt, History
from invariants import assert_promise_kept
from killing import KillRun, KillTests, say
from tcp_proxy import Cut, Proxy
from vouch_server import PATIENCE, SANITIZED, Server, ServerTestCase, eventually

#: Other hosts get the partitions of one that stands still after this.
LOST_HOST_SECONDS = 3


class DatabaseTestCase(ServerTestCase):
    """A database server of the test's own; `self.server` is configured for it, and not started."""

    database_class = None
    starts = False
    proxied = False

    def setUp(self):
        missing = self.database_class.missing()
        if missing:
            # ctest looks for this word and counts the test as skipped.
            say(f"SKIPPED: {missing}")
            self.skipTest(missing)
        self.database = self.database_class()
        self.addCleanup(self.database.close)
        self.proxy = Proxy(self.database.port)
        self.addCleanup(self.proxy.close)
        port = self.proxy.port if self.proxied else 0
        self.storage = self.database.storage(port, lost_host_timeout=f"{LOST_HOST_SECONDS}s")
        super().setUp()

    def judge(self, faults: int, fault, least_commits: int) -> KillRun:
        """Runs writers and followers while `fault(rng)` happens so often, and judges the history."""
        seed = int(os.environ.get("VOUCH_KILL_SEED") or random.randrange(1 << 32))
        replay = f"replay with VOUCH_KILL_SEED={seed}"
        run = KillRun(self.server, seed)
        try:
            history = run.over_faults(faults, fault)
        except AssertionError as failed:
            raise AssertionError(f"{failed}; {replay}") from failed
        say(f"{faults} faults{' (fewer, for the sanitizers)' * SANITIZED}; {history.summary()}; "
            f"{replay}")
        assert_promise_kept(history, replay)
        committed = sum(attempt.status == 201 for append in history.appends
                        for attempt in append.attempts)
        self.assertGreater(committed, least_commits)
        return run


class HostKillTests(KillTests):
    """The host is killed, the database lives."""

    kills = 15 if SANITIZED else 50


class DatabaseKillTests:
    """The database is killed and started again, the host lives."""

    kills = 5 if SANITIZED else 20

    def test_promise_holds_while_the_database_is_killed_under_load(self):
        def kill(rng):
            self.database.kill()
            time.sleep(rng.choice([0, 0, 0.5]))
            self.database.start()

        self.judge(self.kills, kill, 5 * self.kills)
        self.assertEqual(self.server.get("/readyz").status, 200)

    def test_readiness_says_what_is_missing_and_never_the_password(self):
        self.server.start()
        self.assertEqual(self.server.append("a-1").status, 201)
        self.database.kill()
        answer = eventually("not ready", lambda: self._not_ready())
        self.assertIn(f"127.0.0.1:{self.database.port}", answer)
        self.assertEqual(self.server.append("a-1").json["type"].rsplit("/", 1)[-1].rsplit(":", 1)[-1],
                         "storage-unavailable")
        self.database.start()
        eventually("ready again", self.server.ready)
        self.assertEqual(self.server.append("a-1").json["last_version"], 2)
        info = self.server.get("/v1/info").body.decode()
        for place, text in [("the log", self.server.words()), ("readiness", answer),
                            ("/v1/info", info)]:
            self.assertNotIn(self.database.PASSWORD, text, place)

    def _not_ready(self):
        answer = self.server.get("/readyz?verbose")
        return answer.status == 503 and answer.body.decode()


class CutTests:
    """Connections break at every step of an append's way through the protocol."""

    proxied = True
    cuts = 40 if SANITIZED else 200
    #: In a request: the statement that commits.
    commit_words: bytes = b""

    def test_promise_holds_while_connections_break_at_every_step(self):
        state = {"left": None, "where": "", "armed": False}
        seen = {"request": 0, "answer": 0, "commit": 0}

        def rule(way, data):
            if state["where"] == "commit":
                # Between COMMIT and its answer: the one place where nobody knows what became of it.
                if way == "request" and self.commit_words in data:
                    state["armed"] = True
                elif way == "answer" and state["armed"]:
                    state.update(where="", armed=False)
                    seen["commit"] += 1
                    raise Cut
            elif state["where"] == way:
                state["left"] -= 1
                if state["left"] <= 0:
                    state["where"] = ""
                    seen[way] += 1
                    raise Cut

        self.proxy.rule = rule

        def cut(rng):
            where = rng.choice(["request", "answer", "commit"])
            state.update(left=rng.randrange(1, 12), armed=False)
            state["where"] = where
            deadline = time.monotonic() + PATIENCE
            while state["where"] and time.monotonic() < deadline:
                time.sleep(0.002)
            self.assertEqual(state["where"], "", f"no {where} came by to be cut")

        self.judge(self.cuts, cut, self.cuts)
        say(f"cut: {seen}")
        for where, count in seen.items():
            self.assertGreater(count, self.cuts // 10, where)

    def test_a_way_that_stalls_and_comes_back_loses_nothing(self):
        def stall(rng):
            self.proxy.hold()
            time.sleep(rng.uniform(0.05, 0.6))
            if rng.random() < 0.5:
                self.proxy.cut_all()
            self.proxy.release()

        self.judge(5 if SANITIZED else 20, stall, 20)


class HostsRun(KillRun):
    """Several hosts on one database and one tap; the writers are spread over them."""

    def __init__(self, servers: list[Server], seed: int):
        super().__init__(servers[0], seed)
        self.servers = servers
        self.addresses = [self._address, *(Address(server.machine.address)
                                            for server in servers[1:])]
        heads: dict[str, int] = {}
        self._writers = [Writer(self.addresses[n % len(servers)], f"w{n}",
                                random.Random(self.rng.random()), heads) for n in range(6)]
        self.followers = [Follower(self.addresses[0], "at-the-first", False),
                          Follower(self.addresses[-1], "at-the-last", True)]

    def start(self) -> None:
        for index in range(len(self.servers)):
            self.start_host(index)
        for client in [*self._writers, *self.followers]:
            client.start()

    def start_host(self, index: int) -> None:
        self.servers[index].start()
        self.addresses[index].set(self.servers[index].port)

    def attempts_at(self, index: int) -> list[Attempt]:
        """What was asked of a host so far, and answered."""
        return [attempt for writer in self._writers[index::len(self.servers)]
                for append in list(writer.appends) for attempt in list(append.attempts)]

    def owned(self) -> list[int]:
        """How many partitions each host delivers; -1: it does not answer."""
        answers = [server.get("/v1/delivery") for server in self.servers]
        return [answer.json["total"]["owned"] if answer.status == 200 else -1 for answer in answers]

    def finish(self) -> History:
        for writer in self._writers:
            writer.finish()
        return self._collect()


class SeveralHosts:
    """Hosts that share the store: `self.server` and others."""

    hosts = 2

    def setUp(self):
        super().setUp()
        self.servers = list(self._make_servers())

    def _make_servers(self):
        """All taps are one file, so that the order of what went out is the order of its lines."""
        yield self.server
        for number in range(1, self.hosts):
            server = Server(self.directory, self.broker_settings, self.extra,
                            name=f"host-{number}", storage=self.storage)
            self.addCleanup(self._end_host, server)
            yield server

    @staticmethod
    def _end_host(server: Server):
        process = server.process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()

    def start_all(self) -> HostsRun:
        self.seed = int(os.environ.get("VOUCH_KILL_SEED") or random.randrange(1 << 32))
        run = HostsRun(self.servers, self.seed)
        run.start()
        return run

    def finish(self, run: HostsRun) -> None:
        history = run.finish()
        say(f"{history.summary()}; replay with VOUCH_KILL_SEED={self.seed}")
        assert_promise_kept(history, f"seed {self.seed}")

    def timed(self, what: str, condition, most: float) -> None:
        begun = time.monotonic()
        eventually(what, condition)
        took = time.monotonic() - begun
        say(f"{what} within {took:.1f} s")
        self.assertLess(took, most * (4 if SANITIZED else 1))


class RollingRestartTests(SeveralHosts):
    """Three hosts, restarted one after the other under load."""

    hosts = 3

    def test_a_rolling_restart_fails_no_append_that_a_retry_does_not_cure(self):
        run = self.start_all()
        even = lambda: sorted(run.owned()) == [1, 1, 2]
        self.timed("three hosts share four partitions", even, 10)
        for index, server in enumerate(self.servers):
            run.addresses[index].set(None)
            self.assertEqual(server.stop(), 0)
            others = [n for n in range(3) if n != index]
            self.timed("the partitions of a host that left are with the others",
                       lambda: [run.servers[n].get("/v1/delivery").json["total"]["owned"]
                                for n in others] == [2, 2], 2)
            run.start_host(index)
            self.timed("the host that came has its share", even, 10)
        for server in self.servers:
            eventually("it lists all hosts and their partitions", lambda: self._lists_all(server))
        self.finish(run)


    @staticmethod
    def _lists_all(server: Server) -> bool:
        report = server.get("/v1/delivery").json
        here = [host for host in report["hosts"] if host["here"]]
        ids = {host["id"] for host in here}
        return (len(here) == 3 and sum(host["self"] for host in here) == 1
                and sorted(sum((host["partitions"] for host in here), [])) == [0, 1, 2, 3]
                and all(partition["owner"] in ids for partition in report["partitions"]))


class TwoHostsTests(SeveralHosts):
    """One of two hosts is killed, or stands still, while it owns partitions."""

    def test_partitions_move_and_order_holds_when_an_owner_is_killed_or_stands_still(self):
        run = self.start_all()
        self.even = lambda: run.owned() == [2, 2]
        self.timed("two hosts share four partitions", self.even, 10)
        for round_number in range(2 if SANITIZED else 4):
            owner = round_number // 2 % 2
            if round_number % 2 == 0:
                self._kill_and_start(run, owner)
            else:
                self._stand_still(run, owner)
        self.finish(run)
        self.assertEqual(run.owned(), [2, 2])

    def _kill_and_start(self, run: HostsRun, owner: int):
        run.addresses[owner].set(None)
        run.servers[owner].kill()
        run._kills += 1
        self.timed("the partitions of a killed host moved", self._other_owns_all(run, owner), 2)
        run.start_host(owner)
        self.timed("the host that came has its share", self.even, 10)

    def _stand_still(self, run: HostsRun, owner: int):
        run.servers[owner].process.send_signal(signal.SIGSTOP)
        self.timed("the partitions of a host that stood still moved",
                   self._other_owns_all(run, owner), 2 + LOST_HOST_SECONDS)
        time.sleep(1)
        run.servers[owner].process.send_signal(signal.SIGCONT)
        self.timed("the host that went on has its share", self.even, 10)

    @staticmethod
    def _other_owns_all(run: HostsRun, owner: int):
        other = run.servers[1 - owner]
        return lambda: other.get("/v1/delivery").json["total"]["owned"] == 4

    def test_a_host_with_another_partition_count_refuses_to_start(self):
        self.server.start()
        text = self.servers[1].config.read_text()
        self.servers[1].config.write_text(text.replace("partitions: 4", "partitions: 5"))
        self.assertEqual(self.servers[1].spawn().wait(PATIENCE), 78)
        self.assertIn("4 partitions", self.servers[1].words())
        self.assertIn("with 5", self.servers[1].words())
