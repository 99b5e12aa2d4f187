"""The commands of `vouch`: round trips, exit codes, help."""

import json
import pathlib
import subprocess
import threading
import unittest

from vouch_server import BINARY, PATIENCE, ServerTestCase, eventually, run_command


class ClientCommandTestCase(ServerTestCase):
    def vouch(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess:
        return run_command(*arguments, url=self.server.url, stdin=stdin)

    def test_append_and_read_round_trip(self):
        done = self.vouch("append", "cli-1", "--type", "opened", "--data", '{"a": 1.50}',
                          "--metadata", '{"who":"me"}', "--ack", "delivered")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["state"], "delivered")
        self.assertEqual(done.stderr, "")
        self.assertEqual(self.vouch("append", "cli-1", "--type", "t", "--data", "-",
                                    stdin="[1,2]").returncode, 0)
        data = pathlib.Path(self.directory) / "data.json"
        data.write_text('"from a file"')
        self.assertEqual(self.vouch("append", "cli-1", "--type", "t", "--data", f"@{data}",
                                    "--expected", "2").returncode, 0)
        read = self.vouch("read", "cli-1")
        events = [json.loads(line) for line in read.stdout.splitlines()]
        self.assertEqual([event["version"] for event in events], [1, 2, 3])
        self.assertIn('{"a": 1.50}', read.stdout)
        self.assertEqual(events[0]["metadata"]["who"], "me")
        backward = self.vouch("read", "cli-1", "--backward", "--limit", "2")
        versions = [json.loads(line)["version"] for line in backward.stdout.splitlines()]
        self.assertEqual(versions, [3, 2])
        rest = self.vouch("read", "cli-1", "--from", "3")
        self.assertEqual(len(rest.stdout.splitlines()), 1)

    def test_exit_codes_tell_what_happened(self):
        append = ("append", "cli-2", "--type", "t", "--data", "1")
        self.assertEqual(self.vouch(*append, "--expected", "none").returncode, 0)
        refused = self.vouch(*append, "--expected", "none")
        self.assertEqual((refused.returncode, refused.stdout), (65, ""))
        self.assertIn("version 1", refused.stderr)
        self.assertEqual(self.vouch(*append, "--expected", "soon").returncode, 64)
        self.assertEqual(self.vouch("append", "cli-2", "--type", "t", "--data", "{").returncode, 65)
        self.assertEqual(self.vouch("append", "cli-2", "--type", "t", "--data",
                                    "@/nowhere").returncode, 66)
        self.assertEqual(self.vouch("read", "cli-none").returncode, 65)
        self.assertEqual(self.vouch("reed").returncode, 64)
        gone = run_command("read", "cli-2", url="http://127.0.0.1:1")
        self.assertEqual(gone.returncode, 69)
        self.assertIn("127.0.0.1:1", gone.stderr)

    def test_erase_asks_before_it_does_what_can_not_be_undone(self):
        for _ in range(3):
            self.vouch("append", "cli-7", "--type", "t", "--data", '"Ada"')
        erase = ("erase", "cli-7", "--reason", "asked for", "--from", "2")
        asked = self.vouch(*erase)
        self.assertEqual((asked.returncode, asked.stdout), (65, ""))
        self.assertIn("2 events of the stream cli-7 (versions 2 to 3)", asked.stderr)
        self.assertIn("--yes does it", asked.stderr)
        self.assertEqual(self.vouch("read", "cli-7").stdout.count("Ada"), 3)
        done = self.vouch(*erase, "--yes")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(json.loads(done.stdout)["events"], 2)
        self.assertEqual(self.vouch("read", "cli-7").stdout.count("Ada"), 1)
        self.assertEqual(json.loads(self.vouch(*erase, "--yes").stdout)["events"], 0)
        unknown = self.vouch("erase", "cli-none", "--reason", "asked for", "--yes")
        self.assertEqual(unknown.returncode, 65)
        self.assertEqual(self.vouch("erase", "cli-7", "--yes").returncode, 64)
        self.assertEqual(self.vouch("erase", "cli-7", "--reason", "r", "--to", "0").returncode, 64)

    def test_replay_publishes_again_and_says_how_much(self):
        for _ in range(3):
            self.assertEqual(self.vouch("append", "cli-9", "--type", "t", "--data", "1", "--ack",
                                        "delivered").returncode, 0)
        counted = self.vouch("replay", "--after", "start", "--dry-run")
        self.assertEqual(counted.returncode, 0, counted.stderr)
        wanted = {"events": 3, "published": 3, "held_back": 0, "refused": 0}
        self.assertEqual(json.loads(counted.stdout), wanted)
        self.assertEqual(len(self.server.tapped()), 3)
        done = self.vouch("replay", "--stream", "cli-9", "--from", "2")
        self.assertEqual(json.loads(done.stdout), {**wanted, "events": 2, "published": 2})
        again = self.server.tapped()[3:]
        self.assertEqual([(int(event["sequence"]), event["redelivered"]) for event in again],
                         [(2, "true"), (3, "true")])

    def test_replay_in_the_wrong_way_is_refused(self):
        nothing = self.vouch("replay")
        self.assertEqual(nothing.returncode, 64)
        self.assertIn("--after or --stream", nothing.stderr)
        self.assertEqual(self.vouch("replay", "--stream", "a-1", "--after", "start").returncode, 64)
        self.assertEqual(self.vouch("replay", "--from", "2").returncode, 64)
        unknown = self.vouch("replay", "--after", "start", "--route", "nowhere")
        self.assertEqual(unknown.returncode, 65)
        self.assertIn('there is no route "nowhere"', unknown.stderr)
        self.assertEqual(run_command("replay", "--after", "start",
                                     url="http://127.0.0.1:1").returncode, 69)

    def test_replay_goes_on_over_a_restart_of_the_server(self):
        """At a rate that leaves it in the middle when the server is killed."""
        for _ in range(4):
            self.server.append("cli-8", *[{"type": "t", "data": 1}] * 50, query="?ack=delivered")
        command = subprocess.Popen(
            [BINARY, "replay", "--after", "start", "--rate", "100", "--url", self.server.url],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(command.kill)
        eventually("some of it is out", lambda: len(self.server.tapped()) > 200 + 130)
        port = self.server.port
        self.server.kill()
        self.server.config.write_text(self.server.config.read_text().replace(
            'listen: "127.0.0.1:0"', f'listen: "127.0.0.1:{port}"'))
        self.server.start()
        output, words = command.communicate(timeout=PATIENCE)
        self.assertEqual(command.returncode, 0, words)
        self.assertIn("connection ended; going on with --after", words)
        self.assertGreaterEqual(json.loads(output)["events"], 200 - 10)
        marked = [int(event["sequence"]) for event in self.server.tapped()
                  if event.get("redelivered") == "true"]
        self.assertEqual(set(marked), set(range(1, 201)))
        # What went out twice is a second's at most.
        self.assertLessEqual(len(marked), 200 + 100 + 10)

    def test_status_shows_backends_rates_backlog_hosts_and_partitions(self):
        self.server.append("cli-7", *[{"type": "t", "data": 1}] * 30, query="?ack=delivered")
        done = self.vouch("status", "--interval", "0.2")
        self.assertEqual(done.returncode, 0, done.stderr)
        for words in (r"Store test at http://127\.0\.0\.1:\d+   Vouch \S+   ready\n",
                      r"\n  ok +storage \(storage-sqlite\)\n", r"\n  ok +broker main \(broker-local\)\n",
                      r"appended 0 events/s, delivered 0 events/s", r"undelivered 0, the oldest for -;",
                      r"\nmain/events\.\{category\} +30 +0/s +- +0\n",
                      r"\n\S+ \(127\.0\.0\.1:0\) \* +4 +\d+\.\d s  20", r"\n +3  \S+ .* 0 +-\n"):
            self.assertRegex(done.stdout, words)
        self.assertNotIn("\033", done.stdout)

    def test_status_goes_on_over_a_restart_of_the_server(self):
        watch = subprocess.Popen([BINARY, "status", "--watch", "--interval", "0.1", "--url",
                                  self.server.url], stdout=subprocess.PIPE, text=True)
        seen: list[str] = []
        reader = threading.Thread(target=lambda: seen.extend(watch.stdout))
        reader.start()
        eventually("two screens", lambda: "".join(seen).count("Store test") >= 2)
        port = self.server.port
        self.server.stop()
        eventually("it says so", lambda: any("can't reach" in line for line in seen))
        del seen[:]
        self.server.config.write_text(self.server.config.read_text().replace(
            "127.0.0.1:0", f"127.0.0.1:{port}"))
        self.server.start()
        eventually("another screen", lambda: any("Store test" in line for line in seen))
        watch.terminate()
        watch.wait(PATIENCE)
        reader.join()
        watch.stdout.close()
        gone = run_command("status", url="http://127.0.0.1:1")
        self.assertEqual(gone.returncode, 69)
        self.assertIn("can't reach http://127.0.0.1:1", gone.stderr)

    def test_idempotency_key_and_id_of_the_client_are_kept(self):
        event_id = "1srOrx2ZWZBpBUvZwXKQmoEYga2"
        arguments = ("append", "cli-3", "--type", "t", "--data", "1", "--id", event_id,
                     "--key", "once")
        first, again = self.vouch(*arguments), self.vouch(*arguments)
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertEqual(json.loads(first.stdout)["ids"], [event_id])
        self.assertEqual(json.loads(again.stdout)["ids"], [event_id])
        self.assertEqual(self.server.versions("cli-3"), [1])

    def test_follow_goes_on_across_a_restart_of_the_server(self):
        port = self.server.port
        self.server.append("f-1")
        follow = subprocess.Popen([BINARY, "follow", "--after", "start", "--count", "3",
                                   "--url", self.server.url],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        lines: list[str] = []
        reader = threading.Thread(target=lambda: lines.extend(follow.stdout))
        reader.start()
        self.server.append("f-1")
        eventually("two events", lambda: len(lines) >= 2)
        self.server.stop()
        self.server.config.write_text(self.server.config.read_text().replace(
            "127.0.0.1:0", f"127.0.0.1:{port}"))
        self.server.start()
        self.server.append("f-1")
        self.assertEqual(follow.wait(PATIENCE), 0)
        reader.join()
        words = follow.stderr.read()
        follow.stdout.close()
        follow.stderr.close()
        versions = [json.loads(line)["event"]["version"] if "event" in json.loads(line)
                    else json.loads(line)["version"] for line in lines]
        self.assertEqual(versions, [1, 2, 3])
        self.assertIn("going on from", words)


class LocalCommandTestCase(ServerTestCase):
    starts = False

    def test_check_prints_effective_settings_or_every_problem(self):
        good = run_command("check", "--config", str(self.server.config))
        self.assertEqual(good.returncode, 0, good.stderr)
        self.assertIn("append.lanes: 4", good.stdout)
        quiet = run_command("check", "--quiet", "--config", str(self.server.config))
        self.assertEqual((quiet.returncode, quiet.stdout, quiet.stderr), (0, "", ""))
        self.server.config.write_text("storage: { plugin: storage-sqlite }\nlog: { level: loud }\n"
                                      "htpp: {}\n")
        bad = run_command("check", "--config", str(self.server.config))
        self.assertEqual((bad.returncode, bad.stdout), (78, ""))
        for problem in ("vouch.yaml:2:", "vouch.yaml:3:1", "http", "path"):
            self.assertIn(problem, bad.stderr)

    def test_check_connect_opens_and_closes_the_backends(self):
        good = run_command("check", "--connect", "--config", str(self.server.config))
        self.assertEqual(good.returncode, 0, good.stderr)
        self.assertIn("at least once", good.stderr)
        missing = run_command("check", "--config", self.directory + "/none.yaml")
        self.assertEqual(missing.returncode, 78)

    def test_plugins_are_listed_and_described(self):
        listed = run_command("plugins", "--json")
        names = {json.loads(line)["name"]: json.loads(line) for line in listed.stdout.splitlines()}
        self.assertEqual(names["storage-sqlite"]["kind"], "storage")
        self.assertEqual(names["broker-local"]["kind"], "broker")
        text = run_command("plugins")
        self.assertIn("broker-local", text.stdout)
        self.assertNotIn("\033", text.stdout)
        described = json.loads(run_command("plugins", "describe", "storage-sqlite", "--json").stdout)
        settings = {setting["key"]: setting for setting in described["settings"]}
        self.assertTrue(settings["path"]["required"])
        self.assertEqual(
            {key: settings["readers"][key] for key in ("type", "default", "min", "max", "range",
                                                       "required", "secret", "reloadable", "advanced")},
            {"type": "integer", "default": "16", "min": 1, "max": 256, "range": "between 1 and 256",
             "required": False, "secret": False, "reloadable": False, "advanced": True})
        words = run_command("plugins", "describe", "storage-sqlite").stdout
        self.assertIn("\n  path: path, required\n", words)
        self.assertIn("\n  busy_timeout: duration, default 5s, between 0 and 10m\n", words)
        self.assertIn("\n  readers: integer, default 16, between 1 and 256, advanced\n", words)
        markdown = run_command("plugins", "describe", "broker-local", "--markdown")
        self.assertRegex(markdown.stdout, r"\|.*`tap`.*\|")
        self.assertEqual(run_command("plugins", "describe", "storage-nowhere").returncode, 78)

    def test_version_and_help(self):
        self.assertRegex(run_command("version").stdout, r"^vouch \d+\.\d+\.\d+\n$")
        self.assertRegex(json.loads(run_command("version", "--json").stdout)["plugin_abi"], r"^\d")
        self.assertEqual(run_command("--version").stdout, run_command("version").stdout)
        self.assertIn("serve", run_command("--help").stdout)
        for command in ("serve", "check", "plugins", "append", "read", "follow", "replay",
                        "erase", "version"):
            helped = run_command(command, "--help")
            self.assertEqual(helped.returncode, 0)
            self.assertIn(command, helped.stdout)
        self.assertIn("--json", run_command("plugins", "describe", "--help").stdout)
        self.assertEqual(run_command().returncode, 64)


if __name__ == "__main__":
    unittest.main()
