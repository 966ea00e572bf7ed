"""The precision of a training: the types of real numbers that its steps compute in."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import PlainValidator

from dnnbridge.errors import SpecError
from dnnbridge.graph import DType
from dnnbridge.specs.fields import Converted
from dnnbridge.specs.json_types import by_name, of_kind, read_as
from dnnbridge.specs.resolving import named
from dnnbridge.specs.spec import Spec, spec


class AbstractPrecision(Spec):
    """Base of precisions.

    Attributes:
        variable_dtype: type of weights, buffers, slots of the optimizer, losses and metrics.
        compute_dtype: type of what `LOWERED` and `FOLLOWING` operations of layers compute.
        scaled: whether small gradients vanish, so that an experiment without a loss scale has a
            `DynamicLossScale()`.
    """

    variable_dtype: ClassVar[DType] = "float32"
    compute_dtype: ClassVar[DType] = "float32"
    scaled: ClassVar[bool] = False

    @property
    def kept(self) -> tuple[str, ...]:
        """Patterns of the layers that compute in the type of the weights."""
        return ()


@spec
class Float32(AbstractPrecision):
    """Everything in float32, the default

    Example:
        >>> Float32().compute_dtype
        'float32'
    """


@spec
class Float64(AbstractPrecision):
    """Everything in float64, weights and slots included

    Data are read as float32. Initial weights are those of float32, so that trainings in both can be
    compared.

    Example:
        >>> Float64().variable_dtype
        'float64'
    """

    variable_dtype: ClassVar[DType] = "float64"
    compute_dtype: ClassVar[DType] = "float64"


@spec
class MixedFloat16(AbstractPrecision):
    """Products and what is element-wise between them in float16; weights stay float32

    Same idea as `mixed_float16` of Keras and O2 of MindSpore (Micikevicius et al., 2018). Which
    operation computes in which type: `docs/guide/precision.md`. An experiment without a loss scale
    has a `DynamicLossScale()`, as in Keras; write `loss_scale=1.0` for none.

    Args:
        float32_layers: patterns of paths of layers that compute in float32, with all layers in
            them: "head", "encoder/*". "!…" takes back what one before it named.

    Example:
        >>> import dnnbridge as db
        >>> model = db.Sequential([db.Input((4,)), db.Dense(3, "relu"), db.Dense(2, name="head")])
        >>> experiment = db.Experiment(
        ...     model, "mse", "sgd", precision=db.MixedFloat16(float32_layers=("head",))
        ... )
        >>> experiment.scaling
        DynamicLossScale()
    """

    compute_dtype: ClassVar[DType] = "float16"
    scaled: ClassVar[bool] = True

    float32_layers: tuple[str, ...] = ()

    @property
    def kept(self) -> tuple[str, ...]:
        return self.float32_layers


@spec
class MixedBFloat16(AbstractPrecision):
    """The same as `MixedFloat16` in bfloat16, which has the range of float32 and 8 digits

    No loss scale is needed. Same idea as `mixed_bfloat16` of Keras. MindSpore has no bfloat16 on a
    CPU.

    Args:
        float32_layers: patterns of paths of layers that compute in float32; see `MixedFloat16`.

    Example:
        >>> MixedBFloat16().compute_dtype
        'bfloat16'
    """

    compute_dtype: ClassVar[DType] = "bfloat16"

    float32_layers: tuple[str, ...] = ()

    @property
    def kept(self) -> tuple[str, ...]:
        return self.float32_layers


AMP_LEVELS: dict[str, type[AbstractPrecision]] = {
    "O0": Float32,
    "O1": MixedFloat16,
    "O2": MixedFloat16,
    "auto": MixedFloat16,
}
"""The precision that stands for each level of MindSpore's `amp_level`."""


def precision_of_amp_level(level: str) -> AbstractPrecision:
    """Return the precision that stands for an `amp_level` of MindSpore.

    O1, O2 and "auto" differ in lists of MindSpore: O1 lowers products alone, O2 all but
    normalisations, "auto" follows what is between. Here all three are `MixedFloat16`, which follows
    a table. O3 also lowers normalisations, which no precision here does.

    Args:
        level: "O0", "O1", "O2" or "auto".

    Raises:
        SpecError: the level is O3 or unknown.

    Example:
        >>> precision_of_amp_level("O2")
        MixedFloat16()
    """
    if level not in AMP_LEVELS:
        raise SpecError(
            "no precision stands for this level",
            where="amp_level",
            got=repr(level),
            hint=f"Give one of {', '.join(AMP_LEVELS)}; normalisations always stay float32.",
        )
    return AMP_LEVELS[level]()


as_precision = named(AbstractPrecision)
"""Returns a precision unchanged; turns the name of a policy of Keras, "mixed_float16", into one."""

PrecisionLike = Annotated[
    str | AbstractPrecision,
    PlainValidator(as_precision),
    read_as(of_kind(AbstractPrecision), by_name(AbstractPrecision)),
]
"""Field of a precision, or the name of one."""

PrecisionField = Converted[AbstractPrecision, PrecisionLike]
"""What it holds once it is made."""
