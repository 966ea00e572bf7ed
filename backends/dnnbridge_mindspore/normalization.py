"""Batch normalisation with its derivative written out, half as many kernels as MindSpore derives.

The native kernel counts every row of a batch; a last short batch has rows that do not count.
"""

from __future__ import annotations

from typing import Any

from mindspore import nn, ops

from dnnbridge_mindspore.broadcasting import OverChannels
from dnnbridge_mindspore.reductions import SUM, SumColumns, SumLast, SumMiddle

Tensor = Any

ADD = ops.BiasAdd()


class ChannelsFirst(nn.Cell):
    """Sums over space and numbers of channels, for arrays (batch, channels, …)"""

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
        """Repeat numbers over space, as a product with ones does fastest."""
        space = ops.reshape(x, (x.shape[0] * x.shape[1], -1)).shape[1]
        return ops.matmul(ops.reshape(numbers, (-1, 1)), ops.ones((1, space), x.dtype))


class Rows(nn.Cell):
    """The same for arrays (batch, channels), which have no space"""

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
    """The variance as it is"""

    def construct(self, variance: Tensor, mask: Tensor, space: int) -> Tensor:
        return variance


class Unbiased(nn.Cell):
    """n / (n - 1) times the variance, n being the number of elements of a channel"""

    def construct(self, variance: Tensor, mask: Tensor, space: int) -> Tensor:
        n = SUM(mask, 0) * space
        return variance * (n * ops.reciprocal(ops.maximum(n - 1.0, 1.0)))


class BatchNormalization(nn.Cell):
    """The equation of `dnnbridge.layers.BatchNormalization` in training, with a gamma and a beta

    It gives its value and both running statistics, and what its derivative needs besides.

    Args:
        over: Cell that knows the layout.
        followed: Cell that makes what the running variance follows of the variance.
        kept: what the running statistics keep of themselves.
        new: what they take of the batch.
        epsilon: added to the variance.
    """

    def __init__(
        self, over: nn.Cell, followed: nn.Cell, kept: float, new: float, epsilon: float
    ) -> None:
        super().__init__()
        self.over, self.followed, self.sum_columns = over, followed, SumColumns()
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
        """Return the derivatives; nobody asks for those by what says which examples count."""
        d, distance, inverse = dout[0], out[3], out[4]
        share = self.share(mask, normalizer, x.size // (mask.size * gamma.size))
        total = self.sum_columns(self.over(d))
        turned = self.sum_columns(self.over(d * distance))
        slope = ops.neg(share * (ops.square(inverse) * turned))
        moved = self.over.plus_rows(self.over.times_rows(distance, slope), ops.neg(share * total))
        dx = self.over.times(d + moved, gamma * inverse)
        unread = ops.zeros_like(mean), ops.zeros_like(variance), mask, normalizer
        return dx, *unread, inverse * turned, total

    def share(self, mask: Tensor, normalizer: Tensor, space: int) -> Tensor:
        """Return how much an element of each example counts, as (batch, 1)."""
        return ops.reshape(mask * (normalizer * (1.0 / space)), (-1, 1))
