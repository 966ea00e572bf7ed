"""`write_report`: one self-contained page about a training, or about two that were compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dnnbridge.base.calling import explained
from dnnbridge.base.files import as_path, writable_target, write_atomically
from dnnbridge.base.messages import what
from dnnbridge.doctor.alignment import Alignment
from dnnbridge.errors import ArgumentError, DTypeError
from dnnbridge.report import alignment_page, training_page
from dnnbridge.report.trained import Trained
from dnnbridge.training.history import History
from dnnbridge.training.run import Run


@explained()
def write_report(
    source: Run | History | Alignment,
    path: str | Path,
    x: Any = None,
    y: Any = None,
    *,
    title: str | None = None,
    class_names: Sequence[str] | None = None,
    pictures: Any = None,
) -> Path:
    """Write one self-contained HTML page about a training, or about two that `align` compared.

    It has a verdict in words, the curves of losses and metrics, the learning rate of each step,
    the spec and the environment. With examples it also has the norm of the gradient of each
    weight, the confusion matrix of a classifier, and the examples with the largest losses. What
    cannot be shown is named, with what would show it. The run stays as it is.

    The page of an `Alignment` has its verdict, the steps where differences begin, the causes with
    code that mends them, and heat maps of the error of each place in each step, as a multiple of
    what rounding allows.

    Args:
        source: a run, or a history, of which only the curves are known; or an alignment.
        path: HTML file to write.
        x: examples to predict, as `Run.fit` takes them; best those of validation.
        y: their labels.
        title: heading of the page; by default what the page is about.
        class_names: names of the classes, in order.
        pictures: an array to show in the place of `x`, a row per example, such as images that the
            model gets as vectors. Images are (height, width), with 1, 3 or 4 channels at the end
            or at the beginning; sequences of vectors are shown as shades too.

    Returns:
        The file.

    Raises:
        ArgumentError: examples without labels, or with a history or an alignment; class names of
            another type.
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
    if not isinstance(source, (Run, History, Alignment)):
        raise DTypeError(
            "must be a run, the history that fit returns, or what align returns",
            where="write_report: source",
            got=what(source),
            hint="For a file write: dnnbridge report FILE, or write_report(dnnbridge.load(FILE)).",
        )
    target = writable_target(as_path(path, "write_report: path"))
    if isinstance(source, Alignment):
        _check_only(x=x, y=y, class_names=class_names, pictures=pictures)
        text = alignment_page.render_alignment(source, title or alignment_page.TITLE)
    else:
        trained = Trained.of(source)
        heading = title or training_page.TITLE
        text = training_page.render_training(trained, x, y, heading, class_names, pictures)
    write_atomically(target, text.encode())
    return Path(path)


def _check_only(**given: Any) -> None:
    """Raise if an argument is given that the page of an alignment does not use."""
    names = [name for name, value in given.items() if value is not None]
    if names:
        raise ArgumentError(
            "the page of an alignment has no examples",
            where=f"write_report: {', '.join(names)}",
            hint="Leave them out, or give a run.",
        )
