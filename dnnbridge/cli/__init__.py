"""The command `dnnbridge`. Each command imports its packages when it runs, so that help is fast."""

from __future__ import annotations

import click

from dnnbridge.cli.align import align
from dnnbridge.cli.backends import backends
from dnnbridge.cli.compare import compare
from dnnbridge.cli.compare_worker import compare_worker
from dnnbridge.cli.conformance import conformance, conformance_report
from dnnbridge.cli.convert import convert
from dnnbridge.cli.doctor import doctor
from dnnbridge.cli.failing import CleanErrors
from dnnbridge.cli.inspect import inspect
from dnnbridge.cli.lint import lint
from dnnbridge.cli.profile import profile
from dnnbridge.cli.report import report
from dnnbridge.cli.schedule import schedule
from dnnbridge.cli.schema import schema
from dnnbridge.cli.train import train


@click.group(cls=CleanErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dnnbridge")
def main() -> None:
    """Define a training experiment once and get the same numbers on every backend."""


for command in (
    train,
    compare,
    align,
    convert,
    conformance,
    conformance_report,
    backends,
    doctor,
    schedule,
    schema,
    profile,
    inspect,
    lint,
    report,
    compare_worker,
):
    main.add_command(command)
