"""What is compiled for Ascend: programs of the suite's cases and of the models of the zoo."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

import dnnbridge as db
from dnnbridge import zoo
from dnnbridge.losses import AbstractLoss
from dnnbridge.program.program import Program
from dnnbridge.specs.spec import family_of, kind_of
from dnnbridge.testing.cases.equation_cases import EQUATION_CASES
from dnnbridge.testing.cases.op_cases import OP_CASES
from dnnbridge.testing.cases.optimizer_cases import OPTIMIZER_CASES
from dnnbridge.testing.harness import build_case, update_program

PRECISION = "precision"
"""The area of trainings in lower types."""


class Subject(NamedTuple):
    """A program to compile.

    Attributes:
        area: "operation", the family of a spec, or "zoo".
        entry: name of the operation, the class or the model.
        id: name of the case.
        program: makes the program.
        rows: size of the batch.
    """

    area: str
    entry: str
    id: str
    program: Callable[[], Program]
    rows: int = 2

    @property
    def name(self) -> str:
        return f"{self.area}/{self.entry}/{self.id}"


def subjects() -> list[Subject]:
    """Return every operation case, equation case, optimizer case and model."""
    return [*_operations(), *_equations(), *_optimizers(), *_models()]


def precisions() -> list[Subject]:
    """Return trainings in float16 and bfloat16, which are float16 on purpose."""
    labels = db.SparseCategoricalCrossentropy(from_logits=True)
    models: dict[str, Callable[[], db.AbstractLayer]] = {
        "mlp": lambda: zoo.mlp((6, 5), (8, 7), 3),
        "resnet_cifar": lambda: zoo.resnet_cifar(20, (32, 32, 3), 3),
        "lstm_classifier": lambda: zoo.lstm_classifier(50, 12, 3, 8, 8),
        "transformer_classifier": lambda: zoo.transformer_classifier(50, 12, 3, 8, 2, 16, 2),
    }
    return [
        Subject(PRECISION, precision, name, partial(_training, make, labels, precision))
        for precision in ("mixed_float16", "mixed_bfloat16")
        for name, make in models.items()
    ]


def one_of_each(every: Iterable[Subject]) -> list[Subject]:
    """Return the first subject of each entry."""
    return list({(each.area, each.entry): each for each in reversed(list(every))}.values())[::-1]


def _operations() -> Iterator[Subject]:
    for case in OP_CASES:
        make = partial(_case, case)
        rows = len(case.inputs[0]) if getattr(case.inputs[0], "ndim", 0) else 1
        yield Subject("operation", type(case.op).__name__, case.id, make, rows)


def _equations() -> Iterator[Subject]:
    for case in EQUATION_CASES:
        cls = type(case.subject)
        family = family_of(cls) or "layer"
        entry = kind_of(cls).rpartition(".")[2]
        rows = len(case.arrays[0]) if case.arrays else 1
        yield Subject(family, entry, case.id, partial(_case, case), rows)


def _optimizers() -> Iterator[Subject]:
    for case in OPTIMIZER_CASES:
        make = partial(update_program, case.optimizer, case.start.shape)
        yield Subject("optimizer", kind_of(type(case.optimizer)).rpartition(".")[2], case.id, make)


def _models() -> Iterator[Subject]:
    labels = db.SparseCategoricalCrossentropy(from_logits=True)
    small, large = (32, 32, 3), (64, 64, 3)
    images: dict[str, Callable[[], db.AbstractLayer]] = {
        "mlp": lambda: zoo.mlp((6, 5), (8, 7), 3),
        "lenet5": lambda: zoo.lenet5(classes=3),
        "vgg11": lambda: zoo.vgg11(small, 3, (16, 16)),
        "resnet_cifar": lambda: zoo.resnet_cifar(20, small, 3),
        "resnet18": lambda: zoo.resnet18(large, 3),
        "resnet50": lambda: zoo.resnet50(large, 3),
        "lstm_classifier": lambda: zoo.lstm_classifier(50, 12, 3, 8, 8),
        "transformer_classifier": lambda: zoo.transformer_classifier(50, 12, 3, 8, 2, 16, 2),
    }
    rebuilt = {
        "autoencoder": lambda: zoo.autoencoder((6, 5), (9, 4)),
        "variational_autoencoder": lambda: zoo.variational_autoencoder((6, 5), (9, 4)),
    }
    for name, make in images.items():
        yield Subject("zoo", name, name, partial(_training, make, labels))
    for name, make in rebuilt.items():
        yield Subject("zoo", name, name, partial(_training, make, db.BinaryCrossentropy()))
    for part in ("generator", "discriminator"):
        make = partial(_adversary, part)
        yield Subject("zoo", "dcgan", part, partial(_training, make, db.MeanSquaredError()))


def _adversary(part: str) -> db.AbstractLayer:
    made: db.AbstractLayer = getattr(zoo.dcgan(), part)
    return made


def _case(case: object) -> Program:
    return build_case(case).program


def _training(
    make: Callable[[], db.AbstractLayer], loss: AbstractLoss, precision: str = "float32"
) -> Program:
    return db.Experiment(make(), loss, db.Adam(1e-3), precision=precision).program()
