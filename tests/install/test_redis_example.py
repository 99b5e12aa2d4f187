"""The broker on Redis Streams (examples/) as a stranger builds it: against an installed SDK, tried by its
own tests, and run by a host beside a Redis that is killed, has passwords, rights and certificates."""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

BUILD = pathlib.Path(os.environ["VOUCH_BUILD"])
SOURCE = pathlib.Path(os.environ["VOUCH_SOURCE"])
EXAMPLE = SOURCE / "examples/broker-redis-streams"
WITH_REDIS = EXAMPLE / "tests/with-redis"
ROOT = pathlib.Path(tempfile.mkdtemp(prefix="vouch-redis-"))
PREFIX = ROOT / "prefix"
WORK = ROOT / "build"

os.environ["VOUCH_BINARY"] = str(BUILD / "bin/vouch")
os.environ["VOUCH_PLUGIN_PATH"] = str(WORK)
sys.path.insert(0, str(SOURCE / "tests/e2e"))
from vouch_server import Server, eventually, run_command  # noqa: E402

BROKER = """
brokers:
  redis:
    plugin: broker-redis-streams
    settings: {{ {settings} }}
outbound: [{{ topic: 'events.{{category}}' }}]"""


def missing() -> str:
    """What it takes and is not there."""
    programs = [name for name in ("redis-server", "redis-cli", "openssl", "pkg-config")
                if not shutil.which(name)]
    if programs:
        return f"{', '.join(programs)} not found; scripts/test installs what is missing"
    libraries = [name for name in ("hiredis", "openssl")
                 if subprocess.run(["pkg-config", "--exists", name], check=False).returncode != 0]
    return f"no development files of {', '.join(libraries)}" if libraries else ""


