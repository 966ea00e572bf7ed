"""Field types of specs; they check numbers and do not coerce them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, Self, TypeVar, cast, overload

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator

from dnnbridge.base.arrays import Array
from dnnbridge.base.messages import shorten
from dnnbridge.errors import SpecError
from dnnbridge.specs.json_types import (
    LARGEST,
    NULL,
    WithinFloat32,
    pairs_form,
    read_as,
    sizes_form,
    words,
)

BITS = 1000
"""Most bits of a whole number: a float then holds it, and any quotient of two."""


def plain(value: Any) -> Any:
    """Turn NumPy scalars into Python numbers, which JSON can hold."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, int) and value.bit_length() > BITS:
        raise SpecError("has over 300 digits", got=shorten(value), hint="Give a smaller number.")
    return value


_Plain = BeforeValidator(plain)


def lower(value: Any) -> Any:
    """Return a name in lower case: Keras accepts padding="SAME" too."""
    return value.lower() if isinstance(value, str) else value


def also(names: Mapping[str, str]) -> BeforeValidator:
    """Let a field accept other names of its values, such as Keras' names."""
    return BeforeValidator(lambda v: names.get(v, v) if isinstance(v, str) else v)


Int = Annotated[int, Field(strict=True), _Plain]
PositiveInt = Annotated[int, Field(strict=True, gt=0), _Plain]
NonNegativeInt = Annotated[int, Field(strict=True, ge=0), _Plain]


def _in_float32(value: float) -> float:
    if abs(value) > LARGEST:
        raise SpecError("is infinite in float32", got=repr(value), hint="Use at most 3.4e38.")
    return value


_Small, _Within = AfterValidator(_in_float32), WithinFloat32()
Float = Annotated[float, Field(strict=True, allow_inf_nan=False), _Small, _Within, _Plain]
PositiveFloat = Annotated[
    float, Field(strict=True, gt=0, allow_inf_nan=False), _Small, _Within, _Plain
]
NonNegativeFloat = Annotated[
    float, Field(strict=True, ge=0, allow_inf_nan=False), _Small, _Within, _Plain
]
NonPositiveFloat = Annotated[
    float, Field(strict=True, le=0, allow_inf_nan=False), _Small, _Within, _Plain
]
Fraction = Annotated[float, Field(strict=True, ge=0, lt=1, allow_inf_nan=False), _Plain]
"""A float in [0, 1): a dropout rate, a momentum."""
OpenFraction = Annotated[float, Field(strict=True, gt=0, lt=1, allow_inf_nan=False), _Plain]
"""A float in (0, 1): a small number that keeps logarithms finite."""
Bool = Annotated[bool, Field(strict=True), _Plain]


def numbers(value: Any) -> float | tuple[Any, ...]:
    """Return a number, or lists of numbers and arrays as nested tuples of one shape."""
    value = value.tolist() if isinstance(value, np.ndarray) else plain(value)
    if isinstance(value, (tuple, list)) and value:
        made = tuple(map(numbers, value))
        if len(set(map(np.shape, made))) == 1:
            return made
    elif type(value) in (int, float) and math.isfinite(value):
        return _in_float32(float(value))
    raise SpecError(
        "expected a finite number, or lists of them that make an array", got=shorten(value)
    )


Shape = tuple[PositiveInt, ...]
"""Sizes of one example, without the batch; a list is accepted too."""


def _size(value: int) -> int:
    if value == 0 or value < -1:
        raise SpecError("a size is a positive integer, or -1", got=shorten(value))
    return value


def _with_one_rest(value: tuple[int, ...]) -> tuple[int, ...]:
    if value.count(-1) > 1:
        raise SpecError("only one size can be -1", got=shorten(value), hint="Write the others.")
    return value


_Size = Annotated[
    int,
    Field(strict=True),
    _Plain,
    AfterValidator(_size),
    read_as({"type": "integer", "minimum": 1}, {"const": -1}),
]
OpenShape = Annotated[tuple[_Size, ...], AfterValidator(_with_one_rest)]
"""Sizes of one example; one of them may be -1: what is left."""


def sizes(value: Any, axes: int) -> tuple[int, ...]:
    """Return one positive number per axis; a single number stands for all axes."""
    return _per_axis(value, axes, 1, "a positive integer")


def _per_axis(value: Any, axes: int, least: int, what: str) -> tuple[int, ...]:
    given = value if isinstance(value, (tuple, list)) else (value,) * axes
    made = tuple(map(plain, given))
    if len(made) != axes or not all(type(n) is int and n >= least for n in made):
        raise SpecError(
            f"expected {what}, or {axes} of them",
            got=shorten(value),
            hint="A single number stands for every axis.",
        )
    return made


