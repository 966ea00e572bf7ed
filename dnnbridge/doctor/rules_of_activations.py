"""Rules about activations: defaults, and kernels that are wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from dnnbridge import activations, layers
from dnnbridge.activations import AbstractActivation
from dnnbridge.doctor.native_code import call, lines
from dnnbridge.doctor.rule import Place, Places, Remedy, Rule, never
from dnnbridge.doctor.subject import Framework, PlacedLayer, Subject

ATTENTION = (layers.MultiHeadAttention, layers.Attention, layers.GroupQueryAttention)

STABLE = "ops.log1p(ops.exp(-ops.abs(x)))"
"""log(1 + exp(-|x|)), which is small for a large |x| of either sign."""


def used(
    kind: type[AbstractActivation],
    note: Callable[[Any], str] = lambda spec: "",
    fits: Callable[[PlacedLayer, Any], bool] = lambda each, spec: True,
) -> Places:
    """Return what finds the activations of a class, each once per layer."""

    def places(subject: Subject) -> Iterator[Place]:
        seen = set()
        for each, spec in subject.activations(kind):
            if fits(each, spec) and (each.path, spec) not in seen:
                seen.add((each.path, spec))
                yield Place(each.path, spec, note(spec), each.shape, each.weights)

    return places


def function(name: str, *equation: str) -> str:
    """Return the definition of a function of x."""
    *before, last = equation
    return lines(f"def {name}(x):", *(f"    {line}" for line in before), f"    return {last}")


def _tanh(place: Place) -> Remedy:
    written = function("tanh", "e = ops.exp(-2 * ops.abs(x))", "ops.sign(x) * (1 - e) / (1 + e)")
    return Remedy("keras.activations.tanh", written)


def _has_own_kernel(place: Place) -> bool:
    found = {each.path: each.layer for each in place.subject.layers}
    return isinstance(found.get(place.where), layers.LSTM)


def _gelu(place: Place) -> Remedy:
    flag = place.spec.approximate
    return Remedy(
        f"lambda x: keras.activations.gelu(x, approximate={flag})",
        call("nn.GELU", approximate=flag),
    )


def _leaky(place: Place) -> Remedy:
    slope = place.spec.negative_slope
    return Remedy(
        call("keras.layers.LeakyReLU", negative_slope=slope), call("nn.LeakyReLU", alpha=slope)
    )


def _other_slope(place: Place, to: Framework) -> bool:
    there = activations.LeakyReLU.mindspore().negative_slope if to == "mindspore" else 0.3
    return bool(place.spec.negative_slope != there)


def _elu(place: Place) -> Remedy:
    a = place.spec.alpha
    return Remedy(
        f"lambda x: keras.activations.elu(x, alpha={a!r})",
        function("elu", f"ops.where(x > 0, x, {a!r} * (ops.exp(ops.minimum(x, 0.0)) - 1))"),
    )


def _selu(place: Place) -> Remedy:
    scale, a = 1.0507009873554805, 1.6732632423543772
    below = f"{a} * (ops.exp(ops.minimum(x, 0.0)) - 1)"
    return Remedy(
        "keras.activations.selu", function("selu", f"{scale} * ops.where(x > 0, x, {below})")
    )


def _mish(place: Place) -> Remedy:
    return Remedy(
        "keras.activations.mish",
        function(
            "mish",
            "e = ops.exp(-ops.abs(x))",
            "n = ops.where(x > 0, 1 + 2 * e, e * e + 2 * e)",
            "d = ops.where(x > 0, 1 + 2 * e + 2 * e * e, e * e + 2 * e + 2)",
            "x * n / d",
        ),
    )


def _written(name: str, keras: str, equation: str) -> Callable[[Place], Remedy]:
    return lambda place: Remedy(f"keras.activations.{keras}", function(name, equation))


def _attending(subject: Subject) -> Iterator[Place]:
    for each in subject.of(*ATTENTION):
        yield Place(each.path, each.layer, "", each.shape, each.weights)


RULES: tuple[Rule, ...] = (
    Rule(
        name="tanh",
        stage="layer",
        keras=("Activation", "SimpleRNN", "GRU"),
        mindspore=("Tanh", "RNN", "GRU"),
        places=used(activations.Tanh),
        says="`ops.tanh` is off by up to 1e-4 on a CPU, and `nn.GRU` and `nn.RNN` use it.",
        remedy=_tanh,
        bites=lambda place, to: not _has_own_kernel(place),
    ),
    Rule(
        name="softmax-masked-row",
        stage="layer",
        keras=("MultiHeadAttention",),
        mindspore=("Softmax",),
        places=_attending,
        says="`ops.softmax` on a CPU leaves the rows after a masked one unwritten.",
        remedy=never,
        unseen="It depends on the masks of a batch.",
    ),
    Rule(
        name="gelu-approximate",
        stage="layer",
        keras=("gelu",),
        mindspore=("GELU",),
        places=used(activations.GELU, lambda spec: "by tanh" if spec.approximate else "exact"),
        says="MindSpore's GELU is the approximation by tanh unless told, Keras' the exact one.",
        remedy=_gelu,
        bites=lambda place, to: place.spec.approximate != (to == "mindspore"),
    ),
    Rule(
        name="leaky-relu-slope",
        stage="layer",
        keras=("LeakyReLU",),
        mindspore=("LeakyReLU",),
        places=used(activations.LeakyReLU, lambda spec: f"slope {spec.negative_slope:g}"),
        says="The slope is 0.2 by default in MindSpore and 0.3 in Keras' layer.",
        remedy=_leaky,
        bites=_other_slope,
    ),
    Rule(
        name="elu-alpha",
        stage="layer",
        keras=("ELU",),
        mindspore=("ELU",),
        places=used(
            activations.ELU, lambda spec: f"alpha {spec.alpha:g}", lambda _, spec: spec.alpha != 1
        ),
        says="MindSpore's ELU takes no alpha but 1.",
        remedy=_elu,
    ),
    Rule(
        name="celu-zero",
        stage="gradient",
        keras=("celu",),
        mindspore=("CELU",),
        places=used(activations.CELU),
        says="At 0 exactly, the gradient of Keras' CELU is 2 and not 1.",
        remedy=never,
        unseen="It shows at 0 exactly, which inputs of a training are not.",
    ),
    Rule(
        name="selu-gradient",
        stage="gradient",
        keras=("selu",),
        mindspore=("SeLU",),
        places=used(activations.SELU),
        says="The gradient of MindSpore's SeLU is wrong for numbers below 0.",
        remedy=_selu,
    ),
    Rule(
        name="mish-overflow",
        stage="layer",
        keras=("mish",),
        mindspore=("Mish",),
        places=used(activations.Mish),
        says="MindSpore's Mish is NaN for numbers above 44.",
        remedy=_mish,
        only="numbers above 44",
    ),
    Rule(
        name="log-sigmoid-overflow",
        stage="layer",
        keras=("log_sigmoid",),
        mindspore=("LogSigmoid",),
        places=used(activations.LogSigmoid),
        says="MindSpore's LogSigmoid of -100 is -inf, not -100.",
        remedy=_written("log_sigmoid", "log_sigmoid", f"ops.minimum(x, 0.0) - {STABLE}"),
        only="numbers below -88",
    ),
    Rule(
        name="softplus-underflow",
        stage="layer",
        keras=("softplus",),
        mindspore=("Softplus",),
        places=used(activations.Softplus),
        says="MindSpore's softplus of -20 is 0, not 2e-9.",
        remedy=_written("softplus", "softplus", f"ops.relu(x) + {STABLE}"),
        only="numbers below -16",
    ),
)
