"""File systems of their own for tests that fill them or take the right to write away. Needs root."""

import os
import pathlib
import shutil
import subprocess
import unittest


def run(*command: str) -> str:
    """What went wrong, or nothing."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except OSError as error:
        return f"{command[0]}: {error}"
    return "" if done.returncode == 0 else f"{' '.join(command)}: {done.stderr.strip()}"


def skip(why: str):
    # ctest looks for this word and counts the test as skipped.
    print(f"SKIPPED: {why}", flush=True)
    raise unittest.SkipTest(why)


class SmallDisk:
    """Mounted at `path` until `remove`. Skips the test when this machine does not let us mount."""

    def __init__(self, test: unittest.TestCase, directory: str):
        self.path = pathlib.Path(directory) / "disk"
        self.path.mkdir()
        if os.geteuid() != 0:
            skip("a file system can be mounted by root only")
        problem = self._mount()
        if problem:
            skip(f"this machine lets nobody mount: {problem}")
        test.addCleanup(self.remove)

    def _mount(self) -> str:
        return run("mount", "-t", "tmpfs", "-o", "size=24m,mode=0755", "tmpfs", str(self.path))

    def remove(self) -> None:
        run("umount", "--lazy", str(self.path))

    @property
    def filler(self) -> pathlib.Path:
        return self.path / "filler"

    def fill(self) -> None:
        """Leaves not one byte."""
        with self.filler.open("ab", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    pass

    def free(self) -> None:
        self.filler.unlink()

    def allow_writing(self, allowed: bool) -> str:
        return run("mount", "-o", f"remount,{'rw' if allowed else 'ro'}", str(self.path))


class BreakableDisk(SmallDisk):
    """An ext4 file system, which a running process can lose the right to write to, as it does when
    the kernel finds the disk broken (`errors=remount-ro`)."""

    def _mount(self) -> str:
        self.image = self.path.with_suffix(".img")
        with self.image.open("wb") as file:
            file.truncate(48 << 20)
        if not shutil.which("mkfs.ext4"):
            return "mkfs.ext4 is missing (package e2fsprogs)"
        return (run("mkfs.ext4", "-q", "-F", str(self.image)) or self.mount_again())

    def mount_again(self) -> str:
        return run("mount", "-o", "loop", str(self.image), str(self.path))

    def turn_read_only(self) -> None:
        problem = run("mount", "-o", "remount,abort", str(self.path))
        if problem:
            skip(f"this machine's ext4 can't be broken: {problem}")

    def repair(self) -> None:
        """Pre: nobody uses it."""
        for problem in (run("umount", str(self.path)), self.mount_again()):
            if problem:
                raise AssertionError(problem)
