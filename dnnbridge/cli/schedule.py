"""`dnnbridge schedule`."""

from __future__ import annotations

from pathlib import Path

import click

from dnnbridge.cli.options import POSITIVE, WRITTEN


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("name", metavar="NAME|FILE")
@click.argument("values", nargs=-1, metavar="[VALUE]...")
@click.option("--arg", "pairs", multiple=True, metavar="NAME=VALUE", help="A named argument.")
@click.option(
    "--steps", type=POSITIVE, help="How many steps to print; not for lists.  [default: 20]"
)
@click.option("--plot", type=WRITTEN, metavar="FILE.svg|FILE.png", help="Also draw the schedule.")
def schedule(
    name: str,
    values: tuple[str, ...],
    pairs: tuple[str, ...],
    steps: int | None,
    plot: Path | None,
) -> None:
    """Print the steps and values of a schedule.

    NAME is a schedule (ExponentialDecay …), MindSpore's name of one (ExponentialDecayLR …) or a
    list function (exponential_decay_lr …). Its arguments are JSON literals. FILE is an experiment
    (.py or .json), whose learning rate is shown. A schedule that reads a metric (Plateau) is shown
    as it is before the first metric.

    \b
    dnnbridge schedule exponential_decay_lr 0.1 0.9 6 2 1
    dnnbridge schedule CosineDecay 0.1 100 --arg alpha=0.01 --steps 100 --plot cosine.svg
    """
    from dnnbridge.base.packages import require_report
    from dnnbridge.cli.checking import check_writable
    from dnnbridge.cli.schedules import quantity_of, schedule_values

    check_writable("plot", plot)
    if plot and plot.suffix not in {".svg", ".png"}:
        raise click.BadParameter("must end with .svg or .png", param_hint="--plot")
    if plot:
        require_report("A drawing of a schedule")
    rates = schedule_values(name, values, pairs, steps)
    for step, rate in enumerate(rates):
        click.echo(f"{step:>6}  {rate!r}")
    if plot:
        from dnnbridge.schedules.plotting import figure_of

        figure_of(name, rates, quantity_of(name)).savefig(plot)
        click.echo(f"Plot: {plot}", err=True)
