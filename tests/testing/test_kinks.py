"""The detector of kinks, on made-up nets: what it finds, explains, and refuses to explain."""

from __future__ import annotations

import numpy as np
import pytest
from sabotage.other_rules import OtherRules

import dnnbridge as db
from dnnbridge import ops
from dnnbridge.graph import Node, TensorType, Value
from dnnbridge.initializers import AbstractInitializer
from dnnbridge.ops import RULES
from dnnbridge.ops.rule import Rule
from dnnbridge.reference.backend import ReferenceBackend
from dnnbridge.specs.spec import spec
from dnnbridge.testing.cases.resynchronised_cases import RESYNCHRONISED_CASES
from dnnbridge.testing.cases.training_case import TrainingCase
from dnnbridge.testing.checks import all_checks
from dnnbridge.testing.kinks import NEAR, KinkWatch, flips_allowed
from dnnbridge.testing.recorded import read, to_json
from dnnbridge.testing.resynchronised import Lead, measure_resynchronised
from dnnbridge.testing.rounding import RoundedBackend
from dnnbridge.testing.running import run_check, run_checks
from dnnbridge.testing.subject import Subject

PAIR = (ops.Maximum(), ops.Minimum(), ops.Greater(), ops.Equal())
ROWS = np.array([[1.0, 3e-8, -2.0], [-1e-8, 0.0, 3.0]])
WINDOWS = {
    "within": (ops.MaxPool((2,), (2,), ((0, 0),)), np.array([[[3.0], [3.0 + 1e-7], [5.0], [1.0]]])),
    "padded": (ops.MaxPool((2,), (1,), ((1, 0),)), np.array([[[3.0], [3.0 - 1e-7]]])),
    "axis": (ops.ReduceMax((1,), False), np.array([[3.0, 1.0, 3.0 + 1e-7], [1.0, 2.0, 3.0]])),
    "axes": (ops.ReduceMax((0, 1), True), np.array([[3.0, 1.0], [3.0 + 1e-7, 2.0]])),
    "clip": (ops.Clip(-1.0, 2.0), np.array([2.0 + 1e-7, -1.5, 0.0])),
}


def watched(op, *arrays):
    """Return the near kinks of one operation."""
    values = [Value(None, f"x{i}", TensorType(a.shape)) for i, a in enumerate(arrays)]
    watch = KinkWatch()
    watch(Node(op, tuple(values), (), "here"), dict(zip(values, arrays, strict=True)))
    return watch.near


def forced(op, *arrays):
    """Return the inputs with every near kink flipped."""
    values = [Value(None, f"x{i}", TensorType(a.shape)) for i, a in enumerate(arrays)]
    watch, known = KinkWatch(), dict(zip(values, arrays, strict=True))
    watch.begin(watched(op, *arrays))
    watch(Node(op, tuple(values), (), "here"), known)
    return [known[value] for value in values]


@pytest.mark.parametrize("op", [ops.Relu(), ops.Abs(), ops.Sign()], ids=str)
def test_numbers_near_zero_are_kinks_and_zero_is_not(op):
    assert [(kink.path, kink.place) for kink in watched(op, ROWS)] == [("here", 1), ("here", 3)]
    (moved,) = forced(op, ROWS)
    np.testing.assert_array_equal(moved, [[1.0, -3e-8, -2.0], [1e-8, 0.0, 3.0]])


@pytest.mark.parametrize("op", PAIR, ids=str)
@pytest.mark.parametrize("swapped", [False, True])
def test_pairs_that_are_near_are_kinks(op, swapped):
    pair = [ROWS, np.array([1.0 + 1e-7, 1.0, -2.0])]
    pair = pair[::-1] if swapped else pair
    (kink,) = watched(op, *pair)
    assert (kink.place, kink.op) == (0, type(op).__name__)
    assert kink.distance == pytest.approx(1e-7)
    moved = forced(op, *pair)
    assert (moved[0] > moved[1])[0, 0] != (pair[0] > pair[1])[0, 0]
    assert sum((a != b).sum() for a, b in zip(moved, pair, strict=True)) == 1


@pytest.mark.parametrize(("op", "x"), WINDOWS.values(), ids=WINDOWS)
def test_the_largest_two_of_a_window_and_ends_are_kinks(op, x):
    (kink,) = watched(op, x)
    assert kink.distance == pytest.approx(1e-7, rel=1e-6)
    (moved,) = forced(op, x)
    rule = RULES[type(op)]
    gradients = [
        rule.vjp(op, (a,), (y := rule.forward(op, a)), np.ones_like(y)) for a in (x, moved)
    ]
    assert np.abs(gradients[0][0] - gradients[1][0]).max() == 1.0


def test_ties_and_whole_numbers_are_no_kinks():
    assert not watched(ops.MaxPool((2,), (2,), ((0, 0),)), np.zeros((1, 4, 1)))
    assert not watched(ops.Greater(), np.array([1, 2]), np.array([1, 3]))


