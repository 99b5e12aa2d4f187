"""The promise on MariaDB: hosts, the server, and the connections between them die under load."""

import unittest

from database_faults import (CutTests, DatabaseKillTests, DatabaseTestCase, HostKillTests,
                             RollingRestartTests, TwoHostsTests)
from database_servers import MariaDbServer


class OnMariaDb:
    database_class = MariaDbServer


class MariaDbHostKillTestCase(HostKillTests, OnMariaDb, DatabaseTestCase):
    broker_settings = {"drop_percent": 10, "drop_topics": ["vouch.validation"]}


class MariaDbServerKillTestCase(DatabaseKillTests, OnMariaDb, DatabaseTestCase):
    pass


class MariaDbCutTestCase(CutTests, OnMariaDb, DatabaseTestCase):
    commit_words = b"COMMIT"


class MariaDbTwoHostsTestCase(TwoHostsTests, OnMariaDb, DatabaseTestCase):
    pass


class MariaDbRollingRestartTestCase(RollingRestartTests, OnMariaDb, DatabaseTestCase):
    pass


if __name__ == "__main__":
    unittest.main()
