"""What tests of `vouch prove` have in common: a directory, the command, what a good trial says."""

import html.parser
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from killing import say
from vouch_server import BINARY, SANITIZED

#: Hosts start ten times as slowly under sanitizers.
SECONDS = 40 if SANITIZED else 20
#: Of the trials that stand for those that operators run.
LONG_SECONDS = 40 if SANITIZED else 120
SEED = os.environ.get("VOUCH_PROVE_SEED", "5")


class Page(html.parser.HTMLParser):
    """What a page would load, and its elements."""

    def __init__(self, text: str):
        super().__init__()
        self.loads: list[str] = []
        self.elements: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        self.loads += [value for name, value in attributes if name in ("src", "href", "data")]
        if tag in ("script", "link", "iframe", "img"):
            self.loads.append(tag)


class ProveTestCase(unittest.TestCase):
    """A directory with the configuration; `prove` runs in it, and in a TMPDIR that must stay empty."""

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="vouch-e2e-prove-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.config = self.directory / "vouch.yaml"
        self.report = self.directory / "report.html"
        self.temporary = self.directory / "tmp"
        self.temporary.mkdir()
        self.environment = {**os.environ, "TMPDIR": str(self.temporary)}

    def command(self, *arguments: str) -> list[str]:
        return [BINARY, "prove", "--config", str(self.config), "--seed", SEED, "--rate", "100",
                *arguments]

    def prove(self, *arguments: str, seconds: float = SECONDS) -> subprocess.CompletedProcess:
        return self.run_to_end(self.command("--minutes", f"{seconds / 60:.3f}",
                                            "--report", str(self.report), *arguments))

    def run_to_end(self, command: list[str], **environment: str) -> subprocess.CompletedProcess:
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              timeout=480,
                              env={**self.environment, **environment}, cwd=self.directory)
        say(done.stdout)
        return done

    def assert_held(self, done: subprocess.CompletedProcess) -> None:
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertTrue(done.stdout.endswith("\nthe promise held\n"), done.stdout)
        table = re.findall(r"^  (\d) .*?  +(\d+)  .*? +(\d+)$", done.stdout, re.MULTILINE)
        self.assertEqual([number for number, _, _ in table], list("1234567"), done.stdout)
        for number, checked, violated in table:
            self.assertGreater(int(checked), 100, f"invariant {number}")
            self.assertEqual(violated, "0")
        self.assertNotIn("Not removed", done.stderr)

    def assert_nothing_is_left(self) -> None:
        self.assertEqual(list(self.temporary.iterdir()), [])

    def skip_without(self, *servers) -> None:
        for server in servers:
            if missing := server.missing():
                # ctest looks for this word and counts the test as skipped.
                say(f"SKIPPED: {missing}")
                self.skipTest(missing)

    def start(self, server_class):
        server = server_class()
        self.addCleanup(server.close)
        return server
