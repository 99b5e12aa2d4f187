"""Database servers of a test's own: started in a directory that goes away, on a free port, as an
unprivileged user, with durable settings; stopped, killed and started again at will. Standard library
only. A test asks `missing()` first: the programs come from Debian's packages."""

import fcntl
import glob
import os
import random
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from machines import HERE, Machine


def free_port() -> int:
    """Below the range from which the kernel takes ports for outgoing connections: one of those could
    have it before the server comes."""
    while True:
        port = random.randrange(12000, 32000)
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def newest(pattern: str) -> pathlib.Path | None:
    found = sorted(glob.glob(pattern))
    return pathlib.Path(found[-1]) if found else None


def unprivileged(user: str) -> pwd.struct_passwd:
    """The account of the package's own, or nobody's where the package made none."""
    try:
        return pwd.getpwnam(user)
    except KeyError:
        return pwd.getpwnam("nobody")


#: Databases just made, copied for each server: making one takes seconds.
TEMPLATES = pathlib.Path(os.environ["VOUCH_BINARY"]).parent.parent / "database-templates"


def storage_section(plugin: str, **settings: str) -> str:
    """For vouch_server.CONFIG, which is a format: braces stand twice."""
    lines = [f'    {key}: "{value}"' for key, value in settings.items()]
    return "\n".join(["storage:", f"  plugin: {plugin}", "  settings:", *lines])


def on_machine(server_class: type, machine: Machine) -> type:
    """The class of servers that run there: PostgreSQL's or Mosquitto's."""
    return type(server_class.__name__, (server_class,), {"machine": machine})


class DatabaseServer:
    """What both have in common. A subclass says how to make, start and ask one."""

    #: The user that the server runs as when the tests run as root.
    user = "nobody"
    #: Where it runs; see `on_machine`.
    machine: Machine = HERE
    start_seconds = 60

    def __init__(self, **settings: str):
        """`settings` go into the server's configuration, over the durable ones."""
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="vouch-database-"))
        self.port = free_port()
        self.settings = settings
        self.process: subprocess.Popen | None = None
        self._account = {}
        # A MariaDB that starts removes the temporary tables of all others that share its directory
        # for them.
        self._environment = {**os.environ, "TMPDIR": str(self.directory)}
        if os.geteuid() == 0:
            account = unprivileged(self.user)
            os.chown(self.directory, account.pw_uid, account.pw_gid)
            self._account = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        self._initialise()

    def _initialise(self) -> None:
        """Makes the empty database, from the build directory's copy where there is one."""
        kept = TEMPLATES / self.template
        TEMPLATES.mkdir(exist_ok=True)
        with (TEMPLATES / f"{self.template}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                self._make_data()
                new = kept.with_suffix(".new")
                shutil.rmtree(new, ignore_errors=True)
                # Root keeps the owner.
                subprocess.run(["cp", "-a", self.directory / "data", new], check=True)
                new.rename(kept)
        if not (self.directory / "data").exists():
            subprocess.run(["cp", "-a", kept, self.directory / "data"], check=True)

    def start(self) -> "DatabaseServer":
        self.spawn()
        self.wait_until_it_answers()
        return self

    def spawn(self) -> None:
        """Starts the process; does not wait until it can be asked."""
        log = (self.directory / "log").open("ab")
        with self.machine:
            self.process = subprocess.Popen(self._command(), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, cwd=self.directory, start_new_session=True,
                                            env=self._environment, **self._account)
        log.close()

    def wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + self.start_seconds
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the database did not start:\n{self.words()[-3000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """As a power cut would, for its processes: all of them at once."""
        family = [self.process.pid, *self._children()]
        for pid in family:
            self._signal(pid, signal.SIGKILL)
        self.process.wait()
        deadline = time.monotonic() + 20
        while any(self._signal(pid, 0) for pid in family) and time.monotonic() < deadline:
            time.sleep(0.005)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self._stop_signal)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def close(self) -> None:
        """Stops it and removes its directory."""
        if self.process is not None and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def words(self) -> str:
        return (self.directory / "log").read_text(errors="replace")

    def _run(self, *command, **more) -> str:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                              cwd=self.directory, check=False, **self._account, **more)
        if done.returncode != 0:
            raise AssertionError(f"{command[0]} failed: {done.stdout}{done.stderr}")
        return done.stdout

    def _children(self) -> list[int]:
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in tasks.read_text().split()]

    @staticmethod
    def _signal(pid: int, number: int) -> bool:
        """Whether there is such a process."""
        try:
            os.kill(pid, number)
            return True
        except ProcessLookupError:
            return False


