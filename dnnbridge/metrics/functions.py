"""A Python function as a metric."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from pydantic import PlainValidator

from dnnbridge import ops
from dnnbridge.base.messages import close_match, shorten, what
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import DnnbridgeError, SpecError
from dnnbridge.graph import BATCH, Value
from dnnbridge.losses import AbstractLoss
from dnnbridge.losses.base import per_example
from dnnbridge.metrics.base import AbstractMetric
from dnnbridge.specs.fields import Converted
from dnnbridge.specs.json_types import read_as
from dnnbridge.specs.resolving import find_named
from dnnbridge.specs.spec import kind_of, spec

MetricFunction = Callable[[Any, Any], Any]
"""Returns numbers per example from (y_true, y_pred), which are symbolic values."""

F = TypeVar("F", bound=MetricFunction)

MAY_USE = (
    "It may use + - * / @ > <, abs, whole powers, and the functions of db.ops, such as "
    "db.ops.reduce_sum(x, -1), db.ops.maximum, db.ops.where and db.ops.cast."
)

_REGISTERED: dict[str, MetricFunction] = {}


def metric(function: F) -> F:
    """Register a function as a metric, so that experiments with it can be written and read.

    Its name then stands for it: `metrics=["mean_error"]`. A process that reads the experiment
    must import the module that defines the function first.

    Args:
        function: takes (y_true, y_pred) and returns numbers per example; see `FunctionMetric`.

    Raises:
        SpecError: it has no name, or a metric or a loss has the same name.

    Example:
        >>> @metric
        ... def mean_error(y_true, y_pred):
        ...     return abs(y_true - y_pred)
        >>> FunctionMetric("mean_error").label
        'mean_error'
    """
    name = _name_of(function)
    known = _REGISTERED.get(name)
    other = known is not None and _place(known) != _place(function)
    if other or find_named(AbstractMetric, name) or find_named(AbstractLoss, name):
        raise SpecError(
            "a metric or a loss has this name",
            where="metric",
            got=name,
            hint="Give the function another name: files refer to it by its name.",
        )
    _REGISTERED[name] = function
    return function


def registered(name: Any) -> MetricFunction | None:
    """Return the function that was registered with a name, if any."""
    return _REGISTERED.get(name) if isinstance(name, str) else None


def _place(function: MetricFunction) -> tuple[str, str]:
    """Return where a function is defined: a notebook may define it again."""
    return function.__module__, function.__qualname__


def _name_of(function: MetricFunction) -> str:
    name = getattr(function, "__name__", "")
    if not name.isidentifier():
        raise SpecError(
            "a function needs a name",
            where="metric",
            got=shorten(function),
            hint='Write it with def, or FunctionMetric(function, name="…").',
        )
    return str(name)


def as_function(value: Any) -> MetricFunction:
    """Return a function, or the registered function of a name."""
    if inspect.isroutine(value):
        return value
    found = registered(value)
    if found is None:
        raise SpecError(
            "expected a function or the name of a registered one",
            got=shorten(value),
            hint=close_match(value, _REGISTERED)
            + " If a module registers it with @db.metric, import that module first.",
        )
    return found


@spec
class FunctionMetric(AbstractMetric):
    """Mean over all examples of a Python function of (y_true, y_pred)

    `metrics=[mean_error]` is short for it. The function is called once, with symbolic values of a
    whole batch, and becomes part of the compiled step, so it gives the same number on each
    backend, however the data are batched. It returns one number per example, or several, whose
    mean is taken; a comparison counts as 1 or 0. It may use + - * / @ > <, abs, whole powers and
    the functions of `db.ops`, and not NumPy. Labels that are class numbers are int32:
    `db.ops.cast(y_true, "float32")` gives numbers to compute with. If the output has a mask or the
    metric has weights for time steps, the function is called for each step, without the time
    axis. Mark it with `@db.metric`, and experiments with it can be saved.

    Args:
        function: the function, or the name of a registered one.

    Raises:
        SpecError: the function cannot be computed with symbolic values.

    Example:
        >>> def mean_error(y_true, y_pred):
        ...     return abs(y_true - y_pred)
        >>> FunctionMetric(mean_error)([[1.0], [2.0]], [[1.5], [4.0]])
        1.25
    """

    function: Converted[
        MetricFunction,
        Annotated[MetricFunction | str, PlainValidator(as_function), read_as({"type": "string"})],
    ]

    def __post_init__(self) -> None:
        if self.name is None:
            _name_of(self.function)

    @property
    def label(self) -> str:
        return self.name or self.function.__name__

    def __repr__(self) -> str:
        short = getattr(self.function, "__name__", repr(self.function))
        shown = repr(short) if registered(short) is self.function else short
        name = f", name={self.name!r}" if self.name else ""
        return f"FunctionMetric(function={shown}{name})"

    def to_dict(self) -> dict[str, Any]:
        name = getattr(self.function, "__name__", "")
        if registered(name) is not self.function:
            raise SpecError(
                "a function that is not registered cannot be written",
                where=self.label,
                got=shorten(self.function),
                hint="Write @db.metric above its def.",
            )
        return {"kind": kind_of(type(self)), "name": self.name, "function": name}

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        try:
            made = self.function(target, prediction)
        except DnnbridgeError as error:
            raise error.at(scope.path) from None
        except Exception as error:  # a function may raise anything
            raise SpecError(
                f"the function cannot be computed ({type(error).__name__}: {error})",
                where=scope.path,
                got=f"y_true {target.type} and y_pred {prediction.type}",
                hint=MAY_USE,
            ) from error
        if not isinstance(made, Value):
            raise SpecError(
                "the function must return what it computes from its arguments",
                where=scope.path,
                got=what(made),
                hint=MAY_USE,
            )
        scope.require(
            made.rank >= 1 and made.shape[0] is BATCH,
            "the function must return one number per example, or several",
            got=str(made.type),
            hint="Do not reduce axis 0: the mean over all examples is taken afterwards.",
        )
        return per_example(made if made.dtype == "float32" else ops.cast(made, "float32"))
