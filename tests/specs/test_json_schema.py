"""The JSON Schema of an experiment says what `to_json` writes and `from_json` reads."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

import dnnbridge as db
from dnnbridge import zoo
from dnnbridge.errors import DnnbridgeError
from dnnbridge.specs.json_schema import json_schema
from dnnbridge.specs.spec import Spec, kind_of, kinds
from dnnbridge.testing.cases.training_cases import TRAINING_CASES
from dnnbridge.testing.random_programs.experiments import experiments

jsonschema = pytest.importorskip("jsonschema")

FILES = Path(__file__).parents[1]
FORMER = sorted((FILES / "specs" / "former_files").glob("*.json"))
REGRESSIONS = sorted((FILES / "regressions").glob("*.json"))


@cache
def validator() -> Any:
    schema = db.Experiment.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def first_error(document: Any) -> str | None:
    found = next(validator().iter_errors(document), None)
    return None if found is None else jsonschema.exceptions.best_match([found]).message[:500]


@pytest.mark.parametrize("case", TRAINING_CASES, ids=lambda case: case.id)
def test_experiments_of_the_suite_fit(case):
    assert first_error(json.loads(case.experiment.to_json())) is None


@pytest.mark.parametrize("path", [*FORMER, *REGRESSIONS], ids=lambda path: path.stem)
def test_files_fit(path):
    experiment = db.Experiment.from_json(path.read_text(encoding="utf-8"))
    assert first_error(json.loads(experiment.to_json())) is None


MODELS = {
    "lenet5": lambda: zoo.lenet5(classes=3),
    "vgg11": lambda: zoo.vgg11((32, 32, 3), 3, (16, 16)),
    "resnet20": lambda: zoo.resnet_cifar(20, (32, 32, 3), 3),
    "resnet18": lambda: zoo.resnet18((64, 64, 3), 3),
    "lstm": lambda: zoo.lstm_classifier(50, 12, 3, 8, 8),
    "transformer": lambda: zoo.transformer_classifier(50, 12, 3, 8, 2, 16, 2),
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_models_of_the_zoo_fit(make):
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    experiment = db.Experiment(make(), loss, "adam", ["accuracy"])
    assert first_error(json.loads(experiment.to_json())) is None


@given(experiments())
@settings(max_examples=20, deadline=None, database=None, derandomize=True)
def test_random_experiments_fit(made):
    assert first_error(json.loads(made.to_json())) is None


SMALL: dict[str, Any] = {
    "format": 1,
    "kind": "Experiment",
    "model": {
        "kind": "layer.Sequential",
        "layers": [
            {"kind": "Input", "shape": [8, 8, 1]},
            {"kind": "layer.Conv2D", "filters": 2, "kernel_size": 3, "padding": "same"},
            {"kind": "layer.Dropout", "rate": 0.5},
            {"kind": "activation.Tanh"},
            {"kind": "layer.Flatten"},
            {"kind": "layer.Dense", "units": 3, "activation": "relu"},
        ],
    },
    "loss": {"kind": "loss.MeanSquaredError"},
    "optimizer": {"kind": "optimizer.SGD", "learning_rate": 0.1, "weight_decay": 0.01},
}
"""One as somebody would write it: with short forms, and without defaults."""


def changed(*path: Any, to: Any) -> dict[str, Any]:
    document = copy.deepcopy(SMALL)
    place = document
    for step in path[:-1]:
        place = place[step]
    if to is Ellipsis:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return document


def layer(number: int, field: str, to: Any) -> dict[str, Any]:
    return changed("model", "layers", number, field, to=to)


GOOD = {
    "as_it_is": SMALL,
    "optimizer_by_name": changed("optimizer", to="adam"),
    "loss_by_name": changed("loss", to="mse"),
    "metrics": changed("metrics", to=["mae", {"kind": "metric.R2Score"}, "loss"]),
    "list_of_rates": changed("optimizer", "learning_rate", to=[0.3, 0.1]),
    "momentum_of_a_schedule": changed("optimizer", "momentum", to={
        "kind": "schedule.PiecewiseConstant", "boundaries": [3], "rates": [0.9, 0.5],
    }),
    "pairs_of_a_window": layer(1, "padding", [[1, 1], [0, 2]]),
    "one_number_of_a_window": layer(1, "padding", 1),
    "sizes": layer(1, "kernel_size", [3, 2]),
    "regularizers_by_pattern": changed("regularizers", to={"*/kernel": "l2"}),
    "pairs_of_rules": changed("constraints", to=[["*/kernel", "unit_norm"], ["*", None]]),
    "accumulate": changed("accumulate", to=4),
    "loss_scale": changed("loss_scale", to=128.0),
    "rules": changed("gradients", to=[{"kind": "gradient_rule.ClipByNorm", "limit": 1}]),
    "no_activation": layer(5, "activation", None),
}  # fmt: skip


@pytest.mark.parametrize("document", GOOD.values(), ids=GOOD)
def test_short_forms_fit_and_are_read(document):
    db.Experiment.from_json(json.dumps(document))
    assert first_error(document) is None


DAMAGED = {
    "no_format": changed("format", to=...),
    "other_format": changed("format", to=2),
    "no_kind": changed("optimizer", "kind", to=...),
    "missing_model": changed("model", to=...),
    "missing_loss": changed("loss", to=...),
    "missing_units": layer(5, "units", ...),
    "missing_shape": layer(0, "shape", ...),
    "unknown_field": layer(5, "unit", 3),
    "unknown_field_of_all": changed("speed", to=3),
    "unknown_kind": layer(5, "kind", "layer.Densest"),
    "former_kind_that_is_none": layer(5, "kind", "Dense"),
    "kind_of_another_family": changed("optimizer", "kind", to="loss.MeanSquaredError"),
    "layer_as_a_loss": changed("loss", to={"kind": "layer.Flatten"}),
    "activation_that_is_a_layer": layer(5, "activation", {"kind": "layer.Flatten"}),
    "unknown_name": layer(5, "activation", "rleu"),
    "unknown_optimizer": changed("optimizer", to="adamm"),
    "text_for_a_number": layer(5, "units", "3"),
    "number_for_text": layer(5, "name", 3),
    "truth_for_a_number": layer(5, "units", True),
    "number_for_truth": layer(5, "use_bias", 1),
    "fraction_of_a_unit": layer(5, "units", 3.5),
    "no_units": layer(5, "units", 0),
    "rate_of_one": layer(2, "rate", 1.0),
    "negative_rate": changed("optimizer", "learning_rate", to=-0.1),
    "negative_rate_of_a_schedule": changed(
        "optimizer", "learning_rate", to={"kind": "schedule.ConstantSchedule", "value": -0.1}
    ),
    "negative_decay": changed("optimizer", "weight_decay", to=-0.1),
    "no_rates": changed("optimizer", "learning_rate", to=[]),
    "momentum_of_one": changed("optimizer", "momentum", to=1),
    "more_than_float32": layer(5, "activation", {
        "kind": "activation.LeakyReLU", "negative_slope": 1e39,
    }),
    "negative_seed": changed("seed", to=-1),
    "unknown_word": layer(1, "data_format", "channels"),
    "unknown_padding": layer(1, "padding", "full"),
    "causal_padding_of_images": layer(1, "padding", "causal"),
    "three_sizes": layer(1, "kernel_size", [3, 3, 3]),
    "size_of_0": layer(1, "kernel_size", 0),
    "pairs_of_three": layer(1, "padding", [[1, 1], [0, 2, 3]]),
    "no_input": changed("model", "layers", to=SMALL["model"]["layers"][1:]),
    "two_inputs": changed("model", "layers", to=SMALL["model"]["layers"][:1] * 2),
    "no_layers": changed("model", "layers", to=[]),
    "one_layer": changed("model", "layers", to=SMALL["model"]["layers"][0]),
    "unknown_dtype": layer(0, "dtype", "float64"),
    "metrics_that_are_no_list": changed("metrics", to="mae"),
    "unknown_metric": changed("metrics", to=["mea"]),
    "rules_that_are_no_pairs": changed("regularizers", to=["*/kernel", "l2"]),
    "no_steps": changed("accumulate", to=0),
    "loss_scale_of_0": changed("loss_scale", to=0),
    "nothing": {},
    "a_list": [SMALL],
    "a_layer": SMALL["model"],
}  # fmt: skip


@pytest.mark.parametrize("document", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_document_does_not_fit_and_is_not_read(document):
    assert first_error(document) is not None
    with pytest.raises(DnnbridgeError):
        db.Experiment.from_json(json.dumps(document))


def test_it_has_every_kind_with_its_fields():
    found = db.Experiment.json_schema()["$defs"]
    own = [cls for cls in kinds(Spec) if cls.__module__.startswith("dnnbridge.")]
    assert {kind_of(cls) for cls in own} <= found.keys()
    for cls in own:
        record = found[kind_of(cls)]
        assert record["additionalProperties"] is False
        assert record["properties"]["kind"] == {"const": kind_of(cls)}
        for name, form in record["properties"].items():
            assert set(form) - {"default"}, f"{cls.__name__}.{name} may be anything"
    assert found["layer.Dense"]["description"] == "activation(x @ kernel + bias)"


def test_defaults_fit():
    schema = db.Experiment.json_schema()
    for cls in kinds(Spec):
        if cls.__module__.startswith("dnnbridge."):
            for name, form in schema["$defs"][kind_of(cls)]["properties"].items():
                if "default" in form:
                    part = {**form, "$defs": schema["$defs"]}
                    found = jsonschema.Draft202012Validator(part).iter_errors(form["default"])
                    assert not list(found), f"{cls.__name__}.{name}"


def test_a_kind_of_ones_own_is_in_it():
    class Odd:
        """No type of pydantic's."""

    @db.spec
    class OwnRecord(db.AbstractActivation):
        """Something of one's own"""

        low: float = float("-inf")
        inner: db.Dense = db.Dense(3)
        any: Any = Odd

        def emit(self, scope, x):
            return x

    record = json_schema(OwnRecord)["$defs"]["activation.OwnRecord"]
    assert record["description"] == "Something of one's own"
    assert record["properties"]["low"] == {"type": "number"}
    assert record["properties"]["inner"]["$ref"] == "#/$defs/layer.Dense"
    assert record["properties"]["any"] == {}


def test_of_a_family_and_of_a_kind():
    schema = json_schema(db.AbstractLoss)
    assert schema["$ref"] == "#/$defs/loss"
    jsonschema.validate(json.loads(db.Huber(0.5).to_json()), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(db.Dense(3).to_json()), schema)
    assert json_schema(db.Dense)["$ref"] == "#/$defs/layer.Dense"
