"""Names that dnnbridge shares with the public namespaces of Keras, found by walking both."""

from __future__ import annotations

import inspect
from typing import Any

import dnnbridge as db
from dnnbridge import ops
from dnnbridge.specs.spec import Spec

SPACES = (
    *("activations", "callbacks", "constraints", "initializers", "layers", "losses", "metrics"),
    *("optimizers", "optimizers.schedules", "regularizers", "models"),
)
"""Namespaces of classes, and of the activation functions."""

RENAMED = {
    "CosineSimilarityMetric": "metrics.CosineSimilarity",
    "LogCosh": "metrics.LogCoshError",
    "Plateau": "callbacks.ReduceLROnPlateau",
    "TopKCategoricalAccuracy": "metrics.SparseTopKCategoricalAccuracy",
}
"""Things with different names here and in Keras."""

CALLBACKS = [
    *("BackupAndRestore", "CSVLogger", "EarlyStopping", "LambdaCallback", "LearningRateScheduler"),
    *("ModelCheckpoint", "ReduceLROnPlateau", "TensorBoard"),
]

NO_NUMBERS = {
    ("Callback", "callbacks.Callback"): "a base of callbacks",
    ("History", "callbacks.History"): "what a training returns",
    ("metric", "metrics.Metric"): "marks a function here; Metric is a base, AbstractMetric",
    **{(name, f"callbacks.{name}"): "compared in tests/callbacks" for name in CALLBACKS},
    ("Identity", "layers.Identity"): 'an initializer here; the layer is Activation("linear")',
}
"""Shared names of things that compute nothing, or that differ in kind."""

Pair = tuple[str, str]


def shared(keras: Any) -> set[Pair]:
    """Return our name, and theirs below `keras`, of everything that both have."""
    ours = {_plain(name): name for name in db.__all__ if callable(getattr(db, name))}
    found = {(name, path) for name, path in RENAMED.items() if _has(keras, path)}
    for space in SPACES:
        for name, value in _members(keras, space).items():
            if _plain(name) in ours and _computes(space, value):
                found.add((ours[_plain(name)], f"{space}.{name}"))
    for name, value in vars(ops).items():
        if inspect.isfunction(value) and hasattr(keras.ops, name):
            found.add((name, f"ops.{name}"))
    return {pair for pair in found if pair not in NO_NUMBERS}


def _plain(name: str) -> str:
    return name.lower().replace("_", "")


def _members(keras: Any, space: str) -> dict[str, Any]:
    """Return the members of a namespace, each once, preferably by the name of a class."""
    module = _found(keras, space)
    members: dict[str, tuple[str, Any]] = {}
    for name in sorted(dir(module)):  # capitals come first
        if not name.startswith("_"):
            members.setdefault(_plain(name), (name, getattr(module, name)))
    return dict(members.values())


def _computes(space: str, value: Any) -> bool:
    return inspect.isfunction(value) if space == "activations" else inspect.isclass(value)


def _found(keras: Any, path: str) -> Any:
    for part in path.split("."):
        keras = getattr(keras, part)
    return keras


def _has(keras: Any, path: str) -> bool:
    try:
        return _found(keras, path) is not None
    except AttributeError:
        return False


def class_of(keras: Any, pair: Pair) -> tuple[type[Spec], Any]:
    """Return our class and theirs."""
    return getattr(db, pair[0]), _found(keras, pair[1])
