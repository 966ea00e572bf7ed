"""How the processes of a launched program find each other; it does not need MindSpore."""

from __future__ import annotations

import os
import subprocess
import sys

from dnnbridge.backend import Cluster, this_cluster

SCHEDULER = "import mindspore.communication as c; c.init()"
"""The program of the process that MindSpore's workers register with."""

SIMULATION = "MS_SIMULATION_LEVEL"
"""Variable with which MindSpore simulates devices: a worker then meets no others."""


def start_scheduler() -> None:
    """Start the scheduler of a launched program, if this is its first worker.

    A worker that looks for it before it is there waits half a minute, so it starts before MindSpore
    is imported here. It ends when the workers have ended, or with the process group of this one.
    """
    cluster = this_cluster()
    if cluster is None or cluster.count == 1 or cluster.rank != 0 or SIMULATION in os.environ:
        return
    subprocess.Popen(
        [sys.executable, "-c", SCHEDULER],
        env={**os.environ, **variables(cluster, "MS_SCHED")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def variables(cluster: Cluster, role: str) -> dict[str, str]:
    """Return the variables from which MindSpore makes a cluster, or simulates one."""
    if SIMULATION in os.environ:
        return {"RANK_SIZE": str(cluster.count), "RANK_ID": str(cluster.rank)}
    host, _, port = cluster.coordinator.rpartition(":")
    return {
        "MS_WORKER_NUM": str(cluster.count),
        "MS_SCHED_HOST": host,
        "MS_SCHED_PORT": port,
        "MS_ROLE": role,
        "MS_NODE_ID": str(cluster.rank),
        "MS_TOPO_TIMEOUT": str(cluster.seconds),
    }
