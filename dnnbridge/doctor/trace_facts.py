"""What the heads and batches of two traces say: batch sizes, order of data, arguments, machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dnnbridge.doctor.arguments import arguments_of
from dnnbridge.doctor.trace_alignment import TraceDifference
from dnnbridge.errors import DnnbridgeError
from dnnbridge.experiment import Experiment
from dnnbridge.formats.traces.reading import TraceFile

MOST_ARGUMENTS = 8
"""Arguments that are named."""


def different_batches(a: TraceFile, b: TraceFile, step: int) -> TraceDifference | None:
    """Return what differs between the batches of a step; None if nothing does or is known."""
    here, there = a.steps[step].batch, b.steps[step].batch
    if here is None or there is None:
        return None
    if here["size"] != there["size"]:
        said = f"The batch size is {here['size']} here and {there['size']} there."
        return _of_batch(step, said)
    if here["rows"] == there["rows"] and here["together"] == there["together"]:
        return None
    if here["together"] == there["together"]:
        return _of_batch(step, "The batch has the same examples in another order.")
    data = (a.head.get("data"), b.head.get("data"))
    both = [each for each in data if isinstance(each, Mapping)]
    if len(both) < len(data):
        said = "The batch has other examples: other data, or another order."
    elif both[0] == both[1]:
        said = "The data are the same, and come in another order."
    else:
        counts = [each.get("count") for each in both]
        said = "The data are others"
        said += (
            f": {counts[0]} examples here and {counts[1]} there." if counts[0] != counts[1] else "."
        )
    return _of_batch(step, said)


def _of_batch(step: int, said: str) -> TraceDifference:
    return TraceDifference(step, "input", "batch", float("nan"), 0.0, said)


def facts(a: TraceFile, b: TraceFile) -> list[str]:
    """Return notes about what the two trainings are."""
    notes = [
        f"{file.path.name} ends in the middle of a record: its writer was stopped."
        for file in (a, b)
        if not file.whole
    ]
    made = [_made(file.head) for file in (a, b)]
    notes.append(
        f"Here is {made[0]}; there is {made[1]}." if made[0] != made[1] else f"Both are {made[0]}."
    )
    return notes


def _made(head: Mapping[str, Any]) -> str:
    framework = str(head.get("framework", "?"))
    versions = head.get("versions")
    version = versions.get(framework, "") if isinstance(versions, Mapping) else ""
    name = f"{framework} {version}".strip()
    return f"{name} on {head.get('device', '?')} ({head.get('processor', '?')})"


def differing_arguments(a: TraceFile, b: TraceFile) -> list[str]:
    """Return a sentence for the arguments in which the specs differ, if both files have one."""
    specs = [file.head.get("spec") for file in (a, b)]
    try:
        here, there = (Experiment.from_dict(spec) for spec in specs)
        found = arguments_of(here, there)
    except (DnnbridgeError, TypeError, ValueError, KeyError, RecursionError):
        return []
    said = [f"{each}." for each in found[:MOST_ARGUMENTS]]
    if len(found) > MOST_ARGUMENTS:
        said.append(f"{len(found) - MOST_ARGUMENTS} more arguments differ.")
    return said
