"""Layers that Keras changes at each call, and dnnbridge once a step."""

from __future__ import annotations

from dnnbridge.layers import AbstractLayer, SpectralNormalization, TimeDistributed
from dnnbridge.models import Model, Sequential


def divides_at_each_call(layer: AbstractLayer) -> bool:
    """Return whether a layer is or holds a `SpectralNormalization`."""
    if isinstance(layer, Sequential):
        return any(divides_at_each_call(each) for _, each in layer.named_layers())
    if isinstance(layer, Model):
        return any(divides_at_each_call(node.layer) for node in layer.nodes)
    if isinstance(layer, TimeDistributed):
        return divides_at_each_call(layer.layer)
    return isinstance(layer, SpectralNormalization)
