"""`dnnbridge conformance` and `dnnbridge conformance-report`."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dnnbridge.cli.options import EXISTING, POSITIVE, WRITTEN, device_option

if TYPE_CHECKING:
    from dnnbridge.backend.protocol import Variant
    from dnnbridge.testing.checks import Check
    from dnnbridge.testing.running import Conformance
    from dnnbridge.testing.subject import Subject


@click.command(short_help="Compare a backend with the float64 reference and report the errors.")
@click.option(
    "--backend",
    metavar="A[,B]",
    help="One or more names of `dnnbridge backends`.  [default: DNNBRIDGE_BACKEND, or the first "
    "that is installed]",
)
@device_option
@click.option("--variant", metavar="A[,B]", help="Run the framework in other configurations, such "
              'as "no-onednn", or in all of them: "all".')  # fmt: skip
@click.option("--select", metavar="WORDS", default="", help="Run only checks with one of these "
              "comma-separated words in their area, entry or name.")  # fmt: skip
@click.option("--quick", is_flag=True, help="Run one check of every entry.")
@click.option("--jobs", type=POSITIVE, default=1, show_default=True, help="Number of processes.")
@click.option(
    "--workers",
    type=POSITIVE,
    default=1,
    show_default=True,
    help="Workers that share each batch of a training: devices, or the processes of a launch.",
)
@click.option("--share", hidden=True, help="K/N: the checks of one process of several.")
@click.option("--report", type=WRITTEN, help="Write an HTML report, or JSON if the name ends in "
              ".json.")  # fmt: skip
@click.option("--json", "json_file", type=WRITTEN, help="Write every measurement as JSON.")
@click.option(
    "--against", type=EXISTING, metavar="JSON", help="Report changes since this file was written."
)
def conformance(
    backend: str | None,
    device: str | None,
    variant: str | None,
    select: str,
    quick: bool,
    jobs: int,
    workers: int,
    share: str | None,
    report: Path | None,
    json_file: Path | None,
    against: Path | None,
) -> None:
    """Run every check of the suite on a backend and compare its numbers with the reference.

    The exit status is 1 if a check fails. Declared limitations and deviations of a backend are
    listed but do not fail.
    """
    from dnnbridge.base.cluster import is_first
    from dnnbridge.base.packages import require_report
    from dnnbridge.cli.checking import check_backends, check_writable
    from dnnbridge.cli.conformance_jobs import share as share_of
    from dnnbridge.cli.conformance_variants import variants
    from dnnbridge.testing.checks import all_checks
    from dnnbridge.testing.checks import select as select_from
    from dnnbridge.testing.recorded import read

    if report and not _is_json(report):
        require_report("An HTML report")
    check_writable("report", report)
    check_writable("json", json_file)
    names = [name.strip() for name in backend.split(",")] if backend else []
    check_backends(names, device)
    earlier = read(against) if against else []
    every = all_checks()
    checks = select_from(every, words=select, quick=quick)
    if not checks:
        raise click.BadParameter(f"no check matches {select!r}", param_hint="--select")
    if share:
        checks = share_of(checks, *map(int, share.split("/")))
    words = ["--select", select, *(["--quick"] if quick else [])]
    words += ["--workers", str(workers)] if workers > 1 else []
    made: Iterator[Conformance]
    if variant:
        asked = variants(backend, device, variant)
        keys = [(each.backend, each.device, each.variant.name) for each in asked]
        made = (
            _in_processes(each.backend, each.device, checks, words, jobs, each.variant)
            for each in asked
        )
    else:
        subjects = _subjects(names, device, workers)
        keys = [(each.backend.info.name, each.device, "") for each in subjects]
        made = (_ask(each, checks, words, jobs) for each in subjects)
    before = _before(earlier, str(against), keys) if against else []
    found = []
    for each in made:
        found.append(each)
        _print(each, before, every)
    if is_first():
        _write(found, report, json_file)
    if any(each.failed for each in found):
        raise click.exceptions.Exit(1)


@click.command("conformance-report", short_help="Merge JSON files of `conformance` in one report.")
@click.argument("files", nargs=-1, required=True, type=EXISTING, metavar="JSON...")
@click.option(
    "--report",
    type=WRITTEN,
    default=Path("dnnbridge-conformance.html"),
    show_default=True,
    help="The HTML report to write.",
)
def conformance_report(files: tuple[Path, ...], report: Path) -> None:
    """Merge files of `dnnbridge conformance --json`, from one or more machines, in one report."""
    from dnnbridge.base.packages import require_report
    from dnnbridge.cli.checking import check_writable
    from dnnbridge.testing.recorded import read_all

    require_report("An HTML report")
    check_writable("report", report)
    _write(read_all(files), report, None)


def _subjects(names: list[str], device: str | None, count: int) -> list[Subject]:
    """Load the backends; they share one reference, so that its results are computed once."""
    from dnnbridge.backend.plugins import load_backend
    from dnnbridge.cli.logs import shown_logs
    from dnnbridge.testing.subject import Subject
    from dnnbridge.training.compiling import load_chosen
    from dnnbridge.training.dividing import check_workers, checked_workers

    reference = Subject(load_backend("reference"))
    workers = checked_workers(count, sync_batch_norm=True)
    chosen: list[str | None] = [*dict.fromkeys(names)] or [None]
    with shown_logs():
        loaded = [load_chosen(name, device) for name in chosen]
    if workers:
        for each, _ in loaded:
            check_workers(each, workers)
    return [Subject(each, chosen, 0, reference, workers) for each, chosen in loaded]


def _ask(subject: Subject, checks: list[Check], words: list[str], jobs: int) -> Conformance:
    from dnnbridge.cli.conformance_progress import shown_progress
    from dnnbridge.testing.running import run_checks

    name = subject.backend.info.name
    if jobs > 1:
        return _in_processes(name, subject.device, checks, words, jobs)
    gc.freeze()  # MindSpore collects garbage before it compiles; don't scan the frameworks
    with shown_progress(name, checks) as done:
        return run_checks(checks, subject, done)


def _in_processes(
    name: str,
    device: str,
    checks: list[Check],
    words: list[str],
    jobs: int,
    variant: Variant | None = None,
) -> Conformance:
    from dnnbridge.cli.conformance_jobs import ask_in_processes

    command = ["conformance", "--backend", name, "--device", device, *words]
    way = f" {variant.name} ({variant.about})" if variant else ""
    count = f"{len(checks)} check{'s' if len(checks) > 1 else ''}"
    click.echo(f"{name}{way}: {count} in {jobs} process{'es' if jobs > 1 else ''}")
    with tempfile.TemporaryDirectory(prefix="dnnbridge-") as folder:
        return ask_in_processes(command, checks, jobs, Path(folder), variant)


def _before(
    before: list[Conformance], against: str, keys: list[tuple[str, str, str]]
) -> list[Conformance]:
    """Return earlier results, or raise if they lack a backend on its device and variant."""
    from dnnbridge.errors import SpecError

    there = {(each.backend, each.device, each.variant) for each in before}
    for name, device, variant in keys:
        if (name, device, variant) not in there:
            raise SpecError(
                "has no results of this backend, device and variant",
                where=against,
                got=", ".join(sorted(f"{each.name} on {each.device}" for each in before)),
                hint=f"Give a file of {f'{name} {variant}'.rstrip()} on {device}.",
            )
    return before


def _print(found: Conformance, before: list[Conformance], every: list[Check]) -> None:
    """Print the results and the changes since earlier results."""
    from dnnbridge.cli.conformance_tables import area_table, change_lines, outcome_lines
    from dnnbridge.cli.tables import print_table, say
    from dnnbridge.testing.changes import changes, key_of

    print_table(area_table(found))
    for line in outcome_lines(found):
        say(line)
    known = {key_of(check) for check in every}
    for old in before:
        if (old.name, old.device) == (found.name, found.device):
            for line in change_lines(old, found, changes(old, found, known)):
                say(line)


def _is_json(report: Path) -> bool:
    return report.suffix == ".json"


def _write(found: list[Conformance], report: Path | None, json_file: Path | None) -> None:
    from dnnbridge.base.files import write_atomically
    from dnnbridge.report.conformance import render
    from dnnbridge.testing.recorded import to_json

    files = [json_file, report if report and _is_json(report) else None]
    for file in filter(None, files):
        write_atomically(file, to_json(found).encode())
        click.echo(f"JSON: {file}")
    if report and not _is_json(report):
        write_atomically(report, render(found).encode())
        click.echo(f"Report: {report}")
