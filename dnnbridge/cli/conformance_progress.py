"""Show how far a run of the suite is."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click

from dnnbridge.testing.checks import Check
from dnnbridge.testing.running import Outcome


@contextmanager
def shown_progress(backend: str, checks: Sequence[Check]) -> Iterator[Callable[[Outcome], None]]:
    """Show a bar on a terminal, a line per area in a log; failures as they come."""
    if not sys.stderr.isatty():
        yield _line_per_area(backend, checks)
        return

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        *(TextColumn(backend), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True, highlight=False), transient=True) as bar:
        task = bar.add_task("", total=len(checks))

        def show(outcome: Outcome) -> None:
            bar.update(task, advance=1, description=f"{outcome.area} {outcome.id}")
            if outcome.status == "failed":
                bar.console.print(f"{backend}  failed: {outcome.area} {outcome.id}", markup=False)

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
