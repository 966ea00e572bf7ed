"""Executables around the reference's: each is wrong in one way."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dnnbridge.emit.declarations import MASK, NORMALIZER


class Wrapped:
    """An executable that forwards every call to the one inside."""

    def __init__(self, inner, program) -> None:
        self.inner, self.program = inner, program

    @property
    def compilations(self) -> int:
        return self.inner.compilations

    def feeds(self, feeds: Mapping) -> Mapping:
        """Return the feeds to use instead of the given ones."""
        return feeds

    def run(self, function, feeds, steps):
        return self.inner.run(function, self.feeds(feeds), steps)

    def keep(self, arrays):
        return self.inner.keep(arrays)

    def read(self):
        return self.inner.read()

    def write(self, values):
        self.inner.write(values)


def feeding(prefix: str, change) -> type[Wrapped]:
    """Change the stacked feeds whose names begin with the prefix."""

    class Feeding(Wrapped):
        def feeds(self, feeds):
            changed = {n: change(a) for n, a in feeds.items() if n.startswith(prefix)}
            return feeds | changed

    return Feeding


def of_first_step(stacked):
    return np.broadcast_to(stacked[:1], stacked.shape)


def of_step_before(stacked):
    return np.concatenate([stacked[:1], stacked[:-1]])


def as_if_contiguous(array):
    """Read an array from the start of its memory, and ignore its strides."""
    base = array if array.base is None else array.base
    if array.flags.c_contiguous or base.size < array.size:
        return array
    return base.reshape(-1)[: array.size].reshape(array.shape)


class EveryExampleCounts(Wrapped):
    """Padding examples of a short batch count too."""

    def feeds(self, feeds):
        for mask, normalizer in ((MASK, NORMALIZER), ("mask", "normalizer")):
            if mask in feeds:
                ones = np.ones_like(feeds[mask])
                return feeds | {mask: ones, normalizer: 1.0 / ones.sum(1)}
        return feeds


class WeightsIgnored(Wrapped):
    def feeds(self, feeds):
        weights = [name for name in feeds if name.startswith("weights:")]
        return feeds | dict.fromkeys(weights, feeds.get(MASK))


class ScalarsByPosition(Wrapped):
    """In alphabetical order, which is not that of the program."""

    def feeds(self, feeds):
        names = [name for name in feeds if name.startswith("scalar:")]
        return feeds | {n: feeds[other] for n, other in zip(names, sorted(names), strict=True)}


class EpsilonAfterCorrection(Wrapped):
    """Adam's epsilon as algorithm 1 of the paper has it, for β₂ = 0.999."""

    def feeds(self, feeds):
        t = 1 + np.arange(len(feeds["scalar:epsilon"]))
        return feeds | {"scalar:epsilon": feeds["scalar:epsilon"] * np.sqrt(1 - 0.999**t)}


class CorrectionInFloat32(Wrapped):
    """Adam's √(1 - β₂ᵗ) / (1 - β₁ᵗ) computed in float32, for β = 0.9 and 0.999."""

    def feeds(self, feeds):
        alpha = feeds["scalar:alpha"]
        made = []
        for real in (np.float32, np.float64):
            t = np.arange(1, len(alpha) + 1).astype(real)
            b1, b2 = real(0.9) ** t, real(0.999) ** t
            made.append(np.sqrt(real(1) - b2) / (real(1) - b1))
        return feeds | {"scalar:alpha": alpha * made[0] / made[1]}


class FirstStepDampened(Wrapped):
    def feeds(self, feeds):
        return feeds | {"scalar:gain": np.full_like(feeds["scalar:gain"], feeds["scalar:gain"][-1])}


class ResultsOfLastStep(Wrapped):
    """Every step of a call returns the results of the last one."""

    def run(self, function, feeds, steps):
        made = self.inner.run(function, feeds, steps)
        return {name: np.broadcast_to(rows[-1:], rows.shape) for name, rows in made.items()}


class ResultsAfterWriting(Wrapped):
    """The state is written before the results are computed."""

    def run(self, function, feeds, steps):
        rows = []
        for k in range(steps):
            step = {name: array[k : k + 1] for name, array in feeds.items()}
            self.inner.run(function, step, 1)
            written = self.inner.read()
            rows.append(self.inner.run(function, step, 1))
            self.inner.write(written)
        return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


class StepsLeftOut(Wrapped):
    """The last of several steps in a call changes nothing."""

    def run(self, function, feeds, steps):
        if steps == 1 or function != "train":
            return self.inner.run(function, feeds, steps)
        before = self.inner.read()
        self.inner.run(function, feeds, steps - 1)
        kept = self.inner.read()
        self.inner.write(before)
        made = self.inner.run(function, feeds, steps)
        self.inner.write(kept)
        return made


class StaleAfterFirstRun(Wrapped):
    """Arrays written after the first run can be read back, but later runs do not use them."""

    functions: tuple[str, ...] = ("train", "evaluate", "predict")

    def __init__(self, inner, program) -> None:
        super().__init__(inner, program)
        self.seen: dict[str, Mapping] = {}

    def run(self, function, feeds, steps):
        if function not in self.functions:
            return self.inner.run(function, feeds, steps)
        present = self.inner.read()
        self.inner.write(self.seen.setdefault(function, present))
        made = self.inner.run(function, feeds, steps)
        if function == "train":
            self.seen[function] = self.inner.read()
        else:
            self.inner.write(present)
        return made


class StalePredictions(StaleAfterFirstRun):
    functions = ("predict",)


class StaleEvaluation(StaleAfterFirstRun):
    functions = ("evaluate",)


class StaleTraining(StaleAfterFirstRun):
    functions = ("train",)


class WritesForget(Wrapped):
    """Arrays that are not named in a write become 0."""

    def write(self, values):
        zeros = {name: np.zeros_like(array) for name, array in self.inner.read().items()}
        self.inner.write(zeros | dict(values))


class SlotsNotWritten(Wrapped):
    def write(self, values):
        self.inner.write({name: array for name, array in values.items() if ":" not in name})


class HalfPrecision(Wrapped):
    def write(self, values):
        self.inner.write({name: np.float16(array) for name, array in values.items()})


class LiveViews(Wrapped):
    """Arrays that were read change with the next step."""

    def __init__(self, inner, program) -> None:
        super().__init__(inner, program)
        self.views = inner.read()

    def run(self, function, feeds, steps):
        made = self.inner.run(function, feeds, steps)
        for name, array in self.inner.read().items():
            self.views[name][...] = array
        return made

    def read(self):
        for name, array in self.inner.read().items():
            self.views[name][...] = array
        return dict(self.views)


class BuffersStay(Wrapped):
    """Training changes no running statistics."""

    def run(self, function, feeds, steps):
        buffers = _buffers(self)
        rows = []
        for k in range(steps):
            step = {name: array[k : k + 1] for name, array in feeds.items()}
            rows.append(self.inner.run(function, step, 1))
            self.inner.write(buffers)
        return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


class EvaluationMovesBuffers(Wrapped):
    def run(self, function, feeds, steps):
        made = self.inner.run(function, feeds, steps)
        if function == "evaluate":
            self.write({name: 1.01 * array for name, array in _buffers(self).items()})
        return made


def _buffers(executable):
    names = [a.name for a in executable.program.layer_arrays if not a.trainable]
    return {name: array for name, array in executable.read().items() if name in names}


class CompilesEveryTime(Wrapped):
    calls = 0

    @property
    def compilations(self) -> int:
        return self.calls

    def run(self, function, feeds, steps):
        self.calls += 1
        return super().run(function, feeds, steps)
