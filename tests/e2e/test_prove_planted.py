"""`vouch prove` can fail: plugins with a fault planted in them (tests/prove/fixtures) are caught, each
under the invariant that it breaks. Trials mostly wait, so they run side by side."""

import concurrent.futures
import os
import pathlib
import re
import unittest

from broker_servers import Mosquitto, broker_settings
from prove_case import SEED, ProveTestCase
from vouch_server import BINARY, SANITIZED

#: What is planted, and the invariants that it must be found under. What breaks one promise may break
#: others as well.
PLANTED = {
    "committed-and-gone": {4},
    "failed-and-there": {4},
    "aborted-too-early": {4},
    "late-commits-skipped": {7},
    "phantom": {1},
    "out-of-order": {3},
    "acknowledged-too-early": {2},
}
#: Found only where an outage of the outbound broker lets a backlog come up.
PLANTED_AND_OUTAGES = {"ledger-backward": {3}, "resent-backward": {3}}
#: Nothing planted, and a database whose commits lose their answers but which tells the truth of them.
HONEST = ("nothing", "lost-answers")

SECONDS = 8
#: In which there is time for a kill, and for outages.
LONGER = 15
AT_ONCE = 6


@unittest.skipIf(SANITIZED, "it takes time, and nothing that other tests here don't do")
class PlantedFaultTestCase(ProveTestCase):
    LOCAL = """\
storage: { plugin: storage-sqlite, settings: { path: users.db } }
brokers: { local: { plugin: broker-local } }
"""
    #: Appends go on while the outbound broker is out of reach.
    NETWORKED = """\
storage: { plugin: storage-sqlite, settings: { path: users.db } }
brokers:
  local: { plugin: broker-local }
  edge: { plugin: broker-mqtt, settings: { uri: "%s" } }
validation: { broker: local }
outbound: [ { broker: edge, topic: "events/{category}" } ]
"""

    def trial(self, planted: str, config: str, seconds: float):
        """The end of a trial in a directory of its own, and its report."""
        place = self.directory / planted
        place.mkdir()
        (place / "vouch.yaml").write_text(config)
        fixtures = pathlib.Path(os.environ["VOUCH_FIXTURES"]).parent.parent / "prove" / "fixtures"
        command = [BINARY, "prove", "--config", str(place / "vouch.yaml"), "--seed", SEED,
                   "--rate", "100", "--plugin-dir", str(fixtures),
                   "--minutes", f"{seconds / 60:.3f}", "--report", str(place / "report.html")]
        done = self.run_to_end(command, VOUCH_PLANTED=planted)
        return done, (place / "report.html").read_text()

    def assert_trials(self, planted, config: str, seconds) -> None:
        """What is honest holds, what is planted is caught. `seconds`: for each."""
        names = sorted([*planted, *HONEST], key=seconds, reverse=True)
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            running = {name: pool.submit(self.trial, name, config, seconds(name)) for name in names}
        for name, trial in running.items():
            with self.subTest(name):
                done, page = trial.result()
                if name in HONEST:
                    self.assert_held(done)
                else:
                    self.assert_caught(planted[name], done, page)
        self.assert_nothing_is_left()

    def assert_caught(self, invariants, done, page: str) -> None:
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertTrue(done.stdout.endswith("\nthe promise was broken\n"), done.stdout)
        named = re.findall(r"^  invariant (\d), ([^:]+): ", done.stdout, re.MULTILINE)
        self.assertLessEqual(invariants, {int(number) for number, _ in named}, done.stdout)
        bad = set(re.findall(r'<tr class="bad"><td>(\d)</td><td class="t"><strong>([^<]+)<', page))
        self.assertEqual(bad, set(named))
        for number, name in named:
            self.assertIn(f"<strong>{number}, {name}</strong>", page)

    def test_faults_of_storages_and_brokers_are_caught_and_honest_ones_are_not(self):
        self.assert_trials(PLANTED, self.LOCAL, lambda name:
                           LONGER if name == "acknowledged-too-early" else SECONDS)

    def test_faults_that_need_outages_are_caught(self):
        self.skip_without(Mosquitto)
        config = self.NETWORKED % broker_settings(self.start(Mosquitto))["uri"]
        self.assert_trials(PLANTED_AND_OUTAGES, config, lambda name: LONGER)


if __name__ == "__main__":
    unittest.main()
