"""Tables on a terminal, and without breaks in a log."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from dnnbridge.report.wording import difference, number

if TYPE_CHECKING:
    from dnnbridge.report import Comparison

LOG_WIDTH = 200


def print_table(table: Table) -> None:
    """Print to stdout."""
    table.box = box.SIMPLE_HEAD
    table.pad_edge = False
    width = None if sys.stdout.isatty() else LOG_WIDTH
    Console(file=sys.stdout, width=width, highlight=False).print(table)


def epoch_table(comparison: Comparison) -> Table:
    """Show losses, metrics and times, a row for each backend and epoch."""
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
    """Show the largest differences, a row for each pair and epoch."""
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
