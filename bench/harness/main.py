"""Measures Vouch beside the same rows written straight into the database. Each round makes each
measurement once, on a new store; the tables show median, minimum and maximum over the rounds, and
ratios are taken within a round. Standard library only."""

import argparse
import os
import pathlib
import socket
import sys
import tempfile

from broker_bench import BrokerBench
from brokers import BROKERS, broker
from embedded import EmbeddedBench
from mysql import Mysql
from peers import Peers
from postgres import Postgres
from replay_bench import ReplayBench
from server_bench import ServerBench
from sqlite import Sqlite

SERVERS = {"postgres": Postgres, "mysql": Mysql}


PAIRS = [f"{storage}+{name}" for storage in ("sqlite", *SERVERS) for name in BROKERS]


def server_of(name: str):
    if name == "sqlite":
        return Sqlite()
    return SERVERS[name](os.environ[SERVERS[name].variable])


def bench_of(name: str, options):
    storage, _, other = name.partition("+")
    if options.replay:
        return ReplayBench(options, server_of(storage))
    if other:
        return BrokerBench(options, server_of(storage), broker(other))
    if name == "sqlite":
        return EmbeddedBench(options)
    reached = server_of(name)
    beside = None
    if options.peers and name == "postgres":
        if reason := Peers.fetch(options.peers):
            print(f"SKIPPED: the peers: {reason}", flush=True)
        else:
            beside = Peers(options, reached)
    return ServerBench(options, reached, beside)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("backends", nargs="+", choices=["sqlite", *SERVERS, *PAIRS],
                        metavar="BACKEND")
    parser.add_argument("--binaries", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--directory", default=tempfile.gettempdir(), help="on the disk to measure")
    parser.add_argument("--broker-settings", default="", metavar="YAML",
                        help="more settings of the broker's plugin, such as \"linger: 5ms\"")
    parser.add_argument("--port", type=int, default=0, help="of the host; 0: a free one")
    parser.add_argument("--peers", type=pathlib.Path, metavar="DIRECTORY",
                        help="measure other event stores on PostgreSQL; npm puts them there")
    parser.add_argument("--replay", action="store_true",
                        help="measure live traffic beside a replay instead")
    options = parser.parse_args()
    if options.replay and any("+" in backend for backend in options.backends):
        parser.error("--replay is measured with the local broker")
    options.port = options.port or free_port()
    for backend in options.backends:
        bench = bench_of(backend, options)
        for number in range(1, options.rounds + 1):
            print(f"{backend}: round {number} of {options.rounds}", file=sys.stderr, flush=True)
            bench.run_round()
        bench.print_report()


if __name__ == "__main__":
    main()
