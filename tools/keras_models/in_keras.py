"""What Keras says of a model: its file, predictions, and 50 steps of its own `fit`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from keras_models import families, folders

RATE = {"small": 0.05, "large": 0.001}


class Case(NamedTuple):
    """A model with the data of its training."""

    model: Any
    x: list[Any]
    y: list[Any]
    loss: Any
    rate: float
    batch_size: int
    epochs: int


def write(name: str, folder: Path) -> dict[str, Any]:
    """Write `model.keras` and `data.npz`, and return what Keras knows of the model."""
    import keras

    keras.utils.set_random_seed(0)
    found, large = case(name), name not in _small()
    model = found.model
    _compile(found)
    model.save(folder / "model.keras")
    x = [array[:4] if large else array for array in found.x]
    predicted = _predicted(model, x)
    lists: dict[str, Any] = {"x": x, "predicted": predicted}
    if large:
        lists["exact"] = _in_float64(name, model, x)
    folders.keep(folder / "data.npz", **lists)
    return {
        "weights": model.count_params(),
        "kinds": sorted(set(kinds(json.loads(model.to_json())))),
    }


def fit(name: str, folder: Path) -> dict[str, Any]:
    """Train for 50 steps, and once more from weights that are off by one spacing of float32."""
    import keras

    keras.utils.set_random_seed(0)
    found = case(name)
    model, x = found.model, folders.arrays_of(folder / "data.npz")["x"]
    if _draws(model):
        return {"why": "it draws random numbers"}
    if name not in _small():
        _freeze_statistics(model)
    _compile(found)
    model.save(folder / folders.TRAINED)
    before = [np.array(array) for array in model.get_weights()]
    losses, after = _trained(found, x)
    lists = {"rows": found.x, "labels": found.y, "losses": losses, "after": after}
    folders.keep(folder / "fit.npz", **lists)
    draw = np.random.default_rng(7)
    model.set_weights([folders.nudged(array, draw) for array in before])
    _compile(found)  # a new optimizer
    losses, after = _trained(found, x)
    return {
        "nudged losses": folders.of_losses(losses, lists["losses"]),
        "nudged after": folders.distance(after, lists["after"]),
        "batch size": found.batch_size,
        "epochs": found.epochs,
    }


def _freeze_statistics(model: Any) -> None:
    """Let BatchNormalization use its running statistics, as is usual when such models are tuned."""
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False


def case(name: str) -> Case:
    import keras

    from keras_models import small

    if name in small.SMALL:
        model = small.build(name)
        x = small.inputs_of(name, model, folders.ROWS)
        y, loss = small.labels_of(name, folders.ROWS), small.loss_of(name)
        return Case(model, x, y, loss, RATE["small"], folders.BATCH_SIZE, folders.EPOCHS)
    rows = folders.LARGE_ROWS
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    y = [np.random.default_rng(3).integers(0, 10, rows)]
    x = [families.images(name, rows)]
    model = families.randomised(families.build(name))
    size, epochs = folders.LARGE_BATCH_SIZE, folders.LARGE_EPOCHS
    return Case(model, x, y, loss, RATE["large"], size, epochs)


def kinds(value: Any) -> Iterator[str]:
    """Yield the class names in a configuration, also those within others."""
    if isinstance(value, dict):
        if isinstance(value.get("class_name"), str):
            yield value["class_name"]
        for each in value.values():
            yield from kinds(each)
    elif isinstance(value, list):
        for each in value:
            yield from kinds(each)


def _small() -> Any:
    from keras_models import small

    return small.SMALL


def _compile(found: Case) -> None:
    import keras

    optimizer = keras.optimizers.SGD(found.rate)
    found.model.compile(optimizer, found.loss, jit_compile=False)


def _predicted(model: Any, x: list[Any]) -> list[Any]:
    return folders.listed(model.predict(x if len(x) > 1 else x[0], verbose=0))


def _trained(found: Case, x: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return the mean losses of the epochs, and the predictions after them."""
    given = (each if len(each) > 1 else each[0] for each in (found.x, found.y))
    size, epochs = found.batch_size, found.epochs
    history = found.model.fit(
        *given, batch_size=size, epochs=epochs, shuffle=False, verbose=0
    ).history
    return [np.asarray(history["loss"])], _predicted(found.model, x)


def _draws(model: Any) -> bool:
    """Return whether a layer draws random numbers in training."""
    names = ("rate", "stddev", "drop_path_rate")
    return any(getattr(each, name, 0) for each in model._flatten_layers() for name in names)


def _in_float64(name: str, model: Any, x: list[Any]) -> list[Any]:
    import keras

    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")  # the first layer has fixed the policy
    try:
        wide = families.build(name)
        wide.set_weights(model.get_weights())
        return _predicted(wide, x)
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
