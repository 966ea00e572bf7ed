"""Write and read results of the suite as JSON; one file can hold several backends."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dnnbridge.errors import SpecError
from dnnbridge.testing.measurement import Measurement
from dnnbridge.testing.running import Conformance, Outcome

FORMAT = "dnnbridge conformance 1"


def to_json(found: Iterable[Conformance]) -> str:
    """Return results as JSON text. Non-finite numbers become strings, such as "inf"."""
    data = {"format": FORMAT, "backends": [asdict(each) for each in found]}
    return json.dumps(_finite(data), indent=1, allow_nan=False)


def read(path: Path) -> list[Conformance]:
    """Read what `to_json` wrote.

    Raises:
        SpecError: the file is not such a report.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']!r}")
        return [_conformance(row) for row in data["backends"]]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise SpecError(
            "is not a report of dnnbridge conformance",
            where=str(path),
            got=f"{type(error).__name__}: {error}",
            hint="Give a file that `dnnbridge conformance --json` wrote.",
        ) from None


def read_all(paths: Sequence[Path]) -> list[Conformance]:
    """Read several files. Each backend on a device may occur in one file only."""
    found = [each for path in paths for each in read(path)]
    names = [f"{each.name} on {each.device}" for each in found]
    for name in names:
        if names.count(name) > 1:
            raise SpecError(
                "the same backend occurs more than once",
                where=", ".join(map(str, paths)),
                got=name,
                hint="Give one file for each backend and device.",
            )
    return found


def _conformance(row: dict[str, Any]) -> Conformance:
    outcomes = tuple(
        Outcome(**outcome | {"measurements": tuple(map(_measurement, outcome["measurements"]))})
        for outcome in row["outcomes"]
    )
    return Conformance(**row | {"outcomes": outcomes})


def _measurement(row: dict[str, Any]) -> Measurement:
    error, tolerance = float(row["error"]), float(row["tolerance"])
    curve, declared = tuple(map(float, row["curve"])), row.get("declared", "")
    return Measurement(row["what"], error, tolerance, row["detail"], row["note"], curve, declared)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
