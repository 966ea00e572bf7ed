"""Which differences of MindSpore and Keras concern the layers of a model, and what was done."""

from __future__ import annotations

from typing import Any

from dnnbridge import layers
from dnnbridge.cli.conversion_facts import Concern, Facts, Rules, listed

CONVOLUTIONS = (layers.Conv1D, layers.Conv2D, layers.Conv3D, layers.DepthwiseConv2D)
POOLS = (layers.MaxPooling2D, layers.AveragePooling2D)


def _dense_layout(facts: Facts) -> Concern | None:
    found = [
        f"{path} {shape}"
        for path, _ in facts.layers(layers.Dense)
        if len(shape := facts.shape(path, "kernel")) == 2
    ]
    if not found or not facts.crosses:
        return None
    says = "Keras keeps a kernel as (inputs, outputs), MindSpore as (outputs, inputs)."
    return Concern(listed(found), says, "The kernels were transposed.")


def _conv_layout(facts: Facts) -> Concern | None:
    found = [path for path, _ in facts.layers(*CONVOLUTIONS)]
    if not found or not facts.crosses:
        return None
    says = (
        "On a CPU MindSpore's convolutions take channels first only, with kernels (outputs, "
        "inputs, *window); Keras' kernels are (*window, inputs, outputs)."
    )
    done = (
        "The kernels were transposed. The file moves the channels to the front before these "
        "layers, so inputs and outputs of the model keep their layout."
        if facts.to_mindspore
        else "The kernels were transposed."
    )
    return Concern(listed(found), says, done)


def _conv_defaults(facts: Facts) -> Concern | None:
    found = [
        f"{path} (padding {layer.padding!r}, {'with' if layer.use_bias else 'no'} bias)"
        for path, layer in facts.layers(*CONVOLUTIONS)
    ]
    if not found or not facts.to_mindspore:
        return None
    says = "By default MindSpore pads ('same') and has no bias; Keras does not pad and has one."
    line = facts.line("pad_mode=")
    return Concern(listed(found), says, f"The file states both{': ' + line if line else ''}.")


def _flatten(facts: Facts) -> Concern | None:
    convolutions = list(facts.layers(*CONVOLUTIONS))
    found = [path for path, _ in facts.layers(layers.Flatten)] if convolutions else []
    if not found or not facts.to_mindspore:
        return None
    says = (
        "After convolutions a Flatten of MindSpore runs over channels first, Keras' over channels "
        "last, so the rows of the next kernel have another order."
    )
    done = "The file moves the channels to the end before it flattens; the kernel keeps its rows."
    return Concern(listed(found), says, done)


def _numbers(path: str, layer: Any) -> str:
    return f"{path} (epsilon {layer.epsilon:g}, momentum {layer.momentum:g})"


def _batch_norm_defaults(facts: Facts) -> Concern | None:
    found = [_numbers(path, each) for path, each in facts.layers(layers.BatchNormalization)]
    if not found or not facts.crosses:
        return None
    says = (
        "Keras' defaults are epsilon 1e-3 and momentum 0.99, those of `nn.BatchNorm2d` 1e-5 and "
        "0.9. In both, momentum is the share of the running statistics that is kept."
    )
    line = facts.line("BatchNorm(")
    line = facts.line("= BatchNorm(") or line
    done = f"Written with the numbers of this model{': ' + line if '=' in line else ''}."
    return Concern(listed(found), says, done)


def _batch_norm_variance(facts: Facts) -> Concern | None:
    found = [(path, each) for path, each in facts.layers(layers.BatchNormalization)]
    if not found or not facts.crosses:
        return None
    kept = [f"{path} ({'unbiased' if each.unbiased else 'biased'})" for path, each in found]
    says = (
        "In training MindSpore's running variance follows n / (n - 1) times the variance of the "
        "batch (unbiased), Keras' the variance itself (biased)."
    )
    if facts.to_mindspore and facts.trains:
        done = (
            "`nn.BatchNorm2d` is not used: the class `BatchNorm` or the equation in the file "
            "follows what is in brackets."
        )
    elif facts.to_mindspore:
        done = "None was needed: the file only predicts, with the running statistics as they are."
    else:
        done = "The statistics were copied. Keras follows the biased variance from here on."
    return Concern(listed(kept), says, done)