def run(*command, code: int = 0) -> str:
    """What it printed. Fails with all of it."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False, timeout=280)
    if done.returncode != code:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def setUpModule():
    unittest.addModuleCleanup(shutil.rmtree, ROOT, ignore_errors=True)
    if words := missing():
        print(f"SKIPPED: {words}")
        raise unittest.SkipTest(words)
    run("cmake", "--install", BUILD, "--prefix", PREFIX, "--component", "dev")
    run("cmake", "-S", EXAMPLE, "-B", WORK, "-DCMAKE_BUILD_TYPE=Debug",
        "-DCMAKE_CXX_FLAGS=-O1 -Werror", f"-DCMAKE_PREFIX_PATH={PREFIX}")
    run("cmake", "--build", WORK, "--parallel", "2")


class Redis:
    """One beside which nobody else works; ends with `close`."""

    def __init__(self, conf: str = ""):
        words = 'echo "$REDIS_ADDRESS"; echo "$REDIS_RESTART"; cat'
        self.process = subprocess.Popen([WITH_REDIS, "sh", "-c", words], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        env={**os.environ, "WITH_REDIS_CONF": conf})
        self.address = self.process.stdout.readline().strip()
        self.restart_command = self.process.stdout.readline().strip()

    def kill_and_start(self) -> None:
        run("sh", "-c", self.restart_command)

    def cli(self, *words: str) -> str:
        return run("redis-cli", "-p", self.address.split(":")[1], *words)

    def events(self, stream: str) -> list[dict]:
        """The CloudEvents in a stream, in its order."""
        entries = json.loads(self.cli("--json", "XRANGE", stream, "-", "+"))
        found = []
        for _, fields in entries:
            if fields[0] != "key" or fields[2] != "data":
                raise AssertionError(f"an entry begins with its key and data: {fields}")
            found.append({"key": fields[1], **json.loads(fields[3])})
        return found

    def close(self) -> None:
        self.process.communicate(timeout=30)


class RedisTestCase(unittest.TestCase):
    conf = ""

    def setUp(self):
        self.redis = Redis(self.conf)
        self.addCleanup(self.redis.close)

    def host(self, **settings: object) -> Server:
        """Not started."""
        directory = tempfile.mkdtemp(dir=ROOT)
        settings = {"addresses": [self.redis.address], **settings}
        text = ", ".join(f"{key}: {json.dumps(value)}" for key, value in settings.items())
        server = Server(directory, brokers=BROKER.format(settings=text))
        self.addCleanup(lambda: server.process and server.kill())
        return server

    def refusal(self, **settings: object) -> str:
        """What a host says that does not start."""
        server = self.host(**settings)
        self.assertNotEqual(server.spawn().wait(30), 0)
        return server.words()


class BuiltTestCase(unittest.TestCase):
    def test_its_own_tests_and_the_conformance_suite_pass(self):
        printed = run("ctest", "--test-dir", WORK, "--output-on-failure", "--verbose")
        self.assertIn("100% tests passed, 0 tests failed out of 2", printed)
        self.assertRegex(printed, r"broker-redis-streams\.so: [1-9]\d+ passed, 0 failed, 0 skipped")

    def test_its_settings_are_described(self):
        described = run_command("plugins", "describe", "broker-redis-streams")
        self.assertIn("addresses: list, required", described.stdout)
        self.assertEqual(described.returncode, 0)
        readme = (EXAMPLE / "README.md").read_text()
        for setting in re.findall(r"^  (\w+): ", described.stdout, re.M):
            self.assertIn(f"`{setting}`", readme)

    def test_the_sdk_brings_the_guide_that_it_was_written_by(self):
        guide = PREFIX / "share/doc/vouch-dev/plugin-authoring.md"
        self.assertIn("# Writing a plugin", guide.read_text())


class HostTestCase(RedisTestCase):
    def test_events_go_out_as_entries_of_a_stream(self):
        server = self.host(durability="always").start()
        for _ in range(3):
            self.assertEqual(server.append("order-1", query="?ack=delivered&wait=10s").status, 201)
        events = self.redis.events("vouch:events.order:0")
        self.assertEqual([int(event["sequence"]) for event in events], [1, 2, 3])
        self.assertEqual({event["key"] for event in events}, {"order-1"})
        self.assertIn("appendfsync always", str(server.get("/v1/info").json))
        self.assertEqual(self.redis.cli("HGET", "vouch:topics", "vouch.validation").strip(), "4")
        self.assertEqual(server.stop(), 0)

    def test_a_redis_that_is_killed_under_load_loses_nothing_and_mixes_nothing_up(self):
        server = self.host(durability="always").start()
        answered: dict[str, int] = {}
        stop = threading.Event()

        def load(stream: str) -> None:
            while not stop.is_set():
                answer = server.append(stream)
                if answer.status == 201:
                    answered[stream] = answer.json["last_version"]

        clients = [threading.Thread(target=load, args=(f"order-{i}",)) for i in range(4)]
        for client in clients:
            client.start()
        for _ in range(4):
            time.sleep(0.7)
            before = sum(answered.values())
            self.redis.kill_and_start()
            eventually("appends again", lambda: sum(answered.values()) > before)
        stop.set()
        for client in clients:
            client.join()

        def delivered() -> bool:
            answer = server.append("order-0", query="?ack=delivered&wait=1s")
            return answer.json.get("state") == "delivered"

        eventually("everything is delivered", delivered)
        first_occurrences: dict[str, list[int]] = {}
        for event in self.redis.events("vouch:events.order:0"):
            versions = first_occurrences.setdefault(event["subject"], [])
            if int(event["sequence"]) not in versions:
                versions.append(int(event["sequence"]))
        for stream, last in answered.items():
            self.assertGreater(last, 10)
            stored = server.versions(stream)
            self.assertGreaterEqual(stored[-1], last)
            self.assertEqual(first_occurrences[stream], stored)
        self.assertEqual(server.stop(), 0)

    def test_a_redis_that_is_less_durable_than_demanded_is_refused(self):
        self.redis.cli("CONFIG", "SET", "appendfsync", "everysec")
        self.assertIn("set appendonly yes and appendfsync always",
                      self.refusal(durability="always"))
        self.host(durability="everysec").start()

    def test_a_redis_without_memory_is_said_and_gets_over_it(self):
        server = self.host(keep_alive="200ms").start()
        self.redis.cli("CONFIG", "SET", "maxmemory", "1")
        self.assertEqual(server.append("order-1").status, 503)
        eventually("the host says why it is not ready",
                   lambda: b"maxmemory" in server.get("/readyz?verbose").body)
        self.redis.cli("CONFIG", "SET", "maxmemory", "0")
        eventually("appends again", lambda: server.append("order-1").status == 201)

    def test_a_key_that_is_no_stream_stops_its_topic_and_no_other(self):
        server = self.host().start()
        self.redis.cli("SET", "vouch:events.order:0", "mine")
        self.assertEqual(server.append("order-1").status, 201)
        self.assertEqual(server.append("bill-1", query="?ack=delivered&wait=10s").status, 201)
        letters = eventually("a dead letter",
                             lambda: server.get("/v1/delivery/dead-letters").json["dead_letters"])
        self.assertIn("WRONGTYPE", str(letters))


class RightsTestCase(RedisTestCase):
    def setUp(self):
        super().setUp()
        rights = re.search(r"^ACL SETUSER .*$", (EXAMPLE / "README.md").read_text(), re.M)[0]
        self.redis.cli(*rights.split())

    def test_the_rights_that_the_readme_names_suffice(self):
        server = self.host(user="vouch", password="s3cret").start()
        self.assertEqual(server.append("order-1", query="?ack=delivered&wait=10s").status, 201)
        self.assertEqual(len(self.redis.events("vouch:events.order:0")), 1)
        self.assertIn("does not tell", str(server.get("/v1/info").json))

    def test_a_wrong_password_is_said_and_not_shown(self):
        words = self.refusal(user="vouch", password="not-the-s3cret")
        self.assertIn("does not accept", words)
        self.assertNotIn("not-the-s3cret", words)

    def test_a_right_that_is_missing_is_named(self):
        self.assertIn("NOPERM", self.refusal(user="vouch", password="s3cret", prefix="else:"))


class ReplicaTestCase(RedisTestCase):
    def test_a_replica_is_passed_over_and_can_be_waited_for(self):
        replica = Redis(f"replicaof {self.redis.address.replace(':', ' ')}\n")
        self.addCleanup(replica.close)
        eventually("the replica is in sync",
                   lambda: "master_link_status:up" in replica.cli("INFO", "replication"))
        server = self.host(addresses=[replica.address, self.redis.address], replicas=1,
                           command_timeout="1s").start()
        self.assertEqual(server.append("order-1", query="?ack=delivered&wait=10s").status, 201)
        self.assertEqual(len(replica.events("vouch:events.order:0")), 1)
        replica.cli("REPLICAOF", "NO", "ONE")
        refused = server.append("order-1")
        self.assertEqual(refused.status, 503)
        self.assertIn("0 replicas have the message", str(refused.json))
        eventually("the host says why it is not ready",
                   lambda: b"replicas have" in server.get("/readyz?verbose").body)


class TlsTestCase(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(dir=ROOT))
        for name, extra in (("ca", ["-subj", "/CN=authority"]),
                            ("server", ["-subj", "/CN=redis", "-CA", "ca.crt", "-CAkey", "ca.key",
                                        "-addext", "subjectAltName=DNS:localhost"])):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                            "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                            "-keyout", f"{name}.key", "-out", f"{name}.crt", *extra],
                           cwd=self.directory, check=True, capture_output=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        files = self.directory
        self.redis = Redis(f"tls-port {self.port}\ntls-auth-clients no\n"
                           f"tls-ca-cert-file {files}/ca.crt\ntls-cert-file {files}/server.crt\n"
                           f"tls-key-file {files}/server.key\n")
        self.addCleanup(self.redis.close)

    def suite(self, name: str, expected: int = 0) -> str:
        settings = self.directory / "settings.yaml"
        settings.write_text(f"addresses: ['{name}:{self.port}']\nprefix: '${{VOUCH_CASE_ID}}:'\n"
                            f"tls: verify_identity\ntls_ca: {self.directory}/ca.crt\n"
                            "connect_timeout: 2s\n")
        return run(PREFIX / "bin/vouch-conformance", WORK / "broker-redis-streams.so",
                   "--settings", settings, "--filter", "broker.publish.*", code=expected)

    def test_it_works_with_a_server_that_is_the_one_named(self):
        self.assertIn(" 0 failed", self.suite("localhost"))

    def test_a_certificate_that_names_another_host_is_refused(self):
        self.assertIn("certificate is not accepted", self.suite("127.0.0.1", expected=2))


if __name__ == "__main__":
    unittest.main()
