"""Installs the build into a fresh prefix, and works with nothing but what is there: the server, and the
SDK, against which a plugin of somebody else is built (with CMake, and with pkg-config alone)."""

import gzip
import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

BUILD = pathlib.Path(os.environ["VOUCH_BUILD"])
SOURCE = pathlib.Path(os.environ["VOUCH_SOURCE"])
CONSUMER = SOURCE / "tests/install/consumer"
ROOT = pathlib.Path(tempfile.mkdtemp(prefix="vouch-install-"))
PREFIX = ROOT / "prefix"
VOUCH = PREFIX / "bin/vouch"

# The harness runs what this names.
os.environ["VOUCH_BINARY"] = str(VOUCH)
os.environ.pop("VOUCH_PLUGIN_PATH", None)
sys.path.insert(0, str(SOURCE / "tests/e2e"))
from vouch_server import Server  # noqa: E402

ECHO = "brokers: { main: { plugin: broker-echo } }\noutbound: [{ topic: 'events.{category}' }]"


def run(*command, **environment: str) -> str:
    """What it printed. Fails with all of it."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          env={**os.environ, **environment}, timeout=300)
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def setUpModule():
    unittest.addModuleCleanup(shutil.rmtree, ROOT, ignore_errors=True)
    run("cmake", "--install", BUILD, "--prefix", PREFIX)


class InstalledServerTestCase(unittest.TestCase):
    def test_installed_plugins_are_found_without_being_told_where(self):
        listed = run(VOUCH, "plugins")
        for name in ("broker-kafka", "broker-local", "broker-mqtt", "storage-mysql",
                     "storage-postgres", "storage-sqlite"):
            self.assertRegex(listed, rf"(?m)^\s*{name}\b")
        self.assertNotIn(str(BUILD), listed)

    def test_every_installed_configuration_is_valid(self):
        servers = {"VOUCH_POSTGRES": "postgresql://vouch@127.0.0.1/vouch",
                   "VOUCH_MYSQL": "mysql://vouch@127.0.0.1/vouch",
                   "VOUCH_KAFKA": "127.0.0.1:9092", "VOUCH_MQTT": "mqtt://127.0.0.1:1883"}
        configs = sorted((PREFIX / "etc/vouch").glob("*.yaml"))
        self.assertEqual([config.name for config in configs],
                         sorted(config.name for config in (SOURCE / "config").glob("*.yaml")))
        for config in configs:
            run(VOUCH, "check", "--config", config, **servers)

    def test_manual_page_names_every_command_and_exit_code(self):
        page = gzip.decompress((PREFIX / "share/man/man1/vouch.1.gz").read_bytes()).decode()
        usage = run(VOUCH, "--help")
        commands = re.findall(r"^  ([a-z]+)  ", usage.split("Subcommands:")[1], re.MULTILINE)
        codes = re.findall(r"\b(\d+) [a-z]", usage.split("Exit codes:")[1])
        self.assertGreater(len(commands), 5)
        self.assertGreater(len(codes), 5)
        for word in commands + codes:
            self.assertRegex(page, rf"(?m)^\.B {word}$")

    def test_data_of_the_installed_configuration_lies_below_the_prefix(self):
        server = Server(str(ROOT))
        self.addCleanup(server.kill)
        server.config = PREFIX / "etc/vouch/vouch.yaml"
        server.start(VOUCH_LISTEN="127.0.0.1:0")
        self.assertEqual(server.append("stays-1", query="?ack=delivered&wait=10s").status, 201)
        self.assertEqual(server.versions("stays-1"), [1])
        self.assertEqual(server.stop(), 0)
        self.assertTrue((PREFIX / "var/lib/vouch/vouch.db").exists())


class InstalledUnitTestCase(unittest.TestCase):
    """The unit, read as systemd would; what only systemd can show: scripts/package-test."""

    def setUp(self):
        self.unit: dict[str, list[str]] = {}
        for line in (PREFIX / "share/vouch/vouch.service").read_text().splitlines():
            if "=" in line and not line.startswith("#"):
                self.unit.setdefault(line.partition("=")[0], []).append(line.partition("=")[2])
        self.config = pathlib.Path(self.unit["Environment"][0].removeprefix("VOUCH_CONFIG="))

    def command(self, line: str, config: pathlib.Path) -> list[str]:
        return shlex.split(line.replace("${VOUCH_CONFIG}", str(config)))

    def broken_config(self) -> pathlib.Path:
        broken = ROOT / "broken.yaml"
        broken.write_text(self.config.read_text().replace("partitions:", "partition:"))
        return broken

    def test_start_says_ready_to_the_service_manager_and_ends_with_0(self):
        self.assertEqual(self.unit["Type"], ["notify"])
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            path = str(ROOT / "notify")
            manager.bind(path)
            manager.settimeout(60)
            with subprocess.Popen(self.command(self.unit["ExecStart"][0], self.config),
                                  cwd=self.unit["WorkingDirectory"][0], stderr=subprocess.DEVNULL,
                                  env={**os.environ, "NOTIFY_SOCKET": path,
                                       "VOUCH_LISTEN": "127.0.0.1:0"}) as process:
                self.addCleanup(process.kill)
                self.assertIn(b"READY=1", manager.recv(4096))
                process.terminate()
                self.assertEqual(process.wait(60), 0)

    def test_what_trying_again_cannot_help_is_not_tried_again(self):
        start = self.command(self.unit["ExecStart"][0], self.broken_config())
        wrong_config = subprocess.run(start, capture_output=True, check=False, timeout=60)
        wrong_usage = subprocess.run([*start, "--what"], capture_output=True, check=False,
                                     timeout=60)
        self.assertEqual((wrong_usage.returncode, wrong_config.returncode), (64, 78))
        self.assertEqual(self.unit["RestartPreventExitStatus"], ["64 78"])

    def test_reload_fails_over_a_configuration_that_cannot_be_used(self):
        signal_line, check_line = self.unit["ExecReload"]
        self.assertIn("-HUP", signal_line)
        self.assertEqual(run(*self.command(check_line, self.config)), "")
        check = subprocess.run(self.command(check_line, self.broken_config()),
                               capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(check.returncode, 78)
        self.assertRegex(check.stderr, r"broken\.yaml:\d+:\d+: error: .*partition")

    def test_scripts_of_the_packages_are_sound_shell(self):
        scripts = [script for script in (SOURCE / "packaging/debian").iterdir()
                   if script.suffix in (".postinst", ".prerm", ".postrm")]
        self.assertGreater(len(scripts), 3)
        for script in scripts:
            run("sh", "-n", script)


class InstalledSdkTestCase(unittest.TestCase):
    def test_plugin_built_by_find_package_runs_in_the_installed_server(self):
        run("cmake", "-S", CONSUMER, "-B", ROOT / "consumer", "-DCMAKE_BUILD_TYPE=Debug",
            f"-DCMAKE_PREFIX_PATH={PREFIX}", f"-DCMAKE_INSTALL_PREFIX={PREFIX}")
        run("cmake", "--build", ROOT / "consumer", "--parallel", "2")
        self.assertRegex(run(ROOT / "consumer/uses-everything"), r"^\d+ cases")
        run("cmake", "--install", ROOT / "consumer")

        server = Server(str(ROOT), name="echo", brokers=ECHO)
        self.addCleanup(server.kill)
        server.start()
        info = server.get("/v1/info").json
        self.assertIn("broker-echo", str(info))
        # Delivered: signalled and published through the plugin.
        self.assertEqual(server.append("out-1", query="?ack=delivered&wait=10s").status, 201)
        self.assertEqual(server.stop(), 0)

    def test_plugin_built_by_pkg_config_alone_is_accepted(self):
        path = {"PKG_CONFIG_PATH": str(PREFIX / "lib/pkgconfig")}

        def ask(*arguments: str) -> list[str]:
            return shlex.split(run("pkg-config", *arguments, "vouch-sdk", **path))

        self.assertEqual(pathlib.Path(ask("--variable=plugindir")[0]).resolve(),
                         (PREFIX / "lib/vouch/plugins").resolve())
        plugins = ROOT / "plugins"
        plugins.mkdir()
        run("c++", "-std=c++20", "-fPIC", "-shared", *ask("--cflags"), CONSUMER / "plugin.cpp",
            CONSUMER / "echo_broker.cpp", "-o", plugins / "broker-echo.so", *ask("--libs"),
            "-lvouch_messaging", *ask("--variable=plugin_ldflags"))
        symbols = run("nm", "-D", "--defined-only", plugins / "broker-echo.so").split()[2::3]
        self.assertEqual(symbols, ["vouch_plugin_descriptor"])
        described = run(VOUCH, "plugins", "describe", "broker-echo", "--plugin-dir", plugins)
        self.assertIn("queue_messages", described)


if __name__ == "__main__":
    unittest.main()
