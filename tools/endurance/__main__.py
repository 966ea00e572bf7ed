"""Measure long trainings and many compilations, and write docs/measurements/long-run.md.

    PYTHONPATH=tools python -m endurance [--backends tensorflow,mindspore] [--steps 100000]

Each measurement is a process of its own, whose samples stay as JSON in `out/endurance`. One that is
there is not repeated: delete the folder to measure anew.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from in_own_process import Work, measured, parsed

from endurance.compiling import compile_apart, compile_many
from endurance.page import write
from endurance.sampling import Sample
from endurance.training import train

OUT = Path("out") / "endurance"


def measurements(backends: list[str], steps: int, times: int) -> dict[str, Work]:
    """Return what measures, by the name of the measurement."""
    made: dict[str, Work] = {}
    for backend in backends:
        for net in ("dense", "convolutional"):
            made[f"{backend}, {net}"] = "train", [backend, net, steps, steps // 100]
    for backend in backends:
        for name, different in (("equal", False), ("different", True)):
            made[f"{backend}, {name}"] = "compile", [backend, times, different, times // 20]
        made[f"{backend}, apart"] = "apart", [backend, times, times // 10]
    return made


def samples_of(name: str, work: Work) -> list[Sample]:
    """Return the samples of a measurement."""
    path = OUT / f"{name.replace(', ', '-')}.json"
    return [Sample(**each) for each in measured("endurance", work, path)]


def main() -> None:
    """Measure all, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backends", default="tensorflow,mindspore,reference")
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=200)
    works = {"train": train, "compile": compile_many, "apart": compile_apart}
    options = parsed(parser, {name: _as_data(take) for name, take in works.items()})
    plan = measurements(options.backends.split(","), options.steps, options.times)
    write({name: samples_of(name, work) for name, work in plan.items()})


def _as_data(take: Callable[..., list[Sample]]) -> Callable[..., list[dict[str, Any]]]:
    """Return a function whose samples JSON can hold."""
    return lambda *arguments: [asdict(each) for each in take(*arguments)]


if __name__ == "__main__":
    main()
