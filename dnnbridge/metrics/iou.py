"""Intersection over union of classes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dnnbridge.emit.scope import Scope
from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.metrics.answers import indicator
from dnnbridge.metrics.overlap import AbstractIoU, Form, class_numbers
from dnnbridge.metrics.thresholds import read
from dnnbridge.specs.fields import Bool, Float, Int, NonNegativeInt, PositiveInt
from dnnbridge.specs.spec import spec

Classes = Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)]


def _check_targets(targets: tuple[int, ...], classes: int) -> None:
    if max(targets) >= classes:
        raise SpecError(
            f"must be less than the number of classes, {classes}",
            where="target_class_ids",
            got=str(max(targets)),
        )


@spec
class IoU(AbstractIoU):
    """Mean intersection over union of some classes, as in Keras

    The union of a class are the places where it is the label or the prediction. A class without
    any place does not count in the mean. A place whose label or prediction is no class is left
    out. Keras adds 1e-7 to the divisors, and rounds weights down to whole numbers.

    Args:
        num_classes: number of classes.
        target_class_ids: the classes whose mean is taken.
        ignore_class: class number of labels to ignore.
        sparse_y_true: whether labels are class numbers; else they have one number per class.
        sparse_y_pred: whether predictions are class numbers; else the class with the largest
            number is predicted, and a tie counts for the first.
        axis: the axis of the classes, where they are not sparse.

    Example:
        >>> IoU(2, [1])([0, 0, 1, 1], [0.0, 1.0, 0.0, 1.0])
        0.3333333333333333
    """

    num_classes: PositiveInt
    target_class_ids: Classes
    ignore_class: Int | None = None
    sparse_y_true: Bool = True
    sparse_y_pred: Bool = True
    axis: Int = -1

    def __post_init__(self) -> None:
        _check_targets(self.target_class_ids, self.num_classes)

    @property
    def targets(self) -> tuple[int, ...]:
        return self.target_class_ids

    @property
    def form(self) -> Form:
        sparse = self.sparse_y_true, self.sparse_y_pred
        return Form(self.num_classes, self.ignore_class, *sparse, self.axis)


@spec
class MeanIoU(AbstractIoU):
    """Mean intersection over union of all classes, as in Keras; see `IoU`

    Args:
        num_classes: as in `IoU`.
        ignore_class: as in `IoU`.
        sparse_y_true: as in `IoU`.
        sparse_y_pred: as in `IoU`.
        axis: as in `IoU`.

    Example:
        >>> round(MeanIoU(2)([0, 0, 1, 1], [0.0, 1.0, 1.0, 1.0]), 4)
        0.5833
        >>> MeanIoU(2, sparse_y_pred=False)([1, 0], [[0.2, 0.8], [0.9, 0.1]])
        1.0
    """

    num_classes: PositiveInt
    ignore_class: Int | None = None
    sparse_y_true: Bool = True
    sparse_y_pred: Bool = True
    axis: Int = -1

    @property
    def targets(self) -> tuple[int, ...]:
        return tuple(range(self.num_classes))

    @property
    def form(self) -> Form:
        sparse = self.sparse_y_true, self.sparse_y_pred
        return Form(self.num_classes, self.ignore_class, *sparse, self.axis)


@spec
class OneHotIoU(AbstractIoU):
    """`IoU` of labels that have one number per class

    Args:
        num_classes: as in `IoU`.
        target_class_ids: as in `IoU`.
        ignore_class: as in `IoU`.
        sparse_y_pred: as in `IoU`; by default predictions have one number per class.
        axis: as in `IoU`.

    Example:
        >>> OneHotIoU(2, [0])([[1.0, 0.0], [0.0, 1.0]], [[0.7, 0.3], [0.6, 0.4]])
        0.5
    """

    num_classes: PositiveInt
    target_class_ids: Classes
    ignore_class: Int | None = None
    sparse_y_pred: Bool = False
    axis: Int = -1

    def __post_init__(self) -> None:
        _check_targets(self.target_class_ids, self.num_classes)

    @property
    def targets(self) -> tuple[int, ...]:
        return self.target_class_ids

    @property
    def form(self) -> Form:
        return Form(self.num_classes, self.ignore_class, False, self.sparse_y_pred, self.axis)


@spec
class OneHotMeanIoU(AbstractIoU):
    """`MeanIoU` of labels that have one number per class

    Args:
        num_classes: as in `IoU`.
        ignore_class: as in `IoU`.
        sparse_y_pred: as in `IoU`; by default predictions have one number per class.
        axis: as in `IoU`.

    Example:
        >>> OneHotMeanIoU(2)([[1.0, 0.0], [0.0, 1.0]], [[0.7, 0.3], [0.6, 0.4]])
        0.25
    """

    num_classes: PositiveInt
    ignore_class: Int | None = None
    sparse_y_pred: Bool = False
    axis: Int = -1

    @property
    def targets(self) -> tuple[int, ...]:
        return tuple(range(self.num_classes))

    @property
    def form(self) -> Form:
        return Form(self.num_classes, self.ignore_class, False, self.sparse_y_pred, self.axis)


@spec
class BinaryIoU(AbstractIoU):
    """`IoU` of the classes 0 and 1, predicted by a threshold

    Args:
        target_class_ids: the classes whose mean is taken.
        threshold: class 1 is predicted if prediction >= threshold; labels are 0 or 1.

    Example:
        >>> round(BinaryIoU()([[0.0], [1.0], [1.0]], [[0.1], [0.5], [0.3]]), 4)
        0.5
    """

    target_class_ids: Classes = (0, 1)
    threshold: Float = 0.5

    def __post_init__(self) -> None:
        _check_targets(self.target_class_ids, 2)

    @property
    def targets(self) -> tuple[int, ...]:
        return self.target_class_ids

    @property
    def form(self) -> Form:
        return Form(2)

    def answer(self, scope: Scope, prediction: Value) -> Value:
        reached = 1.0 - indicator(read(self.threshold) > prediction)
        return class_numbers(scope, reached, True, -1, "predictions")
