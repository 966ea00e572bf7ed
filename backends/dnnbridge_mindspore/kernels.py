"""Cells for operations whose own MindSpore kernel is wrong or inexact on the CPU.

Each is built from correct kernels. It has its own derivative, as the form used may have kinks that
the operation does not have.
"""

from __future__ import annotations

from typing import Any

import mindspore as ms
from mindspore import nn, ops

from dnnbridge_mindspore.broadcasting import Add as Add
from dnnbridge_mindspore.broadcasting import Mul as Mul
from dnnbridge_mindspore.broadcasting import OverChannels as OverChannels
from dnnbridge_mindspore.broadcasting import OverFirst as OverFirst
from dnnbridge_mindspore.broadcasting import OverLast as OverLast
from dnnbridge_mindspore.broadcasting import OverRows as OverRows
from dnnbridge_mindspore.broadcasting import Sub as Sub
from dnnbridge_mindspore.double_kernels import DoubleClip as DoubleClip
from dnnbridge_mindspore.double_kernels import DoubleConvTranspose as DoubleConvTranspose
from dnnbridge_mindspore.double_kernels import DoubleExpm1 as DoubleExpm1
from dnnbridge_mindspore.double_kernels import DoubleMaxPool as DoubleMaxPool
from dnnbridge_mindspore.double_kernels import DoubleSoftplus as DoubleSoftplus
from dnnbridge_mindspore.double_kernels import double_avg_pool as double_avg_pool
from dnnbridge_mindspore.exponential import Exp as Exp
from dnnbridge_mindspore.exponential import Expm1 as Expm1
from dnnbridge_mindspore.exponential import Log as Log
from dnnbridge_mindspore.linear import BatchMatMul as BatchMatMul
from dnnbridge_mindspore.linear import MatMul as MatMul
from dnnbridge_mindspore.native_kernels import LayerNorm as LayerNorm
from dnnbridge_mindspore.native_kernels import NativeChannels as NativeChannels
from dnnbridge_mindspore.native_kernels import NativeConv3D as NativeConv3D
from dnnbridge_mindspore.native_kernels import NativePad as NativePad
from dnnbridge_mindspore.native_kernels import NativeTranspose3D as NativeTranspose3D
from dnnbridge_mindspore.normalization import BatchNormalization as BatchNormalization
from dnnbridge_mindspore.normalization import Biased as Biased
from dnnbridge_mindspore.normalization import ChannelsFirst as ChannelsFirst
from dnnbridge_mindspore.normalization import ChannelsLast as ChannelsLast
from dnnbridge_mindspore.normalization import Rows as Rows
from dnnbridge_mindspore.normalization import Unbiased as Unbiased
from dnnbridge_mindspore.padding import Pad as Pad
from dnnbridge_mindspore.products import ConvSlices as ConvSlices
from dnnbridge_mindspore.products import GroupedSlices as GroupedSlices
from dnnbridge_mindspore.recurrent import LSTM as LSTM
from dnnbridge_mindspore.reductions import LogSoftmax as LogSoftmax
from dnnbridge_mindspore.reductions import Mean as Mean
from dnnbridge_mindspore.reductions import OneByOne as OneByOne
from dnnbridge_mindspore.reductions import Softmax as Softmax
from dnnbridge_mindspore.reductions import SumFirst as SumFirst
from dnnbridge_mindspore.reductions import SumLast as SumLast
from dnnbridge_mindspore.reductions import SumMiddle as SumMiddle
from dnnbridge_mindspore.rows import GATHER as GATHER
from dnnbridge_mindspore.rows import Gather as Gather
from dnnbridge_mindspore.rows import PutRows as PutRows
from dnnbridge_mindspore.rows import SumRepeats as SumRepeats
from dnnbridge_mindspore.rows import Take as Take
from dnnbridge_mindspore.windows import AvgPool as AvgPool
from dnnbridge_mindspore.windows import Conv as Conv
from dnnbridge_mindspore.windows import ConvTranspose as ConvTranspose
from dnnbridge_mindspore.windows import MaxPool as MaxPool
from dnnbridge_mindspore.workers import AllReduceGradient as AllReduceGradient
from dnnbridge_mindspore.workers import AllReduceSum as AllReduceSum

Tensor = Any

MEAN, TRANSPOSE = ops.ReduceMean(), ops.Transpose()
TANH, ZEROS = ops.Tanh(), ops.ZerosLike()
"""Primitives; `ops.zeros_like` branches in Python, which some derivatives cannot compile."""


