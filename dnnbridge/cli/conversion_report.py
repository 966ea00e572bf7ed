"""REPORT.md and report.json of `dnnbridge convert`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dnnbridge.cli.conversion_sources import Source
from dnnbridge.cli.verification import Check

TABLE = Path(__file__).with_name("native_differences.json")
"""What `tools/native_differences` says in short, with the classes that each difference concerns."""

KEPT = "dnnbridge computes what the experiment says; the checks compare the file with it."


class Conversion(NamedTuple):
    """A conversion that is done.

    Attributes:
        source: name of the file that was read.
        format: of the file that was written.
        target: its name.
        found: what was read.
        checks: the comparisons.
    """

    source: str
    format: str
    target: str
    found: Source
    checks: Sequence[Check]


def report_of(conversion: Conversion) -> dict[str, str]:
    """Return the text of each file of the report, by name."""
    differences = list(_differences(conversion))
    plain = {
        "source": conversion.source,
        "format": conversion.format,
        "target": conversion.target,
        "backend": conversion.found.run.backend,
        "step": conversion.found.step,
        "layers": _layers(conversion),
        "notes": _notes(conversion),
        "checks": [{**vars(check), "failed": check.failed} for check in conversion.checks],
        "native_differences": differences,
    }
    data = json.dumps(plain, indent=2)
    return {"REPORT.md": _markdown(conversion, differences), "report.json": data + "\n"}


def _layers(conversion: Conversion) -> list[dict[str, Any]]:
    report = conversion.found.report
    return [row._asdict() for row in report.layers] if report else []


def _notes(conversion: Conversion) -> list[str]:
    report = conversion.found.report
    return list(report.notes) if report else []


def _differences(conversion: Conversion) -> Iterator[dict[str, Any]]:
    """Yield the differences that concern classes of the experiment."""
    kinds = {name.casefold() for name in _kinds(conversion.found.run.experiment.to_dict())}
    for row in json.loads(TABLE.read_text("utf-8")):
        concerned = [name for name in row["classes"] if name.casefold() in kinds]
        if concerned:
            yield {**row, "classes": concerned, "here": row["here"] or KEPT}


def _kinds(value: Any) -> Iterator[str]:
    """Yield the classes in the JSON form of a spec."""
    if isinstance(value, dict):
        if isinstance(value.get("kind"), str):
            yield value["kind"].rpartition(".")[2]
        for each in value.values():
            yield from _kinds(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _kinds(each)


def _markdown(conversion: Conversion, differences: Sequence[dict[str, Any]]) -> str:
    report = conversion.found.report
    read = "A checkpoint of dnnbridge: nothing had to be mapped." if report is None else str(report)
    checks = "\n".join(f"- {check}" for check in conversion.checks)
    found = "\n".join(
        f"- **{row['title']}** ({', '.join(row['classes'])}; {row['kind']}): {row['says']} "
        f"Here: {row['here']}"
        for row in differences
    )
    return f"""# {conversion.source} to {conversion.format}

Written: `{conversion.target}`.

## What was read

```
{read}
```

## Checks

{checks}

## Differences of MindSpore and Keras that concern this model

{found or "None is known."}
"""
