"""Models: sequences and graphs of layers."""

from dnnbridge.models.base import AbstractModel, Input
from dnnbridge.models.functional import Model, ModelNode
from dnnbridge.models.sequential import Sequential

__all__ = ["AbstractModel", "Input", "Model", "ModelNode", "Sequential"]
