"""`dnnbridge launch`."""

from __future__ import annotations

import logging
import os
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from dnnbridge.base.cluster import Cluster
    from dnnbridge.launching.alarm import Alarm


@click.command(
    short_help="Train on several workers.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option(
    "-n",
    "--workers",
    type=click.IntRange(min=1),
    help="Workers of each host.  [required, unless --hosts says it]",
)
@click.option(
    "--restarts",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="How often all workers start again after one has failed.",
)
@click.option(
    "--hosts",
    help="All hosts; run the same command on each. Names by comma, such as a,b or node[01-16]; "
    '"slurm", "tf_config", or a rank table of MindSpore (.json).',
)
@click.option(
    "--host-number",
    type=click.IntRange(min=0),
    help="Place of this host in --hosts, from 0.  [default: that of Slurm or of an indexed job of "
    "Kubernetes, else found by name]",
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
    workers: int | None,
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
    from dnnbridge.launching.addresses import at_addresses, on_hosts, on_this_host
    from dnnbridge.launching.alarm import alarm_of
    from dnnbridge.launching.command import command_of
    from dnnbridge.launching.hosts import hosts_of
    from dnnbridge.launching.job import Job

    group = context.parent.command if context.parent else None
    own = list(group.commands) if isinstance(group, click.Group) else []
    words = command_of(command, own)

    found = hosts_of(hosts, os.environ) if hosts else None
    count = workers or (found.workers if found else None)
    if count is None:
        raise click.UsageError("Missing option '-n' / '--workers'.")
    if found and found.workers not in (None, count):
        raise click.UsageError(f"-n {count}: {hosts} has {found.workers} workers of each host.")

    def clusters() -> list[Cluster]:
        if found is None:
            return on_this_host(count, timeout)
        number = found.number if host_number is None else host_number
        if found.addresses:
            return at_addresses(found.addresses, number or 0, timeout)
        return on_hosts(found.names, count, port, number, timeout)

    def alarm() -> Alarm | nullcontext[None]:
        if found is None or found.addresses:
            return nullcontext()
        return alarm_of(found.names, count, port, clusters()[0].rank // count)

    with shown_logs(logging.WARNING):
        Job(words, clusters, restarts, logs, alarm).run()
