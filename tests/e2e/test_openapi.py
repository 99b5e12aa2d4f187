"""Every path and method of docs/openapi.yaml is served, and the served document is that file."""

import re
import unittest

from vouch_server import SOURCE, ServerTestCase

METHODS = ("get", "head", "put", "post", "delete", "patch")


def operations(text: str) -> list[tuple[str, str]]:
    """(method, path) of each operation: read by indentation, which suffices for this one file."""
    found, path, inside = [], None, False
    for line in text.splitlines():
        if re.match(r"^\S", line):
            inside = line.startswith("paths:")
        elif inside and (match := re.match(r'^  ["\']?(/[^"\']*?)["\']?:\s*$', line)):
            path = match.group(1)
        elif inside and path and (match := re.match(r"^    (\w+):\s*$", line)):
            if match.group(1) in METHODS:
                found.append((match.group(1).upper(), path))
    return found


class OpenApiTestCase(ServerTestCase):
    def setUp(self):
        super().setUp()
        self.text = (SOURCE / "docs" / "openapi.yaml").read_text()
        answer = self.server.append("order-1", {"type": "placed", "data": {}})
        self.values = {"stream": "order-1", "id": answer.json["ids"][0], "tx": answer.json["tx"]}

    def test_document_lists_the_api(self):
        listed = operations(self.text)
        self.assertGreater(len(listed), 15, listed)
        self.assertIn(("POST", "/v1/streams/{stream}/events"), listed)

    def test_each_operation_is_routed(self):
        for method, template in operations(self.text):
            path = re.sub(r"\{(\w+)\}", lambda match: self.values[match.group(1)], template)
            with self.subTest(operation=f"{method} {template}"):
                connection = self.server.connect()
                # An empty body is wrong for whatever takes one, which shows that it was looked at.
                connection.request(method, path)
                response = connection.getresponse()
                self.assertNotIn(response.status, (405, 500, 501))
                if response.status == 404:
                    self.assertNotRegex(response.read().decode(), r"(?i)no such path|no route")
                connection.close()

    def test_served_document_is_the_one_in_the_tree(self):
        self.assertEqual(self.server.get("/openapi.yaml").body.decode(), self.text)

    def test_path_that_is_not_in_the_document_is_not_found(self):
        self.assertEqual(self.server.get("/v1/nowhere").status, 404)
        self.assertEqual(self.server.request("DELETE", "/v1/info").status, 405)


if __name__ == "__main__":
    unittest.main()
