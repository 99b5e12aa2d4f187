"""What an operator reads when Kafka is not as the configuration has it: one clear line each, from a real
broker with TLS, logins and access rules."""

import json
import os
import subprocess
import time
import unittest

from broker_case import BrokerTestCase
from broker_servers import Kafka
from vouch_server import eventually

LOGIN = {"security_protocol": "sasl_plaintext", "sasl_mechanism": "PLAIN",
         "sasl_username": "vouch", "sasl_password": "s3cret-of-vouch"}


class GuardedKafka(Kafka):
    """Whoever comes without a login may do everything; the user vouch may do what `allow` says."""

    more_listeners = {"TLS": "SSL", "LOGIN": "SASL_PLAINTEXT"}
    makes_topics = "true"

    def _initialise(self) -> None:
        key = self.directory / "server.pem"
        self._run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout",
                  key, "-out", self.directory / "certificate.pem", "-subj", "/CN=localhost",
                  "-addext", "subjectAltName=IP:127.0.0.1,DNS:kafka.invalid")
        key.write_text(key.read_text() + (self.directory / "certificate.pem").read_text())
        self.settings |= {
            "ssl.keystore.type": "PEM", "ssl.keystore.location": str(key),
            "sasl.enabled.mechanisms": "PLAIN",
            "listener.name.login.plain.sasl.jaas.config":
                "org.apache.kafka.common.security.plain.PlainLoginModule required "
                f'user_vouch="{LOGIN["sasl_password"]}";',
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS", "num.partitions": "2", "message.max.bytes": "2000",
            "auto.create.topics.enable": self.makes_topics}
        super()._initialise()

    def allow(self, *rules: str) -> None:
        self._run(*self._java("kafka.admin.AclCommand", "--bootstrap-server",
                              f"127.0.0.1:{self.port}", "--add", "--allow-principal", "User:vouch",
                              *rules))

    def create_topic(self, name: str) -> None:
        """With two partitions: by writing to it."""
        subprocess.run(["kcat", "-b", f"127.0.0.1:{self.port}", "-P", "-t", name], input="x",
                       text=True, check=True, timeout=60)


class MistakeTests:
    """One broker for all tests of a class, with a validation topic of each test's own."""

    broker_class = GuardedKafka
    _shared: dict[type, GuardedKafka] = {}

    def _new_broker(self):
        if type(self) not in self._shared:
            self._shared[type(self)] = self.broker_class()
        return self._shared[type(self)]

    @classmethod
    def tearDownClass(cls):
        if cls in cls._shared:
            cls._shared.pop(cls).close()
        super().tearDownClass()

    def setUp(self):
        super().setUp()
        self.topic = f"validation.{self.id().rpartition('.')[2]}"
        self._configure("validation: { broker: main }",
                        f"validation: {{ broker: main, topic: {self.topic} }}")

    def _configure(self, old: str, new: str) -> None:
        text = self.server.config.read_text()
        self.assertIn(old, text)
        self.server.config.write_text(text.replace(old, new))
        self.server.config.chmod(0o600)

    def _serve(self, port: int = 0, **settings) -> None:
        """Starts the host with these settings of the broker's plugin."""
        old = {"bootstrap_servers": [f"127.0.0.1:{self.broker.port}"]}
        new = {"bootstrap_servers": [f"127.0.0.1:{port or self.broker.port}"], **settings}
        self._configure(json.dumps(old), json.dumps(new))
        self.server.spawn()

    def _line_with(self, *parts: str) -> str:
        """The one line of the log that holds all of it."""
        def lines():
            return [line for line in self.server.words().splitlines()
                    if all(part in line for part in parts)]

        try:
            eventually(parts[0], lines)
        except AssertionError as failed:
            raise AssertionError(f"{failed}:\n{self.server.words()}") from failed
        time.sleep(1)
        # Said once, however often it is tried, and by however many clients.
        self.assertEqual(len(lines()), 1, self.server.words())
        self.assertNotIn(LOGIN["sasl_password"], self.server.words())
        return lines()[0]

    def _not_ready(self, words: str) -> None:
        self.server.port = int(eventually("the address in the log", self.server.address_port))
        answer = eventually("not ready", lambda: self._readiness(503))
        self.assertIn(f"[-]broker main failed: {words}", answer)

    def _readiness(self, status: int) -> str:
        answer = self.server.get("/readyz?verbose")
        return answer.body.decode() if answer.status == status else ""

    def _ends(self, code: int, words: str) -> None:
        self.assertEqual(self.server.process.wait(60), code, self.server.words())
        self.assertIn(f"vouch: error: the topics of broker main: {words}\n", self.server.words())


