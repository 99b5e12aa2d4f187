"""How vouch-conformance tries the plugins of this tree: their settings, and what else it is told. Shared
by test_conformance.py and scripts/conformance-table."""

import dataclasses
import urllib.parse


@dataclasses.dataclass(frozen=True)
class Run:
    plugin: str
    settings: str  #: YAML
    arguments: tuple[str, ...] = ()


def sqlite() -> Run:
    return Run("storage-sqlite", "path: ${VOUCH_CASE_DIRECTORY}/store.db\n")


def local() -> Run:
    return Run("broker-local", "queue_messages: 1000\n", ("--overflow", "3000"))


def database(plugin: str, uri: str) -> Run:
    """On the server of the URI, in a schema or database for each case."""
    parts = urllib.parse.urlsplit(uri)
    login = parts.netloc.rpartition("@")[0]
    of_case = "vouch_prove_${VOUCH_CASE_ID}"
    mysql = plugin == "storage-mysql"
    path = f"/{of_case}" if mysql else parts.path
    return Run(plugin, f"uri: {parts.scheme}://{login}@${{VOUCH_CASE_SERVER}}{path}\n" +
               ("" if mysql else f"schema: {of_case}\n"),
               ("--server", f"{parts.hostname}:{parts.port}"))


def mqtt(address: str, restart: str = "") -> Run:
    """`restart`: a command that kills the server and starts it again."""
    return Run("broker-mqtt", "uri: mqtt://${VOUCH_CASE_SERVER}\nclient_id: ${VOUCH_CASE_ID}\n"
               "queue_messages: 1000\nbuffer: 2000\nmax_message_bytes: 2MiB\n",
               ("--server", address, "--overflow", "3000", *restarted(restart)))


def kafka(proxied: str, restart: str = "") -> Run:
    """`proxied`: the port of a listener, and the one that it tells clients to connect to."""
    port, advertised = proxied.split(":")
    return Run("broker-kafka", "bootstrap_servers: ['${VOUCH_CASE_SERVER}']\noutbound_partitions: 1\n"
               "buffer: 2000\n",
               ("--server", f"127.0.0.1:{port}", "--proxy-port", advertised, *restarted(restart)))


def restarted(command: str) -> tuple[str, ...]:
    return ("--restart", command) if command else ()