class PostgresServer(DatabaseServer):
    """PostgreSQL with the database `vouch` and its owner `vouch`, whose password is `PASSWORD`."""

    PASSWORD = "not-to-be-seen"
    user = "postgres"
    _stop_signal = signal.SIGINT  # fast shutdown

    @staticmethod
    def missing() -> str:
        return "" if newest("/usr/lib/postgresql/*/bin/postgres") else "postgresql is not installed"

    @property
    def _programs(self) -> pathlib.Path:
        return newest("/usr/lib/postgresql/*/bin/postgres").parent

    @property
    def template(self) -> str:
        return f"postgres-{self._programs.parent.name}"

    def _make_data(self) -> None:
        self._run(self._programs / "initdb", "-D", self.directory / "data", "-U", "admin",
                  "--auth-local=trust", "--auth-host=scram-sha-256", "-E", "UTF8", "--locale=C",
                  "--no-sync")

    def _initialise(self) -> None:
        super()._initialise()
        settings = {"listen_addresses": f"'{self.machine.address}'", "unix_socket_directories":
                    f"'{self.directory}'", "fsync": "on", "synchronous_commit": "on",
                    "full_page_writes": "on", "max_connections": "200", "shared_buffers": "128MB",
                    "log_min_messages": "warning", **self.settings}
        with (self.directory / "data" / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{key} = {value}\n" for key, value in settings.items())
        if self.machine is not HERE:
            with (self.directory / "data" / "pg_hba.conf").open("a") as conf:
                conf.write("host all all all scram-sha-256\n")
        self.start()
        self.query(f"CREATE ROLE vouch LOGIN PASSWORD '{self.PASSWORD}'", "postgres")
        self.query("CREATE DATABASE vouch OWNER vouch", "postgres")

    def _command(self) -> list[str]:
        return [str(self._programs / "postgres"), "-D", str(self.directory / "data"),
                "-p", str(self.port)]

    def answers(self) -> bool:
        try:
            return self.query("SELECT 1", "postgres").strip() == "1"
        except AssertionError:
            return False

    def query(self, sql: str, database: str = "vouch") -> str:
        """As the administrator, who needs no password on the socket."""
        return self._run(self._programs / "psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1",
                         "-h", self.directory, "-p", self.port, "-U", "admin", "-d", database,
                         "-c", sql)

    def storage(self, port: int = 0, **settings: str) -> str:
        """The storage section of a configuration; `port` may be a proxy's."""
        uri = (f"postgresql://vouch:{self.PASSWORD}@{self.machine.address}:{port or self.port}"
               "/vouch")
        return storage_section("storage-postgres", uri=uri, **settings)


class MariaDbServer(DatabaseServer):
    """MariaDB with the database `vouch` and its owner `vouch`, whose password is `PASSWORD`."""

    PASSWORD = "not-to-be-seen"
    user = "mysql"
    _stop_signal = signal.SIGTERM

    @staticmethod
    def missing() -> str:
        return "" if shutil.which("mariadbd", path=MariaDbServer._paths) else "mariadb is not installed"

    _paths = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"

    template = "mariadb"

    def _make_data(self) -> None:
        self._run("mariadb-install-db", "--no-defaults", f"--datadir={self.directory / 'data'}",
                  "--auth-root-authentication-method=normal", "--skip-test-db",
                  env={**self._environment, "PATH": self._paths})

    def _initialise(self) -> None:
        super()._initialise()
        self.start()
        self.query("CREATE DATABASE vouch", "mysql")
        self.query(f"CREATE USER vouch@'127.0.0.1' IDENTIFIED BY '{self.PASSWORD}'", "mysql")
        self.query("GRANT ALL ON vouch.* TO vouch@'127.0.0.1'", "mysql")

    def _command(self) -> list[str]:
        settings = {"log-bin": "binlog", "sync-binlog": "1", "innodb-flush-log-at-trx-commit": "1",
                    "innodb-buffer-pool-size": "256M", "max-connections": "300", "skip-name-resolve": "ON",
                    "bind-address": "127.0.0.1", **self.settings}
        return [shutil.which("mariadbd", path=self._paths), "--no-defaults",
                f"--datadir={self.directory / 'data'}", f"--port={self.port}",
                f"--socket={self.directory / 'socket'}",
                *(f"--{key}={value}" for key, value in settings.items())]

    def answers(self) -> bool:
        try:
            return self.query("SELECT 1", "mysql").strip() == "1"
        except AssertionError:
            return False

    def query(self, sql: str, database: str = "vouch") -> str:
        return self._run(shutil.which("mariadb", path=self._paths), "--no-defaults", "-N", "-B",
                         f"--socket={self.directory / 'socket'}", "-u", "root", database, "-e", sql)

    def storage(self, port: int = 0, **settings: str) -> str:
        """The storage section of a configuration; `port` may be a proxy's."""
        uri = f"mysql://vouch:{self.PASSWORD}@127.0.0.1:{port or self.port}/vouch"
        return storage_section("storage-mysql", uri=uri, **settings)
