"""`repr` of a spec is short Python that makes an equal spec."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import dnnbridge as db
from dnnbridge import zoo
from dnnbridge.errors import SpecError
from dnnbridge.models import ModelNode
from dnnbridge.specs.rewriting import specs_in
from dnnbridge.specs.spec import Spec, kinds
from dnnbridge.testing import cases
from dnnbridge.testing.random_programs.experiments import experiments

SHORT = {
    "nothing": (db.Adam(), "Adam()"),
    "numbers": (db.SGD(0.1, momentum=0.9), "SGD(learning_rate=0.1, momentum=0.9)"),
    "required": (db.Dense(3), "Dense(units=3)"),
    "by_name": (db.Dense(3, db.ReLU()), "Dense(units=3, activation='relu')"),
    "numpy": (db.Dropout(np.float32(0.5)), "Dropout(rate=0.5)"),
    "not_by_name": (
        db.Dense(3, db.LeakyReLU(0.3)),
        "Dense(units=3, activation=LeakyReLU(negative_slope=0.3))",
    ),
    "by_keyword": (
        db.Dense(3, name="a", kernel_regularizer=db.L2()),
        "Dense(units=3, name='a', kernel_regularizer='l2')",
    ),
    "table": (db.SGD([0.3, 0.1]), "SGD(learning_rate=(0.3, 0.1))"),
    "decay": (
        db.SGD(0.1, weight_decay=db.DecoupledWeightDecay(0.01)),
        "SGD(learning_rate=0.1, weight_decay=0.01)",
    ),
    "a_number_is_another_spec": (
        db.SGD(0.1, weight_decay=db.CoupledWeightDecay(0.01)),
        "SGD(learning_rate=0.1, weight_decay=CoupledWeightDecay(rate=0.01))",
    ),
    "no_field": (db.ConstantSchedule(0.1), "ConstantSchedule(value=0.1)"),
    "number_of_a_schedule": (db.Scaled(0.1, 2), "Scaled(schedule=0.1, factor=2.0)"),
    "pairs": (db.Cropping2D(((1, 2), (0, 0))), "Cropping2D(cropping=((1, 2), (0, 0)))"),
    "layers": (
        db.Sequential([db.Input((4,)), db.ReLU()]),
        "Sequential(layers=(Input(shape=(4,)), ReLU()))",
    ),
    "accumulation": (db.Accumulation(4, mean="steps"), "Accumulation(steps=4, mean='steps')"),
}


@pytest.mark.parametrize(("made", "wanted"), SHORT.values(), ids=SHORT)
def test_it_shows_what_is_not_the_default(made, wanted):
    assert repr(made) == wanted
    assert remade(made) == made


def test_of_an_experiment():
    model = db.Sequential([db.Input((4,)), db.Dense(3, "softmax")])
    rules = {"*/kernel": "l2", "*": None}
    made = db.Experiment(
        *(model, "mse", "adam", ["mae", db.R2Score(), db.Huber(0.5)]),
        regularizers=rules,
        gradients=db.ClipByNorm(1),
        loss_scale=8,
    )
    assert repr(made) == (
        "Experiment(model=Sequential(layers=(Input(shape=(4,)), Dense(units=3, "
        "activation='softmax'))), loss='mean_squared_error', optimizer='adam', "
        "metrics=('mean_absolute_error', 'r2_score', Huber(delta=0.5)), "
        "gradients=(ClipByNorm(limit=1.0),), loss_scale=8.0, "
        "regularizers=(('*/kernel', 'l2'), ('*', None)))"
    )
    assert remade(made) == made


def test_of_a_graph_of_layers():
    x, layer = db.Input((4,)), db.Dense(4)
    made = db.Model(x, [layer(layer(x)), db.Dense(2)(x)])
    again = remade(made)
    assert again == made
    assert again.nodes[1].shares == "dense"
    nothing = db.Model(x, x)
    assert remade(nothing) == nothing


def remade(spec: Spec) -> Any:
    names = {cls.__name__: cls for cls in kinds(Spec) if cls.__module__.startswith("dnnbridge.")}
    return eval(repr(spec), {"__builtins__": {"float": float}, **names})


def found_in(value: Any, seen: set[int]) -> Iterator[Spec]:
    """Yield the specs in cases: in fields, lists and dictionaries."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, Spec):
        yield value
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for each in dataclasses.fields(value):
            yield from found_in(getattr(value, each.name), seen)
    elif isinstance(value, (tuple, list, set)):
        for each in value:
            yield from found_in(each, seen)
    elif isinstance(value, dict):
        yield from found_in(list(value.values()), seen)


