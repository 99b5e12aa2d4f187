"""The promise on PostgreSQL: hosts, the server, and the connections between them die under load."""

import unittest

from database_faults import (CutTests, DatabaseKillTests, DatabaseTestCase, HostKillTests,
                             RollingRestartTests, TwoHostsTests)
from database_servers import PostgresServer


class OnPostgres:
    database_class = PostgresServer


class PostgresHostKillTestCase(HostKillTests, OnPostgres, DatabaseTestCase):
    broker_settings = {"drop_percent": 10, "drop_topics": ["vouch.validation"]}


class PostgresServerKillTestCase(DatabaseKillTests, OnPostgres, DatabaseTestCase):
    pass


class PostgresCutTestCase(CutTests, OnPostgres, DatabaseTestCase):
    # The name of the prepared statement, in the Bind message.
    commit_words = b"\x00commit\x00"


class PostgresTwoHostsTestCase(TwoHostsTests, OnPostgres, DatabaseTestCase):
    pass


class PostgresRollingRestartTestCase(RollingRestartTests, OnPostgres, DatabaseTestCase):
    pass


if __name__ == "__main__":
    unittest.main()
