"""Which activations are layers of Keras."""

from __future__ import annotations

from dnnbridge import activations, layers
from dnnbridge.formats.keras.writing.parts import written_part

ACTIVATION_LAYERS: dict[type[activations.AbstractActivation], str] = {
    activations.ELU: "ELU",
    activations.LeakyReLU: "LeakyReLU",
    activations.PReLU: "PReLU",
    activations.ReLU: "ReLU",
    activations.Softmax: "Softmax",
}
"""Activations that have a layer of their own in Keras, with arguments of the same names."""


def has_layer(layer: layers.Activation) -> bool:
    """Return whether an activation is a layer of Keras, or has a name there.

    The layer Activation("glu") of Keras 3.15 takes its result to be as wide as its input, so a
    model that goes on after it gets wrong shapes; the operation is right.
    """
    value = layer.activation
    if isinstance(value, activations.GLU):
        return False
    return type(value) in ACTIVATION_LAYERS or isinstance(written_part(value), str)
