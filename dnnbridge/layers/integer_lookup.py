"""Whole numbers as their places in a vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Field

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import TensorType, Value
from dnnbridge.layers.adapting import whole_numbers
from dnnbridge.layers.lookup import AbstractLookup
from dnnbridge.layers.masking import require_int32
from dnnbridge.specs.fields import Bool, Converted, default, plain
from dnnbridge.specs.sequences import LARGEST_INT, SMALLEST_INT, RealNumbers, WholeNumbers
from dnnbridge.specs.spec import spec

Int32 = Annotated[int, Field(strict=True, ge=SMALLEST_INT, le=LARGEST_INT), BeforeValidator(plain)]


@spec
class IntegerLookup(AbstractLookup):
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

    token_word: ClassVar[str] = "number"

    max_tokens: Annotated[int, Field(strict=True, gt=1), BeforeValidator(plain)] | None = None
    num_oov_indices: Literal[0, 1] = 1
    mask_token: Int32 | None = None
    oov_token: Int32 | None = -1
    vocabulary: Converted[tuple[int, ...] | None, WholeNumbers | None] = default(None)
    idf_weights: Converted[tuple[float, ...] | None, RealNumbers | None] = default(None)
    output_mode: Literal["int", "one_hot", "multi_hot", "count", "tf_idf"] = "int"
    pad_to_max_tokens: Bool = False

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[int | None]:
        """Return the number of each place.

        Args:
            include_special_tokens: whether the mask token and the oov_token are among them.

        Raises:
            SpecError: the layer has no vocabulary yet.
        """
        return self._get_vocabulary(include_special_tokens)

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
        return self._adapt(data)

    def _read(self, data: Any, where: str) -> Array:
        return whole_numbers(np.asarray(data), where)

    def _fed(self, tokens: Array) -> tuple[TensorType, Array]:
        return TensorType(tokens.shape, "int32"), tokens.astype(np.int32)

    def _require(self, scope: Scope, x: Value) -> None:
        require_int32(scope, x)

    def _same(self, scope: Scope, x: Value, tokens: Sequence[Any]) -> Value:
        known = scope.constant(np.array(tokens, np.int32))
        return ops.cast(ops.equal(ops.reshape(x, (*x.shape, 1)), known), "float32")

    def _is(self, scope: Scope, x: Value, token: Any) -> Value:
        return ops.equal(x, token)
