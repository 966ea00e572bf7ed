"""`dnnbridge backends`."""

from __future__ import annotations

import click


@click.command(short_help="List the backends, installed or not.")
@click.option("--check", "checked", is_flag=True, help="Check them, as `dnnbridge doctor` does.")
def backends(checked: bool) -> None:
    """List the backends: which are installed or broken, and how to install the others."""
    if checked:
        from dnnbridge.cli.doctor import check

        check()
        return
    from rich.markup import escape
    from rich.table import Table

    from dnnbridge.backend.plugins import available_backends
    from dnnbridge.cli.tables import print_table

    table = Table()
    for label in ("backend", "installed", "version", "devices"):
        table.add_column(label, no_wrap=label == "backend")
    table.add_column("note", overflow="fold")
    default = True
    for backend in available_backends():
        note = "default" if backend.installed and default else ""
        default = default and not backend.installed
        table.add_row(
            escape(backend.name),
            "broken" if backend.error else "yes" if backend.installed else "no",
            escape(backend.version),
            escape(", ".join(backend.devices)),
            note if backend.installed else escape(backend.error or backend.install),
        )
    print_table(table)
