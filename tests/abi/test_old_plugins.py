"""Plugins that are built from frozen headers run in today's host, with every optional interface that
they had."""

import os
import pathlib
import re
import sys
import unittest

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(pathlib.Path(os.environ["VOUCH_SOURCE"]) / "tests/e2e"))
from vouch_server import ServerTestCase, eventually  # noqa: E402

PLUGINS = pathlib.Path(os.environ["VOUCH_ABI_BUILD"]) / "plugins"
MAJOR = os.environ["VOUCH_ABI"].split(".")[0]


class OldPluginsTestCase(ServerTestCase):
    """Of ABI 1.0; one subclass for each later version."""

    name = "1-0"
    extra = f"plugins: {{ search_path: [{PLUGINS}] }}"

    @property
    def storage(self) -> str:
        return f"storage: {{{{ plugin: storage-abi-{self.name} }}}}"

    @property
    def brokers(self) -> str:
        return (f"brokers: {{ main: {{ plugin: broker-abi-{self.name} }} }}\n"
                "outbound: [{ topic: 'events.{category}' }]")

    def test_events_go_in_and_out(self):
        events = [{"type": "opened", "data": {"owner": "Ada"}}, {"type": "closed", "data": None}]
        answer = self.server.append("account-1", *events, query="?ack=delivered&wait=10s")
        self.assertEqual((answer.status, answer.json["state"]), (201, "delivered"))
        self.assertEqual(self.server.versions("account-1"), [1, 2])
        again = self.server.append("account-1", headers={"If-Match": '"1"'})
        self.assertEqual(again.status, 412, again.body)
        feed = self.server.get("/v1/events?after=start")
        self.assertEqual(feed.status, 200, feed.body)
        self.assertEqual([event["version"] for event in feed.json["events"]], [1, 2])
        self.assertIn("account-1", str(self.server.get("/v1/streams").json))
        self.assertEqual(self.server.get("/readyz").status, 200)

    def test_a_repeated_key_is_answered_once_more(self):
        key = {"Idempotency-Key": "once"}
        first = self.server.append("account-2", headers=key)
        second = self.server.append("account-2", headers=key)
        self.assertEqual(first.json["ids"], second.json["ids"])
        self.assertEqual(self.server.versions("account-2"), [1])

    def test_optional_interfaces_are_found(self):
        self.server.append("account-3")
        saved = self.server.request("PUT", "/v1/streams/account-3/snapshot",
                                    {"version": 1, "data": {"balance": 1}})
        self.assertEqual(saved.status, 202, saved.body)
        eventually("the snapshot", lambda: self.server.get(
            "/v1/streams/account-3/snapshot").status == 200)
        erased = self.server.request("POST", "/v1/streams/account-3:erase",
                                     {"confirm": True, "reason": "asked for"})
        self.assertEqual(erased.status, 200, erased.body)
        self.assertEqual(self.server.get("/v1/delivery/dead-letters").status, 200)
        self.assertIn("hosts", str(self.server.get("/v1/delivery").json))


class EveryVersionTestCase(unittest.TestCase):
    def test_plugins_of_each_frozen_version_of_this_major_are_run(self):
        versions = {folder.name.replace(".", "-") for folder in HERE.iterdir()
                    if re.fullmatch(rf"{MAJOR}\.\d+", folder.name)}
        run = {case.name for case in (OldPluginsTestCase, *OldPluginsTestCase.__subclasses__())}
        self.assertEqual(run, versions)


if __name__ == "__main__":
    unittest.main()
