"""`compare_experiments`: several experiments, trained on the same data."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from dnnbridge.base.calling import explained
from dnnbridge.base.messages import what
from dnnbridge.base.packages import imported, require_report
from dnnbridge.diagnose.diagnosis import AbstractDiagnosis, Row, listed, number
from dnnbridge.diagnose.trainings import best_of, metrics_of, pictured, values_of
from dnnbridge.drawing.drawing import Drawing
from dnnbridge.errors import DataError, DTypeError
from dnnbridge.experiment import Experiment
from dnnbridge.training.compiling import compile
from dnnbridge.training.history import History
from dnnbridge.training.sources.recognising import Batches

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class ExperimentComparison(AbstractDiagnosis):
    """Experiments that were trained on the same data.

    Attributes:
        experiments: the specs by name.
        histories: losses and metrics of each by name.
        seconds: time of each training, with compilation.
        goals: for each metric of the table whether "min" or "max" is better; None is unknown.
    """

    experiments: Mapping[str, Experiment]
    histories: Mapping[str, History]
    seconds: Mapping[str, float]
    goals: Mapping[str, str | None]

    title: ClassVar[str] = "experiments"

    @property
    def metric(self) -> str | None:
        """The metric that decides; None if there is none that all experiments share.

        It is the validation loss, or the loss, if all experiments have the same loss. Else it is
        the first metric that they share, such as "val_accuracy".
        """
        names = metrics_of(self.histories)
        names.sort(key=lambda name: not name.startswith("val_"))
        same = len({experiment.loss for experiment in self.experiments.values()}) == 1
        names.sort(key=lambda name: name.removeprefix("val_") != "loss")
        shown = [n for n in names if self.goals.get(n) and (same or not n.endswith("loss"))]
        return shown[0] if shown else None

    @property
    def best(self) -> str | None:
        """Name of the experiment with the best value of `metric` in any epoch."""
        if self.metric is None:
            return None
        goal = str(self.goals[self.metric])
        found = [best_of(values_of(h, self.metric), goal)[1] for h in self.histories.values()]
        return list(self.histories)[best_of(found, goal)[0]]

    @property
    def failed(self) -> tuple[str, ...]:
        """Experiments whose loss became infinite or NaN."""
        return tuple(n for n, h in self.histories.items() if h.nonfinite_step is not None)

    @property
    def ok(self) -> bool:
        return not self.failed

    @property
    def verdict(self) -> str:
        parts = []
        if self.best is not None and self.metric is not None:
            goal = str(self.goals[self.metric])
            values = {n: best_of(values_of(h, self.metric), goal) for n, h in self._finite()}
            order = sorted(values, key=lambda n: values[n][1], reverse=goal == "max")
            texts = [f"{n} ({number(values[n][1])} in epoch {values[n][0] + 1})" for n in order]
            parts.append(f"Best {self.metric} first: {', '.join(texts)}.")
        elif not self.failed:
            parts.append("The experiments share no number that says which is better.")
        if self.failed:
            parts.append(f"The loss became infinite or NaN in {listed(self.failed)}.")
        return " ".join(parts)

    def _finite(self) -> list[tuple[str, History]]:
        return [(n, h) for n, h in self.histories.items() if n not in self.failed and h.epochs]

    def table(self) -> list[Row]:
        """Return a row for each experiment: weights, last numbers, the best of `metric`, time."""
        return [self._row(name) for name in self.histories]

    def _row(self, name: str) -> Row:
        history, experiment = self.histories[name], self.experiments[name]
        row: Row = {"experiment": name, "parameters": experiment.model.summary().parameters}
        for metric, goal in self.goals.items():
            values = values_of(history, metric)
            row[metric] = values[-1] if values else None
            if goal and values and metric == self.metric:
                epoch, best = best_of(values, goal)
                row |= {f"best {metric}": best, "best epoch": epoch + 1}
        return row | {"seconds": self.seconds[name]}

    def to_pandas(self) -> Any:
        """Return the losses and metrics of all epochs as a table of pandas.

        It has a row for each experiment and epoch: "experiment", "epoch" counted from 1, and what
        the histories hold.

        Raises:
            PackageNotInstalledError: pandas is missing; the message has the pip command.
        """
        pandas = imported("pandas", "to_pandas")
        rows = [
            {"experiment": name, **row, "epoch": int(row["epoch"]) + 1}  # type: ignore[arg-type]
            for name, history in self.histories.items()
            for row in history.rows()
        ]
        return pandas.DataFrame(rows)

    def plot(self, path: str | Path | None = None, metric: str = "loss") -> Drawing:
        """Return one picture of a metric of all experiments, dashed for the validation data.

        Args:
            path: an SVG file to write as well.
            metric: its name in the histories, without "val_".

        Raises:
            DataError: no experiment has this metric.
            PackageNotInstalledError: matplotlib is missing; the message has the pip command.
        """
        require_report("A picture of a diagnosis")
        from dnnbridge.drawing.charts import drawing, style

        if not any(values_of(history, metric) for history in self.histories.values()):
            raise DataError(
                "no experiment has this metric",
                where="metric",
                got=repr(metric),
                hint=f"They have {', '.join(n for n in self.goals if not n.startswith('val_'))}.",
            )
        with style():
            made = drawing(pictured(self.histories, metric))
        if path is not None:
            made.save(path)
        return made

    def _figure(self) -> Figure:
        return pictured(self.histories, "loss")


@explained()
def compare_experiments(
    experiments: Mapping[str, Experiment] | Sequence[Experiment],
    data: tuple[Any, Any],
    *,
    epochs: int = 10,
    batch_size: int | None = None,
    validation_data: Batches | None = None,
    validation_split: float = 0.0,
    backend: str | None = None,
) -> ExperimentComparison:
    """Train several experiments on the same data, and draw them in one picture with a table.

    Experiments with the same seed and equal layers start with the same weights, and see the
    examples in the same order.

    Args:
        experiments: experiments by name; those of a list are called "experiment 1" and so on.
        data: inputs and labels.
        epochs: epochs for each.
        batch_size: examples per step; by default 32.
        validation_data: (x, y) or (x, y, sample_weight), evaluated after every epoch.
        validation_split: part of the examples to evaluate instead, the last ones.
        backend: by default that of `compile`.

    Raises:
        DataError, DTypeError: the data do not fit an experiment, or an argument is wrong.

    Example:
        >>> import numpy as np, dnnbridge as db
        >>> def experiment(activation):
        ...     layers = [db.Dense(8, activation), db.Dense(1)]
        ...     return db.Experiment(db.Sequential([db.Input((4,)), *layers]), "mse", "adam")
        >>> x = np.random.default_rng(0).normal(size=(64, 4))
        >>> made = {name: experiment(name) for name in ("relu", "tanh")}
        >>> found = db.compare_experiments(made, (x, x[:, :1]), epochs=2, backend="reference")
        >>> found.metric, sorted(found.histories), found.table()[0]["parameters"]
        ('loss', ['relu', 'tanh'], 49)
    """
    named = _named(experiments)
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        raise DataError("must be (inputs, labels)", where="data", got=what(data))
    histories, seconds, goals = dict[str, History](), dict[str, float](), dict[str, str | None]()
    for name, experiment in named.items():
        start = time.perf_counter()
        run = compile(experiment, backend)
        histories[name] = run.fit(
            *data,
            batch_size,
            epochs,
            validation_data,
            validation_split=validation_split,
            verbose=0,
        )
        seconds[name] = time.perf_counter() - start
        for metric in histories[name].history:
            if values_of(histories[name], metric):
                goals.setdefault(metric, run.goals.get(metric.removeprefix("val_")))
    return ExperimentComparison(named, histories, seconds, goals)


def _named(experiments: Any) -> dict[str, Experiment]:
    if isinstance(experiments, Mapping):
        named = dict(experiments)
    elif isinstance(experiments, Sequence):
        named = {f"experiment {i}": each for i, each in enumerate(experiments, 1)}
    else:
        named = {}
    wrong = next((e for e in named.values() if not isinstance(e, Experiment)), None)
    if wrong is not None or not named:
        raise DTypeError(
            "expected a dictionary or a list of experiments",
            where="experiments",
            got=what(experiments if wrong is None else wrong),
            hint='Write {"relu": first, "tanh": second}.',
        )
    return named
