"""`dnnbridge doctor`."""

from __future__ import annotations

import click


@click.command(short_help="Check the installation, and say how to fix it.")
@click.option("--backend", metavar="NAME", help="Look only at this backend.  [default: all]")
@click.option("--no-run", is_flag=True, help="Start no processes: look at packages, variables and "
              "the machine only.")  # fmt: skip
@click.option("--time-limit", type=click.FloatRange(min=1), default=180, show_default=True,
              help="Seconds that the process of a framework may take.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of text.")
def doctor(backend: str | None, no_run: bool, time_limit: float, as_json: bool) -> None:
    """Say what is installed, what each framework sees, and what must be fixed, with the command.

    Each framework trains one step on each device that it sees, in a process of its own, and the
    weights are compared with the reference. The exit status is 0 if nothing must be fixed, 1 if
    something must.
    """
    check(backend, not no_run, time_limit, as_json)


def check(
    backend: str | None = None, run: bool = True, time_limit: float = 180, as_json: bool = False
) -> None:
    """Print what was found, and end with exit status 1 if something must be fixed."""
    from dnnbridge.installation.checking import check_installation

    found = check_installation(backend, run=run, time_limit=time_limit)
    click.echo(found.to_json() if as_json else str(found))
    if not found.ok:
        raise click.exceptions.Exit(1)
