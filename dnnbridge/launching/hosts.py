"""`hosts_of`: which hosts train together, from a list or from what a scheduler says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from dnnbridge.errors import ArgumentError

SLURM_LISTS = ("SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST")
NUMBERS = ("SLURM_NODEID", "JOB_COMPLETION_INDEX")
"""Variables with the number of a host: of Slurm, and of a Kubernetes job with indices."""


class Hosts(NamedTuple):
    """The hosts of a training.

    Attributes:
        names: all of them, in the same order everywhere.
        number: the place of this one, if the scheduler says it.
        workers: workers of each host, if the source says it.
        addresses: "host:port" of each worker, if the source says them.
    """

    names: tuple[str, ...]
    number: int | None = None
    workers: int | None = None
    addresses: tuple[str, ...] = ()


MOST = 100_000
"""Most hosts that a range may name."""


def hosts_of(given: str, environment: Mapping[str, str]) -> Hosts:
    """Return the hosts of the option `--hosts`.

    Args:
        given: names by comma, with ranges in brackets; "slurm" for the list of Slurm; "tf_config"
            for that variable, which names one worker of each process; or a rank table of
            MindSpore, a file that ends with ".json".
        environment: variables of the process.

    Raises:
        ArgumentError: it says no hosts.

    Example:
        >>> hosts_of("train-[0-1].svc", {"JOB_COMPLETION_INDEX": "1"})[:2]
        (('train-0.svc', 'train-1.svc'), 1)
    """
    if given == "tf_config":
        return _of_tf_config(environment.get("TF_CONFIG", ""))
    number = next((environment[name] for name in NUMBERS if environment.get(name)), None)
    place = None if number is None else _whole(number, "the number of this host")
    if given.endswith(".json"):
        return _of_rank_table(Path(given), place)
    if given == "slurm":
        found = [environment[name] for name in SLURM_LISTS if environment.get(name)]
        if not found:
            raise _wrong(f"none of {' and '.join(SLURM_LISTS)} is set", "Start it with srun.")
        given = found[0]
    return Hosts(tuple(_expanded(given)), place)


def _expanded(text: str) -> Iterator[str]:
    """Yield the names of a list such as "a[01-03,7],b"."""
    if text.count("[") != text.count("]"):
        raise _wrong(f"{text!r}, with a bracket that is not closed", "Write node[01-16].")
    for part in re.findall(r"(?:[^,\[]|\[[^\]]*\])+", text):
        before, bracket, rest = part.partition("[")
        if not bracket:
            yield part.strip()
            continue
        inner, _, after = rest.partition("]")
        for each in inner.split(","):
            first, _, last = each.partition("-")
            begin, end = _whole(first, text), _whole(last or first, text)
            if end - begin >= MOST:
                raise _wrong(f"{end - begin + 1} hosts in {text}", f"At most {MOST} are read.")
            for number in range(begin, end + 1):
                yield from _expanded(f"{before.strip()}{number:0{len(first)}d}{after}")


def _of_tf_config(text: str) -> Hosts:
    try:
        config = json.loads(text)
        addresses = tuple(map(str, config["cluster"]["worker"]))
        kind, number = config["task"]["type"], int(config["task"]["index"])
    except (ValueError, KeyError, TypeError) as error:
        hint = 'It needs {"cluster": {"worker": [...]}, "task": {"type": "worker", "index": 0}}.'
        raise _wrong(f"TF_CONFIG: {type(error).__name__} {error}", hint) from None
    if kind != "worker" or set(config["cluster"]) != {"worker"}:
        raise _wrong(f"TF_CONFIG with a {kind}", "All processes must be of the type worker.")
    return Hosts(tuple(a.rpartition(":")[0] for a in addresses), number, 1, addresses)


def _of_rank_table(path: Path, number: int | None) -> Hosts:
    try:
        servers: list[Any] = json.loads(path.read_text("utf-8"))["server_list"]
        names = tuple(str(server["server_id"]) for server in servers)
        counts = {len(server["device"]) for server in servers}
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "Give a rank table of MindSpore, with a server_list."
        raise _wrong(f"{path}: {type(error).__name__} {error}", hint) from None
    if len(counts) != 1:
        raise _wrong(f"{path}: servers with {sorted(counts)} devices", "All must have as many.")
    return Hosts(names, number, counts.pop())


def _whole(text: str, where: str) -> int:
    if not text.isdecimal():
        raise _wrong(f"{text!r} in {where}", "Write whole numbers: node[01-16].")
    return int(text)


def _wrong(got: str, hint: str) -> ArgumentError:
    return ArgumentError("says no hosts", where="--hosts", got=got, hint=hint)
