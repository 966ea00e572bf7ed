"""What lookups of numbers and of texts share: places in a vocabulary, and how they are found."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.base.messages import shorten
from dnnbridge.emit.calling import computed
from dnnbridge.emit.scope import Scope
from dnnbridge.emit.symbol import AbstractSymbol
from dnnbridge.errors import SpecError
from dnnbridge.graph import TensorType, Value
from dnnbridge.layers.adapting import batches_of, is_whole
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.layers.category_encoding import encoded


class AbstractLookup(AbstractLayer):
    """Base of `IntegerLookup` and `StringLookup`, which have the fields."""

    token_word: ClassVar[str]
    """What a token is, in messages."""

    max_tokens: int | None
    num_oov_indices: int
    mask_token: Any
    oov_token: Any
    vocabulary: Any
    idf_weights: Any
    output_mode: Any
    pad_to_max_tokens: bool

    @abstractmethod
    def _read(self, data: Any, where: str) -> Array:
        """Return data as an array of tokens, checked."""

    @abstractmethod
    def _fed(self, tokens: Array) -> tuple[TensorType, Array]:
        """Return what the equation reads for tokens, and its type."""

    @abstractmethod
    def _require(self, scope: Scope, x: Value) -> None:
        """Raise unless this is an input that the layer can look up."""

    @abstractmethod
    def _same(self, scope: Scope, x: Value, tokens: Sequence[Any]) -> Value:
        """Return 1 or 0 for each element of x and, along a new axis, each of the tokens."""

    @abstractmethod
    def _is(self, scope: Scope, x: Value, token: Any) -> Value:
        """Return which elements of x are a token, as bool."""

    def __post_init__(self) -> None:
        if self.pad_to_max_tokens and (self.max_tokens is None or self.output_mode == "int"):
            hint = 'It needs max_tokens and an output_mode other than "int".'
            raise SpecError("has no effect", where=".pad_to_max_tokens", got="True", hint=hint)
        if self.idf_weights is not None and self.output_mode != "tf_idf":
            hint = 'Leave them out, or write output_mode="tf_idf".'
            raise SpecError("have no effect", where=".idf_weights", hint=hint)
        if self.vocabulary is not None:
            self._check_vocabulary(self.vocabulary)

    def _check_vocabulary(self, vocabulary: tuple[Any, ...]) -> None:
        tokens = self._tokens
        twice = [n for n, count in Counter(tokens).items() if count > 1]
        if twice or self.mask_token in tokens or not tokens:
            hint = f"It may start with {self._special}; each other {self.token_word} is there once."
            got = f"{shorten(twice, 60)} twice" if twice else shorten(vocabulary, 60)
            raise SpecError("is no vocabulary", where=".vocabulary", got=got, hint=hint)
        if self.max_tokens is not None and self._start + len(tokens) > self.max_tokens:
            got = f"{len(tokens)} and {self._start} special ones for {self.max_tokens}"
            raise SpecError("is larger than max_tokens", where=".vocabulary", got=got)
        weights = self.idf_weights
        if self.output_mode == "tf_idf" and (weights is None or len(weights) != len(vocabulary)):
            raise SpecError(
                f'"tf_idf" needs a weight for each {self.token_word} of the vocabulary',
                where=".idf_weights",
                got="None" if weights is None else f"{len(weights)} for {len(vocabulary)}",
                hint="Give them, or leave out the vocabulary and adapt the layer.",
            )

    @property
    def _unknown(self) -> int:
        """The place of what is unknown, if it has one."""
        return int(self.mask_token is not None and self.output_mode == "int")

    @property
    def _start(self) -> int:
        """The place of the first token of the vocabulary."""
        return self._unknown + self.num_oov_indices

    @property
    def _special(self) -> list[Any]:
        return [self.mask_token] * self._unknown + [self.oov_token] * self.num_oov_indices

    @property
    def _tokens(self) -> tuple[Any, ...]:
        """The vocabulary without the tokens at its start that stand for something else."""
        given = self.vocabulary or ()
        special = list(given[: self._start]) == self._special
        return given[self._start :] if special else given

    def _get_vocabulary(self, include_special_tokens: bool) -> list[Any]:
        self._require_vocabulary(f"{type(self).__name__}.get_vocabulary")
        return [*(self._special if include_special_tokens else ()), *self._tokens]

    def _require_vocabulary(self, where: str) -> None:
        if self.vocabulary is None:
            hint = "adapt returns the layer with a vocabulary: layer = layer.adapt(x)."
            raise SpecError("the layer has no vocabulary yet", where=where, hint=hint)

    def _adapt(self, data: Any) -> Self:
        kind = type(self).__name__
        where = f"{kind}.adapt"
        if self.vocabulary is not None:
            hint = f"Write {kind}(…).adapt(data), without a vocabulary."
            got = shorten(self.vocabulary, 60)
            raise SpecError("the layer has a vocabulary already", where=where, got=got, hint=hint)
        counts: Counter[Any] = Counter()
        holding: Counter[Any] = Counter()
        documents = 0
        for batch in batches_of(data, where, self._read):
            rows = _rows(batch, alone=is_whole(data))
            counts.update(rows.ravel().tolist())
            if self.output_mode == "tf_idf":
                documents += len(rows)
                holding.update(token for row in rows.tolist() for token in set(row))
        for special in (self.mask_token, self.oov_token):
            counts.pop(special, None)
        found = sorted(counts, key=lambda token: (counts[token], token), reverse=True)
        most = None if self.max_tokens is None else self.max_tokens - self._start
        found = found[:most]
        if not found:
            what = f"the data hold no {self.token_word} for a vocabulary"
            raise SpecError(what, where=where)
        weights = None
        if self.output_mode == "tf_idf":
            held = np.array([holding[token] for token in found])
            weights = tuple(np.log(1.0 + documents / (1.0 + held)).tolist())
        return self.replace(vocabulary=tuple(found), idf_weights=weights)

    def __call__(self, *inputs: Any, **unknown: Any) -> Any:
        """Look up an array, and return an array; or call the layer on an Input, for a `Model`."""
        each = inputs[0] if len(inputs) == 1 and not unknown else None
        is_list = isinstance(each, (list, tuple)) and not _holds_symbols(each)
        if isinstance(each, AbstractSymbol) or not (is_list or hasattr(each, "__array__")):
            return super().__call__(*inputs, **unknown)
        type_, array = self._fed(self._read(each, type(self).__name__))
        made = computed(
            lambda scope, given: {"y": scope.call(self, given["x"])}, {"x": type_}, {"x": array}
        )
        return made["y"]

    def emit(self, scope: Scope, x: Value) -> Value:
        self._require(scope, x)
        self._require_vocabulary(scope.path)
        same = self._same(scope, x, self._tokens)
        other = self._unknown if self.num_oov_indices else -1
        above = scope.constant(np.arange(len(self._tokens)) + float(self._start - other))
        place = ops.cast(ops.reduce_sum(same * above, -1) + other, "int32")
        mode = self.output_mode
        padding = None if self.mask_token is None else self._is(scope, x, self.mask_token)
        if padding is not None:
            place = ops.where(padding, 0 if mode == "int" else -1, place)
        if mode == "int":
            return place
        valid = None if self.num_oov_indices else _known(same, padding)
        return self._vectors(scope, place, valid)

    def _vectors(self, scope: Scope, place: Value, valid: Value | None) -> Value:
        padded = self.max_tokens if self.pad_to_max_tokens else None
        depth = padded or self._start + len(self._tokens)
        if self.output_mode != "tf_idf":
            return encoded(scope, place, self.output_mode, depth, valid)
        return encoded(scope, place, "count", depth, valid) * scope.constant(self._weights(depth))

    def _weights(self, depth: int) -> Array:
        """Return a weight for each place; unknown tokens have the mean of the others."""
        given = np.array(self.idf_weights)
        if len(given) == len(self._tokens):
            given = np.concatenate([np.full(self._start, given.mean()), given])
        return np.pad(given, (0, depth - len(given)))


def _known(same: Value, padding: Value | None) -> Value:
    known = ops.reduce_sum(same, -1)
    return known if padding is None else known + ops.cast(padding, "float32")


def _rows(batch: Array, alone: bool) -> Array:
    """Return a batch as rows of tokens."""
    if batch.ndim == 1 and alone:
        return batch[:, None]
    return batch.reshape(len(batch), -1) if batch.ndim > 1 else batch.reshape(1, -1)


def _holds_symbols(given: Any) -> bool:
    return any(isinstance(each, AbstractSymbol) for each in given)
