"""The addresses of the workers of a launch."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import ExitStack, suppress

from dnnbridge.base.cluster import Cluster
from dnnbridge.errors import ArgumentError

HERE = "127.0.0.1"

PORT = 29400
"""First port of a launch on several hosts; the next ones follow it."""


def on_this_host(count: int, seconds: int) -> list[Cluster]:
    """Return workers of this host alone, at ports that are free now."""
    with ExitStack() as held:
        ports = []
        for _ in range(count + 1):
            free = held.enter_context(socket.socket())
            free.bind((HERE, 0))
            ports.append(free.getsockname()[1])
    addresses = tuple(f"{HERE}:{port}" for port in ports[:-1])
    return [Cluster(addresses, rank, f"{HERE}:{ports[-1]}", seconds) for rank in range(count)]


def at_addresses(addresses: Sequence[str], number: int, seconds: int) -> list[Cluster]:
    """Return one worker among those at known addresses; MindSpore's scheduler has the next port."""
    host, _, port = addresses[0].rpartition(":")
    coordinator = f"{host}:{int(port) + 1}"
    return [Cluster(tuple(addresses), number, coordinator, seconds)]


def on_hosts(
    hosts: Sequence[str], count: int, port: int, number: int | None, seconds: int
) -> list[Cluster]:
    """Return the workers of this host among those of several.

    Worker r of a host has port + 1 + r, and MindSpore's scheduler has `port` on the first host.

    Args:
        hosts: names or addresses of all hosts, in the same order everywhere.
        count: workers of each host.
        port: the first port.
        number: the place of this host in the list, from 0; None finds it by name or address.
        seconds: how long workers wait for each other.

    Example:
        >>> [c.rank for c in on_hosts(["a", "b"], 2, 29400, 1, 300)]
        [2, 3]
    """
    if number is None:
        number = _own_place(hosts)
    if not 0 <= number < len(hosts):
        raise ArgumentError(
            f"must be from 0 to {len(hosts) - 1}", where="--host-number", got=str(number)
        )
    addresses = tuple(f"{host}:{port + 1 + r}" for host in hosts for r in range(count))
    coordinator = f"{hosts[0]}:{port}"
    ranks = range(number * count, (number + 1) * count)
    return [Cluster(addresses, rank, coordinator, seconds) for rank in ranks]


def _own_place(hosts: Sequence[str]) -> int:
    name = socket.gethostname()
    known = {name, name.partition(".")[0], socket.getfqdn()}
    with suppress(OSError):  # a name without an address
        known.update(str(info[4][0]) for info in socket.getaddrinfo(name, None))
    found = [place for place, host in enumerate(hosts) if host in known]
    if len(found) == 1:
        return found[0]
    raise ArgumentError(
        "this host is not in the list, or more than once",
        where="--hosts",
        got=f"{', '.join(hosts)}; this is {name}",
        hint="Add --host-number with the place of this host in the list, from 0.",
    )