def pairs(value: Any, axes: int) -> tuple[tuple[int, int], ...]:
    """Return (before, after) per axis, given one number, one number per axis, or pairs.

    For a single axis, two numbers are its pair, as in Keras.
    """
    given = value if isinstance(value, (tuple, list)) else (value,) * axes
    if axes == 1 and len(given) == 2:
        given = (given,)
    made = tuple(
        tuple(map(plain, each)) if isinstance(each, (tuple, list)) else (plain(each),) * 2
        for each in given
    )
    if len(made) != axes or not all(
        len(pair) == 2 and all(type(n) is int and n >= 0 for n in pair) for pair in made
    ):
        raise SpecError(
            f"expected a number, or (before, after) for each of {axes} axes",
            got=shorten(value),
            hint="For example, write 1, or a tuple of pairs of integers of 0 or more.",
        )
    return cast(tuple[tuple[int, int], ...], made)


def counts(value: Any, axes: int) -> tuple[int, ...] | None:
    """Return one number of 0 or more per axis, or None; a single number stands for all axes."""
    return None if value is None else _per_axis(value, axes, 0, "an integer of 0 or more")


def _paddings(axes: int, *names: str) -> Callable[[Any], Any]:
    def resolve(value: Any) -> Any:
        value = lower(value)
        if isinstance(value, str) and value not in names:
            raise SpecError(
                "unknown padding", got=repr(value), hint=f"Write {', '.join(names)}, or pairs."
            )
        return value if isinstance(value, str) else pairs(value, axes)

    return resolve


SizesLike = int | tuple[int, ...]
PairsLike = int | tuple[int, ...] | tuple[tuple[int, int], ...]
PaddingLike = str | PairsLike

NAMED = ("valid", "same")
"""Paddings with a name."""

Sizes1 = Annotated[SizesLike, PlainValidator(partial(sizes, axes=1)), read_as(sizes_form(1))]
"""A size along one axis, kept as a tuple, so that equal specs are equal."""
Sizes2 = Annotated[SizesLike, PlainValidator(partial(sizes, axes=2)), read_as(sizes_form(2))]
Sizes3 = Annotated[SizesLike, PlainValidator(partial(sizes, axes=3)), read_as(sizes_form(3))]

Pairs1 = Annotated[PairsLike, PlainValidator(partial(pairs, axes=1)), read_as(pairs_form(1))]
"""Elements before and after one axis."""
Pairs2 = Annotated[PairsLike, PlainValidator(partial(pairs, axes=2)), read_as(pairs_form(2))]
Pairs3 = Annotated[PairsLike, PlainValidator(partial(pairs, axes=3)), read_as(pairs_form(3))]

Counts1 = Annotated[
    SizesLike | None,
    PlainValidator(partial(counts, axes=1)),
    read_as(sizes_form(1, least=0), NULL),
]
"""A number of 0 or more, or nothing."""
Counts2 = Annotated[
    SizesLike | None,
    PlainValidator(partial(counts, axes=2)),
    read_as(sizes_form(2, least=0), NULL),
]
Counts3 = Annotated[
    SizesLike | None,
    PlainValidator(partial(counts, axes=3)),
    read_as(sizes_form(3, least=0), NULL),
]

Padding1 = Annotated[
    PaddingLike, PlainValidator(_paddings(1, *NAMED)), read_as(words(*NAMED), pairs_form(1))
]
"""How a window is padded: by name or by pairs."""
Padding2 = Annotated[
    PaddingLike, PlainValidator(_paddings(2, *NAMED)), read_as(words(*NAMED), pairs_form(2))
]
Padding3 = Annotated[
    PaddingLike, PlainValidator(_paddings(3, *NAMED)), read_as(words(*NAMED), pairs_form(3))
]
CausalPadding = Annotated[
    PaddingLike,
    PlainValidator(_paddings(1, *NAMED, "causal")),
    read_as(words(*NAMED, "causal"), pairs_form(1)),
]
DataFormat = Annotated[Literal["channels_last", "channels_first"], BeforeValidator(lower)]
"""Whether channels are the last axis of input and output, or the first axis of an example."""


Held = TypeVar("Held")
Given = TypeVar("Given")


class Converted(Generic[Held, Given]):
    """Type of a field that converts what it is given; for type checkers only.

    A learning rate, for example, is given as a number, a list or a schedule, and stored as a
    schedule. At run time `Converted[Held, Given]` is Given, which pydantic converts with.
    """

    if not TYPE_CHECKING:

        def __class_getitem__(cls, types: tuple[Any, Any]) -> Any:
            return types[1]

    @overload
    def __get__(self, instance: None, owner: Any) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: Any) -> Held: ...
    def __get__(self, instance: Any, owner: Any) -> Any:
        raise NotImplementedError

    def __set__(self, instance: Any, value: Given) -> None:
        raise NotImplementedError


def default(value: Any) -> Any:
    """Return the default of a `Converted` field, in any form that the field accepts."""
    return value


NumbersLike = Annotated[
    float | Sequence[Any] | Array,
    PlainValidator(numbers),
    read_as({"type": "number", "minimum": -LARGEST, "maximum": LARGEST}, {"type": "array"}),
]
"""Field of a number or an array, kept as nested tuples, so that equal specs are equal."""

Numbers = Converted[float | tuple[Any, ...], NumbersLike]
"""What the field holds after validation."""
