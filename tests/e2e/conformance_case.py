"""What tests of `vouch-conformance` have in common: the program, a directory for settings, a run that passes."""

import fnmatch
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from conformance_runs import Run
from conformance_table import Table
from vouch_server import BINARY, SANITIZED

PROGRAM = pathlib.Path(BINARY).resolve().parent / "vouch-conformance"
BUILD = PROGRAM.parent.parent
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

    def passes(self, run: Run, filters: tuple[str, ...] = ("*",),
               left_out_here: dict[str, str] | None = None) -> None:
        """Cases pass and are left out as docs/conformance.md says. `left_out_here`: more of them, and
        why."""
        recorded = Table.recorded().cells[run.plugin]
        wanted = {case: reason for case, reason in recorded.items()
                  if any(fnmatch.fnmatchcase(case, one) for one in filters)}
        wanted.update(left_out_here or {})
        done = self.run_program(PLUGINS / f"{run.plugin}.so", "--settings", self.settings(run.settings),
                                "--timeout", 200 if SANITIZED else 60, "--format", "json",
                                *(word for one in filters for word in ("--filter", one)),
                                *run.arguments)
        self.assertEqual(done.stderr, "")
        cases = json.loads(done.stdout)["cases"]
        self.assertEqual([case for case in cases if case["result"] == "failed"], [])
        self.assertEqual(done.returncode, 0)
        self.assertEqual({case["id"]: case.get("reason", "") for case in cases}, wanted)
