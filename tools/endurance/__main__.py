"""Measure long trainings and many compilations, and write docs/measurements/long-run.md.

    PYTHONPATH=tools python -m endurance [--backends tensorflow,mindspore] [--steps 100000]

Each measurement is a process of its own, whose samples stay as JSON in `out/endurance`. One that is
there is not repeated: delete the folder to measure anew.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from endurance.page import write
from endurance.sampling import Sample

OUT = Path("out") / "endurance"


Work = tuple[str, list[object]]
"""The name of a function and its arguments."""


def measurements(backends: list[str], steps: int, times: int) -> dict[str, Work]:
    """Return what measures, by the name of the measurement."""
    made: dict[str, Work] = {}
    for backend in backends:
        for net in ("dense", "convolutional"):
            made[f"{backend}, {net}"] = "train", [backend, net, steps, steps // 100]
    for backend in backends:
        for name, different in (("equal", False), ("different", True)):
            made[f"{backend}, {name}"] = "compile", [backend, times, different, times // 20]
    return made


def measured(name: str, work: Work) -> list[Sample]:
    """Return the samples of a measurement, made in a process of its own."""
    path = OUT / f"{name.replace(', ', '-')}.json"
    if not path.exists():
        print(name, flush=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        command = [
            sys.executable,
            "-m",
            "endurance",
            "--child",
            json.dumps(work),
            "--to",
            str(path),
        ]
        subprocess.run(command, check=True)
    return [Sample(**each) for each in json.loads(path.read_text("utf-8"))]


def child(work: Work, path: Path) -> None:
    """Measure here, and leave the samples as JSON."""
    from endurance.compiling import compile_many
    from endurance.training import train

    name, arguments = work
    samples = {"train": train, "compile": compile_many}[name](*arguments)
    path.write_text(json.dumps([asdict(each) for each in samples]), "utf-8")


def main() -> None:
    """Measure all, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backends", default="tensorflow,mindspore,reference")
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--to", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(json.loads(options.child), options.to)
        return
    plan = measurements(options.backends.split(","), options.steps, options.times)
    write({name: measured(name, work) for name, work in plan.items()})


if __name__ == "__main__":
    main()