def specs_of_cases() -> list[Spec]:
    names = [module.name for module in pkgutil.iter_modules(cases.__path__, f"{cases.__name__}.")]
    seen: set[int] = set()
    modules = [vars(importlib.import_module(name)) for name in names]
    values = [v for found in modules for name, v in found.items() if not name.startswith("__")]
    return [spec for value in values for spec in found_in(value, seen)]


def test_of_every_spec_in_the_cases_of_the_suite():
    found = specs_of_cases()
    inner = {id(each): each for spec in found for each in specs_in(spec)}
    for each in inner.values():
        assert remade(each) == each, each
    known = {cls for cls in kinds(Spec) if cls.__module__.startswith("dnnbridge.")}
    missing = {cls.__name__ for cls in known - {type(each) for each in inner.values()}}
    assert missing <= {"Accumulation", "KeepGradients"}


MODELS = {
    "resnet50": lambda: zoo.resnet50((64, 64, 3), 3),
    "resnet20": lambda: zoo.resnet_cifar(20, (32, 32, 3), 3, "projection"),
    "vgg11": lambda: zoo.vgg11((32, 32, 3), 3, (16, 16)),
    "lstm": lambda: zoo.lstm_classifier(50, 12, 3, 8, 8),
    "transformer": lambda: zoo.transformer_classifier(50, 12, 3, 8, 2, 16, 2),
    "autoencoder": lambda: zoo.autoencoder((6, 5), (8,)),
    "variational": lambda: zoo.variational_autoencoder((6, 5), (8,)),
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_of_models_of_the_zoo(make):
    model = make()
    assert remade(model) == model
    assert len(repr(model)) < len(model.to_json()) / 4


@given(experiments())
@settings(max_examples=20, deadline=None, database=None, derandomize=True)
def test_of_random_experiments(made):
    assert remade(made) == made


def test_it_is_fast():
    model = zoo.resnet50((64, 64, 3), 3)
    repr(model)
    start = time.perf_counter()
    repr(model)
    assert time.perf_counter() - start < 0.5


class Scale(db.AbstractActivation):
    """A base with a representation of its own."""

    def emit(self, scope, x):
        return x

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


def test_a_spec_of_ones_own():
    @db.spec
    class Own(db.AbstractActivation):
        low: float = float("-inf")
        high: float = 1.0
        any: Any = True
        extra: dict[str, Any] = dataclasses.field(default_factory=dict)

        def emit(self, scope, x):
            return x

    assert repr(Own()) == "Own()"
    shown = repr(Own(float("nan"), float("inf"), 1, {"a": [db.ReLU(), float("inf")]}))
    text = "Own(low=float('nan'), high=float('inf'), any=1, extra={'a': [ReLU(), float('inf')]})"
    assert shown == text
    assert repr(Own(any=np.float32(0.5))) == "Own(any=0.5)"
    assert "array" in repr(Own(any=np.eye(2)))
    assert repr(db.Dense(2, Own())) == "Dense(units=2, activation='own')"


def test_a_representation_of_ones_own_stays():
    @db.spec
    class Printed(db.AbstractActivation):
        def emit(self, scope, x):
            return x

        def __repr__(self) -> str:
            return "printed"

    @db.spec
    class Below(Scale):
        factor: float = 1.0

    assert [repr(Printed()), repr(Below(2.0))] == ["printed", "<Below>"]
    assert repr(db.Dense(2, Printed())) == "Dense(units=2, activation=printed)"


def test_a_long_table_is_shown_and_shortened_in_errors():
    table = db.TableSchedule([0.1 + i for i in range(10_000)])
    assert remade(table) == table
    with pytest.raises(SpecError) as caught:
        db.Dense(3, table)
    assert "got TableSchedule(table=(0.1, 1.1, " in str(caught.value)
    assert len(str(caught.value)) < 2000


def test_an_error_shows_it():
    with pytest.raises(SpecError, match=r"got SGD\(learning_rate=0\.1\)"):
        db.Dense(3, db.SGD(0.1))
    assert repr(ModelNode("a", db.Dense(2), ("x",))).startswith("ModelNode(name='a', layer=Dense(")
