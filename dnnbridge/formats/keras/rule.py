"""How one class of Keras becomes a layer here, and which of its arrays become which weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from dnnbridge.errors import DnnbridgeError
from dnnbridge.formats.keras.parts import read_part
from dnnbridge.formats.keras.settings import Settings
from dnnbridge.layers import AbstractLayer


class Group(NamedTuple):
    """The arrays that Keras keeps in one object: the layer itself, or a layer in it.

    Attributes:
        names: the weights here, in the order of the arrays there. A weight that the layer here
            does not declare, such as the bias of use_bias=False, is left out there too.
        file: path of the object below the layer in a `.weights.h5` file.
        here: path of the weights below the layer here.
        trainable: False for a layer that is frozen.
        layer: Keras' name of the layer of the outermost model.
        first: weights of another group, of which copies come first in the file.
        surplus: how many arrays without a counterpart here follow those of the names. They are
            there if any of the names is.
    """

    names: tuple[str, ...]
    file: str = ""
    here: str = ""
    trainable: bool = True
    layer: str = ""
    surplus: int = 0
    first: tuple[str, ...] = ()

    def present(self, known: Container[str]) -> list[str]:
        """Return the full names of the weights that a model with these names has."""
        names = (f"{self.here}/{name}" for name in self.names)
        return [name for name in names if name in known]

    def copied(self, known: Container[str]) -> list[str]:
        """Return the full names of the weights of which copies come first."""
        names = (f"{self.here}/{name}" for name in self.first)
        return [name for name in names if name in known]

    def below(self, file: str, here: str, trainable: bool = True, layer: str = "") -> Group:
        """Return the group as seen from a layer around it."""
        file = f"{file}/{self.file}".strip("/")
        here = f"{here}/{self.here}".strip("/")
        trainable = self.trainable and trainable
        return self._replace(file=file, here=here, trainable=trainable, layer=layer)


class Rebuilt(NamedTuple):
    """What a Keras layer becomes.

    Attributes:
        layer: the layer here.
        groups: its arrays.
        unmasked: the inputs, by number, whose masks are gone after a call in Keras.
    """

    layer: AbstractLayer
    groups: tuple[Group, ...] = ()
    unmasked: frozenset[int] = frozenset()


def rebuilt(layer: AbstractLayer | None, *groups: Group) -> Rebuilt | None:
    """Return what a layer becomes; None if it could not be made."""
    return None if layer is None else Rebuilt(layer, groups)


Rule = Callable[[Settings], Rebuilt | None]
"""Read the settings of a layer; None if they cannot be read, with a finding."""

KERNEL_AND_BIAS = (Group(("kernel", "bias")),)


@dataclass(frozen=True)
class Same:
    """A rule for a class that has the name and the arguments of the class here.

    Attributes:
        layer: the class here.
        groups: its arrays.
        neutral: values of arguments that the class here lacks, in which they have no effect.
        ignored: arguments without an effect on an imported model, whatever their value.
        renamed: Keras' name of an argument by the name here.
    """

    layer: type[AbstractLayer]
    groups: tuple[Group, ...] = ()
    neutral: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    renamed: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __call__(self, settings: Settings) -> Rebuilt | None:
        settings.neutral(**self.neutral)
        settings.read |= set(self.ignored)
        made = built(self.layer, arguments(self.layer, settings, self.renamed), settings)
        return rebuilt(made, *self.groups)


def arguments(
    layer: type[AbstractLayer], settings: Settings, renamed: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Read the arguments that a class here shares with the Keras class."""
    names = {field.name: field.name for field in dataclasses.fields(layer) if field.init}
    names |= renamed or {}
    given = {here: there for here, there in names.items() if there in settings.config}
    given.pop("name", None)
    return {here: read_part(settings.take(there), here, settings) for here, there in given.items()}


def built(
    layer: type[AbstractLayer], given: Mapping[str, Any], settings: Settings
) -> AbstractLayer | None:
    """Make a layer, or note why it cannot be made."""
    try:
        return layer(**given)
    except DnnbridgeError as error:
        settings.findings.add(settings.path, f"{settings.kind}: {error}")
        return None
