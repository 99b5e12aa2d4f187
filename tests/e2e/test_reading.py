"""Reading: streams both ways, single events, state with snapshots, stream names."""

import unittest

from vouch_server import ServerTestCase, eventually


class ReadTestCase(ServerTestCase):
    def setUp(self):
        super().setUp()
        for n in range(1, 8):
            self.server.append("log-1", {"type": "line", "data": {"n": n}})

    def numbers(self, query: str) -> list[int]:
        answer = self.server.get("/v1/streams/log-1/events" + query)
        self.assertEqual(answer.status, 200, answer.body)
        return [event["data"]["n"] for event in answer.json["events"]]

    def test_forward_and_backward_and_pages(self):
        self.assertEqual(self.numbers(""), [1, 2, 3, 4, 5, 6, 7])
        self.assertEqual(self.numbers("?from=3&limit=2"), [3, 4])
        self.assertEqual(self.numbers("?direction=backward&limit=3"), [7, 6, 5])
        self.assertEqual(self.numbers("?direction=backward&from=2"), [2, 1])

    def test_next_link_leads_through_the_whole_stream(self):
        path, seen = "/v1/streams/log-1/events?limit=3", []
        while path:
            answer = self.server.get(path)
            seen += [event["version"] for event in answer.json["events"]]
            link = answer.headers.get("Link")
            path = link.split("<")[1].split(">")[0] if link else None
        self.assertEqual(seen, [1, 2, 3, 4, 5, 6, 7])

    def test_head_and_etag_tell_the_version(self):
        answer = self.server.request("HEAD", "/v1/streams/log-1/events")
        self.assertEqual((answer.status, answer.headers["ETag"]), (200, '"7"'))
        same = self.server.get("/v1/streams/log-1/events", {"If-None-Match": '"7"'})
        self.assertEqual(same.status, 304)

    def test_stream_that_does_not_exist_is_not_found(self):
        answer = self.server.get("/v1/streams/nobody/events")
        self.assertEqual(answer.status, 404)
        self.assertEqual(answer.json["type"], "urn:vouch:problem:not-found")

    def test_ndjson_gives_one_event_a_line(self):
        answer = self.server.get("/v1/streams/log-1/events", {"Accept": "application/x-ndjson"})
        self.assertEqual([event["version"] for event in answer.lines], [1, 2, 3, 4, 5, 6, 7])

    def test_state_is_the_newest_snapshot_and_what_came_after(self):
        saved = self.server.request("PUT", "/v1/streams/log-1/snapshot",
                                    {"version": 5, "data": {"sum": 15}})
        self.assertEqual(saved.status, 202, saved.body)
        state = eventually("the snapshot", lambda: self._state_with_snapshot())
        self.assertEqual(state["snapshot"]["version"], 5)
        self.assertEqual(state["snapshot"]["data"], {"sum": 15})
        self.assertEqual([event["version"] for event in state["events"]], [6, 7])
        ahead = self.server.request("PUT", "/v1/streams/log-1/snapshot",
                                    {"version": 9, "data": {}})
        self.assertEqual(ahead.status, 422)

    def _state_with_snapshot(self):
        state = self.server.get("/v1/streams/log-1/state").json
        return state if "snapshot" in state else None

    def test_stream_names_of_a_category(self):
        self.server.append("account-1")
        self.server.append("account-2")
        answer = self.server.get("/v1/streams?category=account")
        names = [stream["stream"] for stream in answer.json["streams"]]
        self.assertEqual(names, ["account-1", "account-2"])


if __name__ == "__main__":
    unittest.main()
