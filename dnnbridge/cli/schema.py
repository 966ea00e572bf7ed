"""`dnnbridge schema`."""

from __future__ import annotations

from pathlib import Path

import click

from dnnbridge.cli.options import WRITTEN


@click.command(short_help="Write the JSON Schema of an experiment.")
@click.option("--out", type=WRITTEN, metavar="FILE", help="Write it there.  [default: stdout]")
def schema(out: Path | None) -> None:
    """Write the JSON Schema (draft 2020-12) of an experiment in a JSON file.

    Editors complete and check files by it. It has every kind of dnnbridge with its fields, their
    bounds and defaults. What depends on several fields together is checked when a file is read.

    \b
    dnnbridge schema --out experiment.schema.json
    """
    import json

    from dnnbridge.base.files import write_atomically
    from dnnbridge.cli.checking import check_writable
    from dnnbridge.experiment import Experiment

    check_writable("out", out)
    text = json.dumps(Experiment.json_schema(), indent=2, ensure_ascii=False)
    if out is None:
        click.echo(text)
    else:
        write_atomically(out, f"{text}\n".encode())
        click.echo(f"Schema: {out}", err=True)
