"""For a proxy before an MQTT broker: loses messages on their way to the host. The broker is told that
they arrived, as if the host had died with them. (Packets: MQTT 5.0, sections 2.1, 3.3 and 3.4; 3.1.1 has
the same heads.)"""

import collections
import random

PUBLISH, PUBACK = 3, 4


class MqttDropper:
    """`Proxy.filter` of a test. Only the thread of a pipe calls it for that pipe."""

    def __init__(self, topics: str, share: float, rng: random.Random):
        """Of messages on topics that begin with `topics`, that share is lost."""
        self.dropped = 0
        self._topics = topics.encode()
        self._share = share
        self._rng = rng
        self._rests: dict = collections.defaultdict(bytes)

    def __call__(self, pipe, way: str, data: bytes) -> bytes:
        if way != "answer":
            return data
        rest, passed = self._rests[pipe] + data, b""
        while (size := packet_size(rest)) and size <= len(rest):
            packet, rest = rest[:size], rest[size:]
            if self._lost(packet):
                self.dropped += 1
                if identifier := packet_identifier(packet):
                    pipe.server.sendall(bytes([PUBACK << 4, 2]) + identifier)
            else:
                passed += packet
        self._rests[pipe] = rest
        return passed

    def _lost(self, packet: bytes) -> bool:
        return (packet[0] >> 4 == PUBLISH and topic(packet).startswith(self._topics)
                and self._rng.random() < self._share)


def packet_size(data: bytes) -> int:
    """Of the packet at the front, its head included; 0 while that can't be said."""
    value = 0
    for index, byte in enumerate(data[1:5]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return 2 + index + value
    return 0


def topic(publish: bytes) -> bytes:
    return _after_topic(publish)[0]


def packet_identifier(publish: bytes) -> bytes:
    """Nothing for QoS 0."""
    _, at = _after_topic(publish)
    return publish[at:at + 2] if publish[0] & 0b110 else b""


def _after_topic(publish: bytes) -> tuple[bytes, int]:
    at = 1
    while publish[at] >= 0x80:
        at += 1
    length = int.from_bytes(publish[at + 1:at + 3], "big")
    end = at + 3 + length
    return publish[at + 3:end], end
