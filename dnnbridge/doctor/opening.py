"""`opened`: two subjects as sides of a comparison, with the same masks or without dropout."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np

from dnnbridge.base.messages import what
from dnnbridge.convert.from_keras import from_keras
from dnnbridge.diagnose.quieting import quiet
from dnnbridge.diagnose.subjects import arrays_of, rows
from dnnbridge.doctor.arguments import Argument, arguments_of
from dnnbridge.doctor.keras_side import RATES, KerasSide
from dnnbridge.doctor.matching.translated_side import TranslatedSide, Translation, moved_inputs
from dnnbridge.doctor.matching.translating import translation_of
from dnnbridge.doctor.mindspore_side import MindSporeSide
from dnnbridge.doctor.mindspore_training import Training, read_training, training_of
from dnnbridge.doctor.run_side import RunSide
from dnnbridge.doctor.sides import AbstractSide, Batched, renaming
from dnnbridge.errors import ConversionError, DataError, DTypeError
from dnnbridge.experiment import Experiment
from dnnbridge.models import Input
from dnnbridge.training.compiling import compile_chosen
from dnnbridge.training.position import Position
from dnnbridge.training.run import Run

QUIET = "Dropout and noise are off on both sides, as the frameworks draw masks of their own."

EQUAL = (
    "One model ends in probabilities and the other in logits, and each loss takes what it gets: "
    "that is the same function, and the last layer was not compared."
)

TITLES = ("the first", "the second")

EXAMPLES = 4
"""Examples that the two forms of a model are compared with."""


class Opened(NamedTuple):
    """Two sides, ready to be compared.

    Attributes:
        a: the first side, as a run: of a live model, its settings on the reference.
        b: the second side, the same.
        natives: the live models among the subjects, each after the run of its settings.
        lead: the side whose weights the steps begin with.
        data: the examples.
        notes: what was changed for the comparison, a sentence each.
        rates: rates of dropout that differ, if dropout is off.
    """

    a: RunSide
    b: RunSide
    natives: tuple[tuple[RunSide, AbstractSide], ...]
    lead: AbstractSide
    data: Batched
    notes: tuple[str, ...]
    rates: tuple[Argument, ...]


class Known(NamedTuple):
    """A subject, what it trains, and what a Cell is made of."""

    subject: Any
    experiment: Experiment
    sources: Any = None
    translation: Translation | None = None

    @property
    def training(self) -> Training | None:
        return training_of(self.subject)

    @property
    def kind(self) -> str:
        """The backend of a run, or the framework of a live model."""
        if isinstance(self.subject, Run):
            return self.subject.backend
        return "Keras" if is_keras(self.subject) else "MindSpore"

    @property
    def native(self) -> bool:
        """Whether it is a live model of a framework."""
        return not isinstance(self.subject, Run)


def is_keras(subject: Any) -> bool:
    """Whether this is a live Keras model; imports nothing."""
    modules = (cls.__module__.partition(".")[0] for cls in type(subject).__mro__)
    return "keras" in modules and hasattr(subject, "compute_loss")


def opened(
    subjects: tuple[Any, Any], examples: Sequence[Any], batch_size: int, closing: ExitStack
) -> Opened:
    """Return both sides; the first one has its weights still, and `closing` restores both.

    Raises:
        DTypeError: a subject is neither a run nor a live model with a loss and an optimizer.
        DataError: the models have other weights.
    """
    for where, subject in zip("ab", subjects, strict=True):
        _check(subject, where)
    data = _batched(subjects[0], examples, batch_size)
    first = _known(subjects[0], data.x)
    second = _second(first, subjects[1], data)
    native = first.native or second.native
    here, there = first.experiment, _experiment_of(second)
    rates = tuple(each for each in arguments_of(here, there) if native and each.name in RATES)
    notes: tuple[str, ...] = ()
    if native and any(quiet(each, ("dropout",))[1] for each in (here, there)):
        first, second = _quieted(first), _quieted(second)
        notes = (QUIET,)
    elif not native and there.seed != here.seed:
        second = second._replace(experiment=there.replace(seed=here.seed))
    if second.translation is not None and second.translation.equal:
        notes = (*notes, EQUAL)
    made = [_sides(first, data, TITLES[0], None), _sides(second, data, TITLES[1], first.experiment)]
    for pair in made:
        for side in pair:
            closing.callback(side.close)
    natives = tuple((pair[0], pair[1]) for pair in made if len(pair) == 2)
    return Opened(made[0][0], made[1][0], natives, made[0][-1], data, notes, rates)


def _quieted(known: Known) -> Known:
    """Return a subject without dropout and noise."""
    experiment = quiet(known.experiment, ("dropout",))[0]
    if known.translation is None:
        return known._replace(experiment=experiment)
    own = quiet(known.translation.experiment, ("dropout",))[0]
    return known._replace(
        experiment=experiment, translation=known.translation._replace(experiment=own)
    )


def _experiment_of(known: Known) -> Experiment:
    """Return what is trained, in the structure of the first model."""
    return known.experiment if known.translation is None else known.translation.experiment


def _check(subject: Any, where: str) -> None:
    if isinstance(subject, Run) or training_of(subject) is not None:
        return
    if not is_keras(subject):
        raise DTypeError(
            "align takes a Run, a compiled keras.Model, or (Cell, loss, optimizer) of MindSpore",
            where=where,
            got=what(subject),
            hint="Write db.compile(experiment), or give the live model.",
        )
    if not subject.built or getattr(subject, "optimizer", None) is None:
        raise DataError(
            "the Keras model must be built and compiled",
            where=where,
            hint="Call model.build(shape) and model.compile(optimizer, loss).",
        )


def _known(subject: Any, x: Any) -> Known:
    """Return what a subject trains; a Cell takes inputs of the shape of x."""
    if isinstance(subject, Run):
        return Known(subject, subject.experiment.replace(optimizer=subject.optimizer))
    training = training_of(subject)
    if training is None:
        return Known(subject, from_keras(subject).experiment)
    return Known(subject, *read_training(training, _shapes(x)))


def _shapes(x: Any) -> list[Input]:
    several = x.values() if isinstance(x, dict) else x if isinstance(x, (list, tuple)) else [x]
    arrays = [np.asarray(each) for each in several]
    return [
        Input(array.shape[1:], "int32" if array.dtype.kind in "iu" else "float32")
        for array in arrays
    ]


def _second(first: Known, subject: Any, data: Batched) -> Known:
    """Return the second subject, in the structure of the first if it has another one."""
    few = min(EXAMPLES, data.count)
    x, y = rows(data.x, np.arange(few)), rows(data.y, np.arange(few))
    if training_of(subject) is None:
        found = _known(subject, x)
        if _same_structure(first.experiment, found.experiment):
            return found
        return found._replace(translation=translation_of(first.experiment, found.experiment, x, y))
    errors: list[Exception] = []
    for given in _layouts(x):
        try:
            found = _known(subject, given)
            translation = translation_of(first.experiment, found.experiment, x, y)
        except (ConversionError, DataError) as error:
            errors.append(error)
            continue
        return found._replace(translation=translation)
    raise next((e for e in errors if isinstance(e, DataError)), errors[0])


def _layouts(x: Any) -> list[Any]:
    """Return inputs as they are, and with their channels in the other place."""
    several = x if isinstance(x, (list, tuple)) else [x]
    if isinstance(x, dict) or not any(np.ndim(each) > 2 for each in several):
        return [x]
    made = [x]
    for source, target in ((-1, 1), (1, -1)):
        turned = [np.moveaxis(e, source, target) if np.ndim(e) > 2 else e for e in several]
        made.append(turned if isinstance(x, (list, tuple)) else turned[0])
    return made


def _same_structure(first: Experiment, other: Experiment) -> bool:
    """Whether two models have the same layers with the same weights."""
    if type(first.model) is not type(other.model):
        return False
    a, b = (
        [(array.name, array.shape) for array in each.program().layer_arrays]
        for each in (first, other)
    )
    names = renaming(first, other)
    return sorted(a) == sorted((names.get(name, name), shape) for name, shape in b)


def _batched(subject: Any, examples: Sequence[Any], batch_size: int) -> Batched:
    x, y, *weights = examples
    count = len(arrays_of(x)[0])
    if not count:
        raise DataError("there are no examples", where="x", hint="Give at least one row.")
    return Batched(x, y, count, min(batch_size, count), _start(subject), *weights)


def _start(subject: Any) -> Position:
    """Return where the first training stands."""
    if isinstance(subject, Run):
        return subject.position.left() if subject.position.batch else subject.position
    training = training_of(subject)
    if training is None:
        step = int(subject.optimizer.iterations)
    else:
        step = int(training.optimizer.global_step.asnumpy().reshape(-1)[0])
    return Position(step, past=((step, 0),)) if step else Position()


def _sides(
    known: Known, data: Batched, title: str, first: Experiment | None
) -> tuple[RunSide] | tuple[RunSide, AbstractSide]:
    """Return a run of what a subject trains; for a live model, on the reference, then the model."""
    experiment, titled = _experiment_of(known), f"{title} ({known.kind})"
    if isinstance(known.subject, Run):
        side = RunSide(known.subject.with_experiment, experiment, data, titled, first)
        if known.translation is None:
            side.place({**side.state(), **_fitting(known.subject, side)}, 0)
        return (side,)

    def compiled(given: Experiment) -> Run:
        return compile_chosen(given, "reference", "cpu")

    spec = RunSide(compiled, experiment, data, f"the settings of {title}", first)
    return spec, _native(known, data, titled, first)


def _native(known: Known, data: Batched, title: str, first: Experiment | None) -> AbstractSide:
    """Return the live model of a subject as a side."""
    translation, own, lead = known.translation, data, first
    if translation is not None:
        moved = moved_inputs(data.x, [place.layout for place in translation.inputs.values()])
        own = dataclasses.replace(data, x=moved)
        first = None
    if known.training is None:
        inner: AbstractSide = KerasSide(known.subject, own, title, first)
    else:
        inner = MindSporeSide(known.training, known.experiment, known.sources, own, title)
    if translation is None or lead is None:
        return inner
    return TranslatedSide(inner, translation, lead)


def _fitting(subject: Run, side: RunSide) -> dict[str, Any]:
    """Return the arrays of a run that its copy has too."""
    state = side.state()
    return {n: a for n, a in subject.state().items() if n in state and state[n].shape == a.shape}


def layer_at(side: AbstractSide, address: tuple[str | int, ...]) -> str:
    """Return the path of the layer that an address of a `Sequential` leads to."""
    names = dict(getattr(side.experiment.model, "named_layers", dict)())
    position = address[2] if len(address) > 2 else None
    if isinstance(position, int) and 0 < position <= len(names):
        return str(list(names)[position - 1])
    return "/".join(map(str, address[1:]))