def _batch_norm_one(facts: Facts) -> Concern | None:
    found = [path for path, _ in facts.layers(layers.BatchNormalization)]
    if not found or not (facts.to_mindspore and facts.trains):
        return None
    says = "After a training step on one example `nn.BatchNorm1d` has a running variance of NaN."
    done = "The file computes the factor n / max(n - 1, 1), or none where it is biased."
    return Concern(listed(found), says, done)


def _dropout(facts: Facts) -> Concern | None:
    found = [f"{path} (rate {each.rate})" for path, each in facts.layers(layers.Dropout)]
    if not found or not (facts.to_mindspore and facts.trains):
        return None
    says = (
        "The first argument of `nn.Dropout` is the share that is kept; the rate of Keras is the "
        "share that is dropped."
    )
    done = (
        "`nn.Dropout` is not used: `train` of the file draws the masks that dnnbridge draws, with "
        "this rate, and divides by 1 - rate."
    )
    return Concern(listed(found), says, done)


def _layer_norm(facts: Facts) -> Concern | None:
    found = [
        f"{path} (epsilon {each.epsilon:g})"
        for path, each in facts.layers(layers.LayerNormalization)
    ]
    if not found or not facts.crosses:
        return None
    says = "The default epsilon is 1e-3 in Keras and 1e-7 in MindSpore."
    line = facts.line("nn.LayerNorm(")
    return Concern(listed(found), says, f"It is stated{': ' + line if line else ''}.")


def _pools(facts: Facts) -> Concern | None:
    found = [f"{path} (window {each.pool_size})" for path, each in facts.layers(*POOLS)]
    if not found or not facts.to_mindspore:
        return None
    says = "`nn.MaxPool2d()` and `nn.AvgPool2d()` have a window of 1 by default, Keras' pools of 2."
    line = facts.line("Pool2d(")
    done = f"Windows and strides are stated{': ' + line if line else ''}."
    return Concern(listed(found), says, done)


def _average_padding(facts: Facts) -> Concern | None:
    found = [
        path
        for path, each in facts.layers(layers.AveragePooling2D)
        if each.padding == "same" and each.count_include_pad
    ]
    if not found or not facts.to_mindspore:
        return None
    says = "`nn.AvgPool2d(count_include_pad=True)` leaves the padding out all the same."
    return Concern(listed(found), says, "The pool is written from its equation, which counts it.")


def _padding_idx(facts: Facts) -> Concern | None:
    found = [
        f"{path} (padding_idx {each.padding_idx})"
        for path, each in facts.layers(layers.Embedding)
        if each.padding_idx is not None
    ]
    if not found or not (facts.to_mindspore and facts.trains):
        return None
    says = "MindSpore trains the row of `padding_idx` like any other."
    return Concern(listed(found), says, "The file writes the embedding from its equation.")


def _lstm_biases(facts: Facts) -> Concern | None:
    found = [
        f"{path} ({4 * each.units} numbers)"
        for path, each in facts.layers(layers.LSTM)
        if each.use_bias and not each.use_recurrent_bias
    ]
    if not found or not facts.to_mindspore:
        return None
    says = "`nn.LSTM` has two biases, of the input and of the state; Keras has one."
    if facts.line("nn.LSTM("):
        done = "The bias is `bias_ih_l0` in model.ckpt; `bias_hh_l0` is 0 and is not trained."
    else:
        done = "`nn.LSTM` is not used: the layer is written from its equation, with one bias."
    return Concern(listed(found), says, done)


def _gru_order(facts: Facts) -> Concern | None:
    found = [path for path, _ in facts.layers(layers.GRU)]
    if not found or not facts.crosses:
        return None
    says = "The blocks of a GRU's weights are r, z, n in MindSpore and z, r, h in Keras."
    done = (
        "`nn.GRU` is not used: the layer is written from its equation, with Keras' order."
        if facts.to_mindspore
        else "The blocks were put in Keras' order."
    )
    return Concern(listed(found), says, done)


RULES: Rules = {
    "dense-layout": _dense_layout,
    "conv-defaults": _conv_defaults,
    "conv-nhwc": _conv_layout,
    "flatten-order": _flatten,
    "batch-norm-defaults": _batch_norm_defaults,
    "batch-norm-variance": _batch_norm_variance,
    "batch-norm-one": _batch_norm_one,
    "dropout-argument": _dropout,
    "layer-norm-epsilon": _layer_norm,
    "max-pool-defaults": _pools,
    "average-pool-padding": _average_padding,
    "embedding-padding": _padding_idx,
    "lstm-biases": _lstm_biases,
    "gru-order": _gru_order,
}
"""What tells whether a row of the page concerns a model, by the id of the row."""
