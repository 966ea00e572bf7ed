"""`dnnbridge backends`."""

from __future__ import annotations

import click


@click.command(short_help="List the backends, installed or not.")
def backends() -> None:
    """List the backends: what is installed, and how to install what is not."""
    from rich.markup import escape
    from rich.table import Table

    from dnnbridge.cli.tables import print_table
    from dnnbridge.plugins import available_backends

    table = Table("backend", "installed", "version", "devices", "note")
    default = True
    for backend in available_backends():
        note = "default" if backend.installed and default else ""
        default = default and not backend.installed
        table.add_row(
            backend.name,
            "yes" if backend.installed else "no",
            backend.version,
            ", ".join(backend.devices),
            note if backend.installed else escape(backend.install),
        )
    print_table(table)