class KafkaMistakeTestCase(MistakeTests, BrokerTestCase):
    def _unreachable(self, words: str) -> None:
        self._line_with("can't reach Kafka; trying again", f'reason="{words}"')
        port = self.server.config.read_text().split("127.0.0.1:")[1].split('"')[0]
        self._not_ready(f"127.0.0.1:{port}: {words}\n")

    def test_a_wrong_address(self):
        self._serve(port=1)
        self._unreachable("Connect to 127.0.0.1:1 failed: Connection refused")

    def test_tls_to_a_listener_without(self):
        self._serve(security_protocol="ssl")
        self._unreachable("the server ended the connection; does this listener have TLS? "
                          "(see security_protocol)")

    def test_no_tls_to_a_listener_with_it(self):
        self._serve(port=self.broker.ports["TLS"])
        self._unreachable("the server ended the connection at once; does this listener want TLS or a "
                          "login? (see security_protocol)")

    def test_a_certificate_of_an_unknown_authority(self):
        self._serve(port=self.broker.ports["TLS"], security_protocol="ssl")
        self._unreachable("the server's certificate is of an unknown authority, or of another host "
                          "(see ssl_ca)")

    def test_a_certificate_of_a_known_authority(self):
        self._serve(port=self.broker.ports["TLS"], security_protocol="ssl",
                    ssl_ca=str(self.broker.directory / "certificate.pem"))
        self.server.port = int(eventually("the address in the log", self.server.address_port))
        eventually("ready", self.server.ready)
        self.assertEqual(self.server.append("account-1", query="?ack=delivered").status, 201)

    def _serve_by_tunnel(self, name: str) -> None:
        port = self.broker.ports["TLS"]
        self._serve(bootstrap_servers=[f"{name}:9092"], security_protocol="ssl",
                    connect_to={f"{name}:9092": f"127.0.0.1:{port}"},
                    ssl_ca=str(self.broker.directory / "certificate.pem"))

    def test_a_certificate_names_the_broker_and_not_the_end_of_a_tunnel(self):
        self._serve_by_tunnel("kafka.invalid")
        self.server.port = int(eventually("the address in the log", self.server.address_port))
        eventually("ready", self.server.ready)

    def test_a_certificate_of_another_host_at_the_end_of_a_tunnel(self):
        self._serve_by_tunnel("other.invalid")
        words = ("the server's certificate is of an unknown authority, or of another host "
                 "(see ssl_ca)")
        self._line_with("can't reach Kafka; trying again", f'reason="{words}"')
        self._not_ready(f"other.invalid:9092: {words}\n")

    def test_a_wrong_password(self):
        self._serve(port=self.broker.ports["LOGIN"], **{**LOGIN, "sasl_password": "wrong"})
        self._unreachable("SASL authentication error: Authentication failed: Invalid username or "
                          "password")
        self.assertNotIn("wrong", self.server.get("/readyz?verbose").body.decode())

    def test_no_rights_at_all(self):
        self.broker.create_topic(self.topic)
        self._serve(port=self.broker.ports["LOGIN"], **LOGIN)
        self._ends(77, f"not authorised to see topic {self.topic}")

    def test_no_right_to_write_to_the_outbound_topic(self):
        """An event that can't go out for good is a dead letter, and says so."""
        self._configure("partitions: 4", "partitions: 2")
        self.broker.create_topic(self.topic)
        self.broker.create_topic("events.account")
        self.broker.allow("--operation", "All", "--topic", self.topic)
        self._serve(port=self.broker.ports["LOGIN"], **LOGIN)
        self.server.port = int(eventually("the address in the log", self.server.address_port))
        eventually("ready", self.server.ready)
        self.assertEqual(self.server.append("account-1").status, 201)
        self._line_with("not authorised to write to topic events.account")
        warning = eventually("a warning", lambda: self._readiness(200))
        letter = self.server.get("/v1/delivery/dead-letters").json["dead_letters"][0]
        self.assertEqual(letter["reason"], "not authorised to write to topic events.account")
        eventually("a warning", lambda: "dead letters of route" in self._readiness(200), 10)
        # With the right, the operator's retry is all that it takes.
        self.broker.allow("--operation", "All", "--topic", "events.account")
        self.assertEqual(self.server.request(
            "POST", f"/v1/delivery/dead-letters/{letter['id']}:retry").status, 202, warning)
        eventually("no dead letters", lambda: not self.server.get(
            "/v1/delivery/dead-letters").json["dead_letters"])

    def test_too_few_partitions(self):
        self.broker.create_topic(self.topic)
        self._serve()
        self._ends(78, f"topic {self.topic} has 2 partitions, and 4 are needed, one for each partition "
                       "of the store; add some (kafka-topics.sh --alter --topic "
                       f"{self.topic} --partitions 4) or name another topic")

    def test_no_validation_topic_and_not_told_to_make_it(self):
        self._serve(create_topics=False)
        self._ends(78, f"topic {self.topic} does not exist; create it with 4 partitions or more, or set "
                       "create_topics: true")

    def test_a_message_that_is_too_large_for_the_topic(self):
        self._serve()
        self.server.port = int(eventually("the address in the log", self.server.address_port))
        eventually("ready", self.server.ready)
        large = {"type": "grown", "data": os.urandom(3000).hex()}  # also when it is compressed
        self.assertEqual(self.server.append("account-2", large).status, 201)
        reason = "the message is larger than topic events.account takes (its max.message.bytes)"
        self._line_with(reason)
        letter = self.server.get("/v1/delivery/dead-letters").json["dead_letters"][0]
        self.assertEqual((letter["stream"], letter["reason"]), ("account-2", reason))
        # All other streams go on.
        self.assertEqual(self.server.append("account-3", query="?ack=delivered").status, 201)


class StrictKafka(GuardedKafka):
    makes_topics = "false"


class KafkaWithoutTopicTestCase(MistakeTests, BrokerTestCase):
    broker_class = StrictKafka

    def test_an_outbound_topic_that_nobody_makes(self):
        self._serve()
        self.server.port = int(eventually("the address in the log", self.server.address_port))
        eventually("ready", self.server.ready)
        self.assertEqual(self.server.append("account-1").status, 201)
        words = ("topic events.account does not exist, and the brokers do not create topics by "
                 "themselves; create it, events wait until then")
        self._line_with("a route is held up", words)
        warning = eventually("a warning", lambda: self._readiness(200))
        self.assertIn("[!]", warning)
        self.assertIn(words, warning)


if __name__ == "__main__":
    unittest.main()
