"""Batch normalization with its own derivative, which has half as many kernels as MindSpore's.

The native kernel counts every row of a batch, but a short last batch has padding rows.
"""

from __future__ import annotations

from typing import Any

from mindspore import nn, ops

from dnnbridge_mindspore.broadcasting import OverChannels
from dnnbridge_mindspore.reductions import SUM, SumColumns, SumLast, SumMiddle

Tensor = Any

ADD, ZEROS = ops.BiasAdd(), ops.ZerosLike()


class ChannelsFirst(nn.Cell):
    """Sums over space and operations with a number per channel, for arrays (batch, channels, …)"""

    def __init__(self) -> None:
        super().__init__()
        self.sums, self.channels = SumLast(2, ()), OverChannels()

    def construct(self, x: Tensor) -> Tensor:
        """Σ over space, as (batch, channels)"""
        return self.sums(x)

    def plus(self, x: Tensor, numbers: Tensor) -> Tensor:
        """Add a number to each channel."""
        return self.channels.added(x, numbers)

    def times(self, x: Tensor, numbers: Tensor) -> Tensor:
        return ops.mul(x, self.channels.wide(numbers, x))

    def plus_rows(self, x: Tensor, numbers: Tensor) -> Tensor:
        """Add a number to each channel of each example."""
        rows = ops.reshape(x, (1, x.shape[0] * x.shape[1], -1, x.shape[-1]))
        return ops.reshape(ADD(rows, ops.reshape(numbers, (-1,))), x.shape)

    def times_rows(self, x: Tensor, numbers: Tensor) -> Tensor:
        return ops.mul(x, ops.reshape(self.wide(numbers, x), x.shape))

    def wide(self, numbers: Tensor, x: Tensor) -> Tensor:
        """Broadcast numbers over space by a product with ones, which is fastest."""
        space = ops.reshape(x, (x.shape[0] * x.shape[1], -1)).shape[1]
        return ops.matmul(ops.reshape(numbers, (-1, 1)), ops.ones((1, space), x.dtype))


class Rows(nn.Cell):
    """The same for arrays (batch, channels), without space"""

    def construct(self, x: Tensor) -> Tensor:
        return x

    def plus(self, x: Tensor, numbers: Tensor) -> Tensor:
        return ADD(x, numbers)

    def times(self, x: Tensor, numbers: Tensor) -> Tensor:
        return ops.mul(x, numbers)

    def plus_rows(self, x: Tensor, numbers: Tensor) -> Tensor:
        return ops.add(x, numbers)

    def times_rows(self, x: Tensor, numbers: Tensor) -> Tensor:
        return ops.mul(x, numbers)


class ChannelsLast(nn.Cell):
    """The same for arrays (batch, …, channels) of this rank"""

    def __init__(self, rank: int) -> None:
        super().__init__()
        self.sums, self.multiply = SumMiddle(1, rank - 1, ()), ops.BatchMatMul()

    def construct(self, x: Tensor) -> Tensor:
        return self.sums(x)

    def plus(self, x: Tensor, numbers: Tensor) -> Tensor:
        return ops.reshape(ADD(ops.reshape(x, (-1, x.shape[-1])), numbers), x.shape)

    def times(self, x: Tensor, numbers: Tensor) -> Tensor:
        return ops.mul(x, numbers)

    def plus_rows(self, x: Tensor, numbers: Tensor) -> Tensor:
        return ops.add(x, self.wide(numbers, x))

    def times_rows(self, x: Tensor, numbers: Tensor) -> Tensor:
        return ops.mul(x, self.wide(numbers, x))

    def wide(self, numbers: Tensor, x: Tensor) -> Tensor:
        n, channels = numbers.shape
        space = ops.reshape(x, (n, -1, channels)).shape[1]
        ones = ops.ones((n, space, 1), x.dtype)
        return ops.reshape(self.multiply(ones, ops.reshape(numbers, (n, 1, channels))), x.shape)


class Biased(nn.Cell):
    """The unchanged variance"""

    def construct(self, variance: Tensor, mask: Tensor, space: int) -> Tensor:
        return variance


class Unbiased(nn.Cell):
    """n / (n - 1) times the variance, where n is the number of elements of a channel"""

    def construct(self, variance: Tensor, mask: Tensor, space: int) -> Tensor:
        n = SUM(mask, 0) * space
        return variance * (n * ops.reciprocal(ops.maximum(n - 1.0, 1.0)))


class BatchNormalization(nn.Cell):
    """The equation of `dnnbridge.layers.BatchNormalization` in training, with gamma and beta

    It returns its value, both running statistics, and two values for its derivative.

    Args:
        over: Cell for the layout.
        followed: Cell that computes, from the batch variance, the input of the running variance.
        kept: factor of the old running statistics.
        new: factor of the batch statistics.
        epsilon: number added to the variance.
        sum_columns: Cell that adds the rows of (n, channels).
    """

    def __init__(
        self,
        over: nn.Cell,
        followed: nn.Cell,
        kept: float,
        new: float,
        epsilon: float,
        sum_columns: nn.Cell | None = None,
    ) -> None:
        super().__init__()
        self.over, self.followed = over, followed
        self.sum_columns = SumColumns() if sum_columns is None else sum_columns
        self.kept, self.new, self.epsilon = kept, new, epsilon

    def construct(
        self,
        x: Tensor,
        mean: Tensor,
        variance: Tensor,
        mask: Tensor,
        normalizer: Tensor,
        gamma: Tensor,
        beta: Tensor,
    ) -> tuple[Tensor, ...]:
        space = x.size // (mask.size * gamma.size)
        share = self.share(mask, normalizer, space)
        found = self.sum_columns(self.over(x) * share)
        distance = self.over.plus(x, ops.neg(found))
        spread = self.sum_columns(self.over(ops.square(distance)) * share)
        inverse = ops.reciprocal(ops.sqrt(spread + self.epsilon))
        y = self.over.plus(self.over.times(distance, gamma * inverse), beta)
        followed = self.followed(spread, mask, space)
        mean = self.kept * mean + self.new * found
        variance = self.kept * variance + self.new * followed
        return y, mean, variance, distance, inverse

    def bprop(
        self,
        x: Tensor,
        mean: Tensor,
        variance: Tensor,
        mask: Tensor,
        normalizer: Tensor,
        gamma: Tensor,
        beta: Tensor,
        out: tuple[Tensor, ...],
        dout: tuple[Tensor, ...],
    ) -> tuple[Tensor, ...]:
        """Return the derivatives; those by statistics, mask and normalizer are never read."""
        d, distance, inverse = dout[0], out[3], out[4]
        share = self.share(mask, normalizer, x.size // (mask.size * gamma.size))
        total = self.sum_columns(self.over(d))
        turned = self.sum_columns(self.over(d * distance))
        slope = ops.neg(share * (ops.square(inverse) * turned))
        moved = self.over.plus_rows(self.over.times_rows(distance, slope), ops.neg(share * total))
        dx = self.over.times(d + moved, gamma * inverse)
        unread = ZEROS(mean), ZEROS(variance), mask, normalizer
        return dx, *unread, inverse * turned, total

    def share(self, mask: Tensor, normalizer: Tensor, space: int) -> Tensor:
        """Return the weight of an element of each example, as (batch, 1)."""
        return ops.reshape(mask * (normalizer * (1.0 / space)), (-1, 1))
