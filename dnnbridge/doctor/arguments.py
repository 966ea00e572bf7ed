"""`arguments_of`: where two specs differ, argument by argument, and how to mend one of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dnnbridge.base.messages import shorten
from dnnbridge.specs.spec import Spec

Address = tuple[str | int, ...]
"""Fields, positions and keys that lead from a spec to a value in it."""

UNSEEN = ("name", "unit_forget_bias")
"""Fields that no step depends on once the weights are given, as those of initializers."""


@dataclass(frozen=True)
class Argument:
    """An argument in which two specs differ, at one or several places.

    Attributes:
        owner: the class of the spec that has it, "" for one of the experiment.
        name: the argument.
        here: its value in the first spec.
        there: its value in the second.
        addresses: where it stands.
    """

    owner: str
    name: str
    here: Any
    there: Any
    addresses: tuple[Address, ...] = ()

    @property
    def field(self) -> str:
        """The field of the experiment that it is in."""
        return str(self.addresses[0][0]) if self.addresses else ""

    def same(self, other: Argument) -> bool:
        """Whether this is the same difference at another place."""
        return (self.owner, self.name) == (other.owner, other.name) and (
            _equal(self.here, other.here) and _equal(self.there, other.there)
        )

    def __str__(self) -> str:
        what = f"{self.name} of {self.owner}" if self.owner else self.name
        return f"{what} is {shown(self.here)} here and {shown(self.there)} there"


def shown(value: Any, most: int = 90) -> str:
    """Return a value of an argument for a sentence, as code of at most so many characters.

    Example:
        >>> from dnnbridge import ConstantSchedule
        >>> shown(1e-7), shown(ConstantSchedule(0.1)), shown(())
        ('1e-07', '0.1', 'none')
    """
    if isinstance(value, tuple) and not value:
        return "none"
    number = getattr(value, "value", None)
    if type(value).__name__ == "ConstantSchedule":
        return repr(number)
    return shorten(value, most)


def arguments_of(here: Spec, there: Spec) -> list[Argument]:
    """Return the arguments in which two specs differ; equal differences are one.

    Example:
        >>> import dnnbridge as db
        >>> for each in arguments_of(db.Adam(0.1), db.Adam(0.2, epsilon=1e-8)):
        ...     print(each)
        learning_rate of Adam is 0.1 here and 0.2 there
        epsilon of Adam is 1e-07 here and 1e-08 there
    """
    found: list[Argument] = []
    for each in _differing("", "", here, there, ()):
        for i, known in enumerate(found):
            if known.same(each) and known.field == each.field:
                places = known.addresses + each.addresses
                found[i] = dataclasses.replace(known, addresses=places)
                break
        else:
            found.append(each)
    return found


def mended(here: Spec, there: Any, argument: Argument) -> Any:
    """Return the second spec with the value of the first one at each place of an argument.

    Example:
        >>> import dnnbridge as db
        >>> here, there = db.Adam(0.1), db.Adam(0.2, epsilon=1e-8)
        >>> mended(here, there, arguments_of(here, there)[1])
        Adam(learning_rate=0.2)
    """
    for address in argument.addresses:
        there = _put(there, address, _at(here, address))
    return there


def _differing(owner: str, name: str, a: Any, b: Any, at: Address) -> Iterator[Argument]:
    if isinstance(a, Spec) and type(a) is type(b):
        kind = "" if type(a).__name__ == "Experiment" else type(a).__name__
        schedule = kind == "ConstantSchedule"
        for field in dataclasses.fields(a):  # type: ignore[arg-type]
            if field.name not in UNSEEN and not field.name.endswith("_initializer"):
                pair = getattr(a, field.name), getattr(b, field.name)
                which = (owner, name) if schedule else (kind, field.name)
                yield from _differing(*which, *pair, (*at, field.name))
    elif isinstance(a, (tuple, list)) and type(a) is type(b) and len(a) == len(b):
        for i, pair in enumerate(zip(a, b, strict=True)):
            yield from _differing(owner, name, *pair, (*at, i))
    elif isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        for key in a:
            yield from _differing(owner, name, a[key], b[key], (*at, key))
    elif not _equal(a, b):
        yield Argument(owner, name, a, b, (at,))


def _equal(a: Any, b: Any) -> bool:
    return type(a) is type(b) and repr(a) == repr(b)


def _at(value: Any, address: Address) -> Any:
    for step in address:
        value = getattr(value, step) if isinstance(value, Spec) else value[step]  # type: ignore[arg-type]
    return value


def _put(value: Any, address: Address, new: Any) -> Any:
    if not address:
        return new
    first, rest = address[0], address[1:]
    if isinstance(value, Spec):
        return value.replace(**{str(first): _put(getattr(value, str(first)), rest, new)})
    if isinstance(value, dict):
        return {k: _put(v, rest, new) if k == first else v for k, v in value.items()}
    return type(value)(_put(v, rest, new) if i == first else v for i, v in enumerate(value))
