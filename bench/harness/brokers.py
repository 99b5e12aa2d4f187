"""Apache Kafka and an MQTT broker, as a host is told of them and as a consumer reaches them."""

import os

from processor import listener, own_seconds


class _Broker:
    def __init__(self, port: int):
        self.process = listener(port)

    def processor_seconds(self) -> float | None:
        """None when the server's process can't be seen from here."""
        return own_seconds(self.process) if self.process else None


class Kafka(_Broker):
    title = "Kafka"
    variable = "VOUCH_TEST_KAFKA"

    def __init__(self, address: str):
        self.address = address
        super().__init__(int(address.rpartition(":")[2]))

    @property
    def host_port(self) -> str:
        return self.address

    def describe(self) -> str:
        return "Kafka, one broker"

    def brokers(self, settings: str) -> str:
        more = f", {settings}" if settings else ""
        return ("{ kafka: { plugin: broker-kafka, settings: { bootstrap_servers: "
                f'["{self.address}"]{more} }} }} }}')

    def consumer(self, topic: str) -> str:
        return f"kafka://{self.address}/{topic}"


class Mqtt(_Broker):
    title = "MQTT"
    variable = "VOUCH_TEST_MQTT"

    def __init__(self, uri: str):
        self.uri = uri
        super().__init__(int(uri.rpartition(":")[2]))

    @property
    def host_port(self) -> str:
        return self.uri.rpartition("/")[2]

    def describe(self) -> str:
        return "an MQTT broker"

    def brokers(self, settings: str) -> str:
        more = f", {settings}" if settings else ""
        return f'{{ mqtt: {{ plugin: broker-mqtt, settings: {{ uri: "{self.uri}"{more} }} }} }}'

    def consumer(self, topic: str) -> str:
        return f"{self.uri}/{topic}"


BROKERS = {"kafka": Kafka, "mqtt": Mqtt}


def broker(name: str):
    return BROKERS[name](os.environ[BROKERS[name].variable])
