"""`align_traces`: where two recorded trainings part."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from dnnbridge.base.calling import explained
from dnnbridge.base.messages import name_some
from dnnbridge.doctor.trace_alignment import Closest, TraceAlignment, TraceDifference
from dnnbridge.doctor.trace_allowance import MOVED, Numbers, TraceAllowance
from dnnbridge.doctor.trace_errors import BOUND, errors_at
from dnnbridge.doctor.trace_facts import different_batches, differing_arguments, facts
from dnnbridge.doctor.trace_matching import matched
from dnnbridge.formats.traces.places import SENTENCES, STAGES, TraceStage
from dnnbridge.formats.traces.reading import MOST_BYTES, TraceFile, read_trace

EXACT = 1e-6
"""Relative difference of learning rates that float32 explains."""

INPUTS = 1e-6
"""Relative difference of inputs that were prepared by other programs."""

JUMP = 1e-2
"""Relative change of a weight that one number at its kink may make: a jump of 2e-3 was seen."""

FLIPS = 2
"""Number of recorded steps that a number at its kink may excuse, if the next one agrees."""


@explained()
def align_traces(a: str | Path, b: str | Path, *, max_bytes: int = MOST_BYTES) -> TraceAlignment:
    """Compare two traces: where the trainings part by more than rounding explains.

    The files may be from two machines and frameworks. Steps that both have recorded are compared,
    stage by stage: state, batch, outputs of layers, loss, gradients, rate, updates, changes of
    statistics and slots; and losses of epochs. How far two arrays are apart is estimated from their
    sketches. What is allowed follows from how far the states are apart before the step, and from
    what changes of that size make of it, which files of `Trace` say.

    Args:
        a: a file of `Trace`, `trace_keras` or `trace_mindspore`.
        b: another one; its layers have the same names, or the same order and sizes.
        max_bytes: the largest file that is read.

    Raises:
        CheckpointError: a file is missing, too large, damaged, or no trace.

    Example:
        >>> import dnnbridge as db, tempfile, pathlib
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> model = db.Sequential([db.Input((2,)), db.Dense(1)])
        >>> x = [[1.0, 2.0], [0.5, -1.0], [2.0, 0.0], [-1.0, 1.0]]
        >>> def record(name, rate):
        ...     run = db.compile(db.Experiment(model, "mse", db.SGD(rate)), "reference")
        ...     hooks = [db.Trace(folder / name, every=1)]
        ...     run.fit(x, [[1.0]] * 4, batch_size=2, callbacks=hooks, verbose=0)
        ...     return folder / name
        >>> found = align_traces(record("a.trace", 0.1), record("b.trace", 0.2))
        >>> found.first.step, found.first.stage
        (1, 'rate')
    """
    here, there = read_trace(a, max_bytes), read_trace(b, max_bytes)
    return _Comparison(here, there).run()


class _Comparison:
    """The steps of a comparison."""

    def __init__(self, a: TraceFile, b: TraceFile) -> None:
        self.a, self.b = a, b
        found = matched(a, b)
        self.notes = [*facts(a, b), *found.notes]
        self.pairs = tuple(p for p in found.pairs if self._comparable(p.place.stage))
        self.allowance = TraceAllowance(a, b, self.pairs)
        self.steps = sorted(a.steps.keys() & b.steps.keys())
        self.found: dict[TraceStage, TraceDifference] = {}
        self.closest: Closest | None = None
        self.lost: int | None = None
        self.open: list[TraceDifference] = []
        self.count = self.excused = 0
        self.noise: set[str] | None = None

    def _comparable(self, stage: TraceStage) -> bool:
        inside = stage in ("layer", "loss", "gradient")
        return not inside or self.a.head.get("probe") == self.b.head.get("probe")

    def run(self) -> TraceAlignment:
        if self.a.head.get("probe") != self.b.head.get("probe"):
            self.notes.append(
                "The outputs and gradients are of other examples (probe), and were not compared."
            )
        before: tuple[int, Numbers] | None = None
        for step in self.steps:
            errors, sizes = errors_at(self.a, self.b, self.pairs, step)
            self._step(step, errors, sizes, before)
            before = step, errors
        self._keep([each for each in self.open if each.stage != "state"])
        self._epochs()
        if not self.steps:
            self.notes.append("The files have no recorded step in common.")
        if self.noise:
            self.notes.append(
                f"Rounding alone decides {name_some(sorted(self.noise))}: not compared."
            )
        if self.lost is not None:
            self.notes.append(
                f"After step {self.lost} rounding alone makes differences as large as those of "
                "other trainings; from there on only batches and rates were compared."
                if not self.found
                else f"After step {self.lost} the trainings are too far apart to compare more."
            )
        order = self._ordered()
        return TraceAlignment(self.steps, self.count, order, self.closest, tuple(self.notes))

    def _ordered(self) -> list[TraceDifference]:
        """Return the differences in order; batches and rates do not follow from the state."""

        def rank(each: TraceDifference) -> tuple[int, bool, int]:
            own = each.step > self.steps[0] and each.stage in ("input", "rate")
            return each.step, not own, STAGES.index(each.stage)

        found = sorted(self.found.values(), key=rank)
        arguments = differing_arguments(self.a, self.b)
        if found and arguments and not found[0].explanation:
            said = f"The specs differ: {' '.join(arguments)}"
            found[0] = dataclasses.replace(found[0], explanation=said)
        return found

    def _step(
        self, step: int, errors: Numbers, sizes: Numbers, before: tuple[int, Numbers] | None
    ) -> None:
        given = self.allowance.step(step, errors, sizes)
        allowed = given.errors
        self._states(step, errors, sizes, before, allowed)
        batch = different_batches(self.a, self.b, step)
        first = before is None
        found = list[TraceDifference]()
        states = [i for i, p in enumerate(self.pairs) if p.place.stage == "state"]
        differs = self.lost is None and self._take(step, states, errors, allowed, found)
        if first and differs:
            found[-1] = self._start(found[-1])
        elif differs and self._crossed(found[-1]):
            differs = False
        inputs = [i for i, p in enumerate(self.pairs) if p.place.stage == "input"]
        rates = [i for i, p in enumerate(self.pairs) if p.place.stage == "rate"]
        allowed[inputs], allowed[rates] = INPUTS, EXACT
        if batch is not None and (batch.explanation and not self._near_equal(errors, inputs)):
            found.append(batch)
            differs = True
        others = set(self.found) & {"state", "input"}
        if not (differs or others or self.lost is not None):
            for stage in STAGES[STAGES.index("layer") :]:
                rows = [i for i, p in enumerate(self.pairs) if p.place.stage == stage]
                self._take(step, rows, errors, allowed, found)
        else:
            self._take(step, rates, errors, allowed, found)
        self._judge(found)
        noise = {self.pairs[i].place.where for i in np.flatnonzero(given.noise)}
        self.noise = noise if self.noise is None else self.noise & noise
        judged = [
            i
            for i, p in enumerate(self.pairs)
            if p.place.stage in MOVED and not given.noise[i] and errors[i]
        ]
        if self.lost is None and judged and 2 * given.grown[judged].sum() > len(judged):
            self.lost = step

    def _near_equal(self, errors: Numbers, inputs: list[int]) -> bool:
        """Whether inputs differ by rounding only: they were prepared by other programs."""
        return bool(inputs) and 0 < errors[inputs].max() <= INPUTS

    def _states(
        self,
        step: int,
        errors: Numbers,
        sizes: Numbers,
        before: tuple[int, Numbers] | None,
        allowed: Numbers,
    ) -> None:
        """Set what is allowed for the states."""
        rules = self.allowance
        if not len(rules.states):
            return
        start = (before[0], before[1]) if before else (min(step, 1), np.zeros_like(errors))
        found = rules.states_after(start[0], step, start[1], sizes)
        allowed[rules.states] = np.where(found >= 0.5, np.inf, np.maximum(found, 4 * 2.0**-23))

    def _take(
        self,
        step: int,
        rows: list[int],
        errors: Numbers,
        allowed: Numbers,
        found: list[TraceDifference],
    ) -> bool:
        """Note the largest difference of some rows, if rounding does not explain it."""
        said = [i for i in rows if np.isfinite(allowed[i])]
        self.count += len(said)
        if not said:
            return False
        ratios = errors[said] / allowed[said]
        worst = self._named(said, ratios)
        place = self.pairs[worst].place
        if ratios.max() > 1:
            values = float(errors[worst]), float(allowed[worst])
            found.append(TraceDifference(step, place.stage, place.where, *values))
            return True
        sentence = f"{SENTENCES[place.stage].format(place.where)} in step {step}"
        if self.closest is None or ratios.max() > self.closest.ratio:
            self.closest = Closest(step, sentence, float(ratios.max()))
        return False

    def _named(self, rows: list[int], ratios: Numbers) -> int:
        """Return the row that names a stage: the first one computed, a weight, or the worst."""
        over = [row for row, ratio in zip(rows, ratios, strict=True) if ratio > 1]
        stage = self.pairs[rows[0]].place.stage
        if over and stage in ("layer", "gradient"):
            return over[0 if stage == "layer" else -1]
        weights = [row for row in over if ":" not in self.pairs[row].place.where]
        if stage == "state" and weights:
            return max(weights, key=dict(zip(rows, ratios, strict=True)).__getitem__)
        return rows[int(np.argmax(ratios))]

    def _judge(self, found: list[TraceDifference]) -> None:
        """Keep differences; those of one step alone may be those of a number at its kink."""
        bent = bool(self.allowance.bent.any())
        kinks = all(d.stage in ("gradient", *MOVED) or self._crossed(d) for d in found)
        if self.open:
            if found or not bent:
                self._keep(self.open)
            else:
                self.excused += 1
                self.notes.append(
                    f"In step {self.open[0].step} a number has crossed its kink, or a jump of "
                    f"another kind passed: {self.open[0]}. It was not counted."
                )
            self.open = []
        later = bool(found) and found[0].step > 1 and not self.found
        if later and kinks and bent and self.excused < FLIPS:
            self.open = found
            return
        self._keep(found)

    def _crossed(self, found: TraceDifference) -> bool:
        """Whether a number that crossed its kink may have moved the state so far."""
        small = found.stage == "state" and found.error <= JUMP and self.excused < FLIPS
        return small and bool(self.allowance.bent.any())

    def _keep(self, found: list[TraceDifference]) -> None:
        for each in found:
            self.found.setdefault(each.stage, each)

    def _start(self, found: TraceDifference) -> TraceDifference:
        if found.step != 1:
            said = "The weights are others at the first recorded step."
        else:
            said = "The start is another one."
        seeds = [
            file.head["spec"].get("seed") if isinstance(file.head.get("spec"), dict) else None
            for file in (self.a, self.b)
        ]
        if seeds[0] != seeds[1]:
            said += f" The seed is {seeds[0]} here and {seeds[1]} there."
        return TraceDifference(
            found.step, found.stage, found.where, found.error, found.allowed, said
        )

    def _epochs(self) -> None:
        """Compare losses at the ends of epochs, as far as the steps before are comparable."""
        losses = [i for i, p in enumerate(self.pairs) if p.place.stage == "loss"]
        for epoch in sorted(self.a.epochs.keys() & self.b.epochs.keys()):
            here, there = self.a.epochs[epoch], self.b.epochs[epoch]
            step = here["step"]
            past = [s for s in self.steps if s <= step]
            if not past or here["step"] != there["step"] or self.found or not losses:
                return
            errors, sizes = errors_at(self.a, self.b, self.pairs, past[-1])
            allowed = self.allowance.step(past[-1], errors, sizes).errors
            for name in here["logs"].keys() & there["logs"].keys():
                if name.rpartition("_")[2] != "loss" or not np.isfinite(allowed[losses[0]]):
                    continue
                x, y = here["logs"][name], there["logs"][name]
                gap = abs(x - y) / (abs(x) + BOUND)
                limit = max(4 * float(allowed[losses[0]]), 1e-4)
                self.count += 1
                if not gap <= limit and (np.isfinite(x) or np.isfinite(y)):
                    said = f"It is {x:.6g} here and {y:.6g} there after epoch {epoch + 1}."
                    self._keep([TraceDifference(step, "metrics", name, gap, limit, said)])
