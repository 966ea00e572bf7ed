"""Which layers share weights depends on values and paths, not on objects or earlier calls."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from new_process import predictions_elsewhere
from own_layers import (
    ClosedOver,
    MadeInEmit,
    NoName,
    OneField,
    OwnBlock,
    SameName,
    TiedTable,
    TwoWrappers,
)

import dnnbridge as db
from dnnbridge.errors import SpecError
from dnnbridge.models import ModelNode
from dnnbridge.program import build

X = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
DENSE, SAME = db.Dense(4), db.Dense(4)


@pytest.fixture(autouse=True)
def nothing_built():
    """Forget programs, so that an accepted model cannot make the next one accepted."""
    build.forget()


def experiment(*layers, shape=(4,)):
    """Return an experiment with a `Model`, which does not trace its layers on construction."""
    x = db.Input(shape)
    y = x
    for layer in layers:
        y = layer(y)
    return db.Experiment(db.Model(x, y), db.MeanSquaredError(), db.SGD(0.1))


def names(made):
    return list(db.compile(made, "reference").parameters())


SHARED = {
    "one object": (SameName(DENSE, DENSE), "same_name/d"),
    "equal objects": (SameName(DENSE, SAME), "same_name/d"),
    "one field": (OneField(DENSE), "one_field"),
    "around the class": (ClosedOver(), "closed_over"),
    "tied": (TiedTable(DENSE), "tied_table/table"),
    "two activations": (db.Dense(4, "prelu"), "dense"),
}

COPIES = {
    "itself": lambda made: made,
    "JSON": lambda made: db.Experiment.from_json(made.to_json()),
    "deepcopy": copy.deepcopy,
    "replace": lambda made: made.replace(model=made.model.replace(name="other")),
}


@pytest.mark.parametrize("again", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize(("layer", "path"), SHARED.values(), ids=SHARED)
def test_equal_layers_under_one_path_share(layer, path, again):
    made = experiment(layer)
    build.forget()
    found = names(again(made))
    assert found[:2] == [f"{path}/kernel", f"{path}/bias"]
    assert len(found) == 2 + (layer == db.Dense(4, "prelu"))


UNLIKE = "two different layers have the same path"
UNNAMED = "two arrays have the name kernel.*name=…"
REFUSED = {
    "activation": (SameName(DENSE, db.Dense(4, "relu")), f"d: {UNLIKE}.* Linear.* and ReLU"),
    "kind": (SameName(DENSE, OneField(DENSE)), f"d: {UNLIKE}, got Dense and OneField"),
    "name": (SameName(DENSE, db.Dense(4, name="a")), f"{UNLIKE}.* with name None and 'a'"),
    "unnamed, equal": (NoName(DENSE, SAME), f"no_name.*: {UNNAMED}"),
    "unnamed, one object": (NoName(DENSE, DENSE), f"no_name.*: {UNNAMED}"),
    "unnamed, unlike": (NoName(DENSE, db.Dense(4, "relu")), f"no_name.*: {UNNAMED}"),
    "made twice": (MadeInEmit(), f"made_in_emit.*: {UNNAMED}"),
}


@pytest.mark.parametrize(("layer", "what"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_share_is_refused_always(layer, what):
    """They are refused the first time, again, and after a similar model was accepted."""
    for made in ([layer], [SameName(DENSE, DENSE), layer], [layer, SameName(DENSE, SAME)]):
        with pytest.raises(SpecError, match=what):
            experiment(*made)


def test_wrappers_without_names_are_not_one():
    with pytest.raises(
        SpecError, match=r"two_wrappers/layer: two arrays have the name kernel.*name=…"
    ):
        experiment(TwoWrappers(), shape=(3, 4))


def test_a_cached_program_accepts_nothing_more():
    """`NoName` with one object equals `NoName` with two, so both are treated alike."""
    assert NoName(DENSE, DENSE) == NoName(DENSE, SAME)
    for layer in (SameName(DENSE, DENSE), SameName(DENSE, SAME)):
        assert experiment(layer).program() is experiment(SameName(DENSE, DENSE)).program()


def test_equal_layers_of_a_model_have_weights_of_their_own():
    both = [db.Dense(4), db.Dense(4)]
    models = [experiment(*both).model, db.Sequential([db.Input((4,)), *both])]
    for model in models:
        made = db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1))
        for again in (made, db.Experiment.from_json(made.to_json()), copy.deepcopy(made)):
            found = db.compile(again, "reference").parameters()
            assert list(found) == [f"dense{n}/{w}" for n in ("", "_1") for w in ("kernel", "bias")]
            assert np.any(found["dense/kernel"] != found["dense_1/kernel"])


def test_a_layer_called_on_other_features_is_told_so():
    x = db.Input((4,))
    narrow, dense = db.Dense(3), db.Dense(2)
    with pytest.raises(SpecError, match=r"dense: .*\(4, 2\) and \(3, 2\).*same number of features"):
        db.Experiment(
            db.Model(x, db.Add()(dense(x), dense(narrow(x)))), db.MeanSquaredError(), db.SGD(0.1)
        )


NODES = {
    "unknown": ("second", "nothing", DENSE),
    "itself": ("second", "second", DENSE),
    "unlike": ("second", "dense", db.Dense(4, "relu")),
}


@pytest.mark.parametrize(("name", "shares", "layer"), NODES.values(), ids=NODES)
def test_a_node_shares_with_the_first_call_of_an_equal_layer(name, shares, layer):
    x = db.Input((4,))
    model = db.Model(x, db.Dense(4)(x))
    node = ModelNode(name, layer, ("dense",), shares)
    with pytest.raises(SpecError, match=f"{name}: shares must be the first call of an equal layer"):
        model.replace(nodes=(*model.nodes, node), outputs=(name,))


INNER = db.Input((4,))
COMPOSITES = {
    "own": (OwnBlock(), (4,)),
    "own of one field": (OneField(DENSE), (4,)),
    "Bidirectional": (db.Bidirectional(db.LSTM(2)), (3, 4)),
    "TimeDistributed": (db.TimeDistributed(OneField(DENSE)), (3, 4)),
    "MultiHeadAttention": (db.MultiHeadAttention(2, 3), (3, 4)),
    "Sequential": (db.Sequential([INNER, db.Dense(4), OwnBlock()]), (4,)),
    "Model": (db.Model(INNER, db.Add()(DENSE(DENSE(INNER)), OwnBlock()(INNER))), (4,)),
}


@pytest.mark.parametrize(("layer", "shape"), COMPOSITES.values(), ids=COMPOSITES)
def test_a_composite_called_twice_has_its_weights_once(layer, shape):
    x, y = db.Input(shape), db.Input(shape)
    once = db.Model(x, layer(x))
    twice = db.Model([x, y], [layer(x), layer(y)])
    loss = db.MeanSquaredError()
    one = db.compile(db.Experiment(once, loss, db.SGD(0.1)), "reference")
    heads = [db.Head(name, loss) for name in twice.output_names]
    made = db.Experiment(twice, heads, db.SGD(0.1))
    two = db.compile(db.Experiment.from_json(made.to_json()), "reference")
    assert list(two.state()) == list(one.state())
    rng = np.random.default_rng(0)
    given = [rng.normal(size=(5, *shape)) for _ in range(2)]
    found = two.predict(given)
    for name, array in zip(twice.output_names, given, strict=True):
        np.testing.assert_array_equal(found[name], one.predict(array))


def test_another_process_accepts_what_this_one_does(tmp_path):
    """Save in this process, which has the objects, and load in another, which does not."""
    expected = {}
    for k, (layer, _) in enumerate(SHARED.values()):
        run = db.compile(experiment(layer, OwnBlock()), "reference")
        run.fit(X, X, 2, 1)
        run.save(tmp_path / f"{k}.safetensors")
        np.savez(tmp_path / f"{k}.npz", input=X)
        expected[str(k)] = run.predict(X)
    found = predictions_elsewhere(tmp_path, "reference")
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert "error" not in found[name], found[name]["error"]
        np.testing.assert_array_equal(found[name]["prediction"], array)
