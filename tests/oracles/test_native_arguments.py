"""Our constructor for a native class takes each of its arguments, or refuses it by name."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import warnings

import keras
import mindspore
import numpy as np
import pytest
from mindspore import nn

import dnnbridge as db
from dnnbridge.errors import ArgumentError
from dnnbridge.specs.native_arguments import COMMON, LACKING, OWN, refused
from dnnbridge.specs.spec import Spec, family_of, kind_of, kinds

KERAS = keras.optimizers
NATIVE = {
    ("TruncatedNormal", "keras"): [keras.initializers.TruncatedNormal],
    ("TruncatedNormal", "mindspore"): [mindspore.common.initializer.TruncatedNormal],
    ("VarianceScaling", "mindspore"): [mindspore.common.initializer.VarianceScaling],
    ("GlorotNormal", "mindspore"): [mindspore.common.initializer.XavierNormal],
    ("GlorotUniform", "mindspore"): [mindspore.common.initializer.XavierUniform],
    ("HeNormal", "mindspore"): [mindspore.common.initializer.HeNormal],
    ("HeUniform", "mindspore"): [mindspore.common.initializer.HeUniform],
    ("CosineDecay", "keras"): [KERAS.schedules.CosineDecay],
    ("PiecewiseConstant", "keras"): [KERAS.schedules.PiecewiseConstantDecay],
    ("PiecewiseConstant", "mindspore"): [nn.piecewise_constant_lr],
    ("Plateau", "keras"): [keras.callbacks.ReduceLROnPlateau],
    ("BinaryCrossentropy", "mindspore"): [nn.BCEWithLogitsLoss],
    ("SparseCategoricalCrossentropy", "mindspore"): [nn.CrossEntropyLoss],
    ("CategoricalCrossentropy", "mindspore"): [nn.CrossEntropyLoss],
    ("CategoricalFocalCrossentropy", "mindspore"): [nn.FocalLoss],
    ("CTC", "keras"): [keras.losses.CTC],
    ("Poisson", "keras"): [keras.losses.Poisson],
    ("Poisson", "mindspore"): [nn.PoissonNLLLoss],
    ("Adafactor", "keras"): [KERAS.Adafactor],
    ("Adafactor", "mindspore"): [nn.AdaFactor],
    ("Adagrad", "keras"): [KERAS.Adagrad],
    ("Adagrad", "mindspore"): [nn.Adagrad],
    ("RMSprop", "keras"): [KERAS.RMSprop],
    ("RMSprop", "mindspore"): [nn.RMSProp],
    ("Adadelta", "keras"): [KERAS.Adadelta],
    ("Adadelta", "mindspore"): [nn.Adadelta],
    ("Adam", "keras"): [KERAS.Adam],
    ("Adam", "mindspore"): [nn.Adam, nn.AdamOffload],
    ("LazyAdam", "mindspore"): [nn.LazyAdam],
    ("AdamW", "keras"): [KERAS.AdamW],
    ("AdamW", "mindspore"): [nn.AdamWeightDecay],
    ("ASGD", "mindspore"): [nn.ASGD],
    ("Lamb", "keras"): [KERAS.Lamb],
    ("Lamb", "mindspore"): [nn.Lamb],
    ("LARS", "mindspore"): [nn.LARS],
    ("Adamax", "keras"): [KERAS.Adamax],
    ("Adamax", "mindspore"): [nn.AdaMax],
    ("Nadam", "keras"): [KERAS.Nadam],
    ("Lion", "keras"): [KERAS.Lion],
    ("Ftrl", "keras"): [KERAS.Ftrl],
    ("Ftrl", "mindspore"): [nn.FTRL],
    ("ProximalAdagrad", "mindspore"): [nn.ProximalAdagrad],
    ("Rprop", "mindspore"): [nn.Rprop],
    ("SGD", "keras"): [KERAS.SGD],
    ("SGD", "mindspore"): [nn.SGD],
    ("ReLU", "keras"): [keras.layers.ReLU],
    ("LeakyReLU", "keras"): [keras.layers.LeakyReLU],
    ("LeakyReLU", "mindspore"): [nn.LeakyReLU],
    ("PReLU", "keras"): [keras.layers.PReLU],
    ("PReLU", "mindspore"): [nn.PReLU],
    ("GELU", "keras"): [keras.activations.gelu],
    ("GELU", "mindspore"): [nn.GELU],
    ("MaxNorm", "keras"): [keras.constraints.MaxNorm],
    ("UnitNorm", "keras"): [keras.constraints.UnitNorm],
    ("MinMaxNorm", "keras"): [keras.constraints.MinMaxNorm],
    ("MultiHeadAttention", "mindspore"): [nn.MultiheadAttention],
    ("BatchNormalization", "mindspore"): [nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d],
    ("Conv2D", "mindspore"): [nn.Conv2d],
    ("Conv2DTranspose", "mindspore"): [nn.Conv2dTranspose],
    ("Dense", "mindspore"): [nn.Dense],
    ("Embedding", "mindspore"): [nn.Embedding],
    ("LayerNormalization", "mindspore"): [nn.LayerNorm],
    ("GroupNormalization", "mindspore"): [nn.GroupNorm],
    ("InstanceNorm", "mindspore"): [nn.InstanceNorm2d],
    ("MaxPooling2D", "mindspore"): [nn.MaxPool2d],
    ("AveragePooling2D", "mindspore"): [nn.AvgPool2d],
    ("SimpleRNN", "mindspore"): [nn.RNN],
    ("LSTM", "mindspore"): [nn.LSTM],
    ("GRU", "mindspore"): [nn.GRU],
}
"""The native classes that each constructor imitates."""

DEFAULTS = {
    ("Dense.mindspore", "activation"): "None is linear",
    ("Embedding.mindspore", "embedding_table"): '"normal" there is N(0, 0.01)',
}
"""Defaults that are written differently and mean the same."""

CONSTRUCTORS = [
    pytest.param(cls, framework, id=f"{cls.__name__}.{framework}")
    for name in db.__all__
    if isinstance(cls := getattr(db, name), type) and issubclass(cls, Spec)
    for framework in ("keras", "mindspore")
    if framework in vars(cls)
]


def native_arguments(native: type) -> dict[str, object]:
    """Return the arguments of a native class, with their defaults if these are literals."""
    found = {
        name: p.default if p.default is not p.empty else NotImplemented
        for name, p in inspect.signature(native).parameters.items()
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    }
    return found or written_arguments(native) or documented_arguments(native)


def written_arguments(native: type) -> dict[str, object]:
    """Return the arguments from the source, because a decorator hides them from `inspect`."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(native))).body[0]
    (init,) = [f for f in tree.body if isinstance(f, ast.FunctionDef) and f.name == "__init__"]
    names = [argument.arg for argument in init.args.args[1:]]
    missing = [NotImplemented] * (len(names) - len(init.args.defaults))
    values = [_literal(default) for default in init.args.defaults]
    return dict(zip(names, [*missing, *values], strict=True))


