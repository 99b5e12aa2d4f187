"""The plugin boundary is as it was released: its layout is compared with that of each frozen ABI."""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from layout_gate import complaints

HERE = pathlib.Path(__file__).parent
BUILD = pathlib.Path(os.environ["VOUCH_ABI_BUILD"])
SDK = pathlib.Path(os.environ["VOUCH_SOURCE"]) / "sdk/include"
FROZEN = sorted(folder for folder in HERE.iterdir() if re.fullmatch(r"\d+\.\d+", folder.name))

#: Types in the headers of which nothing crosses the boundary.
NOT_CROSSING = {"Result"}  # a template; some of its instances are listed


def printed(program: pathlib.Path) -> str:
    return subprocess.run([program], capture_output=True, text=True, check=True).stdout


class FrozenTestCase(unittest.TestCase):
    def test_nothing_that_was_frozen_is_touched_later(self):
        self.assertTrue(FROZEN)
        for folder in FROZEN:
            sums = dict(reversed(line.split("  ./")) for line in
                        (folder / "SHA256SUMS").read_text().splitlines())
            files = {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
                     for file in folder.rglob("*") if file.is_file() and file.name != "SHA256SUMS"}
            self.assertEqual(files, sums, f"{folder} was released and stays as it is")

    def test_the_stored_layout_is_that_of_the_frozen_headers(self):
        for folder in FROZEN:
            self.assertEqual(printed(BUILD / f"abi_layout_{folder.name}"),
                             (folder / "layout.txt").read_text(), folder)


class LayoutTestCase(unittest.TestCase):
    def test_plugins_of_a_released_abi_fit_todays_host(self):
        today = printed(BUILD / "abi_layout_today")
        for folder in FROZEN:
            words = complaints((folder / "layout.txt").read_text(), today)
            self.assertEqual(words, "", f"\n\n{words}")

    def test_todays_abi_is_frozen(self):
        self.assertIn(os.environ["VOUCH_ABI"], [folder.name for folder in FROZEN],
                      "freeze it: tests/abi/freeze BUILD_DIR")

    def test_every_type_and_interface_id_of_the_headers_is_listed(self):
        today = printed(BUILD / "abi_layout_today")
        listed = {name.split("::")[-1] for name in
                  re.findall(r"^(?:struct|interface|enum) ([\w:]+):", today, re.MULTILINE)}
        ids = set(re.findall(r"^id \w+: (\S+)$", today, re.MULTILINE))
        for header in SDK.glob("vouch/*.h"):
            text = header.read_text()
            for name in re.findall(r"^ *(?:struct|class|enum|enum class) (?:\[\[nodiscard\]\] )?"
                                   r"(\w+)(?: final)?(?: : [\w: ]+)? \{$", text, re.MULTILINE):
                self.assertIn(name, listed | NOT_CROSSING,
                              f"{header.name}: add {name} to tests/abi/layout.cpp")
            for found in re.findall(r'kInterface = "([^"]+)"', text):
                self.assertIn(found, ids, f"{header.name}: add it to tests/abi/layout.cpp")


class GateTestCase(unittest.TestCase):
    """Headers with mistakes that people make, compiled: each must be noticed."""

    MISTAKES = (
        # A method in the middle moves those behind it.
        ("lane.h", "  virtual CommitResult commit() = 0;",
         "  virtual void flush() = 0;\n  virtual CommitResult commit() = 0;"),
        # One at the end is called by a new host in an old plugin's table, which has no such slot.
        ("broker.h", "                                                          MessageSink& sink) = 0;",
         "                                                          MessageSink& sink) = 0;\n"
         "  virtual void flush() = 0;"),
        # In the padding: the size stays.
        ("broker.h", "  bool ordered_by_key = false;",
         "  bool ordered_by_key = false;\n  bool fast = false;"),
        ("ledger.h", "  std::uint64_t events = 0;", "  std::uint32_t events = 0;"),
        ("append.h", "  lost_race = 5,", "  lost_race = 6,"),
        ("reader.h", "virtual Result<Cursor> feed_end() = 0;",
         "virtual Result<std::optional<Cursor>> feed_end() = 0;"),
        ("snapshot_store.h", "vouch.storage.snapshots/1", "vouch.storage.snapshots/2"),
    )
    NOTICED = (
        r"was: interface Lane: commit in slot 4.*\n.*now: interface Lane: commit in slot 5",
        r"was: interface Broker: 9 slots.*\n.*now: interface Broker: 10 slots",
        r"was: struct BrokerCapabilities: 16 bytes, aligned to 8, 5 fields\n"
        r".*now: struct BrokerCapabilities: 16 bytes, aligned to 8, 6 fields",
        r"was: struct Backlog: events at 16: unsigned long\n.*now: .*: unsigned int",
        r"was: enum StageOutcome: lost_race = 5\n.*now: enum StageOutcome: lost_race = 6",
        r"was: interface Reader: feed_end in slot 5.*\n.*now: .*optional",
        r"was: id SnapshotStore: vouch.storage.snapshots/1\n.*now: .*snapshots/2",
        r"raise kAbiMajor",
    )

    def test_changes_of_shipped_types_are_noticed_and_named(self):
        frozen = (HERE / "1.0/layout.txt").read_text()
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(HERE / "1.0/include", folder, dirs_exist_ok=True)
            for header, right, wrong in self.MISTAKES:
                file = pathlib.Path(folder) / "vouch" / header
                text = file.read_text()
                self.assertEqual(text.count(right), 1, (header, right))
                file.write_text(text.replace(right, wrong))
            program = pathlib.Path(folder) / "layout"
            subprocess.run([os.environ["VOUCH_CXX"], "-std=c++20", "-w", f"-I{folder}",
                            HERE / "layout.cpp", "-o", program], check=True)
            words = complaints(frozen, printed(program))
        for sentence in self.NOTICED:
            self.assertRegex(words, sentence)

    def test_something_new_needs_a_minor_and_is_then_accepted(self):
        frozen = "abi 1.0\ninterface Lane: 6 slots, 8 bytes\n"
        new = "id TtlStore: vouch.storage.ttl/1\n"
        self.assertRegex(complaints(frozen, frozen + new), r"new: id TtlStore(.|\n)*kAbiMinor")
        self.assertEqual(complaints(frozen, frozen.replace("1.0", "1.1") + new), "")

    def test_another_major_may_change_everything(self):
        self.assertEqual(complaints("abi 1.0\nid A: a/1\n", "abi 2.0\nid A: a/9\n"), "")


if __name__ == "__main__":
    unittest.main()
