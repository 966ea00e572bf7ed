"""`dnnbridge report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dnnbridge.cli.options import DATA_HELP, EXISTING, WRITTEN, backend_option, device_option

if TYPE_CHECKING:
    from dnnbridge import Run
    from dnnbridge.datasets import Dataset


@click.command(short_help="Write a page about a training.")
@click.argument("run", type=EXISTING)
@click.option("--data", metavar="DATA", help=f"Examine the run on the test part of: {DATA_HELP}")
@click.option(
    "-o",
    "--output",
    type=WRITTEN,
    metavar="FILE.html",
    help="The page to write.  [default: RUN's name with .html, in this folder]",
)
@backend_option
@device_option
def report(
    run: Path, data: str | None, output: Path | None, backend: str | None, device: str | None
) -> None:
    """Write one self-contained HTML page about a training.

    RUN is a checkpoint, or a CSV file of CSVLogger. The page has a verdict in words, curves, the
    learning rate, the spec and the environment. With --data it also has the norms of gradients, the
    confusion matrix and the worst examples, computed by the backend. Without --data no framework
    is needed.
    """
    from dnnbridge.base.files import write_atomically
    from dnnbridge.base.packages import require_report
    from dnnbridge.cli.checking import check_backends, check_writable
    from dnnbridge.cli.logs import shown_logs
    from dnnbridge.report.trained import read_trained
    from dnnbridge.report.training_page import render_training

    target = output or Path(run.name).with_suffix(".html")
    with shown_logs():
        require_report("An HTML report")
        check_writable("output", target)
        if data is None:
            trained = read_trained(run, lambda path: _load(path, "reference", "cpu"))
            text = render_training(trained, title=run.name)
        else:
            _check_has_weights(run)
            check_backends([backend] if backend is not None else [], device)
            trained = read_trained(run, lambda path: _load(path, backend, device))
            assert trained.run is not None
            text = render_training(trained, title=run.name, **_examples(trained.run, data))
    write_atomically(target, text.encode())
    click.echo(f"Report: {target}")


def _load(path: Path, backend: str | None, device: str | None) -> Run:
    from dnnbridge import load

    return load(path, backend, device)


def _check_has_weights(run: Path) -> None:
    from dnnbridge.errors import DataError

    if run.suffix.lower() == ".csv":
        raise DataError(
            "examples need weights, which a CSV file does not have",
            where="data",
            got=str(run),
            hint="Give a checkpoint of run.save, or leave out --data.",
        )


def _examples(run: Run, data: str) -> dict[str, Any]:
    """Return the test part of a data set, as the model takes it and as images."""
    from dnnbridge.datasets import adapt_to, load_dataset

    dataset: Dataset = load_dataset(data)
    adapted = adapt_to(run.experiment, dataset)
    images = dataset.x_test if dataset.x_test.ndim >= 3 else None
    return {
        "x": adapted.x_test,
        "y": adapted.y_test,
        "pictures": images,
        "settings": {"Data": f"{dataset.name}, its test part"},
    }
