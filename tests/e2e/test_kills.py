"""The promise, on the server as it is run, killed again and again: SQLite and the local broker."""

import unittest

from killing import KillTests
from vouch_server import ServerTestCase


class KillTestCase(KillTests, ServerTestCase):
    starts = False
    # Some signals are lost as well, so that the sweep has its part.
    broker_settings = {"drop_percent": 10, "drop_topics": ["vouch.validation"]}


if __name__ == "__main__":
    unittest.main()
