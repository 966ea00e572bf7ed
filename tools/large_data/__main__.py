"""Measure trainings on files of 4 GB and large tables, and write docs/measurements/large-data.md.

    PYTHONPATH=tools python -m large_data [--backends tensorflow,mindspore] [--rows 1000000]

Each measurement is a process of its own, whose result stays as JSON in `out/large-data`. One that
is there is not repeated: delete the folder to measure anew. The disk needs room for one data set.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from in_own_process import measured, parsed

from large_data.memory import train
from large_data.page import write_page
from large_data.tables import MORE, OPTIMIZERS, ROWS, step
from large_data.writing import FORMS, write

OUT = Path("out") / "large-data"

FEW = 16_384
"""Rows of the small data set, whose training needs the memory of the model and the framework."""


def trainings(backends: list[str], rows: int) -> dict[tuple[str, str, int], dict[str, float]]:
    """Return the memory of each training, by backend, form and number of rows."""
    made = {}
    for form in FORMS:
        for count in (FEW, rows):
            names = {b: f"{b}-{form}-{count}" for b in backends}
            with tempfile.TemporaryDirectory(dir=OUT) as folder:
                if not all(_path(name).exists() for name in names.values()):
                    write(form, Path(folder), count)
                for backend, name in names.items():
                    work = "train", [backend, form, folder]
                    made[backend, form, count] = measured("large_data", work, _path(name))
    return made


def _path(name: str) -> Path:
    return OUT / f"{name}.json"


def main() -> None:
    """Measure all, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backends", default="tensorflow,mindspore")
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parsed(parser, {"train": train, "step": step})
    OUT.mkdir(parents=True, exist_ok=True)
    backends = options.backends.split(",")
    memory = trainings(backends, options.rows)
    steps = {
        (backend, name, rows): measured(
            "large_data",
            ("step", [backend, name, rows]),
            _path(f"{backend}-{name.replace(' ', '-')}-{rows}"),
        )["seconds"]
        for backend in backends
        for name in OPTIMIZERS
        for rows in ((*ROWS, MORE) if name == "SGD" else ROWS)
    }
    write_page(memory, steps)


if __name__ == "__main__":
    main()