def _literal(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return NotImplemented


def documented_arguments(native: type) -> dict[str, object]:
    """Return the arguments from the docstring."""
    section = re.search(r"Args:\n(.*?)\n\s*\n", inspect.getdoc(native), re.S).group(1)
    return dict.fromkeys(re.findall(r"^ {4}(\w+) \(", section, re.M), NotImplemented)


@pytest.mark.parametrize(("cls", "framework"), CONSTRUCTORS)
def test_every_argument_is_taken_or_refused_by_name(cls, framework):
    taken = inspect.signature(getattr(cls, framework)).parameters
    hints = refused(kind_of(cls), framework)
    for native in NATIVE[cls.__name__, framework]:
        arguments = native_arguments(native)
        assert arguments
        assert not arguments.keys() - taken.keys() - hints.keys(), native
        for name in (arguments.keys() & hints.keys()) - taken.keys():
            with pytest.raises(ArgumentError, match=re.escape(hints[name])):
                getattr(cls, framework)(**{name: 1})
    assert not taken.keys() & OWN.get((kind_of(cls), framework), {}).keys()


@pytest.mark.parametrize(("cls", "framework"), CONSTRUCTORS)
def test_defaults_are_those_of_the_class(cls, framework):
    ours = inspect.signature(getattr(cls, framework)).parameters
    for native in NATIVE.get((cls.__name__, framework), []):
        for name, theirs in native_arguments(native).items():
            if name not in ours or theirs is NotImplemented or theirs is inspect.Parameter.empty:
                continue
            if (f"{cls.__name__}.{framework}", name) in DEFAULTS:
                continue
            default = ours[name].default
            assert str(default).lower() == str(theirs).lower() or default == theirs, name


def test_every_row_of_hints_is_about_a_constructor():
    families = {(family_of(p.values[0]), p.values[1]) for p in CONSTRUCTORS}
    known = {(kind_of(p.values[0]), p.values[1]) for p in CONSTRUCTORS}
    assert COMMON.keys() <= families
    assert OWN.keys() <= known
    assert {kind_of(cls) for cls in kinds(Spec)} >= {kind for kind, _ in OWN}


SCALED = [db.SGD, db.Adam, db.RMSprop, db.Adagrad, db.Adadelta, db.Adamax, db.Ftrl]


@pytest.mark.parametrize("cls", SCALED)
def test_loss_scale_is_that_of_mindspore(cls):
    (native,) = NATIVE[cls.__name__, "mindspore"][:1]
    weight = mindspore.Parameter(np.ones((2, 3), np.float32), name="kernel")
    live = native([weight], learning_rate=0.1, loss_scale=8.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", db.NativeDifferenceWarning)
        read = db.optimizers.from_native(live)
    assert cls.mindspore(0.1, loss_scale=8.0) == read


def test_every_row_of_lacking_arguments_is_about_one_of_keras():
    for kind, hints in LACKING.items():
        name = kind.removeprefix("layer.")
        theirs = set(inspect.signature(getattr(keras.layers, name).__init__).parameters)
        ours = set(inspect.signature(getattr(db, name)).parameters)
        assert hints.keys() <= theirs - ours, name
        assert theirs - ours - hints.keys() <= {"self", "kwargs", "dtype"}, name
