"""Print tables and lines, fitted to a terminal or unfolded in a log."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
from rich import box
from rich.console import Console
from rich.table import Table

from dnnbridge.base.folding import folded, width_of
from dnnbridge.report.wording import difference, number

if TYPE_CHECKING:
    from dnnbridge.report import Comparison

LOG_WIDTH = 200


def say(text: str, err: bool = False) -> None:
    """Print a line, folded if it goes to a terminal."""
    click.echo(folded(text, width_of(sys.stderr if err else sys.stdout)), err=err)


def print_table(table: Table, keys: int = 1) -> None:
    """Print a table to stdout; split a table of numbers that is too wide.

    Args:
        table: the table; right-justified columns are numbers.
        keys: number of first columns that identify a row, repeated in every part.
    """
    width = None if sys.stdout.isatty() else LOG_WIDTH
    console = Console(file=sys.stdout, width=width, highlight=False)
    for column in table.columns:
        column.no_wrap = column.no_wrap or column.justify == "right"
    numbers = [i for i, column in enumerate(table.columns) if column.justify == "right"]
    table.box, table.pad_edge = box.SIMPLE_HEAD, False
    if len(numbers) + keys < len(table.columns) or _width(console, table) <= console.width:
        console.print(table)
        return
    shown: list[int] = []
    for each in [*numbers, None]:
        wider = None if each is None else _part(table, keys, [*shown, each])
        if shown and (wider is None or _width(console, wider) > console.width):
            console.print(_part(table, keys, shown))
            shown = []
        shown += [] if each is None else [each]


def _width(console: Console, table: Table) -> int:
    return console.measure(table, options=console.options.update(max_width=1000)).maximum


def _part(table: Table, keys: int, numbers: list[int]) -> Table:
    """Return a table of some of the columns."""
    chosen = [table.columns[i] for i in [*range(keys), *numbers]]
    part = Table(box=table.box, pad_edge=table.pad_edge)
    for column in chosen:
        part.add_column(column.header, justify=column.justify, no_wrap=True)
    for row, cells in zip(table.rows, zip(*(c.cells for c in chosen), strict=True), strict=True):
        part.add_row(*cells, end_section=row.end_section)
    return part


def epoch_table(comparison: Comparison) -> Table:
    """Return a table of losses, metrics and times, one row per backend and epoch."""
    labels = [name for name in comparison.recordings[0].epochs[0] if name != "seconds"]
    table = Table("epoch", "backend")
    for label in (*labels, "seconds"):
        table.add_column(label, justify="right")
    for epoch, _ in enumerate(comparison.recordings[0].epochs):
        for recording in comparison.recordings:
            row = recording.epochs[epoch]
            numbers = [number(row[label]) for label in labels]
            table.add_row(str(epoch + 1), recording.backend, *numbers, f"{row['seconds']:.2f}")
        table.add_section()
    return table


def difference_table(comparison: Comparison) -> Table:
    """Return a table of the largest differences, one row per pair and epoch."""
    table = Table("epoch")
    table.add_column("pair", no_wrap=True)
    for label in ("weights", "single weight", "step losses", "epoch loss"):
        table.add_column(label, justify="right")
    for epoch, _ in enumerate(comparison.recordings[0].epochs):
        for pair in comparison.pairs:
            row = pair.epochs[epoch]
            found = (row.parameters, row.absolute, row.step_loss, row.epoch_loss)
            table.add_row(str(epoch + 1), pair.name, *map(difference, found))
        table.add_section()
    return table
