"""`dnnbridge inspect`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Show what a file of a model or a run holds.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of text.")
def inspect(file: Path, as_json: bool) -> None:
    """Show the spec, the arrays, the step, the logs and the sizes in FILE, without a framework.

    FILE is a checkpoint, another safetensors file, a .keras or .h5 file of Keras, an .onnx file, a
    .ckpt file of MindSpore, an .npz file, a trace or the JSON of an experiment. A checkpoint is
    checked for damage.
    """
    import json

    from dnnbridge.convert.inspecting import inspect as inspected

    found = inspected(file)
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=2, ensure_ascii=False))
    else:
        click.echo(str(found))
