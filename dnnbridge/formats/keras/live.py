"""What a live Keras model knows and the configuration in its file lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dnnbridge.formats.findings import Findings
from dnnbridge.formats.keras.settings import serialized

EXEMPT = "exempt"
"""Key of the positions, among the weights that are trained, of those that do not decay."""


def with_live_settings(compiled: Mapping[str, Any] | None, model: Any) -> Mapping[str, Any] | None:
    """Return the arguments of `model.compile`, with what a file of the model does not say.

    Keras leaves arguments of losses and metrics out of their configurations, forgets the optimizer
    once it has saved the model as .h5, and does not save which weights its weight decay leaves out.
    """
    if compiled is None:
        return None
    made = {**compiled, "loss": _with_arguments(compiled.get("loss"), getattr(model, "loss", None))}
    given = getattr(model, "_compile_metrics", None)
    for key in ("metrics", "weighted_metrics"):
        if compiled.get(key):
            made[key] = _with_arguments(compiled[key], getattr(given, f"_user_{key}", None))
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and not compiled.get("optimizer"):
        config = {"class_name": type(optimizer).__name__, "config": optimizer.get_config()}
        made["optimizer"] = config
    decays = getattr(optimizer, "_use_weight_decay", lambda weight: True)
    weights = model.trainable_variables
    made[EXEMPT] = [i for i, weight in enumerate(weights) if not decays(weight)]
    return made


def _with_arguments(config: Any, live: Any) -> Any:
    """Return the configuration of losses with the arguments of the live objects."""
    if isinstance(live, (list, tuple)) and isinstance(config, (list, tuple)):
        return [_with_arguments(*pair) for pair in zip(config, live, strict=False)]
    found = serialized(config)
    if found is not None and config["class_name"] == "function":
        return config
    if found is None:
        if isinstance(live, Mapping) and isinstance(config, Mapping):
            return {name: _with_arguments(each, live.get(name)) for name, each in config.items()}
        return config
    arguments = getattr(live, "_fn_kwargs", None) or {}
    plain = {k: v for k, v in arguments.items() if isinstance(v, (bool, int, float, str))}
    return {**config, "config": {**plain, **found.config}}


def check_layers(model: Any, findings: Findings) -> None:
    """Add the layers that are in a model and also in a model inside it.

    A file holds their arrays once, and the weights of a layer here have one path.
    """
    paths: dict[int, str] = {}
    for path, layer in _layers(model, ""):
        first = paths.setdefault(id(layer), path)
        if first != path and not getattr(layer, "layers", ()) and layer.weights:
            findings.add(path, f"a layer that is also {first}: call the model that holds it")


def _layers(model: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield all layers, also those of models inside, with their paths."""
    for layer in model.layers:
        own = f"{path}/{layer.name}".lstrip("/")
        yield own, layer
        if hasattr(layer, "layers") and hasattr(layer, "save"):
            yield from _layers(layer, own)
