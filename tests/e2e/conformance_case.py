"""What tests of `vouch-conformance` have in common: the program, a directory for settings, a run that passes."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from vouch_server import BINARY, SANITIZED

PROGRAM = pathlib.Path(BINARY).parent / "vouch-conformance"
BUILD = pathlib.Path(BINARY).parent.parent
PLUGINS = BUILD / "lib/vouch/plugins"
BROKEN = BUILD / "tests/conformance/fixtures/broker-broken.so"
#: Seconds for a case of the broken plugin; one of them hangs.
LIMIT = 30 if SANITIZED else 5
PLUGIN_FIXTURES = BUILD / "tests/plugins/fixtures"


class ConformanceTestCase(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="vouch-conformance-test-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def settings(self, text: str) -> str:
        path = self.directory / "settings.yaml"
        path.write_text(text)
        return str(path)

    def run_program(self, *arguments, **variables: str) -> subprocess.CompletedProcess:
        # A plugin may print bytes that are no text.
        return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, check=False,
                              encoding="utf-8", errors="replace", timeout=280,
                              env={**os.environ, "VOUCH_TEST_COLOR": "green", **variables})

    def passes(self, plugin: str, settings: str, *arguments, at_least: int,
               skipped: int, **variables) -> None:
        """All cases but `skipped` pass."""
        done = self.run_program(PLUGINS / f"{plugin}.so", "--settings", self.settings(settings),
                                "--timeout", 200 if SANITIZED else 60, *arguments, **variables)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(done.stderr, "")
        counts = re.search(r": (\d+) passed, 0 failed, (\d+) skipped in [\d.]+ s\n\Z", done.stdout)
        self.assertIsNotNone(counts, done.stdout)
        self.assertGreaterEqual(int(counts[1]), at_least, done.stdout)
        self.assertEqual(int(counts[2]), skipped, done.stdout)
