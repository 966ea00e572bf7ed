"""Texts as their places in a vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.base.texts import as_texts, digests
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import DTypeError
from dnnbridge.graph import TensorType, Value
from dnnbridge.layers.lookup import AbstractLookup
from dnnbridge.specs.fields import Bool, Converted, default, plain
from dnnbridge.specs.sequences import RealNumbers, Texts, text
from dnnbridge.specs.spec import spec

Text = Annotated[str, Field(strict=True), BeforeValidator(plain), AfterValidator(text)]


@spec
class StringLookup(AbstractLookup):
    """The place of each text in a vocabulary, for names, codes and other categories

    Texts that are not in the vocabulary share one place before it, and a mask token has place 0.
    So the n-th text, from 0, has place n + 1, or n + 2 with a mask token. Upper and lower case
    differ, and so do texts with spaces around them.

    The input is an `Input(shape, "string")`, and no other layer reads one. No backend computes with
    texts: each is turned into a digest of 128 bits, which the layer compares with those of the
    vocabulary. Two different texts have the same digest with a probability of 2^-128. Time and
    memory grow with the product of the texts of a batch and the vocabulary.

    Called on an array or list of texts, the layer returns an array of numbers.

    Args:
        max_tokens: the largest number of places; `adapt` keeps the most frequent texts.
        num_oov_indices: places for texts that are not in the vocabulary: 1, or 0 where there are
            none. With 0 such a text gives -1, or a vector of NaN; Keras raises.
        mask_token: a text that stands for padding or what is missing: place 0, or no 1 in a vector.
        oov_token: what stands for unknown texts in `get_vocabulary` and at the start of a
            vocabulary.
        vocabulary: the texts; it may start with the mask token and the oov_token, as that of
            `get_vocabulary` does. Without it the layer must be adapted.
        idf_weights: for "tf_idf", one for each text of the vocabulary.
        output_mode: "int": int32 places, in the shape of the input. "one_hot", "multi_hot" and
            "count": vectors as of `CategoryEncoding`, without a place for the mask token. "tf_idf":
            the counts times the weights.
        pad_to_max_tokens: whether vectors have max_tokens numbers, with zeros at the end.

    Raises:
        SpecError: a text is in the vocabulary twice; the mask token is among others; there are
            more texts than max_tokens; weights are missing; or a layer is compiled that has not
            been adapted.
        DTypeError: it is called on something else than texts.

    Example:
        >>> layer = StringLookup().adapt(["red", "blue", "red"])
        >>> layer
        StringLookup(vocabulary=('red', 'blue'))
        >>> layer.get_vocabulary()
        ['[UNK]', 'red', 'blue']
        >>> layer(["blue", "red", "green"])
        array([2, 1, 0], dtype=int32)
        >>> from dnnbridge import Input, Sequential
        >>> one_hot = layer.replace(output_mode="one_hot")
        >>> Sequential([Input((1,), "string"), one_hot]).output_shape
        (None, 3)
    """

    token_word: ClassVar[str] = "text"
    takes_text: ClassVar[bool] = True

    max_tokens: Annotated[int, Field(strict=True, gt=1), BeforeValidator(plain)] | None = None
    num_oov_indices: Literal[0, 1] = 1
    mask_token: Text | None = None
    oov_token: Text | None = "[UNK]"
    vocabulary: Converted[tuple[str, ...] | None, Texts | None] = default(None)
    idf_weights: Converted[tuple[float, ...] | None, RealNumbers | None] = default(None)
    output_mode: Literal["int", "one_hot", "multi_hot", "count", "tf_idf"] = "int"
    pad_to_max_tokens: Bool = False

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str | None]:
        """Return the text of each place.

        Args:
            include_special_tokens: whether the mask token and the oov_token are among them.

        Raises:
            SpecError: the layer has no vocabulary yet.
        """
        return self._get_vocabulary(include_special_tokens)

    def adapt(self, data: Any) -> Self:
        """Return the layer with the texts of the data as its vocabulary.

        The most frequent text comes first. Of two that are as frequent, the one that is later in
        the alphabet (by code points) comes first, as in Keras. With "tf_idf" each row of the data
        is a document, and a text has the weight log(1 + documents / (1 + documents that hold it)).

        Args:
            data: an array, list or column of texts, or an iterable of batches. Each text of an
                array with one axis is a row; a batch with one axis is one row.

        Raises:
            SpecError: the layer has a vocabulary, or the data are empty.
            DTypeError: an element is no text, such as None or NaN.
        """
        return self._adapt(data)

    def _read(self, data: Any, where: str) -> Array:
        return as_texts(data, where)

    def _fed(self, tokens: Array) -> tuple[TensorType, Array]:
        made = digests(tokens, "StringLookup")
        return TensorType(made.shape, "int32", text=True), made

    def _require(self, scope: Scope, x: Value) -> None:
        if not x.type.text:
            raise DTypeError(
                "the input must be texts",
                where=scope.path,
                got=str(x.type),
                hint='Write Input(shape, dtype="string").',
            )

    def _same(self, scope: Scope, x: Value, tokens: Sequence[Any]) -> Value:
        known = scope.constant(digests(np.array(tokens, object), scope.path))
        return ops.cast(_all(ops.reshape(x, (*x.shape[:-1], 1, x.shape[-1])), known), "float32")

    def _is(self, scope: Scope, x: Value, token: Any) -> Value:
        return _all(x, scope.constant(digests(np.array(token, object), scope.path)))


def _all(x: Value, digest: Value) -> Value:
    """Return whether all numbers of two digests are equal."""
    same = ops.cast(ops.equal(x, digest), "float32")
    return ops.reduce_sum(same, -1) > float(x.shape[-1] or 0) - 0.5
