"""`write_report`: one self-contained page about a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.calling import explained
from dnnbridge.base.files import writable_target, write_atomically
from dnnbridge.base.messages import what
from dnnbridge.base.packages import require_report
from dnnbridge.errors import ArgumentError, DataError, DTypeError
from dnnbridge.report.html import fill
from dnnbridge.report.page_parts import content_of
from dnnbridge.report.trained import Trained
from dnnbridge.training.history import History
from dnnbridge.training.run import Run


@explained()
def write_report(
    source: Run | History,
    path: str | Path,
    x: Any = None,
    y: Any = None,
    *,
    title: str = "Training report",
    class_names: Sequence[str] | None = None,
    pictures: Any = None,
) -> Path:
    """Write one self-contained HTML page about a training.

    It has a verdict in words, the curves of losses and metrics, the learning rate of each step,
    the spec and the environment. With examples it also has the norm of the gradient of each
    weight, the confusion matrix of a classifier, and the examples with the largest losses. What
    cannot be shown is named, with what would show it. The run stays as it is.

    Args:
        source: a run, or a history, of which only the curves are known.
        path: HTML file to write.
        x: examples to predict, as `Run.fit` takes them; best those of validation.
        y: their labels.
        title: heading of the page.
        class_names: names of the classes, in order.
        pictures: an array to show in the place of `x`, a row per example, such as images that the
            model gets as vectors. Images are (height, width), with 1, 3 or 4 channels at the end
            or at the beginning; sequences of vectors are shown as shades too.

    Returns:
        The file.

    Raises:
        ArgumentError: examples without labels, or with a history; class names of another type.
        DataError, DTypeError: the examples do not fit the spec, or the file cannot be written.
        PackageNotInstalledError: the packages of the extra `report` are missing.

    Example:
        >>> import dnnbridge as db, tempfile
        >>> model = db.Sequential([db.Input((2,)), db.Dense(1)])
        >>> run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
        >>> x, y = [[0.0, 1.0], [1.0, 0.0]], [[1.0], [0.0]]
        >>> _ = run.fit(x, y, epochs=3, verbose=0)
        >>> db.write_report(run, Path(tempfile.mkdtemp()) / "report.html", x, y).name
        'report.html'
    """
    if not isinstance(source, (Run, History)):
        raise DTypeError(
            "must be a run or the history that fit returns",
            where="write_report: source",
            got=what(source),
            hint="For a file write: dnnbridge report FILE, or write_report(dnnbridge.load(FILE)).",
        )
    target = writable_target(Path(path))
    text = render_training(Trained.of(source), x, y, title, class_names, pictures)
    write_atomically(target, text.encode())
    return Path(path)


def render_training(
    trained: Trained,
    x: Any = None,
    y: Any = None,
    title: str = "Training report",
    class_names: Sequence[str] | None = None,
    pictures: Any = None,
    settings: Mapping[str, str] | None = None,
) -> str:
    """Return the page; `settings` are further facts about the training, as text."""
    require_report("An HTML report")
    if (x is None) != (y is None):
        raise ArgumentError("needs both examples and labels", where="write_report: x, y")
    if x is not None and trained.run is None:
        raise ArgumentError(
            "examples need the weights of a run",
            where="write_report: x",
            hint="Give the run, or a checkpoint of run.save, instead of its history.",
        )
    names = _checked_names(class_names)
    rows = None if pictures is None else _checked_pictures(pictures, x)
    data = None if x is None else (x, y)
    return fill("training.html", content_of(trained, data, title, names, rows, settings or {}))


def _checked_names(names: Any) -> list[str] | None:
    if names is None:
        return None
    found = [] if isinstance(names, str) else list(names)
    if not found or not all(isinstance(name, str) for name in found):
        raise ArgumentError(
            "must be a list of texts", where="write_report: class_names", got=what(names)
        )
    return found


def _checked_pictures(pictures: Any, x: Any) -> Array:
    array = np.asarray(pictures)
    first = next(iter(x.values())) if isinstance(x, Mapping) else x
    if array.dtype.kind not in "fiub" or array.ndim < 3 or x is None:
        raise DataError(
            "must be an array of images, to go with examples x",
            where="write_report: pictures",
            got=what(array),
        )
    if not isinstance(first, (list, tuple)) and len(array) != len(first):
        raise DataError(
            "must have a row per example",
            where="write_report: pictures",
            got=f"{len(array)} rows for {len(first)} examples",
        )
    return array
