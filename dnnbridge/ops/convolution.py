"""Convolution and its transpose, channels last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dnnbridge.errors import ShapeError
from dnnbridge.graph import Op, TensorType, Value
from dnnbridge.graph.op import require_dtype
from dnnbridge.graph.types import shape_text
from dnnbridge.ops.windows import Padding, Pairs, pad_pairs, places


@dataclass(frozen=True)
class Conv(Op):
    """y[p, o] = Σ over k and i of x[p · stride + k · dilation - before, i] · kernel[k, i, o]

    The input is (batch, *spatial, in), the kernel (*window, in / groups, out). Channels are split
    into groups, in order, of inputs and of outputs; each group sees only its own. What lies in
    the padding counts as 0. (A correlation, as in every framework: the kernel is not flipped.)
    """

    strides: tuple[int, ...]
    padding: Pairs
    dilation: tuple[int, ...]
    groups: int = 1

    def infer(self, *types: TensorType) -> TensorType:
        x, kernel = types
        require_dtype(self, x, "float32")
        _require_ranks("a convolution", x, kernel, len(self.strides))
        channels, filters = kernel.shape[-2:]
        if x.shape[-1] != self.groups * (channels or 0) or (filters or 0) % self.groups:
            raise ShapeError(
                "channels of input, kernel and groups do not fit",
                got=f"input ({shape_text(x.shape)}), kernel ({shape_text(kernel.shape)}), "
                f"{self.groups} groups",
                hint="The groups must divide the channels of the input and the filters.",
            )
        window = tuple(int(size or 0) for size in kernel.shape[:-2])
        made = places(
            "a convolution", x.shape[1:-1], window, self.strides, self.padding, self.dilation
        )
        return x.with_shape((x.shape[0], *made, filters))

    def flops(self, inputs: tuple[TensorType, ...], output: TensorType) -> int:
        return _flops(output, inputs[1])


@dataclass(frozen=True)
class ConvTranspose(Op):
    """The transpose of the `Conv` that has these attributes and takes inputs of spatial `sizes`

    The kernel is (*window, out, in): what that Conv would take. Every input adds its multiple of
    the kernel to the output, and what falls into the padding is dropped.
    """

    strides: tuple[int, ...]
    padding: Pairs
    dilation: tuple[int, ...]
    sizes: tuple[int, ...]

    @property
    def transposed(self) -> Conv:
        return Conv(self.strides, self.padding, self.dilation)

    def infer(self, *types: TensorType) -> TensorType:
        x, kernel = types
        _require_ranks("a transposed convolution", x, kernel, len(self.strides))
        made = x.with_shape((x.shape[0], *self.sizes, kernel.shape[-2]))
        if self.transposed.infer(made, kernel) != x:
            raise ShapeError(
                "the output does not fit the input",
                got=f"input ({shape_text(x.shape)}), kernel ({shape_text(kernel.shape)}), "
                f"output ({shape_text(made.shape)})",
                hint="A convolution of the output must have the shape of the input.",
            )
        return made

    def flops(self, inputs: tuple[TensorType, ...], output: TensorType) -> int:
        return _flops(inputs[0], inputs[1])


def _flops(smaller: TensorType, kernel: TensorType) -> int:
    """Every element of the smaller side meets the kernel of each channel of the other."""
    return 2 * smaller.size() * kernel.size() // int(kernel.shape[-1] or 1)


def _require_ranks(what: str, x: TensorType, kernel: TensorType, axes: int) -> None:
    if not x.rank == kernel.rank == axes + 2 or axes not in (1, 2, 3):
        raise ShapeError(
            f"{what} over {axes} axes takes (batch, *spatial, channels)",
            got=f"input ({shape_text(x.shape)}), kernel ({shape_text(kernel.shape)})",
            hint="Use the layer of the right number of axes, or reshape the input.",
        )


def conv(
    x: Value,
    kernel: Value,
    strides: Sequence[int],
    padding: Padding = "valid",
    dilation: Sequence[int] | None = None,
    groups: int = 1,
) -> Value:
    dilation = tuple(dilation or (1,) * len(strides))
    window = [int(size or 0) for size in kernel.shape[:-2]]
    sizes = x.shape[1 : 1 + len(window)]
    pairs = pad_pairs(padding, sizes, window, strides, dilation) if x.rank == kernel.rank else ()
    return x.builder.add(Conv(tuple(strides), pairs, dilation, groups), x, kernel)


def conv_transpose(
    x: Value,
    kernel: Value,
    strides: Sequence[int],
    sizes: Sequence[int],
    padding: Padding = "valid",
    dilation: Sequence[int] | None = None,
) -> Value:
    """Record a `ConvTranspose`; the padding is that of the convolution of its output."""
    dilation = tuple(dilation or (1,) * len(strides))
    window = [int(size or 0) for size in kernel.shape[:-2]]
    pairs = pad_pairs(padding, sizes, window, strides, dilation)
    op = ConvTranspose(tuple(strides), pairs, dilation, tuple(sizes))
    return x.builder.add(op, x, kernel)
