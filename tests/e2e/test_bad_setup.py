"""Configurations and plugins that are wrong: `vouch check` and `vouch serve` say the same, all of it
at once, and exit with 78. The whole of what they say stands here."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from vouch_server import BINARY, PATIENCE, SOURCE

FIXTURES = pathlib.Path(os.environ["VOUCH_FIXTURES"])

REST = """\
storage: { plugin: storage-sqlite, settings: { path: store.db } }
brokers: { main: { plugin: broker-local } }
"""

#: What is wrong, the file, and what is said of it; "{file}" is the file's name.
CONFIGS = [
    ("nothing at all", "",
     "{file}: error: storage.plugin: is required: Name of the plugin, or the path of its .so file "
     "(for example storage-sqlite)\n"
     "{file}: error: brokers: is required: at least one broker, by name\n"
     "vouch: 2 problems in {file}\n"),
    ("a bracket left open", "store: {\n" + REST,
     "{file}:3:1: error: is not valid YAML: end of map flow not found\n"
     "vouch: 1 problem in {file}\n"),
    ("a tab as indentation", "store:\n\tname: x\n" + REST,
     "{file}:2:1: error: is indented by a tab; YAML allows only spaces there\n"
     "vouch: 1 problem in {file}\n"),
    ("a program instead of a text", b"\x7fELF\x02\x01\x01\x00",
     "{file}:1:1: error: holds the control character 0x7f; only text can be here\n"
     "vouch: 1 problem in {file}\n"),
    ("UTF-16", REST.encode("utf-16"),
     "{file}:1:1: error: is not UTF-8 (byte 0xff); save the file as UTF-8\n"
     "vouch: 1 problem in {file}\n"),
    ("more than a megabyte", "#" * (1 << 20) + "\n" + REST,
     "{file}: error: can't be read: it is larger than 1048576 bytes\n"
     "vouch: 1 problem in {file}\n"),
    ("a text", "hello\n",
     "{file}:1:1: error: must be a map, not one text\n"
     "vouch: 1 problem in {file}\n"),
    ("a section and a setting that are not there", "htpp: {}\nappend: { lane: 4 }\n" + REST,
     "{file}:1:1: error: htpp: there is no such section; did you mean http?\n"
     "{file}:2:11: error: append.lane: there is no such setting; did you mean lanes?\n"
     "vouch: 2 problems in {file}\n"),
    ("values out of range", "append: { lanes: 0, queue: -1 }\nlog: { level: loud }\n" + REST,
     "{file}:1:18: error: append.lanes: must be between 1 and 64, but is \"0\"\n"
     "{file}:1:28: error: append.queue: must be between 1 and 10000000, but is \"-1\"\n"
     "{file}:2:15: error: log.level: must be one of trace, debug, info, warning, error, but is "
     "\"loud\"\n"
     "vouch: 3 problems in {file}\n"),
    ("a variable and a file that are not there",
     "storage: { plugin: storage-sqlite, settings: { path: '${VOUCH_TEST_NOWHERE}' } }\n"
     "brokers: { main: { plugin: broker-local, settings: { tap: '${file:nowhere.txt}' } } }\n",
     "{file}:1:54: error: storage.settings.path: the environment variable VOUCH_TEST_NOWHERE is "
     "not set; set it or write ${VOUCH_TEST_NOWHERE:-default}\n"
     "{file}:2:59: error: brokers.main.settings.tap: can't read the file \"nowhere.txt\" of "
     "${file:…}: there is no such file\n"
     "vouch: 2 problems in {file}\n"),
    ("settings of a plugin that are wrong",
     "storage: { plugin: storage-sqlite, settings: { pth: x, readers: 0 } }\n"
     "brokers: { main: { plugin: broker-local, settings: { drop_percent: 101 } } }\n",
     "{file}:1:36: error: storage.settings.path: is required: The database file; created when it "
     "does not exist, its parent directory too. Keep it on a local disk (for example "
     "/var/lib/vouch/shop.db)\n"
     "{file}:1:48: error: storage.settings.pth: there is no such setting; did you mean path?\n"
     "{file}:1:65: error: storage.settings.readers: must be between 1 and 256, but is \"0\"\n"
     "{file}:2:68: error: brokers.main.settings.drop_percent: must be between 0 and 100, but is "
     "\"101\"\n"
     "vouch: 4 problems in {file}\n"),
    ("a broker that is not there", "validation: { broker: other }\n" + REST,
     "{file}:1:23: error: validation.broker: there is no broker \"other\"; there are: main\n"
     "vouch: 1 problem in {file}\n"),
    ("plugins in each other's place",
     "storage: { plugin: broker-local }\nbrokers: { main: { plugin: storage-sqlite } }\n",
     "{file}:1:20: error: storage.plugin: {plugins}/broker-local.so is a broker plugin, where a "
     "storage plugin is asked for; name a storage plugin here, for example one that 'vouch "
     "plugins' lists\n"
     "{file}:2:28: error: brokers.main.plugin: {plugins}/storage-sqlite.so is a storage plugin, "
     "where a broker plugin is asked for; name a broker plugin here, for example one that 'vouch "
     "plugins' lists\n"
     "vouch: 2 problems in {file}\n"),
    ("a name with a dot", REST.replace("broker-local", "broker.local"),
     "{file}:2:28: error: brokers.main.plugin: 'broker.local' is neither a plugin's name (small "
     "letters, digits, '-') nor an absolute path that ends in .so\n"
     "vouch: 1 problem in {file}\n"),
    ("a path where nothing is", REST.replace("broker-local", "/nowhere/broker-x.so"),
     "{file}:2:28: error: brokers.main.plugin: there is no plugin /nowhere/broker-x.so: no such "
     "file\n"
     "vouch: 1 problem in {file}\n"),
]

#: The fixture, and what is said of it.
PLUGINS = [
    ("broker-wrong-magic",
     "has a symbol vouch_plugin_descriptor that is no plugin descriptor (it begins with "
     "0x12345678, not 0x48435556); define it with VOUCH_PLUGIN"),
    ("broker-other-major",
     "is built for plugin ABI 2.3, this host speaks 1.0; rebuild the plugin with the Vouch SDK for "
     "ABI 1, or upgrade the host"),
    ("broker-older-major",
     "is built for plugin ABI 0.0, this host speaks 1.0; rebuild the plugin with the Vouch SDK for "
     "ABI 1"),
    ("broker-newer-minor",
     "needs plugin ABI 1.7, this host speaks 1.0; upgrade the host, or rebuild the plugin with its "
     "SDK"),
    ("broker-other-build",
     "was built differently from this host (C++ standard library: plugin llvm, host gnu; debug "
     "containers: plugin yes, host no; boundary types: plugin not said, host (hash)); rebuild the "
     "plugin as this host was built, with this host's SDK"),
    ("broker-debug-mode",
     "was built differently from this host (debug containers: plugin yes, host no; boundary types: "
     "plugin (hash), host (hash)); rebuild the plugin as this host was built, with this host's SDK"),
    ("broker-small-descriptor",
     "has a descriptor of 96 bytes, where plugin ABI 1.0 has 160; define it with VOUCH_PLUGIN"),
    ("broker-setting-rows",
     "has a settings table with rows of 48 bytes, this host reads rows of 72; rebuild the plugin "
     "with this host's SDK"),
    ("broker-incomplete",
     "has an incomplete descriptor (a text, the settings table, create or destroy is null); define "
     "it with VOUCH_PLUGIN"),
    ("broker-unknown-kind", "is of a kind that this host does not know (9); upgrade the host"),
    ("broker-renamed",
     "says that its name is 'broker-original'; rename the file to broker-original.so, or build the "
     "plugin as 'broker-renamed'"),
    ("broker-missing-dependency",
     "can't be loaded: it needs libvouch_fixture_dependency.so, which is not installed here; "
     "install it (ldd {path} shows all it needs)"),
    ("broker-undefined-symbol",
     "can't be loaded: it needs the symbol vouch_symbol_that_nobody_has, which none of its "
     "libraries has; link it with vouch_add_plugin() and build it against the versions that are "
     "installed here"),
    ("broker-throwing-initialiser",
     "ends the process that loads it (signal 6, Aborted): an initialiser of it, or of a library "
     "that it needs, throws or crashes; report it to the plugin's vendor"),
    ("foreign",
     "is a shared library but not a plugin: it has no symbol vouch_plugin_descriptor; if it should "
     "be one, use VOUCH_PLUGIN in one of its source files and link it with vouch_add_plugin()"),
    ("broker-text",
     "is not a shared library (it has no ELF header); put the plugin's .so file there"),
    ("broker-empty",
     "is empty: what should have written it did not finish; install the plugin again"),
    ("broker-cut",
     "is damaged: it refers to parts of itself that are not there; install the plugin again"),
    ("broker-machine",
     "is a library for another kind of machine; install the plugin that is built for this one"),
    ("broker-executable",
     "is an ELF file but not a shared library; link it as one, with vouch_add_plugin()"),
    ("broker-folder", "is not a file; put the plugin's .so file there"),
]

#: Takes the ten seconds that it says.
HANGING = ("broker-hanging-initialiser",
           "did not finish loading within 10 s: an initialiser of it, or of a library that it "
           "needs, hangs; report it to the plugin's vendor")

#: The second of two plugins that bring different libraries of one name along.
BUNDLED = ("broker-same-2",
           "needs libcodec_same.so.7 of {bundled}/2/libcodec_same.so.7, but another library of "
           "that name is loaded already ({bundled}/1/libcodec_same.so.7), and a process holds only "
           "one of a name; give one of them another soname, link it statically into its plugin, or "
           "build both plugins with the same one")

#: Fixtures that are refused only when they are made use of.
CREATED = [
    ("broker-create-throws", "there is no such color"),
    ("broker-create-null", "its create gave nothing; report it to its vendor"),
]


class BadSetupTestCase(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="vouch-e2e-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.maxDiff = None

    def run_vouch(self, *arguments: str) -> tuple[int, str]:
        done = subprocess.run([BINARY, *arguments], cwd=self.directory, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.stdout, "")
        return done.returncode, done.stderr

    def write(self, content: str | bytes):
        file = pathlib.Path(self.directory) / "vouch.yaml"
        file.write_bytes(content.encode() if isinstance(content, str) else content)

    def refused(self, expected: str, *arguments: str):
        """Both commands, before they have touched anything."""
        for command in ("check", "serve"):
            code, words = self.run_vouch(command, "--config", "vouch.yaml", *arguments)
            # A hash of the boundary's types, which changes with them; "debug=yes" leaves it less room.
            words = re.sub(r"\b(plugin|host) [0-9a-f]{7,8}\b", r"\1 (hash)", words)
            self.assertEqual((code, words), (78, expected))
        self.assertFalse((pathlib.Path(self.directory) / "store.db").exists())

    def test_a_wrong_configuration_is_refused_with_everything_that_is_wrong(self):
        plugins = str(pathlib.Path(BINARY).parent.parent / "lib/vouch/plugins")
        for what, content, expected in CONFIGS:
            with self.subTest(what):
                self.write(content)
                self.refused(expected.replace("{file}", "vouch.yaml")
                             .replace("{plugins}", plugins))

    def test_a_configuration_that_is_no_file_is_refused(self):
        for file, why in (("nowhere.yaml", "there is no such file"),
                          (self.directory, "it is not a regular file"),
                          ("/dev/zero", "it is not a regular file")):
            for command in ("check", "serve"):
                with self.subTest(f"{command} {file}"):
                    self.assertEqual(
                        self.run_vouch(command, "--config", file),
                        (78, f"{file}: error: can't be read: {why}\nvouch: 1 problem in {file}\n"))

    def _make_broken_libraries(self) -> pathlib.Path:
        directory = pathlib.Path(self.directory) / "plugins"
        directory.mkdir()
        for library in FIXTURES.glob("*.so"):
            shutil.copy(library, directory)
        good = (FIXTURES / "broker-good.so").read_bytes()
        for name, content in (("broker-text", b"not a library\n"), ("broker-empty", b""),
                              ("broker-cut", good[:len(good) // 2]),
                              ("broker-machine", good[:18] + b"\x08" + good[19:]),
                              ("broker-executable", good[:16] + b"\x02" + good[17:])):
            (directory / f"{name}.so").write_bytes(content)
        (directory / "broker-folder.so").mkdir()
        return directory

    def test_a_plugin_that_does_not_fit_is_refused_with_why_and_what_to_do(self):
        directory = self._make_broken_libraries()
        for plugin, words in PLUGINS:
            path = f"{directory}/{plugin}.so"
            said = f"{path} {words}".replace("{path}", path)
            expected = (f"vouch.yaml:2:28: error: brokers.main.plugin: {said}\n"
                        "vouch: 1 problem in vouch.yaml\n")
            with self.subTest(plugin):
                self.write(REST.replace("broker-local", plugin))
                self.refused(expected, "--plugin-dir", str(directory))
        # Named by its path, it is refused with the same words.
        self.write(REST.replace("broker-local", path))
        self.refused(expected)

    def test_a_plugin_that_never_finishes_loading_is_not_waited_for(self):
        plugin, words = HANGING
        directory = FIXTURES.parent / "blocking"
        self.write(REST.replace("broker-local", plugin))
        self.assertEqual(
            self.run_vouch("check", "--config", "vouch.yaml", "--plugin-dir", str(directory)),
            (78, f"vouch.yaml:2:28: error: brokers.main.plugin: {directory}/{plugin}.so {words}\n"
                 "vouch: 1 problem in vouch.yaml\n"))

    def test_a_second_library_of_one_name_is_refused(self):
        plugin, words = BUNDLED
        directory = FIXTURES.parent / "bundled"
        self.write("storage: { plugin: storage-sqlite, settings: { path: store.db } }\n"
                   "brokers:\n  one: { plugin: broker-same-1 }\n  two: { plugin: broker-same-2 }\n"
                   "validation: { broker: one }\noutbound: [{ broker: two }]\n")
        self.refused(
            f"vouch.yaml:4:18: error: brokers.two.plugin: {directory}/{plugin}.so "
            f"{words.format(bundled=directory)}\nvouch: 1 problem in vouch.yaml\n",
            "--plugin-dir", str(directory))

    def test_the_guide_for_authors_has_all_of_these_words(self):
        guide = (SOURCE / "docs/plugin-authoring.md").read_text()
        rows = re.search(r"^\| What is wrong \| PATH … \|\n\|---\|---\|\n(.*?)\n\n", guide,
                         re.M | re.S).group(1).splitlines()
        other_kind = next(expected for what, _, expected in CONFIGS
                          if what == "plugins in each other's place")
        said = {words.replace("{path}", "PATH").replace("{bundled}", "BUNDLED")
                for _, words in (*PLUGINS, HANGING, BUNDLED)}
        said.add(re.search(r"broker-local\.so (.*)\n", other_kind).group(1))
        self.assertEqual({row.split(" | ")[1].removesuffix(" |") for row in rows}, said)

    def test_a_plugin_that_is_not_there_is_said_with_every_place_that_was_looked_at(self):
        beside = pathlib.Path(BINARY).parent.parent / "lib/vouch/plugins"
        self.write("plugins: { search_path: [mine] }\n" + REST.replace("broker-local", "broker-loca"))
        code, words = self.run_vouch("check", "--config", "vouch.yaml", "--plugin-dir", "given")
        lines = words.splitlines()
        self.assertEqual(code, 78)
        self.assertEqual(lines[:5], [
            "vouch.yaml:3:28: error: brokers.main.plugin: there is no plugin 'broker-loca' (did you "
            "mean broker-local?); looked for:",
            f"  {self.directory}/given/broker-loca.so (--plugin-dir): directory does not exist",
            f"  {self.directory}/mine/broker-loca.so (plugins.search_path): directory does not "
            "exist",
            f"  {beside}/broker-loca.so (built in): no such file",
            lines[4]])
        self.assertRegex(lines[4], r"^  /.*/vouch/plugins/broker-loca\.so \(built in\): ")
        self.assertEqual(lines[5:], ["vouch: 1 problem in vouch.yaml"])

    def test_a_plugin_that_can_not_be_created_ends_the_start(self):
        for plugin, why in CREATED:
            said = (f"vouch: error: broker main: plugin {plugin} ({FIXTURES}/{plugin}.so) can't be "
                    f"created: {why}")
            self.write(REST.replace("broker-local", plugin))
            arguments = ("--config", "vouch.yaml", "--plugin-dir", str(FIXTURES))
            with self.subTest(plugin):
                self.assertEqual(self.run_vouch("check", "--connect", *arguments),
                                 (78, said + "\n"))
                code, words = self.run_vouch("serve", *arguments)
                self.assertEqual(code, 78)
                # Beside what the host logs.
                self.assertEqual([line for line in words.splitlines()
                                  if line.startswith("vouch: ")], [said])

    def test_a_plugin_that_throws_ends_the_start_and_the_host_tells_it_in_words(self):
        said = ("vouch: error: can't open the database (storage-throwing): plugin storage-throwing "
                "misbehaves: open threw: thrown on purpose")
        self.write(REST.replace("storage-sqlite", "storage-throwing")
                   .replace(", settings: { path: store.db }", ""))
        for command in (("serve",), ("check", "--connect")):
            with self.subTest(command):
                code, words = self.run_vouch(*command, "--config", "vouch.yaml", "--plugin-dir",
                                             str(FIXTURES))
                self.assertEqual((code, [line for line in words.splitlines()
                                         if line.startswith("vouch: ")]), (70, [said]))


if __name__ == "__main__":
    unittest.main()