class NativeRelu(nn.Cell):
    """The primitive; the branch in `ops.relu` does not compile in the derivative of a loop"""

    def __init__(self) -> None:
        super().__init__()
        self.relu = ops.ReLU()

    def construct(self, x: Tensor) -> Tensor:
        return self.relu(x)


class Relu(nn.Cell):
    """max(0, x), which keeps NaN in this order; `ops.relu` returns 0"""

    def __init__(self) -> None:
        super().__init__()
        self.vjp = ops.GradOperation(sens_param=True)(NativeRelu())

    def construct(self, x: Tensor) -> Tensor:
        return ops.maximum(ZEROS(x), x)

    def bprop(self, x: Tensor, out: Tensor, dout: Tensor) -> tuple[Tensor]:
        return (self.vjp(out, dout),)


class Square(nn.Cell):
    """x²; MindSpore's derivative computes a power of 1, which takes four times as long"""

    def __init__(self) -> None:
        super().__init__()
        self.square = ops.Square()

    def construct(self, x: Tensor) -> Tensor:
        return self.square(x)

    def bprop(self, x: Tensor, out: Tensor, dout: Tensor) -> tuple[Tensor]:
        return (ops.mul(dout, 2.0 * x),)


class Tanh(nn.Cell):
    """2t / (t² + 1) with t = tanh(x / 2); `ops.tanh` has an error of 1e-4 beyond 2.5

    An error of t is multiplied by (1 - t²) / (1 + t²), which is small where t is inexact.
    """

    def construct(self, x: Tensor) -> Tensor:
        t = TANH(0.5 * x)
        return 2.0 * t * ops.reciprocal(ops.square(t) + 1.0)

    def bprop(self, x: Tensor, out: Tensor, dout: Tensor) -> tuple[Tensor]:
        return (dout * (1.0 - out * out),)


class Softplus(nn.Cell):
    """max(x, 0) + log(1 + t) with t = exp(-|x|); `ops.softplus` and `ops.log1p` are 0 below -15

    log(1 + t) is 2 (s + s³/3 + s⁵/5 + …) with s = t / (t + 2), which is at most 1/3.
    """

    def construct(self, x: Tensor) -> Tensor:
        t = ops.exp(-ops.abs(x))
        s = t * ops.reciprocal(t + 2.0)
        square = s * s
        series = square * (2.0 / 13.0) + 2.0 / 11.0
        for odd in (9.0, 7.0, 5.0, 3.0, 1.0):
            series = series * square + 2.0 / odd
        return ops.relu(x) + s * series

    def bprop(self, x: Tensor, out: Tensor, dout: Tensor) -> tuple[Tensor]:
        return (dout * ops.sigmoid(x),)


class RowsCrossEntropy(nn.Cell):
    """The loss of each row; the kernel computes its derivative in the same pass

    The sparse kernel's mean overflows, and `nn.SoftmaxCrossEntropyWithLogits` takes 0.2 s longer
    to compile.
    """

    def __init__(self) -> None:
        super().__init__()
        self.kernel, self.one_hot = ops.SoftmaxCrossEntropyWithLogits(), ops.OneHot()
        self.one, self.zero = ms.Tensor(1.0, ms.float32), ms.Tensor(0.0, ms.float32)

    def both(self, prediction: Tensor, target: Tensor) -> Any:
        known = self.one_hot(target, prediction.shape[1], self.one, self.zero)
        return self.kernel(prediction, known)

    def construct(self, prediction: Tensor, target: Tensor) -> Tensor:
        return self.both(prediction, target)[0]

    def bprop(
        self, prediction: Tensor, target: Tensor, out: Tensor, dout: Tensor
    ) -> tuple[Tensor, Tensor]:
        return self.both(prediction, target)[1] * ops.expand_dims(dout, 1), target


class SparseCrossEntropy(nn.Cell):
    """The loss of each label in log-sum-exp form, averaged over the axes of an example"""

    def __init__(self) -> None:
        super().__init__()
        self.losses = RowsCrossEntropy()

    def construct(self, prediction: Tensor, target: Tensor) -> Tensor:
        if target.ndim == 1:
            return self.losses(prediction, target)
        rows = ops.reshape(prediction, (-1, prediction.shape[-1]))
        losses = self.losses(rows, ops.reshape(target, (-1,)))
        return MEAN(ops.reshape(losses, (target.shape[0], -1)), 1)


def argmax(x: Tensor, axis: int) -> Tensor:
    """The index of the first largest element; NaN always counts as largest, unlike `ops.argmax`"""
    nan = ops.cast(ops.not_equal(x, x), ms.float32)
    rank = ops.where(ops.greater(ops.amax(nan, axis, True), 0.0), nan, x)
    return ops.cast(ops.argmax(rank, axis), ms.int32)
