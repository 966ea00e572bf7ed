"""The arrays of a Keras model, by object or by layer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.errors import ConversionError
from dnnbridge.formats.hdf5_arrays import array_of


class AbstractArrays(ABC):
    """Arrays in an open file."""

    @abstractmethod
    def of(self, layer: str, file: str) -> list[Array] | None:
        """Return the arrays of an object of a layer, in Keras' order; None if they are not there.

        Args:
            layer: the name of the layer of the outermost model.
            file: path of the object in a `.weights.h5` file.
        """

    @property
    @abstractmethod
    def by_layer(self) -> bool:
        """Whether `of` returns all arrays of the layer, those that are trained first."""

    @abstractmethod
    def places(self) -> set[str]:
        """Return the layers that have arrays if `by_layer`, else the paths of such objects."""

    @abstractmethod
    def of_optimizer(self) -> list[Array]:
        """Return the arrays of the optimizer, in Keras' order; none if they are not there."""


class TreeArrays(AbstractArrays):
    """A `.weights.h5` file of Keras 3: each object is a group whose `vars` are numbered."""

    by_layer = False

    def __init__(self, root: Any) -> None:
        self._root = root

    def of(self, layer: str, file: str) -> list[Array] | None:
        group = self._root.get(f"{file}/vars")
        if group is None:
            return None
        return [array_of(group[key]) for key in sorted(group, key=int)]

    def places(self) -> set[str]:
        found: set[str] = set()

        def visit(name: str, each: Any) -> None:
            place, _, _ = name.rpartition("/vars/")
            if hasattr(each, "shape") and not place.startswith("optimizer"):
                found.add(place)

        self._root.visititems(visit)
        return {place for place in found if not place.endswith("seed_generator")}

    def of_optimizer(self) -> list[Array]:
        return self.of("", "optimizer") or []


class LayerArrays(AbstractArrays):
    """A legacy `.h5` file: each layer of the outermost model is a group that lists its weights."""

    by_layer = True

    def __init__(self, root: Any) -> None:
        self._root = root
        self._weights = root.get("model_weights", root)

    def of(self, layer: str, file: str) -> list[Array] | None:
        return _listed(self._weights.get(layer))

    def places(self) -> set[str]:
        kept = self._weights
        return {name for name in kept if "weight_names" in kept[name].attrs and _listed(kept[name])}

    def of_optimizer(self) -> list[Array]:
        return _listed(self._root.get("optimizer_weights")) or []


def _listed(group: Any) -> list[Array] | None:
    if group is None:
        return None
    names = list(group.attrs.get("weight_names", ()))
    number = 0
    while f"weight_names{number}" in group.attrs:  # Keras splits a list of more than 64 kB
        names += list(group.attrs[f"weight_names{number}"])
        number += 1
    if not names and "weight_names" not in group.attrs:
        return None
    texts = (name.decode() if isinstance(name, bytes) else str(name) for name in names)
    return [array_of(group[name]) for name in texts]


def opened(root: Any, where: str) -> AbstractArrays:
    """Return the arrays of an open HDF5 file.

    Raises:
        ConversionError: it holds no weights of Keras.
    """
    if "layer_names" in root.attrs or "model_weights" in root:
        return LayerArrays(root)
    empty = not set(root) - {"vars"}  # a model without layers
    if "layers" in root or "_layer_checkpoint_dependencies" in root or empty:
        return TreeArrays(root)
    raise ConversionError(
        "holds no weights of a Keras model",
        where=where,
        got=f"the groups {', '.join(sorted(root)[:6])}",
        hint="Write the file with model.save or model.save_weights of Keras 3.",
    )


def fitted(array: Array, shape: Sequence[int], where: str) -> Array:
    """Return an array of real numbers; raise unless it has this shape."""
    if array.shape != tuple(shape):
        raise ConversionError(
            f"the file has another shape for this weight, {tuple(shape)} is needed",
            where=where,
            got=str(array.shape),
            hint="Give the weights that belong to this configuration.",
        )
    return np.array(real(array), order="C")


def real(array: Array) -> Array:
    """Return an array in float32, or in float64 if it has that type."""
    return np.asarray(array, np.float64 if array.dtype == np.float64 else np.float32)