def test_near_kinks_are_as_many_as_their_density_says():
    rng = np.random.default_rng(0)
    watch, value = KinkWatch(), Value(None, "x", TensorType((1000, 1000)))
    for _ in range(20):
        watch(Node(ops.Relu(), (value,), ()), {value: rng.normal(size=(1000, 1000))})
    density = 2.0 * NEAR * 20e6 / np.sqrt(2.0 * np.pi)  # density of a normal distribution at 0
    assert watch.expected == pytest.approx(density, rel=0.05)
    assert abs(len(watch.near) - density) < 5.0 * np.sqrt(density)
    assert len(watch.near) <= flips_allowed(watch.expected)


@pytest.mark.parametrize("case", RESYNCHRONISED_CASES, ids=lambda case: case.id)
def test_near_kinks_of_a_case_are_not_more_than_chance_brings(case):
    steps = Lead(case).steps
    near = sum(len(step.near) for step in steps)
    expected = sum(step.expected for step in steps)
    assert 0 < expected < 1
    assert near <= flips_allowed(expected)


def shifted(by):
    """Return the reference with a ReLU whose kink is elsewhere."""
    forward = lambda op, x: np.maximum(x, 0.0)  # noqa: E731
    return OtherRules({ops.Relu: Rule(forward, lambda op, xs, y, dy: (dy * (xs[0] > by),))})


def on_the_kink(*offsets, steps=4):
    """Return a case with units that have pre-activations of these sizes in the first step."""
    x = np.random.default_rng(0).normal(size=(8, 3)) * 0.5
    x[0] = 0.0  # for the first example only the biases count
    bias = np.array([*offsets, 0.7, -0.4, 0.2])
    hidden = db.Dense(len(bias), "relu", bias_initializer=_Given(tuple(bias)))
    model = db.Sequential([db.Input((3,)), hidden, db.Dense(2)])
    experiment = db.Experiment(model, db.MeanSquaredError(), db.SGD(0.01), seed=0)
    return TrainingCase("made-up", experiment, x, x[:, :2] + 0.5, batch_size=8, epochs=steps)


@spec
class _Given(AbstractInitializer):
    """Returns the given numbers."""

    numbers: tuple[float, ...]

    def sample(self, rng, shape):
        return np.array(self.numbers).reshape(shape)


def test_a_flip_is_explained_reported_and_does_not_go_on():
    case = on_the_kink(2e-8)
    by_name = {m.what: m for m in measure_resynchronised(case, Subject(shifted(1e-7)))}
    assert [m.ok for m in by_name.values()] == [True, True, True, True], by_name
    flips = by_name["flips"]
    assert flips.error == 1
    assert flips.note == "flip at step 0, dense, Relu, |z| = 2.0e-08"
    assert max(by_name["gradients"].curve) < 1e-6
    assert len(by_name["gradients"].curve) == 4


def test_more_flips_than_chance_brings_are_a_failure():
    made = measure_resynchronised(on_the_kink(2e-8, 3e-8), Subject(shifted(1e-7)))
    assert [m.what for m in made if not m.ok] == ["flips"]
    assert made[-1].note.count("flip at step 0, dense, Relu") == 2


def test_an_error_without_a_near_kink_is_a_failure():
    case = on_the_kink(2e-5)
    by_name = {m.what: m for m in measure_resynchronised(case, Subject(shifted(1e-4)))}
    assert not by_name["gradients"].ok
    assert "step 0" in by_name["gradients"].detail
    assert not by_name["flips"].note


def test_a_near_kink_explains_no_other_error():
    case = on_the_kink(2e-8)
    half = Rule(
        lambda op, x, w: x @ w, lambda op, xs, y, dy: (dy @ xs[1].T, 1.00001 * xs[0].T @ dy)
    )
    by_name = {
        m.what: m for m in measure_resynchronised(case, Subject(OtherRules({ops.MatMul: half})))
    }
    assert by_name["gradients"].error == pytest.approx(1e-5, rel=0.1)
    assert not by_name["gradients"].ok
    assert not by_name["flips"].note


def test_a_step_in_which_rounding_has_a_large_effect_may_have_that_error():
    """In step 23 of the transformer, half a spacing in every operation moves a gradient by 2e-6."""
    (case,) = (case for case in RESYNCHRONISED_CASES if case.id == "transformer")
    gradients, *_ = measure_resynchronised(case, Subject(RoundedBackend(6, fully=True)))
    assert gradients.ok
    assert max(gradients.curve) > case.one_step
    assert sum(error > case.one_step for error in gradients.curve) < 6


def test_notes_and_curves_are_kept_in_a_report(tmp_path):
    checks = [check for check in all_checks() if check.id == "follow-relu"]
    subject = Subject(ReferenceBackend())
    path = tmp_path / "report.json"
    made = run_checks(checks, subject)
    path.write_text(to_json([made]))
    assert read(path) == [made]
    assert len(made.outcomes[0].measurements[0].curve) == 30
    assert run_check(checks[0], subject).note == ""
