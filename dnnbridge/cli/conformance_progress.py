"""Show the progress of the suite."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click

from dnnbridge.base.folding import folded
from dnnbridge.testing.checks import Check
from dnnbridge.testing.running import Outcome


@contextmanager
def shown_progress(backend: str, checks: Sequence[Check]) -> Iterator[Callable[[Outcome], None]]:
    """Show a bar and each failure on a terminal, or a line per area in a log."""
    if not sys.stderr.isatty():
        yield _line_per_area(backend, checks)
        return

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.table import Column

    rest = Column(no_wrap=True, overflow="ellipsis", ratio=1)  # the remaining width
    columns = (
        *(TextColumn(backend), BarColumn(12), MofNCompleteColumn(), TimeElapsedColumn()),
        TextColumn("{task.description}", markup=False, table_column=rest),
    )
    console = Console(stderr=True, highlight=False)
    with Progress(*columns, console=console, transient=True, expand=True) as bar:
        task = bar.add_task("", total=len(checks))

        def show(outcome: Outcome) -> None:
            bar.update(task, advance=1, description=f"{outcome.area} {outcome.id}")
            if outcome.status == "failed":
                line = folded(f"{backend} failed: {outcome.area} {outcome.id}", console.width)
                console.print(line, markup=False, soft_wrap=True)

        yield show


def _line_per_area(backend: str, checks: Sequence[Check]) -> Callable[[Outcome], None]:
    left = Counter(check.area for check in checks)
    asked, failed = Counter(left), Counter[str]()
    seconds: dict[str, float] = dict.fromkeys(left, 0.0)

    def show(outcome: Outcome) -> None:
        area = outcome.area
        left[area] -= 1
        failed[area] += outcome.status == "failed"
        seconds[area] += outcome.seconds
        if not left[area]:
            text = f"{asked[area]} checks, {failed[area]} failed, {seconds[area]:.1f} s"
            click.echo(f"{backend}  {area}: {text}", err=True)

    return show
