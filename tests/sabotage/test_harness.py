"""Tests of the sabotages: one that changes nothing is an error; a rewrite alone changes nothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from dnnbridge import activations, layers, ops, optimizers
from dnnbridge.models import AbstractModel
from dnnbridge.optimizers.composed import AbstractWrapper
from dnnbridge.specs.spec import Spec, family_of
from dnnbridge.testing.cases.equation_cases import EQUATION_CASES
from dnnbridge.testing.cases.optimizer_cases import OPTIMIZER_CASES
from dnnbridge.testing.checks import all_checks
from dnnbridge.testing.harness import build_case, trajectory
from sabotage import test_arguments
from sabotage.executables import LiveViews, Wrapped, feeding, of_first_step
from sabotage.operations import value
from sabotage.rewriting import emitted, updated
from sabotage.row import ChangesNothingError, NotCaughtError, Sabotage, require_caught
from sabotage.updates import UPDATES

CHECKS = {f"{check.area}/{check.id}": check for check in all_checks()}

WRONG_TANH = {ops.Tanh: value(lambda y, x: y + 1e-4)}
IDLE = {
    "an operation that is not there": {"rules": {ops.Erfc: value(lambda y, x: y + 1.0)}},
    "a rule that computes the same": {"rules": {ops.Tanh: value(lambda y, x: np.tanh(x))}},
    "a spec that is not there": {"specs": {layers.Dense: emitted(lambda spec: spec)}},
    "a spec written as it is": {"specs": {activations.Tanh: emitted(lambda spec: spec)}},
    "a feed that is not there": {"wrap": feeding("scalar:decay", of_first_step)},
    "nothing around": {"wrap": Wrapped},
    "views that nobody reads": {"wrap": LiveViews},
    "the same experiment": {"experiment": lambda experiment: experiment.replace()},
    "the same table": {"backend": {"deviations": ()}},
}


@pytest.mark.parametrize("idle", IDLE.values(), ids=IDLE)
def test_a_sabotage_that_changes_nothing_is_an_error(idle):
    """Both alone, and together with a sabotage that the check detects."""
    check = CHECKS["activation/Tanh()-wide"]
    require_caught(Sabotage("tanh", (), rules=WRONG_TANH), check)
    both = idle | {"rules": WRONG_TANH} if "rules" not in idle else None
    for parts in (idle, both or {"rules": WRONG_TANH | idle["rules"], "wrap": Wrapped}):
        with pytest.raises(ChangesNothingError, match=r"changes nothing in Tanh\(\)-wide"):
            require_caught(Sabotage("idle", (), **parts), check)


def test_one_that_no_measurement_sees_is_an_error():
    small = {ops.Tanh: value(lambda y, x: y + 1e-12)}
    with pytest.raises(NotCaughtError, match="does not see it"):
        require_caught(Sabotage("small", (), rules=small), CHECKS["activation/Tanh()-wide"])


@pytest.mark.parametrize("name", ["behaviour/compiled once", "training/train-softplus-momentum"])
def test_one_that_changes_no_experiment_is_an_error(name):
    row = Sabotage("same", (), experiment=lambda experiment: experiment.replace(frozen=()))
    with pytest.raises(ChangesNothingError, match="what is compiled changes nothing"):
        require_caught(row, CHECKS[name])


def counted(rewrite, matched):
    """Record the nodes that a rewrite matches."""

    def counting(node, training):
        matched.append(node)
        return rewrite(node, training)

    return counting


def anew(cls, rewrite, run):
    """Run on a backend with rewritten calls of a spec; return the number of matches, and effect."""
    matched = []
    backend = Sabotage("", (), specs={cls: counted(rewrite, matched)}).subject.backend
    run(backend)
    return len(matched), backend.effect.seen


@pytest.mark.parametrize("family", ["layer", "activation", "loss", "metric"])
def test_an_equation_written_anew_is_the_same(family):
    """So a sabotage has the effect that it describes, and no side effect of rewriting."""
    same = emitted(lambda spec: spec)
    cases = [case for case in EQUATION_CASES if isinstance(case.spec, Spec)]
    cases = [case for case in cases if family_of(type(case.spec)) == family]
    # A SpectralNormalization reads weights that are no arguments of its call: it divides them.
    # The masks of a model's outputs are further results of its call.
    left_out = (layers.SpectralNormalization, AbstractModel)
    cases = [case for case in cases if not isinstance(case.spec, left_out)]
    for case in cases:
        matches, changed = anew(type(case.spec), same, build_case(case).run)
        assert (matches > 0, changed) == (True, False), case.id


def test_an_update_written_anew_is_the_same():
    """For every optimizer with its own equation; wrappers have none."""
    same, seen = updated(lambda optimizer: optimizer), set()
    cases = [c for c in OPTIMIZER_CASES if not isinstance(c.optimizer, AbstractWrapper)]
    for case in cases:
        given = case.optimizer, case.start, case.gradients
        cls = type(case.optimizer)
        matches, changed = anew(cls, same, lambda backend, given=given: trajectory(backend, *given))
        assert not changed, case.id
        seen |= {cls} if matches else set()
    rewritten = {cls for row in UPDATES for cls in row.specs}
    assert seen >= {cls for cls in rewritten if issubclass(cls, optimizers.AbstractOptimizer)}


def test_what_is_left_out_of_the_arguments_is_there():
    """An exception that matches nothing would hide a future argument with that name."""
    specs = [case.spec for case in EQUATION_CASES if isinstance(case.spec, Spec)]
    specs += [case.optimizer for case in OPTIMIZER_CASES]
    fields = {field.name for spec in specs for field in dataclasses.fields(spec)}
    for word in test_arguments.ELSEWHERE:
        assert any(word in name for name in fields), word
    for name in test_arguments.NO_MATTER:
        family, cls, field = name.split(".")
        assert any(
            (family_of(type(spec)), type(spec).__name__) == (family, cls) and hasattr(spec, field)
            for spec in specs
        ), name
