"""The feed of all events: pages, following by SSE and NDJSON, resuming."""

import json
import unittest

from vouch_server import ServerTestCase


class Follower:
    """Reads a feed that has no end, line by line."""

    def __init__(self, server, path: str, accept: str, headers: dict | None = None):
        self.connection = server.connect()
        self.connection.request("GET", path, headers={"Accept": accept, **(headers or {})})
        self.response = self.connection.getresponse()

    def line(self) -> str:
        line = self.response.readline()
        if not line:
            raise AssertionError("the feed ended")
        return line.decode().rstrip("\n")

    def sse(self) -> dict:
        """The next server-sent event, comments left out."""
        fields: dict = {}
        while True:
            line = self.line()
            if line == "" and fields:
                return fields
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value

    def ndjson(self) -> dict:
        while True:
            line = self.line()
            if line:
                entry = json.loads(line)
                if entry["kind"] != "heartbeat":
                    return entry

    def close(self):
        self.response.close()
        self.connection.close()


class FeedTestCase(ServerTestCase):
    def follow(self, path: str, accept: str, headers: dict | None = None) -> Follower:
        follower = Follower(self.server, path, accept, headers)
        self.addCleanup(follower.close)
        self.assertEqual(follower.response.status, 200)
        return follower

    def test_pages_give_every_event_once(self):
        for n in range(25):
            self.server.append(f"s-{n % 4}", {"type": "t", "data": n})
        seen, path = [], "/v1/events?after=start&limit=7"
        while True:
            page = self.server.get(path).json
            seen += [event["id"] for event in page["events"]]
            if not page["events"]:
                break
            path = f"/v1/events?after={page['next']}&limit=7"
        self.assertEqual(len(seen), 25)
        self.assertEqual(len(set(seen)), 25)

    def test_each_filter_gives_every_event_that_it_matches_and_no_other(self):
        for n in range(3):
            self.server.append("order-1", {"type": "placed", "data": n})
            self.server.append("orders-1", {"type": "other", "data": n})
        for query in ("category=order", "type=placed", "stream=order-1",
                      "category=order&type=placed&stream=order-1"):
            page = self.server.get(f"/v1/events?after=start&{query}").json
            found = [(event["stream"], event["version"]) for event in page["events"]]
            self.assertEqual(found, [("order-1", 1), ("order-1", 2), ("order-1", 3)], query)

    def test_sse_catches_up_then_goes_live_and_resumes_by_last_event_id(self):
        for n in range(3):
            self.server.append("s-1", {"type": "t", "data": n})
        follower = self.follow("/v1/feed?after=start", "text/event-stream")
        # Where live begins depends on how far the host's own tailer is: before or after the last of
        # them, and never inside a gap.
        entries = [follower.sse() for _ in range(4)]
        self.assertEqual([entry["event"] for entry in entries].count("caught-up"), 1)
        caught = [entry for entry in entries if entry["event"] != "caught-up"]
        self.assertEqual([json.loads(event["data"])["version"] for event in caught], [1, 2, 3])
        self.assertEqual([event["event"] for event in caught], ["t"] * 3)
        self.server.append("s-1", {"type": "live", "data": 3})
        live = follower.sse()
        self.assertEqual((live["event"], json.loads(live["data"])["version"]), ("live", 4))

        again = self.follow("/v1/feed", "text/event-stream", {"Last-Event-ID": caught[1]["id"]})
        resumed = [entry for entry in (again.sse() for _ in range(3))
                   if entry["event"] != "caught-up"]
        self.assertEqual([json.loads(event["data"])["version"] for event in resumed], [3, 4])

    def test_ndjson_follow_with_filters(self):
        follower = self.follow("/v1/feed?after=start&category=order&type=placed",
                               "application/x-ndjson")
        self.assertEqual(follower.ndjson()["kind"], "caught-up")
        self.server.append("order-1", {"type": "placed", "data": 1})
        self.server.append("order-1", {"type": "paid", "data": 2})
        self.server.append("cart-1", {"type": "placed", "data": 3})
        self.server.append("order-2", {"type": "placed", "data": 4})
        entries = [follower.ndjson() for _ in range(2)]
        self.assertEqual([entry["kind"] for entry in entries], ["event", "event"])
        self.assertIn("order-1", json.dumps(entries[0]))
        self.assertIn("order-2", json.dumps(entries[1]))
        self.assertTrue(all(entry["cursor"] for entry in entries))

    def test_cursor_that_was_never_given_out_is_refused(self):
        self.assertEqual(self.server.get("/v1/events?after=nonsense").status, 400)


if __name__ == "__main__":
    unittest.main()
