"""The Cell that is called, and the arguments of its call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dnnbridge.formats.mindspore.arrays import Known
from dnnbridge.formats.mindspore.cells import RULES
from dnnbridge.formats.mindspore.rule import UnsupportedError
from dnnbridge.formats.mindspore.stand_ins import Training, Unseen, is_mindspore
from dnnbridge.formats.mindspore.traced import Traced


def is_zero(given: Any) -> bool:
    """Return whether initial states are zeros, which is what a layer starts with."""
    if isinstance(given, tuple):
        return all(map(is_zero, given))
    array = given.array if isinstance(given, Known) else given
    if isinstance(array, Traced):
        return False
    return array is None or not np.any(array if isinstance(array, np.ndarray) else array.asnumpy())


def attended(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    """Return the inputs of an attention from the arguments of its call."""
    given = dict(zip(("query", "key", "value", "key_padding_mask"), args, strict=False)) | kwargs
    if any(given.get(name) is not None for name in ("attn_mask", "key_padding_mask")):
        raise UnsupportedError("a mask")
    query, key, value = (given[name] for name in ("query", "key", "value"))
    if query is key is value:
        return [query.symbol]
    return [x.symbol for x in ((query, value) if key is value else (query, value, key))]


def native(cell: Any) -> str | None:
    """Return the class of MindSpore whose `construct` a Cell runs; None if it is the user's."""
    classes = type(cell).__mro__
    owner = next(i for i, cls in enumerate(classes) if "construct" in vars(cls))
    if not is_mindspore(classes[owner].__module__):
        return None
    # The class that users write may only inherit its construct from one without a public name.
    native = [_name(cls) for cls in classes if is_mindspore(cls.__module__)]
    return next((name for name in native if name in RULES), native[0])


def _name(cls: type) -> str:
    return ("mint." if cls.__module__.startswith("mindspore.mint.") else "") + cls.__name__


def traced_in(value: Any) -> Iterator[Traced]:
    if isinstance(value, Traced):
        yield value
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from traced_in(each)


def value_of(given: Any) -> Any:
    """Return an argument with MindSpore's tensors."""
    if isinstance(given, Traced):
        return given.value
    if isinstance(given, (list, tuple)):
        return type(given)(map(value_of, given))
    if isinstance(given, Unseen):
        given.refuse()
    if isinstance(given, Training):
        return False
    return given
