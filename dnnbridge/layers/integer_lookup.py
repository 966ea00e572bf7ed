"""Whole numbers as their places in a vocabulary."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Field

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.base.messages import shorten
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.layers.adapting import batches_of, is_whole, whole_numbers
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.layers.category_encoding import encoded
from dnnbridge.layers.masking import require_int32
from dnnbridge.specs.fields import Bool, Converted, default, plain
from dnnbridge.specs.sequences import LARGEST_INT, SMALLEST_INT, RealNumbers, WholeNumbers
from dnnbridge.specs.spec import spec

Int32 = Annotated[int, Field(strict=True, ge=SMALLEST_INT, le=LARGEST_INT), BeforeValidator(plain)]


@spec
class IntegerLookup(AbstractLayer):
    """The place of each whole number in a vocabulary, for ids and codes with gaps

    Numbers that are not in the vocabulary share one place before it, and a mask token has place 0.
    So the n-th number, from 0, has place n + 1, or n + 2 with a mask token. Every number is
    compared with every entry, exactly, in int32; time and memory grow with the product of both.
    The input is int32 and gets no gradient.

    Args:
        max_tokens: the largest number of places; `adapt` keeps the most frequent numbers.
        num_oov_indices: places for numbers that are not in the vocabulary: 1, or 0 where there are
            none. With 0 such a number gives -1, or a vector of NaN; Keras raises.
        mask_token: a number that stands for padding: place 0, or no 1 in a vector.
        oov_token: what stands for unknown numbers in `get_vocabulary` and at the start of a
            vocabulary.
        vocabulary: the numbers; it may start with the mask token and the oov_token, as that of
            `get_vocabulary` does. Without it the layer must be adapted.
        idf_weights: for "tf_idf", one for each number of the vocabulary.
        output_mode: "int": int32 places, in the shape of the input. "one_hot", "multi_hot" and
            "count": vectors as of `CategoryEncoding`, without a place for the mask token. "tf_idf":
            the counts times the weights.
        pad_to_max_tokens: whether vectors have max_tokens numbers, with zeros at the end.

    Raises:
        SpecError: a number is in the vocabulary twice; the mask token is among others; there are
            more numbers than max_tokens; weights are missing; or a layer is compiled that has not
            been adapted.

    Example:
        >>> layer = IntegerLookup().adapt([30, 10, 30, 20, 10, 30])
        >>> layer
        IntegerLookup(vocabulary=(30, 10, 20))
        >>> layer.get_vocabulary()
        [-1, 30, 10, 20]
        >>> from dnnbridge import Input, Sequential
        >>> one_hot = layer.replace(output_mode="one_hot")
        >>> Sequential([Input((1,), "int32"), one_hot]).output_shape
        (None, 4)
    """

    max_tokens: Annotated[int, Field(strict=True, gt=1), BeforeValidator(plain)] | None = None
    num_oov_indices: Literal[0, 1] = 1
    mask_token: Int32 | None = None
    oov_token: Int32 | None = -1
    vocabulary: Converted[tuple[int, ...] | None, WholeNumbers | None] = default(None)
    idf_weights: Converted[tuple[float, ...] | None, RealNumbers | None] = default(None)
    output_mode: Literal["int", "one_hot", "multi_hot", "count", "tf_idf"] = "int"
    pad_to_max_tokens: Bool = False

    def __post_init__(self) -> None:
        if self.pad_to_max_tokens and (self.max_tokens is None or self.output_mode == "int"):
            hint = 'It needs max_tokens and an output_mode other than "int".'
            raise SpecError("has no effect", where=".pad_to_max_tokens", got="True", hint=hint)
        if self.idf_weights is not None and self.output_mode != "tf_idf":
            hint = 'Leave them out, or write output_mode="tf_idf".'
            raise SpecError("have no effect", where=".idf_weights", hint=hint)
        if self.vocabulary is not None:
            self._check_vocabulary(self.vocabulary)

    def _check_vocabulary(self, vocabulary: tuple[int, ...]) -> None:
        tokens = self._tokens
        twice = [n for n, count in Counter(tokens).items() if count > 1]
        if twice or self.mask_token in tokens or not tokens:
            hint = f"It may start with {self._special}; each other number is there once."
            got = f"{shorten(twice, 60)} twice" if twice else shorten(vocabulary, 60)
            raise SpecError("is no vocabulary", where=".vocabulary", got=got, hint=hint)
        if self.max_tokens is not None and self._start + len(tokens) > self.max_tokens:
            got = f"{len(tokens)} and {self._start} special ones for {self.max_tokens}"
            raise SpecError("is larger than max_tokens", where=".vocabulary", got=got)
        weights = self.idf_weights
        if self.output_mode == "tf_idf" and (weights is None or len(weights) != len(vocabulary)):
            raise SpecError(
                '"tf_idf" needs a weight for each number of the vocabulary',
                where=".idf_weights",
                got="None" if weights is None else f"{len(weights)} for {len(vocabulary)}",
                hint="Give them, or leave out the vocabulary and adapt the layer.",
            )

    @property
    def _unknown(self) -> int:
        """The place of unknown numbers, if they have one."""
        return int(self.mask_token is not None and self.output_mode == "int")

    @property
    def _start(self) -> int:
        """The place of the first number of the vocabulary."""
        return self._unknown + self.num_oov_indices

    @property
    def _special(self) -> list[int | None]:
        return [self.mask_token] * self._unknown + [self.oov_token] * self.num_oov_indices

    @property
    def _tokens(self) -> tuple[int, ...]:
        """The vocabulary without the tokens at its start that stand for something else."""
        given = self.vocabulary or ()
        special = list(given[: self._start]) == self._special
        return given[self._start :] if special else given

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[int | None]:
        """Return the number of each place.

        Args:
            include_special_tokens: whether the mask token and the oov_token are among them.

        Raises:
            SpecError: the layer has no vocabulary yet.
        """
        self._require_vocabulary("IntegerLookup.get_vocabulary")
        return [*(self._special if include_special_tokens else ()), *self._tokens]

    def adapt(self, data: Any) -> Self:
        """Return the layer with the numbers of the data as its vocabulary.

        The most frequent number comes first, and the larger one of two that are as frequent, as in
        Keras. With "tf_idf" each row of the data is a document, and a number has the weight
        log(1 + documents / (1 + documents that hold it)).

        Args:
            data: an array of whole numbers, or an iterable of batches. Each number of an array
                with one axis is a row; a batch with one axis is one row.

        Raises:
            SpecError: the layer has a vocabulary, or the data are empty or no whole numbers.
        """
        where = "IntegerLookup.adapt"
        if self.vocabulary is not None:
            hint = "Write IntegerLookup(…).adapt(data), without a vocabulary."
            got = shorten(self.vocabulary, 60)
            raise SpecError("the layer has a vocabulary already", where=where, got=got, hint=hint)
        counts: Counter[int] = Counter()
        holding: Counter[int] = Counter()
        documents = 0
        for batch in batches_of(data, where):
            rows = _rows(whole_numbers(batch, where), alone=is_whole(data))
            counts.update(_counted(rows))
            if self.output_mode == "tf_idf":
                documents += len(rows)
                holding.update(n for row in rows for n in np.unique(row).tolist())
        for special in (self.mask_token, self.oov_token):
            counts.pop(special, None)  # type: ignore[arg-type]
        found = sorted(counts, key=lambda n: (counts[n], n), reverse=True)
        most = None if self.max_tokens is None else self.max_tokens - self._start
        found = found[:most]
        if not found:
            raise SpecError("the data hold no number for a vocabulary", where=where)
        weights = None
        if self.output_mode == "tf_idf":
            held = np.array([holding[n] for n in found])
            weights = tuple(np.log(1.0 + documents / (1.0 + held)).tolist())
        return self.replace(vocabulary=tuple(found), idf_weights=weights)

    def _require_vocabulary(self, where: str) -> None:
        if self.vocabulary is None:
            hint = "adapt returns the layer with a vocabulary: layer = layer.adapt(x)."
            raise SpecError("the layer has no vocabulary yet", where=where, hint=hint)

    def emit(self, scope: Scope, x: Value) -> Value:
        require_int32(scope, x)
        self._require_vocabulary(scope.path)
        tokens = scope.constant(np.array(self._tokens, np.int32))
        same = ops.cast(ops.equal(ops.reshape(x, (*x.shape, 1)), tokens), "float32")
        other = self._unknown if self.num_oov_indices else -1
        above = scope.constant(np.arange(len(self._tokens)) + float(self._start - other))
        place = ops.cast(ops.reduce_sum(same * above, -1) + other, "int32")
        mode = self.output_mode
        if self.mask_token is not None:
            padding = ops.equal(x, self.mask_token)
            place = ops.where(padding, 0 if mode == "int" else -1, place)
        if mode == "int":
            return place
        valid = None if self.num_oov_indices else self._known(x, same)
        return self._vectors(scope, place, valid)

    def _known(self, x: Value, same: Value) -> Value:
        known = ops.reduce_sum(same, -1)
        if self.mask_token is None:
            return known
        return known + ops.cast(ops.equal(x, self.mask_token), "float32")

    def _vectors(self, scope: Scope, place: Value, valid: Value | None) -> Value:
        padded = self.max_tokens if self.pad_to_max_tokens else None
        depth = padded or self._start + len(self._tokens)
        if self.output_mode != "tf_idf":
            return encoded(scope, place, self.output_mode, depth, valid)
        return encoded(scope, place, "count", depth, valid) * scope.constant(self._weights(depth))

    def _weights(self, depth: int) -> Array:
        """Return a weight for each place; unknown numbers have the mean of the others."""
        given = np.array(self.idf_weights)
        if len(given) == len(self._tokens):
            given = np.concatenate([np.full(self._start, given.mean()), given])
        return np.pad(given, (0, depth - len(given)))


def _rows(batch: Array, alone: bool) -> Array:
    """Return a batch as rows of numbers."""
    if batch.ndim == 1 and alone:
        return batch[:, None]
    return batch.reshape(len(batch), -1) if batch.ndim > 1 else batch.reshape(1, -1)


def _counted(rows: Array) -> dict[int, int]:
    numbers, counts = np.unique(rows, return_counts=True)
    return dict(zip(numbers.tolist(), counts.tolist(), strict=True))
