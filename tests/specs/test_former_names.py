"""Files and programs with the names of version 0.1 work as before.

`former_files` was made with that version: experiments, checkpoints after one epoch, and the data,
predictions and arrays of two more epochs on the reference.
"""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge import ops
from dnnbridge.base.warning import FormerNameWarning
from dnnbridge.errors import ArgumentError, SpecError
from dnnbridge.specs.former_names import CLASSES, FIELDS, present_label, present_weight

FOLDER = Path(__file__).parent / "former_files"
NAMES = sorted(path.stem for path in FOLDER.glob("*.safetensors"))


@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_goes_on_as_it_did(name):
    run = db.load(FOLDER / f"{name}.safetensors", backend="reference")
    with np.load(FOLDER / f"{name}.npz") as given:
        arrays = dict(given)
    x, y = arrays["x"], arrays["y"]
    # Another processor may round products of matrices in another way.
    np.testing.assert_allclose(run.predict(x), arrays["predictions"], rtol=1e-12, atol=1e-14)
    run.fit(x, y, batch_size=4, epochs=2)
    state = run.state()
    then = {present_weight(k[5:]): v for k, v in arrays.items() if k.startswith("then ")}
    assert state.keys() == then.keys()
    for key, wanted in then.items():
        np.testing.assert_allclose(state[key], wanted, rtol=1e-12, atol=1e-14, err_msg=key)


@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_is_written_with_present_names(name):
    former = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    experiment = db.Experiment.from_json(former)
    text = experiment.to_json()
    assert db.Experiment.from_json(text) == experiment
    assert not [n for n in CLASSES if f'.{n}"' in text]


def test_the_files_hold_every_former_name():
    text = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json"))
    focal = {"BinaryFocalCrossEntropy", "CategoricalFocalCrossEntropy"}  # renamed as the others
    assert {n for n in CLASSES if f'.{n}"' not in text} == focal


@pytest.mark.parametrize(("former", "now"), CLASSES.items())
def test_a_former_class_is_the_present_one_with_a_warning(former, now):
    with pytest.warns(FormerNameWarning, match=f"{former} is called {now} now"):
        assert getattr(db, former) is getattr(db, now)


@pytest.mark.parametrize("package", ["layers", "losses", "metrics", "optimizers"])
def test_packages_know_them_too(package):
    import importlib

    module = importlib.import_module(f"dnnbridge.{package}")
    former = next(f for f, now in CLASSES.items() if hasattr(module, now))
    with pytest.warns(FormerNameWarning, match=former):
        assert getattr(module, former) is getattr(module, CLASSES[former])
    with pytest.raises(AttributeError, match="has no Nothing"):
        _ = module.Nothing


REQUIRED = {
    "AveragePooling1D": (2,),
    "AveragePooling2D": (2,),
    "AveragePooling3D": (2,),
    "Embedding": (9, 4),
    "Plateau": (0.1,),
}
VALUES = {"ignore_class": 3, "count_include_pad": True, "padding_idx": 1}


@pytest.mark.parametrize(
    ("name", "former"), [(name, field) for name, fields in FIELDS.items() for field in fields]
)
def test_a_former_argument_is_the_present_one_with_a_warning(name, former):
    now, cls = FIELDS[name][former], getattr(db, name)
    value = VALUES.get(now, "ones" if "initializer" in now else 0.25)
    given = REQUIRED.get(name, ())
    with pytest.warns(FormerNameWarning, match=f"{name}'s {former} is called {now}"):
        made = cls(*given, **{former: value})
    assert made == cls(*given, **{now: value})
    with pytest.warns(FormerNameWarning):
        assert getattr(made, former) == getattr(made, now)
    with pytest.warns(FormerNameWarning):
        assert made.replace(**{former: value}) == made


def test_both_names_of_an_argument_are_refused():
    with pytest.raises(SpecError, match=r"MaxNorm\.limit: unknown argument"):
        db.MaxNorm(limit=1.0, max_value=2.0)


def test_a_class_of_ones_own_keeps_its_names():
    @db.spec
    class Plateau(db.AbstractConstraint):
        minimum: float = 0.5

        def emit(self, p):
            return ops.maximum(p, self.minimum)

    assert Plateau(minimum=0.25).minimum == 0.25


def test_patterns_of_weights_find_layers_by_their_former_names():
    model = db.Sequential([db.Input((3,)), db.Dense(2), db.BatchNormalization()])
    given = (model, "mse", db.SGD(0.1))
    run = db.compile(db.Experiment(*given, frozen=("batch_norm/*",)), "reference")
    run.fit(np.eye(3), np.eye(3)[:, :2], 3, 1)
    weights = run.state()
    assert not weights["batch_normalization/beta"].any()
    assert weights["dense/bias"].any()


def test_former_names_of_weights_and_metrics():
    assert present_weight("body/batch_norm_1/gamma:m") == "body/batch_normalization_1/gamma:m"
    assert present_weight("batch_normed/gamma") == "batch_normed/gamma"
    assert present_label("val_head_top_k_accuracy") == "val_head_top_k_categorical_accuracy"
    assert present_label("binary_cross_entropy") == "binary_crossentropy"
    assert present_label("accuracy") == "accuracy"


def test_a_spec_can_be_copied():
    assert copy.deepcopy(db.MaxNorm(1.0)) == copy.copy(db.MaxNorm(1.0)) == db.MaxNorm(1.0)


def test_the_former_name_of_a_position():
    model = db.Sequential([db.Input((3,)), db.Dense(2)])
    run = db.compile(db.Experiment(model, "mse", db.SGD(0.1)), "reference")
    run.fit(np.eye(3), np.eye(3)[:, :2], 3, 2)
    with pytest.warns(FormerNameWarning, match=r"Run.progress is called position now"):
        assert run.progress == run.position
    again = db.compile(run.experiment, "reference")
    with pytest.warns(FormerNameWarning, match="set_state's progress is called position now"):
        again.set_state(run.state(), progress=run.position)
    assert again.position.step == 2
    with pytest.raises(ArgumentError, match="set_state: unknown argument, got progress"):
        again.set_state(run.state(), run.position, progress=run.position, position=run.position)
