"""Precisions: their specs, the types that operations get, and the numbers of the reference."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge import ops
from dnnbridge.backend.protocol import BackendInfo, RealType, check_supported
from dnnbridge.errors import ConversionError, SpecError, UnsupportedError
from dnnbridge.graph import LOWER, inline
from dnnbridge.ops import PRIMITIVES, RULES
from dnnbridge.ops.rounding import rounded
from dnnbridge.ops.rule import Rule
from dnnbridge.program.precision_table import FOLLOWING, KEPT, LOWERED
from dnnbridge.reference.backend import ReferenceBackend, ReferenceExecutable
from dnnbridge.testing.cases.op_cases import OP_CASES
from dnnbridge.testing.cases.precision_cases import ROUNDING_CASES
from dnnbridge.testing.precisions import measure_in_float64, measure_roundings
from dnnbridge.testing.programs import measure_program
from dnnbridge.testing.subject import Subject
from dnnbridge.training.probing import activations_of

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(24, 6)), np.arange(24) % 3


def experiment(precision="float32", layers=None, **more):
    layers = layers or [db.Dense(5, "relu"), db.BatchNormalization(), db.Dense(3, name="head")]
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    model = db.Sequential([db.Input((6,)), *layers])
    return db.Experiment(model, loss, **{"optimizer": "sgd"} | more, precision=precision)


def types(made, function="predict"):
    """Return (operation, path, type of the result) for every operation of a function."""
    graph = inline(made.program().functions[function].graph)
    return {(type(n.op).__name__, n.path, n.outputs[0].dtype) for n in graph.walk()}


@pytest.mark.parametrize(
    ("word", "spec"),
    {
        "float32": db.Float32(),
        "mixed_float16": db.MixedFloat16(),
        "mixed_bfloat16": db.MixedBFloat16(),
        "float64": db.Float64(),
    }.items(),
)
def test_a_word_of_keras_is_a_spec(word, spec):
    made = experiment(word)
    assert made.precision == spec
    assert db.Experiment.from_json(made.to_json()) == made
    assert ("precision" in made.to_dict()) == (word != "float32")


@pytest.mark.parametrize(
    ("precision", "said"),
    [
        ("float16", "mixed_float16"),
        (16, "expected a precision or its name"),
        (db.MixedFloat16, "make an instance"),
        (db.MixedFloat16(float32_layers=("tail",)), "fits no layer"),
    ],
)
def test_what_is_no_precision_is_refused(precision, said):
    with pytest.raises(SpecError, match=said):
        experiment(precision)


def test_the_table_has_each_operation_once():
    parts = (LOWERED, FOLLOWING, KEPT, {ops.Cast})
    assert sum(map(len, parts)) == len(set().union(*parts))
    assert set().union(*parts) == set(PRIMITIVES)


def test_float32_has_no_casts():
    made = experiment()
    assert not any(dtype in LOWER for *_, dtype in types(made, "train"))
    assert not any(name == "Cast" for name, *_ in types(made, "train"))


@pytest.mark.parametrize("function", ["train", "evaluate", "predict"])
def test_products_are_lowered_and_statistics_and_results_are_not(function):
    found = types(experiment("mixed_float16"), function)
    assert {dtype for name, _, dtype in found if name == "MatMul"} == {"float16"}
    assert ("Relu", "dense", "float16") in found
    assert ("Cast", "batch_normalization", "float16") in found
    others = {t for n, p, t in found if p == "batch_normalization" and n != "Cast"}
    assert others <= {"float32"}
    assert not any(t in LOWER for _, p, t in found if p not in ("dense", "head") and _ != "Cast")
    graph = experiment("mixed_float16").program().functions[function].graph
    assert not any(value.dtype in LOWER for value in (*graph.inputs, *graph.outputs))


def test_softmax_and_a_mask_of_large_numbers_stay_float32():
    words = db.Input((4,), dtype="int32")
    x = db.Embedding(7, 6, mask_zero=True)(words)
    y = db.Dense(3)(db.GlobalAveragePooling1D()(db.MultiHeadAttention(2, 3)(x, x)))
    made = db.Experiment(db.Model(words, y), "mse", "sgd", precision="mixed_float16")
    found = types(made, "train")
    assert {t for name, _, t in found if name in ("Softmax", "LogSoftmax")} == {"float32"}
    assert {t for name, _, t in found if name == "BatchMatMul"} == {"float16"}
    tokens = np.array([[0, 0, 0, 0], [1, 2, 0, 0]])
    assert np.isfinite(db.compile(made, "reference").predict(tokens)).all()


def test_named_layers_stay_float32_with_all_in_them():
    inner = db.Sequential([db.Input((6,)), db.Dense(5), db.Dense(4, name="last")], name="inner")
    layers = [inner, db.Dense(3, name="head")]
    kept = experiment(db.MixedFloat16(float32_layers=("inner",)), layers)
    products = {(p, t) for n, p, t in types(kept) if n == "MatMul"}
    assert products == {
        ("inner/dense", "float32"),
        ("inner/last", "float32"),
        ("head", "float16"),
    }
    last = experiment(db.MixedFloat16(float32_layers=("*", "!inner", "!inner/dense")), layers)
    products = {(p, t) for n, p, t in types(last) if n == "MatMul"}
    assert ("inner/dense", "float16") in products
    assert ("inner/last", "float32") in products


def test_loops_carry_float32():
    made = experiment("mixed_float16", [db.Reshape((3, 2)), db.LSTM(4), db.Dense(3)])
    graph = inline(made.program().functions["predict"].graph)
    (scan,) = [node for node in graph.nodes if type(node.op).__name__ == "Scan"]
    assert {value.dtype for value in (*scan.inputs, *scan.outputs)} == {"float32"}
    assert {n.outputs[0].dtype for n in scan.body.nodes if isinstance(n.op, ops.MatMul)} == {
        "float16"
    }


def test_rounding_is_that_of_numpy():
    numbers = np.concatenate(
        [RNG.normal(size=4000) * 2.0 ** RNG.integers(-30, 18, 4000), [0.0, -0.0, 65519.9, 65520.0]]
    )
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(rounded(numbers, "float16"), np.float16(numbers))
    kept = np.array([np.nan, np.inf, -np.inf])
    np.testing.assert_array_equal(rounded(kept, "bfloat16"), kept)


def test_rounding_to_bfloat16_is_to_8_digits_and_to_even():
    given = np.array([256.0, 257.0, 258.0, 259.0, 2.0**-133, 2.0**-135, 3.4e38])
    expected = [256.0, 256.0, 258.0, 260.0, 2.0**-133, 0.0, np.inf]
    np.testing.assert_array_equal(rounded(given, "bfloat16"), expected)


@pytest.mark.parametrize("case", ROUNDING_CASES, ids=lambda case: case.id)
def test_bits_show_a_backend_that_does_not_round(case):
    class Unrounded(ReferenceBackend):
        def compile(self, program, device):
            return ReferenceExecutable(program, rounding=lambda x, dtype: x)

    assert all(each.ok for each in measure_roundings(case, Subject(ReferenceBackend())))
    assert not all(each.ok for each in measure_roundings(case, Subject(Unrounded())))


class TanhInFloat32(ReferenceBackend):
    """A kernel that exists in float32 alone."""

    def compile(self, program, device):
        rule = RULES[ops.Tanh]
        short = Rule(lambda op, x: np.float64(np.float32(rule.forward(op, x))), rule.vjp)
        return ReferenceExecutable(program, rules={**RULES, ops.Tanh: short})


def test_the_suite_shows_an_operation_of_float32_in_a_program_of_float64():
    wrong, right = Subject(TanhInFloat32()), Subject(ReferenceBackend())
    case = next(case for case in OP_CASES if isinstance(case.op, ops.Tanh))
    assert all(each.ok for each in measure_in_float64(case, right))
    assert not all(each.ok for each in measure_in_float64(case, wrong))
    net = experiment("float64", [db.Dense(4, "tanh"), db.Dense(3)])
    assert all(each.ok for each in measure_program(net, right))
    assert not all(each.ok for each in measure_program(net, wrong))


def test_mixed_float16_scales_the_loss_unless_told_otherwise():
    assert experiment("mixed_float16").scaling == db.DynamicLossScale()
    assert experiment("mixed_float16", loss_scale=8.0).scaling == db.FixedLossScale(8.0)
    assert experiment("mixed_bfloat16").scaling is None
    assert "loss_scale:scale" in experiment("mixed_float16").program().state


def test_a_step_whose_gradients_overflow_is_skipped(tmp_path):
    scale = db.DynamicLossScale(2.0**24)
    run = db.compile(experiment("mixed_float16", loss_scale=scale), "reference")
    before = run.parameters()
    run.fit(X, Y, 24, 1, verbose=0)
    for name, array in run.parameters().items():
        np.testing.assert_array_equal(array, before[name])
    assert run.state()["loss_scale:scale"] == 2.0**23
    run.save(tmp_path / "run.safetensors")
    again = db.load(tmp_path / "run.safetensors", backend="reference")
    assert again.state()["loss_scale:scale"] == 2.0**23
    assert again.experiment == run.experiment


def test_small_gradients_survive_by_the_scale():
    """Without it, a loss of 1e-6 times as much has gradients below the numbers of float16."""

    def moved(precision="mixed_float16", **more):
        rules = {"gradients": [db.ScaleGradients(1e6)], "optimizer": db.SGD(0.1)}
        run = db.compile(experiment(precision, **rules, **more), "reference")
        before = run.parameters()
        run.fit(X, Y, 24, 1, sample_weight=np.full(24, 1e-6), verbose=0)
        return run.parameters()["dense/kernel"] - before["dense/kernel"]

    exact = moved("float32")
    assert np.linalg.norm(moved() - exact) < 0.01 * np.linalg.norm(exact)
    assert np.linalg.norm(moved(loss_scale=1.0) - exact) > 0.2 * np.linalg.norm(exact)


def test_gradients_and_state_of_weights_are_float32():
    train = experiment("mixed_float16").program().functions["train"].graph
    (node,) = [n for n in train.nodes if type(n.op).__name__ == "ValueAndGrad"]
    assert {value.dtype for value in node.outputs} == {"float32"}


def test_float64_is_in_every_value():
    made = experiment("float64").program()
    assert made.variable_dtype == "float64"
    for function in made.functions.values():
        real = {
            v.dtype
            for n in inline(function.graph).walk()
            if not isinstance(n.op, ops.OneHot)
            for v in n.outputs
        }
        assert real <= {"float64", "int32", "bool"}


def test_a_backend_without_a_type_is_refused_before_it_compiles():
    class Half(ReferenceBackend):
        info = BackendInfo("half", reals=(RealType("float16"), RealType("bfloat16", ("gpu",))))

    check_supported(Half(), experiment("mixed_float16").program(), "cpu")
    for word in ("bfloat16", "float64"):
        precision = "float64" if word == "float64" else "mixed_bfloat16"
        with pytest.raises(UnsupportedError, match=f"half does not compute in {word} on cpu"):
            check_supported(Half(), experiment(precision).program(), "cpu")


def test_activations_of_a_run_are_those_of_its_precision():
    run = db.compile(experiment("mixed_float16"), "reference")
    made = activations_of(run, X)["dense"]
    np.testing.assert_array_equal(made, rounded(np.asarray(made, float), "float16"))


def test_workers_share_a_batch_in_float16():
    one, two = (
        db.compile(experiment("mixed_float16"), "reference", workers=count) for count in (1, 2)
    )
    for run in (one, two):
        run.fit(X, Y, 8, 2, verbose=0)
    for name, array in one.parameters().items():
        np.testing.assert_allclose(two.parameters()[name], array, rtol=0.02, atol=2e-3)


def test_other_frameworks_are_not_written_in_lower_types(tmp_path):
    run = db.compile(experiment("mixed_float16"), "reference")
    with pytest.raises(ConversionError, match="computes in float32"):
        run.export(tmp_path / "model.keras")
    plain = run.with_experiment(run.experiment.replace(precision="float32", loss_scale=None))
    plain.export(tmp_path / "model.keras")


@pytest.mark.parametrize("level", ["O0", "O1", "O2", "auto"])
def test_levels_of_mindspore_stand_for_precisions(level):
    expected = db.Float32() if level == "O0" else db.MixedFloat16()
    assert db.precision_of_amp_level(level) == expected


@pytest.mark.parametrize("level", ["O3", "o2", 2])
def test_other_levels_are_refused(level):
    with pytest.raises(SpecError, match="no precision stands for this level"):
        db.precision_of_amp_level(level)
