"""The divisor of a step's loss; gradient accumulation needs it to combine several steps."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from dnnbridge import ops
from dnnbridge.emit.declarations import BatchMask
from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.program.objectives import Objective


def divisor_of_step(
    objectives: Mapping[str, Objective],
    results: Mapping[str, Value],
    batch: BatchMask | None,
    terms: Collection[str],
) -> Value | None:
    """Return the divisor of a step's loss, or None if the loss is a sum over the batch.

    Args:
        objectives: of the program.
        results: results of the step, by name.
        batch: mask of the real examples of the step.
        terms: kinds of terms added to the loss, as in `Scope.terms`.

    Raises:
        SpecError: parts of the loss have different divisors.
    """
    assert batch is not None
    own = {o.divisor_result: results[o.divisor_result] for o in _divided(objectives, results)}
    summed = [o for o in objectives.values() if o.loss.reduction == "sum"]
    found = {_words(o, o.divisor_result in own): o.name for o in objectives.values()}
    if len(objectives) > 1 and (own or (summed and len(summed) < len(objectives))):
        raise _several(f"heads divided by {' and '.join(sorted(found))}")
    if summed and terms:
        raise _several("a sum over the batch, and penalties that count once")
    if own and "examples" in terms:
        raise _several(f"a loss divided by {next(iter(found))}, and means over examples")
    if summed:
        return None
    return next(iter(own.values())) if own else ops.reduce_sum(batch.mask, 0)


def _divided(objectives: Mapping[str, Objective], results: Mapping[str, Value]) -> list[Objective]:
    """Return the objectives whose divisor is computed in the step."""
    return [o for o in objectives.values() if o.divisor_result in results]


def _words(objective: Objective, in_step: bool) -> str:
    if objective.loss.reduction == "sum":
        return "nothing"
    return "the labels or weights that count" if in_step else "the number of examples"


def _several(got: str) -> SpecError:
    return SpecError(
        "parts of the loss have different divisors, so the steps do not equal one large batch",
        where="accumulate",
        got=got,
        hint='Write Accumulation(steps, mean="steps") to average the losses of the steps.',
    )
