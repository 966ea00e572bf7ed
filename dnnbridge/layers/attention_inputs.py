"""The inputs of attention: queries, values, keys, and the masks that leave some of them out."""

from __future__ import annotations

import operator
from functools import reduce

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.graph.types import shape_text
from dnnbridge.layers.masking import as_steps


def named(
    scope: Scope, inputs: tuple[Value, ...], masked: bool
) -> tuple[Value, Value, Value, Value | None]:
    """Return query, value, key and mask from the inputs of the layer."""
    given, mask = (inputs[:-1], inputs[-1]) if masked else (inputs, None)
    shapes = " and ".join(f"({shape_text(value.shape)})" for value in inputs)
    scope.require(
        1 <= len(given) <= 3 and all(value.rank == 3 for value in given),
        "the inputs must be query, value and key, each (batch, time, features)"
        + (", and then a mask" if masked else ""),
        got=shapes,
        hint="Call layer(query), layer(query, value) or layer(query, value, key); "
        "a mask needs masked=True.",
    )
    query, value, key = given[0], given[min(1, len(given) - 1)], given[-1]
    scope.require(
        value.shape[1] == key.shape[1] and _fits(mask, query, key),
        "value, key and mask must have the same length; the mask is (batch, keys) or "
        "(batch, queries, keys), where queries or keys may be 1",
        got=shapes,
    )
    return query, value, key, mask


def _fits(mask: Value | None, query: Value, key: Value) -> bool:
    (batch, keys), queries = key.shape[:2], query.shape[1]
    if mask is None or mask.shape == (batch, keys):
        return True
    sizes = mask.shape[1:]
    return len(sizes) == 2 and sizes[0] in (1, queries) and sizes[1] in (1, keys)


def allowed_keys(
    scope: Scope,
    value: Value,
    mask: Value | None,
    query: Value | None = None,
    key: Value | None = None,
) -> Value | None:
    """Return the keys that each query may use, (batch, 1 or T, S): all masks together."""
    masks = []
    if mask is not None:
        masks.append(mask if mask.rank == 3 else _rows(mask))
    of_keys = [scope.mask(each) for each in dict.fromkeys((value, key)) if each is not None]
    masks += [_rows(known) for known in of_keys if known is not None]
    if query is not None and (of_query := scope.mask(query)) is not None:
        masks.append(ops.reshape(of_query, (*of_query.shape, 1)))
    return reduce(operator.mul, masks) if masks else None


def _rows(mask: Value) -> Value:
    """Return a mask of keys (batch, S) as (batch, 1, S)."""
    return ops.reshape(mask, (mask.shape[0], 1, mask.shape[1]))


def for_scores(allowed: Value, scores: Value) -> Value:
    """Return allowed keys with the rank of the scores (batch, …, T, S)."""
    between = (1,) * (scores.rank - 3)
    return ops.reshape(allowed, (allowed.shape[0], *between, *allowed.shape[1:]))


def of_real_queries(scope: Scope, query: Value, found: Value) -> Value:
    """Return what the queries found, and 0 for those that their mask leaves out."""
    mask = scope.mask(query)
    return found if mask is None else ops.where(as_steps(scope, mask, found) > 0.5, found, 0.0)
