"""The promise on PostgreSQL: hosts, the server, and the connections between them die under load."""

import unittest

from database_faults import CutTests, DatabaseKillTests, DatabaseTestCase, HostKillTests, TwoHostsTests
from database_servers import PostgresServer


class PostgresTestCase(DatabaseTestCase):
    database_class = PostgresServer


class PostgresHostKillTestCase(HostKillTests, PostgresTestCase):
    broker_settings = {"drop_percent": 10, "drop_topics": ["vouch.validation"]}


class PostgresServerKillTestCase(DatabaseKillTests, PostgresTestCase):
    pass


class PostgresCutTestCase(CutTests, PostgresTestCase):
    # The name of the prepared statement, in the Bind message.
    commit_words = b"\x00commit\x00"


class PostgresTwoHostsTestCase(TwoHostsTests, PostgresTestCase):
    pass


if __name__ == "__main__":
    unittest.main()
