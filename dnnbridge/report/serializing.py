"""Write a comparison as JSON."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

from dnnbridge.report.comparing import Comparison

FORMAT = 1
"""Version of the JSON format."""


def to_json(comparison: Comparison) -> str:
    """Return all recordings and differences as JSON; non-finite numbers become null."""
    content = asdict(comparison) | {"experiment": comparison.experiment.to_dict()}
    for recording in content["recordings"]:
        del recording["folder"]
    return json.dumps({"format": FORMAT} | _finite(content), indent=1, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
