"""`dnnbridge launch`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from dnnbridge.base.cluster import Cluster


@click.command(
    short_help="Train on several workers.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option(
    "-n", "--workers", type=click.IntRange(min=1), required=True, help="Workers of each host."
)
@click.option(
    "--restarts",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="How often all workers start again after one has failed.",
)
@click.option("--hosts", help="All hosts, by comma; run the same command on each.")
@click.option(
    "--host-number",
    type=click.IntRange(min=0),
    help="Place of this host in --hosts, from 0.  [default: found by name]",
)
@click.option(
    "--port",
    type=click.IntRange(min=1024, max=65000),
    default=29400,
    show_default=True,
    help="First port of a launch on several hosts.",
)
@click.option(
    "--timeout",
    type=click.IntRange(min=1),
    default=300,
    show_default=True,
    help="Seconds that workers wait for each other, when they begin and when they end.",
)
@click.option(
    "--logs",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Write the lines of all workers but the first there.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def launch(
    context: click.Context,
    workers: int,
    restarts: int,
    hosts: str | None,
    host_number: int | None,
    port: int,
    timeout: int,
    logs: Path | None,
    command: tuple[str, ...],
) -> None:
    """Start a training on several workers, which share every batch.

    COMMAND is a command of dnnbridge, such as train, or a program: `dnnbridge launch -n 4 -- python
    program.py`. Each worker runs it. The numbers are those of one worker with the same batch size.

    The first worker writes here. When a worker fails, the others are ended, and the message names
    it. After --restarts, a training goes on from its last checkpoint: see train --backup.
    """
    from dnnbridge.cli.logs import shown_logs
    from dnnbridge.launching.addresses import on_hosts, on_this_host
    from dnnbridge.launching.command import command_of
    from dnnbridge.launching.job import Job

    group = context.parent.command if context.parent else None
    own = list(group.commands) if isinstance(group, click.Group) else []
    words = command_of(command, own)

    def clusters() -> list[Cluster]:
        if hosts is None:
            return on_this_host(workers, timeout)
        return on_hosts(hosts.split(","), workers, port, host_number, timeout)

    with shown_logs(logging.WARNING):
        Job(words, clusters, restarts, logs).run()
