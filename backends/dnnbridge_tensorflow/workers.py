"""Sums over the processes of a launched program, by `MultiWorkerMirroredStrategy`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import tensorflow as tf

from dnnbridge.backend import BackendError, Cluster, ops, this_cluster

Tensor = Any
Step = Callable[[list[Tensor]], list[Tensor]]

CONFIG = "TF_CONFIG"


def join() -> None:
    """Meet the other processes, if this one was started with others."""
    cluster = this_cluster()
    if cluster is not None and cluster.count > 1:
        _strategy(cluster)


@lru_cache(maxsize=1)
def _strategy(cluster: Cluster) -> Any:
    """Return the strategy of a cluster, which a process makes once."""
    os.environ[CONFIG] = json.dumps(
        {
            "cluster": {"worker": list(cluster.addresses)},
            "task": {"type": "worker", "index": cluster.rank},
        }
    )
    gpus = tf.config.list_physical_devices("GPU")
    try:
        if gpus:
            tf.config.set_visible_devices(gpus[cluster.local_rank % len(gpus)], "GPU")
        options = _options(bool(gpus))
        return tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)
    except RuntimeError as error:
        raise BackendError(
            "TensorFlow must meet the other workers before its first operation",
            where="compile",
            got=str(error).splitlines()[0],
            hint="Load the backend first: compile or dnnbridge.load before other TensorFlow code.",
        ) from error


def _options(gpus: bool) -> Any:
    """Return how to communicate: NCCL between GPUs, a ring of processes otherwise."""
    kinds = tf.distribute.experimental.CommunicationImplementation
    kind = kinds.NCCL if gpus else kinds.RING
    return tf.distribute.experimental.CommunicationOptions(implementation=kind)


def by_each(step: Step) -> Step:
    """Return a step in which `all_reduce_sum` meets the other workers."""
    cluster = this_cluster()
    assert cluster is not None
    strategy = _strategy(cluster)
    return lambda feeds: list(strategy.run(step, args=(feeds,)))


def _total(x: Tensor) -> Tensor:
    """Return the sum over the workers; with one worker, outside of a strategy, x itself."""
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, x)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _summed(x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    return _total(x), lambda dy: dy


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _with_summed_gradient(x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    return tf.identity(x), _total


def all_reduce_sum(op: ops.AllReduceSum, x: Tensor) -> Tensor:
    return _summed(x)


def all_reduce_gradient(op: ops.AllReduceGradient, x: Tensor) -> Tensor:
    return _with_summed_gradient(x)
