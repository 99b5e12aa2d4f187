"""Machines of a test's own, each a network namespace, on a network of its own. The namespace that the test
itself is in meanwhile joins them: it passes packets on, or lets them vanish. Nothing here has a name
outside the test, so that the kernel takes it all away with the test's processes, however they end.
Needs root. To be used by one thread; threads and processes begin where their maker is."""

import contextlib
import ctypes
import os
import pathlib
import shutil
import subprocess
import threading

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
#: Of nobody but the namespaces here; their packets reach no other network.
ADDRESSES = "10.77"


class Machine:
    """`with machine:` what begins inside is on that machine."""

    def __init__(self, address: str = "127.0.0.1"):
        """The one that the test is on."""
        self.address = address

    def __enter__(self) -> "Machine":
        return self

    def __exit__(self, *_) -> None:
        pass


HERE = Machine()


class FarMachine(Machine):
    """Made by `Network.machine`."""

    def __init__(self, address: str, namespace: int, home: int):
        super().__init__(address)
        self.namespace = namespace
        self._home = home

    def __enter__(self) -> "FarMachine":
        enter(self.namespace)
        return self

    def __exit__(self, *_) -> None:
        enter(self._home)


class Network:
    """The calling thread is in the namespace in the middle until `close`."""

    @staticmethod
    def missing() -> str:
        """Why there can be no such network here; empty if there can. Tries it, on a thread of its own,
        whose namespace ends with it."""
        if not shutil.which("ip"):
            return "ip (iproute2) is not installed"
        why = []

        def attempt():
            try:
                new_namespace()
                run("ip", "link", "add", "one", "type", "veth", "peer", "name", "other")
                run("ip", "rule", "add", "from", f"{ADDRESSES}.0.1", "blackhole")
            except (OSError, AssertionError) as failed:
                why.append(f"no network namespaces here: {failed}")

        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join()
        return "".join(why)

    def __init__(self):
        self._ends = contextlib.ExitStack()
        self._machines: list[FarMachine] = []
        before = current_namespace()
        self._ends.callback(os.close, before)
        new_namespace()
        self._ends.callback(enter, before)
        self._middle = current_namespace()
        self._ends.callback(os.close, self._middle)
        run("ip", "link", "set", "lo", "up")
        # The kernel shows each thread the settings of its own namespace.
        pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("1")

    def machine(self) -> FarMachine:
        """A new one, reached by the middle directly and by all others through it."""
        number = len(self._machines) + 1
        middle, address = f"{ADDRESSES}.{number}.1", f"{ADDRESSES}.{number}.2"
        new_namespace()
        machine = FarMachine(address, current_namespace(), self._middle)
        self._ends.callback(os.close, machine.namespace)
        with machine:
            run("ip", "link", "set", "lo", "up")
            run("ip", "link", "add", "net", "type", "veth", "peer", "name", f"machine-{number}", "netns",
                f"/proc/self/fd/{self._middle}", pass_fds=[self._middle])
            run("ip", "address", "add", f"{address}/30", "dev", "net")
            run("ip", "link", "set", "net", "up")
            run("ip", "route", "add", "default", "via", middle)
        run("ip", "address", "add", f"{middle}/30", "dev", f"machine-{number}")
        run("ip", "link", "set", f"machine-{number}", "up")
        self._machines.append(machine)
        return machine

    def cut(self, one: Machine, other: Machine) -> None:
        """From now on what they send each other vanishes, and nobody is told; their links stay up."""
        self._pass_nothing("add", one, other)

    def join(self, one: Machine, other: Machine) -> None:
        """Undoes `cut`."""
        self._pass_nothing("del", one, other)

    @staticmethod
    def _pass_nothing(word: str, one: Machine, other: Machine) -> None:
        for source, target in ((one, other), (other, one)):
            run("ip", "rule", word, "from", source.address, "to", target.address, "blackhole")

    def close(self) -> None:
        """The thread is back where it was; each namespace ends with the last process in it."""
        self._ends.close()


def run(*command: str, **more) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.stderr.strip()}")


def current_namespace() -> int:
    """The calling thread's, as an open file."""
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def new_namespace() -> None:
    call(LIBC.unshare, CLONE_NEWNET)


def enter(namespace: int) -> None:
    call(LIBC.setns, namespace, CLONE_NEWNET)


def call(function, *arguments: int) -> None:
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function.__name__}: {os.strerror(number)}")
