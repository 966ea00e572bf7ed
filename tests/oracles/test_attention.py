"""Independent witnesses: attention of both frameworks' own classes with the same weights."""

from __future__ import annotations

import numpy as np
import pytest
from oracles.witnesses import witness

import dnnbridge as db
from dnnbridge.backend.plugins import load_backend
from dnnbridge.base import randomness
from dnnbridge.graph import BATCH, TensorType
from dnnbridge.testing.assertions import assert_close
from dnnbridge.testing.harness import equation

MASK = np.array([[1, 1, 1, 1], [1, 0, 1, 0], [0, 1, 0, 0]], np.float32)


def normal(*shape, key=0):
    drawn = randomness.generator(key, "attention", *shape).normal(size=shape)
    return drawn.astype(np.float32)


QUERY, VALUE, KEY = normal(3, 5, 8), normal(3, 4, 6), normal(3, 4, 8, key=1)


def evaluated(layer, *inputs):
    """Return the feeds, then the value and the derivatives, by name."""
    types = [TensorType((BATCH, *x.shape[1:])) for x in inputs]
    built = equation(lambda scope, *v: scope.call(layer, *v), types, inputs)
    return built.feeds, built.run(load_backend("reference"))


PARTS = {"query": "query", "key": "key", "value": "value", "output": "attention_output"}

KERAS = {
    "self": ({}, {}, (QUERY,), {}),
    "value": ({"value_dim": 5}, {"value_dim": 5}, (QUERY, VALUE), {}),
    "key": ({"use_bias": False}, {"use_bias": False}, (QUERY, VALUE, KEY), {}),
    "mask": (
        {"masked": True, "causal": True},
        {},
        (QUERY, VALUE, MASK),
        {"attention_mask": MASK[:, None, :].repeat(5, 1), "use_causal_mask": True},
    ),
}


@witness("Keras", db.MultiHeadAttention)
@pytest.mark.parametrize(("options", "native", "inputs", "called"), KERAS.values(), ids=KERAS)
def test_multi_head_attention_equals_keras(options, native, inputs, called):
    keras = pytest.importorskip("keras")
    tf = pytest.importorskip("tensorflow")
    feeds, found = evaluated(db.MultiHeadAttention(2, 3, **options), *inputs)
    layer = keras.layers.MultiHeadAttention(2, 3, **native)
    arrays = [tf.constant(x) for x in inputs if x is not MASK]
    given = dict(
        zip(("query", "value", "key"), [*arrays, arrays[0]][: max(2, len(arrays))], strict=False)
    )
    layer(**given)
    variables = {v.path.split("/", 1)[1].replace("/", "_"): v for v in layer.variables}
    ours = {
        path: path.replace("attention_output", "output").replace("output_output", "output")
        for path in variables
    }
    for path, variable in variables.items():
        variable.assign(feeds[ours[path]].reshape(variable.shape))
    with tf.GradientTape() as tape:
        tape.watch(arrays)
        y = layer(**given, **called)
        total = tf.reduce_sum(y * feeds["weights"])
    assert_close(y.numpy(), found["value"], 5e-6, "value")
    wrt = [*arrays, *(v.value for v in variables.values())]
    names = [*(f"input_{i}" for i in range(len(arrays))), *ours.values()]
    for name, gradient in zip(names, tape.gradient(total, wrt), strict=True):
        expected = found[f"d/{name}"]
        assert_close(gradient.numpy().reshape(expected.shape), expected, 1e-5, name)


@witness("MindSpore", db.MultiHeadAttention)
@pytest.mark.parametrize("causal", [False, True])
def test_multi_head_attention_equals_mindspore(causal):
    ms = pytest.importorskip("mindspore")
    layer = db.MultiHeadAttention(2, 4, masked=True, causal=causal)
    memory = normal(3, 4, 8)
    query = memory if causal else QUERY
    mask = MASK.copy()
    mask[:, 0] = 1.0  # a row without any key spoils the rows after it in MindSpore's softmax
    feeds, found = evaluated(layer, query, memory, mask)
    native = ms.nn.MultiheadAttention(8, 2, batch_first=True)
    parts = ("query", "key", "value")
    stacked = [feeds[f"{part}_kernel"].reshape(8, 8).T for part in parts]
    weights = {
        "in_proj_weight": np.concatenate(stacked),
        "in_proj_bias": np.concatenate([feeds[f"{part}_bias"].ravel() for part in parts]),
        "out_proj.weight": feeds["output_kernel"].reshape(8, 8).T,
        "out_proj.bias": feeds["output_bias"],
    }
    for name, array in native.parameters_and_names():
        ms.ops.assign(array, ms.Tensor(np.ascontiguousarray(weights[name])))
    later = np.arange(query.shape[1])[:, None] < np.arange(4)
    value, _ = native(
        *map(ms.Tensor, (query, memory, memory)),
        key_padding_mask=ms.Tensor(mask == 0),
        attn_mask=ms.Tensor(later) if causal else None,
    )
    assert_close(value.asnumpy(), found["value"], 2e-5, "value")


