"""`writer`: the smallest reproduction of a difference: its inputs, and a script."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.doctor.sides import AbstractSide, Batched, Record, Spot, Stage
from dnnbridge.experiment import Experiment
from dnnbridge.models import Input, Sequential

LAYER = '''"""{place}: one layer on the inputs that both trainings gave it."""
import numpy as np
import dnnbridge as db
from dnnbridge.training.probing import activations_of

given = np.load("{name}.npz")
run = db.compile(db.Experiment.from_json(open("{name}.json").read()), "reference")
run.set_parameters({{n[2:]: given[n] for n in given.files if n.startswith("w:")}})
found = activations_of(run, given["input"], training=True)["{layer}"][: len(given["input"])]
for side in ("first", "second"):
    print(side, "differs from float64 by", np.abs(given[side] - found).max())
'''

STEP = '''"""{place}: one step from the state that both trainings had."""
import numpy as np
import dnnbridge as db
from dnnbridge.training.position import Position
from dnnbridge.training.probing import activations_of, gradients_of

given, where = np.load("{name}.npz"), {where!r}
part = lambda start: {{n[2:]: given[n] for n in given.files if n.startswith(start)}}
x, y, state = part("x:"), part("y:"), part("w:")
run = db.compile(db.Experiment.from_json(open("{name}.json").read()), "reference")
run.set_state(run.state() | state, Position({step}, past=(({step}, 0),)))
found = {found}
for side in ("first", "second"):
    print(where, side, "differs from float64 by", np.abs(given[side] - found).max())
'''

TRAINED = "run.fit(x, y, {size}, 1, shuffle=False, verbose=0)"

FOUND: Mapping[Stage, str] = {
    "layer": "activations_of(run, x, training=True)[where][:{size}]",
    "gradient": "gradients_of(run, x, y)[where]",
    "loss": f"{TRAINED}.step_losses[0]",
    "update": f"({TRAINED}, run.state()[where] - state[where])[1]",
}
"""What a script computes, by stage."""

STORED = f"({TRAINED}, run.state()[where])[1]"


class Case(NamedTuple):
    """What a difference was found with.

    Attributes:
        spot: the place.
        step: the step, counted from 0.
        state: the state before the step.
        a: the first side.
        made: what both sides have made of the step.
        data: the examples.
    """

    spot: Spot
    step: int
    state: Mapping[str, Array]
    a: AbstractSide
    made: tuple[Record, Record]
    data: Batched


def writer(case: Case) -> Callable[[Path], list[Path]]:
    """Return a function that writes the reproduction into a folder."""

    def write(folder: Path) -> list[Path]:
        name = f"step-{case.step + 1}-{case.spot.stage}-{case.spot.where}".replace("/", "-")
        name = name.replace(":", "-")
        return _write(case, folder, name)

    return write


def _write(case: Case, folder: Path, name: str) -> list[Path]:
    place = f"Step {case.step + 1}, {case.spot.stage} {case.spot.where}"
    results = {
        side: made[case.spot]
        for side, made in zip(("first", "second"), case.made, strict=True)
        if case.spot in made
    }
    alone = _layer_alone(case)
    if alone is not None:
        experiment, arrays = alone
        script = LAYER.format(place=place, name=name, layer=case.spot.where)
    else:
        experiment, arrays = case.a.experiment, _whole(case)
        size = case.data.rows(case.step).stop - case.data.rows(case.step).start
        found = FOUND.get(case.spot.stage, STORED).format(size=size)
        step = case.data.position(case.step).step
        where = case.spot.where
        script = STEP.format(place=place, name=name, where=where, step=step, found=found)
    paths = [folder / f"{name}.{ending}" for ending in ("npz", "json", "py")]
    np.savez(paths[0], **(arrays | results))
    paths[1].write_text(json.dumps(experiment.to_dict(), indent=1), "utf-8")
    paths[2].write_text(script, "utf-8")
    return paths


def _layer_alone(case: Case) -> tuple[Experiment, dict[str, Array]] | None:
    """Return one layer of a `Sequential` as a model, its weights and its input."""
    model, made = case.a.experiment.model, case.made[0]
    if case.spot.stage != "layer" or not isinstance(model, Sequential):
        return None
    layers = dict(model.named_layers())
    if case.spot.where not in layers or not all(Spot("layer", n) in made for n in layers):
        return None
    names = list(layers)
    position = names.index(case.spot.where)
    source = Spot("layer", names[position - 1]) if position else next(iter(made))
    layer, array = layers[case.spot.where].replace(name=case.spot.where), made[source]
    first = next(iter(model.layers))
    shape = array.shape[1:]
    begin = first if position == 0 else Input(shape)
    small = Sequential([begin, layer])
    prefix = f"{case.spot.where}/"
    weights = {f"w:{n}": a for n, a in case.state.items() if n.startswith(prefix) and ":" not in n}
    experiment = Experiment(small, "mse", "sgd", seed=case.a.experiment.seed)
    return experiment, {"input": np.asarray(array), **weights}


def _whole(case: Case) -> dict[str, Array]:
    """Return the batch of the step, and the state before it."""
    x, y = case.data.batch(case.step)
    experiment = case.a.experiment
    labels = list(experiment.program().objectives)
    return {
        **_named("x:", x, list(experiment.model.input_types)),
        **_named("y:", y, labels),
        **{f"w:{name}": array for name, array in case.state.items()},
    }


def _named(prefix: str, given: Any, names: list[str]) -> dict[str, Array]:
    """Return one array, several or those of a dictionary by name."""
    if not isinstance(given, Mapping):
        several = given if isinstance(given, (list, tuple)) else [given]
        given = dict(zip(names, several, strict=False))
    return {f"{prefix}{name}": np.asarray(array) for name, array in given.items()}
