"""What a conversion did about the differences of layers and activations, by their rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dnnbridge.cli.conversion_done import (
    Done,
    Words,
    crosses,
    said,
    to_mindspore,
    trains_in_mindspore,
    with_line,
)
from dnnbridge.cli.conversion_facts import Facts
from dnnbridge.doctor.rule import Place

Places = Sequence[Place]


def _channels(facts: Facts, places: Places) -> str:
    if not facts.to_mindspore:
        return "The kernels were transposed."
    return (
        "The kernels were transposed. The file moves the channels to the front before these "
        "layers, so inputs and outputs of the model keep their layout."
    )


def _batch_norm(facts: Facts, places: Places) -> str:
    line = facts.line("BatchNorm(")
    line = facts.line("= BatchNorm(") or line
    return f"Written with the numbers of this model{': ' + line if '=' in line else ''}."


def _variance(facts: Facts, places: Places) -> str:
    if not facts.to_mindspore:
        return "The statistics were copied. Keras follows the biased variance from here on."
    if facts.trains:
        return (
            "`nn.BatchNorm2d` is not used: the class `BatchNorm` or the equation in the file "
            "follows what is in brackets."
        )
    return "None was needed: the file only predicts, with the running statistics as they are."


def _lstm_biases(facts: Facts, places: Places) -> str:
    if facts.line("nn.LSTM("):
        return "The bias is `bias_ih_l0` in model.ckpt; `bias_hh_l0` is 0 and is not trained."
    return "`nn.LSTM` is not used: the layer is written from its equation, with one bias."


def _gru(facts: Facts, places: Places) -> str:
    if facts.to_mindspore:
        return "`nn.GRU` is not used: the layer is written from its equation, with Keras' order."
    return "The blocks were put in Keras' order."


def _tanh(facts: Facts, places: Places) -> str:
    parts = []
    if "def tanh(" in facts.source:
        parts.append("The function `tanh` of the file is used instead; it is exact to 3e-7.")
    if "nn.LSTM(" in facts.source:
        parts.append("`nn.LSTM` has a kernel of its own, without this error.")
    return " ".join(parts) or "It is written with another formula."


def _equation(native: str) -> Words:
    """Say whether the file calls the native function or has its equation."""

    def say(facts: Facts, places: Places) -> str:
        used = f"ops.{native}(" in facts.source
        return f"The file calls `ops.{native}`." if used else WRITTEN_OUT

    return say


WRITTEN_OUT = "Its equation is written out instead."

DONE_OF_LAYERS: Mapping[str, Done] = {
    "dense-layout": Done(crosses, said("The kernels were transposed.")),
    "conv-defaults": Done(to_mindspore, with_line("The file states both", "pad_mode=")),
    "conv-nhwc": Done(crosses, _channels),
    "flatten-order": Done(
        to_mindspore,
        said(
            "The file moves the channels to the end before it flattens; the kernel keeps its rows."
        ),
    ),
    "batch-norm-defaults": Done(crosses, _batch_norm),
    "batch-norm-variance": Done(crosses, _variance),
    "batch-norm-one": Done(
        trains_in_mindspore,
        said("The file computes the factor n / max(n - 1, 1), or none where it is biased."),
    ),
    "dropout-argument": Done(
        trains_in_mindspore,
        said(
            "`nn.Dropout` is not used: `train` of the file draws the masks that dnnbridge draws, "
            "with this rate, and divides by 1 - rate."
        ),
    ),
    "layer-norm-epsilon": Done(crosses, with_line("It is stated", "nn.LayerNorm(")),
    "max-pool-defaults": Done(to_mindspore, with_line("Windows and strides are stated", "Pool2d(")),
    "average-pool-padding": Done(
        to_mindspore, said("The pool is written from its equation, which counts it.")
    ),
    "embedding-padding": Done(
        trains_in_mindspore, said("The file writes the embedding from its equation.")
    ),
    "lstm-biases": Done(
        to_mindspore, _lstm_biases, lambda place: not place.spec.use_recurrent_bias
    ),
    "gru-order": Done(crosses, _gru),
    "tanh": Done(to_mindspore, _tanh),
    "softmax-masked-row": Done(
        to_mindspore, said("Another formula is used instead: the function `softmax` of the file.")
    ),
    "gelu-approximate": Done(to_mindspore, said("What is in brackets is written out.")),
    "leaky-relu-slope": Done(to_mindspore, said("The slope in brackets is written.")),
    "elu-alpha": Done(to_mindspore, said(WRITTEN_OUT)),
    "celu-zero": Done(
        lambda facts: facts.to_keras and facts.trains,
        said("Nothing: Keras computes it. An input of 0 is rare."),
    ),
    "selu-gradient": Done(to_mindspore, _equation("selu")),
    "mish-overflow": Done(to_mindspore, _equation("mish")),
    "log-sigmoid-overflow": Done(to_mindspore, _equation("logsigmoid")),
    "softplus-underflow": Done(to_mindspore, _equation("softplus")),
}
"""What the report of a file that predicts may say, by the name of a rule."""