def test_starts_are_those_of_mindspore():
    ms = pytest.importorskip("mindspore")
    x = db.Input((2, 400))
    model = db.Model(x, db.MultiHeadAttention.mindspore(400, 4)(x))
    run = db.compile(db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1)), "reference")
    ours = {name.split("/")[1]: array for name, array in run.parameters().items()}
    pairs = {
        "in_proj_weight": ours["query_kernel"],
        "in_proj_bias": ours["key_bias"],
        "out_proj.weight": ours["output_kernel"],
        "out_proj.bias": ours["output_bias"],
    }
    for name, array in ms.nn.MultiheadAttention(400, 4).parameters_and_names():
        theirs = array.asnumpy()
        np.testing.assert_allclose(pairs[name].std(), theirs.std(), rtol=0.08, err_msg=name)
        np.testing.assert_allclose(abs(pairs[name]).max(), abs(theirs).max(), rtol=0.02)


def test_kernels_start_as_in_keras():
    keras = pytest.importorskip("keras")
    x = db.Input((2, 200))
    model = db.Model(x, db.MultiHeadAttention(4, 30)(x))
    ours = db.compile(db.Experiment(model, "mse", "sgd"), "reference").parameters()
    native = keras.layers.MultiHeadAttention(4, 30)
    native.build((None, 2, 200), (None, 2, 200))
    for weight in native.weights:
        if weight.path.endswith("kernel"):
            name = weight.path.split("/")[-2].removeprefix("attention_")
            mine = ours[f"multi_head_attention/{name}_kernel"]
            np.testing.assert_allclose(mine.std(), weight.numpy().std(), rtol=0.02, err_msg=name)


@witness("Keras", db.Attention)
def test_attention_equals_keras():
    keras = pytest.importorskip("keras")
    layer = db.Attention(use_scale=True, causal=True, masked=True)
    feeds, found = evaluated(layer, QUERY, VALUE, KEY, MASK)
    native = keras.layers.Attention(use_scale=True)
    native.build([QUERY.shape, VALUE.shape, KEY.shape])
    native.set_weights([feeds["scale"]])
    masks = [None, MASK > 0, None]
    theirs = np.asarray(native([QUERY, VALUE, KEY], mask=masks, use_causal_mask=True))
    seen = np.ones(theirs.shape[:2], bool)
    seen[2, 0] = False  # Keras subtracts 1e9 there, and the scores round to multiples of 64
    assert_close(theirs[seen], found["value"][seen], 5e-6, "value")


SCORES = {
    "additive": ("AdditiveAttention", {}),
    "concat": ("Attention", {"score_mode": "concat", "use_scale": True}),
}


@witness("Keras", db.AdditiveAttention, db.Attention)
@pytest.mark.parametrize("name", SCORES)
def test_scores_of_sums_equal_keras(name):
    keras = pytest.importorskip("keras")
    kind, options = SCORES[name]
    feeds, found = evaluated(
        getattr(db, kind)(**options, masked=True, causal=True), QUERY, VALUE, KEY, MASK
    )
    native = getattr(keras.layers, kind)(**options)
    native.build([QUERY.shape, VALUE.shape, KEY.shape])
    native.set_weights([feeds[weight.name] for weight in native.weights])
    theirs = np.asarray(
        native([QUERY, VALUE, KEY], mask=[None, MASK > 0, None], use_causal_mask=True)
    )
    seen = np.ones(theirs.shape[:2], bool)
    seen[2, 0] = False  # as above
    assert_close(theirs[seen], found["value"][seen], 5e-6, "value")


@pytest.mark.parametrize("backend", ["reference", "tensorflow", "mindspore"])
def test_nothing_to_look_at_gives_the_mean(backend):
    if backend != "reference":
        pytest.importorskip(backend)
    types = [TensorType((BATCH, *x.shape[1:])) for x in (QUERY, KEY, MASK)]
    layer = db.Attention(masked=True)
    built = equation(
        lambda scope, *v: scope.call(layer, *v), types, [QUERY, KEY, np.zeros_like(MASK)]
    )
    found = built.run(load_backend(backend))
    expected = np.broadcast_to(KEY.mean(1, keepdims=True), QUERY.shape)
    assert_close(found["value"], expected, 1e-6, "value")
    assert not found["d/input_0"].any()


@witness("Keras", db.GroupQueryAttention)
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_a_window_of_masked_keys_gives_what_keras_gives(dropout):
    """With a dropout, a query whose window has masked keys alone finds 0."""
    keras = pytest.importorskip("keras")
    x, mask = normal(2, 6, 8), np.array([[1, 1, 1, 1, 0, 0], [0, 1, 1, 1, 1, 1]], np.float32)
    options = {"sliding_window": 2, "dropout": dropout}
    native = keras.layers.GroupQueryAttention(4, 4, 2, **options)
    native.build(x.shape, x.shape)
    for place, weight in enumerate(native.weights):
        weight.assign(normal(*weight.shape, key=place))
    theirs = np.asarray(native(x, x, value_mask=mask > 0))
    inputs = db.Input((6, 8)), db.Input((6,))
    y = db.GroupQueryAttention(4, 4, 2, **options, masked=True)(inputs[0], *inputs)
    model = db.Model(list(inputs), y)
    run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
    weights = run.experiment.program().state
    names = [name for name, array in weights.items() if array.trainable]
    arrays = [np.asarray(weight) for weight in native.weights]
    run.set_weights(dict(zip(names, arrays, strict=True)))
    assert_close(theirs, run.predict([x, mask]), 5e-6, "value")
