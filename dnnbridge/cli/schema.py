"""`dnnbridge schema`."""

from __future__ import annotations

from pathlib import Path

import click

from dnnbridge.cli.options import WRITTEN


@click.command(short_help="Write the JSON Schema of an experiment.")
@click.option("--out", type=WRITTEN, metavar="FILE", help="Where to write it.  [default: stdout]")
def schema(out: Path | None) -> None:
    """Write the JSON Schema (draft 2020-12) of an experiment file.

    Editors can use it to complete and check a FILE.json. It defines every kind of dnnbridge with
    its fields, bounds and defaults. Checks that involve several fields run when the file is read.

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
