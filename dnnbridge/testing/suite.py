"""`ConformanceSuite`: subclass it, name a backend, and pytest compares it with the reference."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import ClassVar

import numpy as np
import pytest

from dnnbridge import ops
from dnnbridge.backend import STRUCTURE, Backend
from dnnbridge.checkpoint import load
from dnnbridge.errors import UnsupportedError
from dnnbridge.plugins import load_backend
from dnnbridge.testing.assertions import assert_close, assert_near
from dnnbridge.testing.cases.equation_case import EquationCase
from dnnbridge.testing.cases.equation_cases import EQUATION_CASES
from dnnbridge.testing.cases.hostile_cases import HOSTILE_CASE
from dnnbridge.testing.cases.op_case import OpCase
from dnnbridge.testing.cases.op_cases import OP_CASES
from dnnbridge.testing.cases.optimizer_cases import OPTIMIZER_CASES, OptimizerCase
from dnnbridge.testing.cases.training_cases import TRAINING_CASES, TrainingCase
from dnnbridge.testing.harness import build_case, trajectory
from dnnbridge.testing.tolerances import LOSS_CURVE, TRAJECTORY, elementwise
from dnnbridge.training.compiling import compile

by_id = pytest.mark.parametrize


def ids(case: OpCase | EquationCase | OptimizerCase | TrainingCase) -> str:
    return case.id


class ConformanceSuite:
    """Tests of one backend; each compares with the float64 reference.

    Example:
        class TestMine(ConformanceSuite):
            backend = "mine"
    """

    backend: ClassVar[str]
    device: ClassVar[str] = "cpu"

    @pytest.fixture
    def loaded(self) -> Backend:
        return load_backend(self.backend)

    @pytest.fixture
    def reference(self) -> Backend:
        return load_backend("reference")

    def test_table_is_total(self, loaded: Backend) -> None:
        """Every primitive is lowered or declared as a limitation, and not both."""
        declared = {limit.op for limit in loaded.limitations if not limit.devices}
        missing = set(ops.PRIMITIVES) - set(loaded.lowered) - declared
        assert not missing, f"neither lowered nor declared: {sorted(op.__name__ for op in missing)}"
        twice = set(loaded.lowered) & (declared | STRUCTURE)
        assert not twice, f"lowered, but not to be: {sorted(op.__name__ for op in twice)}"

    @by_id("case", OP_CASES, ids=ids)
    def test_op(self, case: OpCase, loaded: Backend, reference: Backend) -> None:
        limits = {limit.op: limit.devices for limit in loaded.limitations}
        if type(case.op) in limits and self.device in (limits[type(case.op)] or (self.device,)):
            with pytest.raises(UnsupportedError):
                self._compare(case, loaded, reference)
            return
        self._compare(case, loaded, reference)

    @by_id("case", EQUATION_CASES, ids=ids)
    def test_equation(self, case: EquationCase, loaded: Backend, reference: Backend) -> None:
        self._compare(case, loaded, reference)

    @by_id("case", OPTIMIZER_CASES, ids=ids)
    def test_optimizer(self, case: OptimizerCase, loaded: Backend, reference: Backend) -> None:
        given = case.optimizer, case.start, case.gradients
        actual = trajectory(loaded, *given, device=self.device)
        for name, expected in trajectory(reference, *given).items():
            assert_near(actual[name], expected, case.tolerance, f"{case.id} {name}")
            for scale, part in case.parts(expected.shape):
                where = f"{case.id} {name}, gradients of {scale:g}"
                assert_near(actual[name][part], expected[part], 10 * case.tolerance, where)

    @by_id("case", [*TRAINING_CASES, HOSTILE_CASE], ids=ids)
    def test_training(self, case: TrainingCase) -> None:
        """Weights, slots, every loss and the metrics follow the reference."""
        runs = [compile(case.experiment, self.backend, self.device)]
        runs.append(compile(case.experiment, "reference"))
        given = case.x, case.y, case.batch_size, case.epochs, case.validation(33)
        weights = case.sample_weight
        actual, expected = (run.fit(*given, sample_weight=weights) for run in runs)
        for name, array in runs[1].state().items():
            assert_near(runs[0].state()[name], array, TRAJECTORY, f"{case.id} {name}")
        assert_close(
            np.array(actual.step_losses), np.array(expected.step_losses), LOSS_CURVE, "step losses"
        )
        for name, values in expected.history.items():
            assert_close(np.array(actual.history[name]), np.array(values), LOSS_CURVE, name)
        predicted = [run.predict(case.x) for run in runs]
        if not isinstance(case.y, dict):
            predicted = [{"prediction": made} for made in predicted]
        for name, array in predicted[1].items():
            assert_close(predicted[0][name], array, LOSS_CURVE, name)

    def test_starting_weights_are_those_of_the_reference(self) -> None:
        """Bit for bit: core draws them."""
        experiment = TRAINING_CASES[0].experiment
        expected = compile(experiment, "reference").parameters()
        actual = compile(experiment, self.backend, self.device).parameters()
        assert list(actual) == list(expected)
        for name, array in expected.items():
            np.testing.assert_array_equal(actual[name].astype(np.float64), array, err_msg=name)

    def test_steps_per_call_do_not_change_the_numbers(self) -> None:
        case = TRAINING_CASES[0]
        runs = [compile(case.experiment, self.backend, self.device) for _ in range(2)]
        for run, steps in zip(runs, (1, None), strict=True):
            run.fit(case.x, case.y, case.batch_size, 2, steps_per_call=steps)
        for name, array in runs[0].state().items():
            np.testing.assert_array_equal(runs[1].state()[name], array, err_msg=name)

    def test_written_state_is_used(self) -> None:
        """A compiled step, evaluation and prediction all see weights that were set later."""
        case = TRAINING_CASES[0]
        run, other = (
            compile(dataclasses.replace(case.experiment, seed=s), self.backend, self.device)
            for s in (1, 2)
        )
        run.fit(case.x, case.y, case.batch_size, 1, (case.x, case.y))
        run.predict(case.x)
        run.set_state(other.state(), other.progress)
        np.testing.assert_array_equal(run.predict(case.x), other.predict(case.x))
        assert run.evaluate(case.x, case.y) == other.evaluate(case.x, case.y)
        order = {"shuffle": False}
        for each in (run, other):
            each.fit(case.x, case.y, case.batch_size, 1, **order)  # type: ignore[arg-type]
        for name, array in other.state().items():
            np.testing.assert_array_equal(run.state()[name], array, err_msg=name)

    @by_id("case", TRAINING_CASES, ids=ids)
    def test_resume_here_and_there(self, case: TrainingCase, tmp_path: pathlib.Path) -> None:
        """Begin on one backend, save, go on with the other: the trajectory is the same."""
        whole = compile(case.experiment, "reference")
        whole.fit(case.x, case.y, case.batch_size, case.epochs, sample_weight=case.sample_weight)
        for first, second in ((self.backend, "reference"), ("reference", self.backend)):
            begun = compile(case.experiment, first)
            begun.fit(
                case.x, case.y, case.batch_size, case.epochs // 2, sample_weight=case.sample_weight
            )
            begun.save(tmp_path / "run.safetensors")
            resumed = load(tmp_path / "run.safetensors", second)
            resumed.fit(
                case.x,
                case.y,
                case.batch_size,
                case.epochs - case.epochs // 2,
                sample_weight=case.sample_weight,
            )
            assert resumed.progress == whole.progress
            for name, array in whole.state().items():
                assert_near(resumed.state()[name], array, TRAJECTORY, f"{first}-{second} {name}")

    def _compare(self, case: OpCase | EquationCase, loaded: Backend, reference: Backend) -> None:
        built = build_case(case)
        actual, expected = built.run(loaded, self.device), built.run(reference)
        assert actual.keys() == expected.keys()
        for name, array in expected.items():
            assert_close(actual[name], array, elementwise(case.reduced), f"{case.id} {name}")
