"""The promise on MariaDB: hosts, the server, and the connections between them die under load."""

import unittest

from database_faults import CutTests, DatabaseKillTests, DatabaseTestCase, HostKillTests, TwoHostsTests
from database_servers import MariaDbServer


class MariaDbTestCase(DatabaseTestCase):
    database_class = MariaDbServer


class MariaDbHostKillTestCase(HostKillTests, MariaDbTestCase):
    broker_settings = {"drop_percent": 10, "drop_topics": ["vouch.validation"]}


class MariaDbServerKillTestCase(DatabaseKillTests, MariaDbTestCase):
    pass


class MariaDbCutTestCase(CutTests, MariaDbTestCase):
    commit_words = b"COMMIT"


class MariaDbTwoHostsTestCase(TwoHostsTests, MariaDbTestCase):
    pass


if __name__ == "__main__":
    unittest.main()
