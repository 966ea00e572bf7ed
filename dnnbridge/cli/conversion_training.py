"""Compare the next training steps of a written file, of the run here, and of Keras itself."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from dnnbridge.base import randomness
from dnnbridge.base.packages import framework
from dnnbridge.cli.conversion_checks import Check, broken, of_losses, short
from dnnbridge.cli.conversion_sources import Data, Source
from dnnbridge.cli.conversion_targets import TARGETS, Target, for_keras, given, labels_for_keras
from dnnbridge.errors import ConversionError, DnnbridgeError
from dnnbridge.layers import AbstractLayer
from dnnbridge.specs.rewriting import rewritten
from dnnbridge.specs.spec import Spec
from dnnbridge.training.compiling import compile_chosen
from dnnbridge.training.exporting import FORMATS
from dnnbridge.training.run import Run

STEPS, BATCH_SIZE = 50, 8

LOSSES = 1e-2
"""Largest difference that passes, relative to each loss.

Rounding alone makes a training with kinks such as ReLU drift apart within 50 steps.
"""

RATES = ("rate", "dropout", "recurrent_dropout", "stddev")
"""The arguments of layers, here and in Keras, that say how much is dropped or added."""

WITHOUT = " without dropout and noise"

SAME_MASKS = " with the same masks of dropout and noise"


def training_checks(source: Source, format: str, target: Target, data: Data) -> list[Check]:
    """Return the comparisons of the losses; the run is trained."""
    what, run = f"losses of {STEPS} training steps", source.run
    if target.train is None:
        return [Check(what, why="the format only predicts")]
    random = bool(run.experiment.program().randoms)
    quiet = without_dropout(run) if random else run
    subject = run if target.same_masks else quiet
    if subject is None:
        return [Check(what, why="what is random cannot be switched off, and each side draws it")]
    if random:
        what += SAME_MASKS if target.same_masks else WITHOUT
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = _losses_there(subject, source, format, target, data, Path(folder))
        except Exception as error:
            return [broken(what, error)]
    here = losses_of(subject, data)
    checks = [of_losses(what, found, here, LOSSES)]
    if source.keras is not None:
        if quiet is not None and quiet is not subject:
            found = losses_of(quiet, data)
        checks.append(_with_keras(source, data, found, quiet, random))
    return checks


def _losses_there(
    run: Run, source: Source, format: str, target: Target, data: Data, folder: Path
) -> Sequence[float]:
    """Return the losses of the written file, or of one that is written for another run."""
    if run is not source.run:
        path = run.export(folder / f"model{FORMATS[format][0]}", format)
        target = TARGETS[format](path, run)
    assert target.train is not None
    return target.train(data.x, data.y, BATCH_SIZE, _epochs(data))[:STEPS]


def without_dropout(run: Run) -> Run | None:
    """Return the same run with dropout rates of 0; None if it still draws random numbers."""

    def off(spec: Spec) -> Spec:
        names = [name for name in RATES if getattr(spec, name, 0.0) != 0.0]
        if not isinstance(spec, AbstractLayer) or not names:
            return spec
        return spec.replace(**dict.fromkeys(names, 0.0))

    experiment = run.experiment.replace(model=rewritten(run.experiment.model, off))
    if experiment.program().randoms:
        return None
    made = compile_chosen(experiment, run.backend, None)
    made.set_state(run.state(), run.position)
    return made


def _epochs(data: Data) -> int:
    examples = len(next(iter(data.x.values())))
    return -(-STEPS // -(-examples // min(BATCH_SIZE, examples)))


def losses_of(run: Run, data: Data) -> Sequence[float]:
    """Train a run and return the losses of its steps."""
    run.fit(given(data.x), given(data.y), BATCH_SIZE, _epochs(data), verbose=0)
    return run.history.step_losses[:STEPS]


def _with_keras(
    source: Source, data: Data, found: Sequence[float], quiet: Run | None, random: bool
) -> Check:
    """Compare with `train_on_batch` of Keras, from the source itself."""
    assert source.keras is not None
    what = f"losses of {STEPS} training steps of Keras itself, from {source.keras.name}"
    if source.added:
        return Check(what, why="the file has no loss or no optimizer that Keras could train with")
    if quiet is None:
        return Check(what, why="what is random cannot be switched off, and each side draws it")
    what += WITHOUT if random else ""
    words = bool(source.run.experiment.program().rows)
    try:
        wanted = keras_losses(source.keras, source.run, data, random, add_up=words)
        made = of_losses(what, found, wanted, LOSSES)
        if not words:
            return made
        own = keras_losses(source.keras, source.run, data, random)
    except Exception as error:
        reason = str(error) if isinstance(error, DnnbridgeError) else short(error)
        return Check(what, why=f"Keras cannot train it here: {reason}")
    difference = of_losses(what, found, own, LOSSES).difference
    why = f"{WORDS}, and differs by {difference:.1e}"
    return Check(what, made.difference, made.allowed, why)


WORDS = (
    "with the gradients of a word that a batch has twice added up; `train_on_batch` of Keras does "
    "not add them up before it squares or clips them"
)


def keras_losses(
    path: Path, run: Run, data: Data, quiet: bool, *, add_up: bool = False
) -> list[float]:
    """Return the losses of Keras over the batches of `Run.fit`, which has not begun an epoch.

    Args:
        path: a file of Keras.
        run: the same model here.
        data: what to train on.
        quiet: whether to set all dropout rates to 0.
        add_up: whether to add up the gradients of a word that a batch has twice.
    """
    keras = framework("keras", "the comparison with Keras")
    with _quieted(path) if quiet else _as_it_is(path) as file:
        model = keras.saving.load_model(file)
    if model.optimizer is None:
        raise ConversionError("the file is not compiled", where=str(path))
    step = _adding_step(model) if add_up else _own_step(model)
    count = len(next(iter(data.x.values())))
    size, losses = min(BATCH_SIZE, count), []
    for epoch in range(_epochs(data)):
        order = randomness.permutation(run.experiment.seed, epoch, count)
        for start in range(0, count, size):
            rows = order[start : start + size]
            x, y = ({n: np.asarray(a)[rows] for n, a in each.items()} for each in (data.x, data.y))
            losses.append(step(for_keras(x), labels_for_keras(y)))
    return losses[:STEPS]


def _own_step(model: Any) -> Callable[[Any, Any], float]:
    def step(x: Any, y: Any) -> float:
        model.reset_metrics()
        return float(model.train_on_batch(x, y, return_dict=True)["loss"])

    return step


def _adding_step(model: Any) -> Callable[[Any, Any], float]:
    tf = framework("tensorflow", "the comparison with Keras")

    @tf.function  # type: ignore[untyped-decorator]
    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            outputs = model(x, training=True)
            loss = model.compute_loss(x, y, outputs, None, training=True)
        variables = model.trainable_variables
        gradients = tape.gradient(loss, variables)
        dense = [None if g is None else tf.convert_to_tensor(g) for g in gradients]
        model.optimizer.apply(dense, variables)
        return loss

    return lambda x, y: float(step(x, y))


@contextmanager
def _as_it_is(path: Path) -> Iterator[Path]:
    yield path


@contextmanager
def _quieted(path: Path) -> Iterator[Path]:
    """Write a `.keras` file again, with dropout rates of 0."""
    if not zipfile.is_zipfile(path):
        raise ConversionError("dropout can be switched off in a .keras file only", where=path.name)
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as old:
        file = Path(folder) / path.name
        with zipfile.ZipFile(file, "w") as new:
            for name in old.namelist():
                content = old.read(name)
                if name == "config.json":
                    content = json.dumps(_off(json.loads(content))).encode()
                new.writestr(name, content)
        yield file


def _off(config: Any) -> Any:
    """Return a configuration with dropout rates of 0."""
    if isinstance(config, list):
        return [_off(each) for each in config]
    if not isinstance(config, dict):
        return config
    numbers = {n: 0.0 for n in RATES if isinstance(config.get(n), (int, float))}
    return {name: _off(value) for name, value in config.items()} | numbers
