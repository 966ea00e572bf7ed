"""REPORT.md and report.json of `dnnbridge convert`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dnnbridge.cli.conversion_checks import Check
from dnnbridge.cli.conversion_done_of_layers import DONE_OF_LAYERS
from dnnbridge.cli.conversion_done_of_training import DONE_OF_TRAINING
from dnnbridge.cli.conversion_facts import Facts, listed
from dnnbridge.cli.conversion_sources import PREDICTING, Source
from dnnbridge.cli.markdown import block, code, plain
from dnnbridge.doctor.rules import RULES
from dnnbridge.doctor.table import PAGE
from dnnbridge.optimizers import AbstractOptimizer

DONE = {**DONE_OF_LAYERS, **DONE_OF_TRAINING}
"""What was done about the native differences, by the name of a rule of the doctor."""


class Conversion(NamedTuple):
    """A conversion that is done.

    Attributes:
        source: name of the file that was read.
        format: of the file that was written.
        path: the file or folder.
        found: what was read.
        optimizer: of the run when it was written.
        checks: the comparisons.
        data: what was trained on.
    """

    source: str
    format: str
    path: Path
    found: Source
    optimizer: AbstractOptimizer
    checks: Sequence[Check]
    data: str


def report_of(conversion: Conversion) -> dict[str, str]:
    """Return the text of each file of the report, by name."""
    concerns = list(differences(facts_of(conversion)))
    plain = {
        "source": conversion.source,
        "format": conversion.format,
        "target": conversion.path.name,
        "files": _files(conversion),
        "backend": conversion.found.run.backend,
        "step": conversion.found.step,
        "data": conversion.data,
        "layers": _layers(conversion),
        "notes": _notes(conversion),
        "checks": [check.to_dict() for check in conversion.checks],
        "native_differences": concerns,
    }
    data = json.dumps(plain, indent=2, ensure_ascii=False)
    return {"REPORT.md": _markdown(conversion, concerns), "report.json": data + "\n"}


def facts_of(conversion: Conversion) -> Facts:
    """Return what the rules ask of a conversion."""
    is_python = conversion.path.suffix == ".py"
    return Facts(
        conversion.found.run.experiment,
        conversion.optimizer,
        conversion.format,
        conversion.format not in PREDICTING,
        conversion.path.read_text("utf-8") if is_python else "",
        conversion.found.path.suffix == ".ckpt",
        conversion.found.keras is not None,
    )


def differences(facts: Facts) -> Iterator[dict[str, Any]]:
    """Yield the rows of the page that concern a model, in the order of the page."""
    table = DONE if facts.trains else DONE_OF_LAYERS
    for name, rule in RULES.items():
        done = table.get(name)
        if done is None or not done.met(facts):
            continue
        if places := [place for place in rule.found(facts.subject) if done.fits(place)]:
            yield {
                "id": name,
                "title": rule.row.title,
                "kind": rule.row.kind,
                "where": listed([str(place) for place in places], done.shown),
                "says": rule.explanation(places),
                "done": done.words(facts, places),
            }


def _files(conversion: Conversion) -> list[str]:
    found = conversion.path.parent.glob(f"{conversion.path.stem}*")
    return sorted(path.name for path in found if path.stem.partition(".")[0] == "model")


def _layers(conversion: Conversion) -> list[dict[str, Any]]:
    report = conversion.found.report
    return [row._asdict() for row in report.layers] if report else []


def _notes(conversion: Conversion) -> list[str]:
    report = conversion.found.report
    return [*(report.notes if report else ()), *conversion.found.added]


MEANING = """\
Predictions: the largest difference, divided by the largest number of the output. Losses: the
largest difference of a step, divided by the loss of that step; rounding grows in 50 steps, so more
is allowed. Unless Keras itself is named, the other side is dnnbridge on the backend `{backend}`,
with the model that was read. The training steps use {data}. Random inputs are standard normal
numbers, or indices within the table of an embedding; random labels fit the loss."""


def _markdown(conversion: Conversion, concerns: Sequence[dict[str, Any]]) -> str:
    report = conversion.found.report
    read = "A checkpoint of dnnbridge: nothing had to be mapped." if report is None else str(report)
    failed = [check for check in conversion.checks if check.failed]
    skipped = [check for check in conversion.checks if check.difference is None]
    passed = len(conversion.checks) - len(failed) - len(skipped)
    verdict = f"{passed} passed, {len(failed)} failed, {len(skipped)} could not be made"
    lines = [
        f"# {plain(conversion.source)} to {conversion.format}",
        f"Written: {', '.join(map(code, _files(conversion)))}. Checks: {verdict}.",
        "## What was read",
        block("\n".join([read, *conversion.found.added])),
        _trained(conversion),
        "## Checks",
        "\n".join(f"- {plain(str(check))}" for check in conversion.checks),
        MEANING.format(backend=conversion.found.run.backend, data=conversion.data),
        "## Differences of MindSpore and Keras that concern this model",
        _concerns(conversion, concerns),
    ]
    return "\n\n".join(line for line in lines if line) + "\n"


def _trained(conversion: Conversion) -> str:
    """Say what else than layers was read."""
    if conversion.format in PREDICTING:
        return "The file holds the prediction. Loss and optimizer were left out."
    experiment, step = conversion.found.run.experiment, conversion.found.step
    heads = [
        f"{h.output}: {f'{h.weight:g} · ' if h.weight != 1 else ''}{h.loss!r}".removeprefix(": ")
        for h in experiment.heads
    ]
    state = f"It goes on after {step} updates" if step else "It starts with its first update"
    optimizer = code(repr(conversion.optimizer))
    return f"Loss: {code(', '.join(heads))}. Optimizer: {optimizer}. {state}."


def _concerns(conversion: Conversion, concerns: Sequence[dict[str, Any]]) -> str:
    if conversion.format == "onnx":
        return "None: an ONNX file is run by neither of the two."
    if not concerns:
        return "None is known: this model has nothing that the target computes otherwise."
    rows = [
        f"- **{row['title']}** (`{row['id']}`)\n"
        f"  - concerns: {plain(row['where'])}\n  - differs: {row['says']}\n  - done: {row['done']}"
        for row in concerns
    ]
    return "\n".join([*rows, "", f"Each is a section of {PAGE}, with code that shows it."])
