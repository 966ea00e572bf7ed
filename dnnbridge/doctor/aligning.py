"""`align`: where two trainings part, and why."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from dnnbridge.base.calling import explained as checked
from dnnbridge.doctor.alignment import Alignment
from dnnbridge.doctor.comparison import Comparison
from dnnbridge.doctor.opening import opened
from dnnbridge.errors import DataError
from dnnbridge.training.checking.data import check_positive


@checked()
def align(
    a: Any,
    b: Any,
    data: tuple[Any, ...],
    steps: int = 20,
    batch_size: int = 32,
    *,
    validation_data: tuple[Any, ...] | None = None,
) -> Alignment:
    """Compare two trainings stage by stage: where they part, and why.

    Both start from the weights of `a` and get the same batches, in the order of the data. Each
    step starts from the state that `a` has reached, so an error does not spread to the next step.
    A difference counts if it is larger than 16 times the effect of random roundings on the float64
    reference. Then the argument that causes it is set to the value of `a`, and the comparison goes
    on, so independent differences are all found. A live model is also compared with a run of its
    own settings: what differs there is no argument, but the framework. Both subjects stay as they
    were.

    Args:
        a: a `Run`, a live compiled `keras.Model`, or a training of MindSpore: a tuple (Cell, loss,
            optimizer), or a `TrainOneStepCell` of a `WithLossCell`. Its weights and settings are
            those of both.
        b: another one of the same network: of another framework, on another backend, or with other
            arguments. Channels may be first in one and last in the other.
        data: inputs, labels and, if wanted, a weight for each example, as `Run.fit` takes them;
            inputs in the layout of `a`.
        steps: how many steps to compare.
        batch_size: examples per step.
        validation_data: examples to evaluate at the end of each epoch.

    Raises:
        DTypeError: a subject is none of these.
        DataError: the models are not of one network, or the data do not fit.
        ConversionError: a live model has parts without a counterpart here.

    Example:
        >>> import numpy as np
        >>> import dnnbridge as db
        >>> model = db.Sequential([db.Input((2,)), db.Dense(1)])
        >>> def run(**more):
        ...     experiment = db.Experiment(model, "mse", db.Adam(0.1, **more))
        ...     return db.compile(experiment, "reference")
        >>> x = np.linspace(-1, 1, 16).reshape(8, 2)
        >>> found = align(run(), run(epsilon=1e-3), (x, x[:, :1]), steps=2, batch_size=4)
        >>> found.first.step, found.first.stage, found.first.where
        (1, 'update', 'dense/kernel')
        >>> print(found.causes[0].explanation)
        epsilon of Adam is 1e-07 here and 0.001 there.
    """
    check_positive(steps, "steps")
    check_positive(batch_size, "batch_size")
    if not isinstance(data, tuple) or len(data) not in (2, 3):
        raise DataError(
            "must be (inputs, labels) or (inputs, labels, weights)",
            where="data",
            hint="Write (x, y).",
        )
    with ExitStack() as closing:
        sides = opened((a, b), data, batch_size, closing)
        return Comparison(sides, steps, validation_data, closing).run()
