"""The template as a stranger finds it: copied out of an installed SDK, built by find_package, tried by
its own tests and the installed vouch-conformance, run by a host that loses its power. VOUCH_TEMPLATE_CXX:
the stranger's compiler, which need not be the host's."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = pathlib.Path(os.environ["VOUCH_BUILD"])
SOURCE = pathlib.Path(os.environ["VOUCH_SOURCE"])
COMPILER = os.environ["VOUCH_TEMPLATE_CXX"]
FIXTURES = SOURCE / "tests/plugins/fixtures"
ROOT = pathlib.Path(tempfile.mkdtemp(prefix="vouch-template-"))
PREFIX = ROOT / "prefix"
WORK = ROOT / "my-plugins"

os.environ["VOUCH_BINARY"] = str(BUILD / "bin/vouch")
os.environ["VOUCH_PLUGIN_PATH"] = f"{WORK}/build/broker:{WORK}/build/storage"
sys.path.insert(0, str(SOURCE / "tests/e2e"))
from conformance_table import Table  # noqa: E402
from vouch_server import Server, run_command  # noqa: E402

STORAGE = "storage: {{ plugin: storage-journal, settings: {{ directory: {directory}/store }} }}"
BROKER = (f"brokers: {{ main: {{ plugin: broker-files, settings: {{ directory: {ROOT}/topics }} }} }}\n"
          "outbound: [{ topic: 'events.{category}' }]")


def run(*command) -> str:
    """What it printed. Fails with all of it."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False, timeout=280)
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def setUpModule():
    unittest.addModuleCleanup(shutil.rmtree, ROOT, ignore_errors=True)
    if shutil.which(COMPILER) is None:
        print(f"SKIPPED: {COMPILER} is missing; the package of that name has it", flush=True)
        raise unittest.SkipTest(f"no {COMPILER}")
    run("cmake", "--install", BUILD, "--prefix", PREFIX, "--component", "dev")
    shutil.copytree(PREFIX / "share/vouch/template", WORK)
    run("cmake", "-S", WORK, "-B", WORK / "build", "-DCMAKE_BUILD_TYPE=Debug",
        f"-DCMAKE_CXX_COMPILER={COMPILER}", "-DCMAKE_CXX_FLAGS=-Werror", f"-DCMAKE_PREFIX_PATH={PREFIX}")
    run("cmake", "--build", WORK / "build", "--parallel", "2")


class TemplateTestCase(unittest.TestCase):
    def test_its_own_tests_and_the_conformance_suite_pass(self):
        printed = run("ctest", "--test-dir", WORK / "build", "--output-on-failure", "--verbose")
        self.assertIn("100% tests passed, 0 tests failed out of 3", printed)
        counts = re.findall(r"([\w-]+)\.so: (\d+) passed, 0 failed, (\d+) skipped", printed)
        self.assertEqual(sorted(name for name, _, _ in counts), ["broker-files", "storage-journal"])
        recorded = Table.recorded()
        left_out = {**recorded.left_out("broker-files"), **recorded.left_out("storage-journal")}
        self.assertEqual(dict(re.findall(r"^\d+: skipped (\S+): (.*)$", printed, re.M)), left_out)
        self.assertIn(str(PREFIX / "bin/vouch-conformance"), printed)

    def test_a_host_that_is_killed_loses_nothing(self):
        server = Server(str(ROOT), name="trial", storage=STORAGE, brokers=BROKER)
        self.addCleanup(server.kill)
        server.start()
        for _ in range(3):
            self.assertEqual(server.append("order-1", query="?ack=delivered&wait=10s").status, 201)
        server.kill()
        server.start()
        self.assertEqual(server.versions("order-1"), [1, 2, 3])
        self.assertEqual(server.append("order-1", query="?ack=delivered&wait=10s").status, 201)
        self.assertEqual(server.stop(), 0)
        published = (ROOT / "topics/events.order/0.log").read_bytes()
        self.assertEqual(sorted(set(map(int, re.findall(rb'"sequence":"(\d+)"', published)))),
                         [1, 2, 3, 4])
        described = run_command("plugins", "describe", "broker-files")
        self.assertIn("queue_messages: integer, default 10000, between 1 and 10000000, advanced",
                      described.stdout)

    def test_what_its_compiler_s_code_throws_is_caught_by_the_host(self):
        for name, kind, said in (
                ("storage-throwing", "storage",
                 "can't open the database (storage-throwing): plugin storage-throwing misbehaves: "
                 "open threw: thrown on purpose"),
                ("broker-create-throws", "broker",
                 f"broker main: plugin broker-create-throws ({ROOT}/broker-create-throws.so) can't "
                 "be created: there is no such color")):
            with self.subTest(name):
                define = "FIXTURE_STORAGE" if kind == "storage" else "FIXTURE_CREATE_THROWS"
                run(COMPILER, "-std=c++20", "-shared", "-fPIC", "-fvisibility=hidden",
                    "-I", PREFIX / "include", f'-DFIXTURE_NAME="{name}"', f"-D{define}",
                    FIXTURES / "fixture_plugin.cpp", "-o", ROOT / f"{name}.so")
                use = {"storage": "storage-journal, settings: { directory: store }",
                       "broker": f"broker-files, settings: {{ directory: {ROOT}/never }}"}
                use[kind] = name
                config = ROOT / f"{name}.yaml"
                config.write_text(f"storage: {{ plugin: {use['storage']} }}\n"
                                  f"brokers: {{ main: {{ plugin: {use['broker']} }} }}\n")
                done = run_command("serve", "--config", str(config), "--plugin-dir", str(ROOT))
                self.assertEqual([line for line in done.stderr.splitlines()
                                  if line.startswith("vouch: ")], [f"vouch: error: {said}"])
                self.assertEqual(done.returncode, 70 if kind == "storage" else 78)


if __name__ == "__main__":
    unittest.main()
