"""Errors of every optimizer against the float64 reference after 300 steps, per backend.

python benchmarks/optimizer_errors.py [BACKEND ...]   prints a table in Markdown.
"""

from __future__ import annotations

import sys
from collections import defaultdict

from dnnbridge.backend.plugins import load_backend
from dnnbridge.backend.protocol import Backend
from dnnbridge.testing.cases.optimizer_cases import OPTIMIZER_CASES
from dnnbridge.testing.harness import trajectory
from dnnbridge.testing.measurement import relative_distance


def errors(backend: Backend, reference: Backend) -> dict[str, list[float]]:
    """Return the largest relative L2 distances by class: of parameters, slots and parts.

    Each part has the rows whose gradients have one magnitude.
    """
    found: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for case in OPTIMIZER_CASES:
        given = case.optimizer, case.start, case.gradients
        actual, expected = trajectory(backend, *given), trajectory(reference, *given)
        row = found[type(case.optimizer).__name__]
        for name, array in expected.items():
            place = int(name != "p")
            row[place] = max(row[place], relative_distance(actual[name], array))
            for _, part in case.parts(array.shape):
                row[2] = max(row[2], relative_distance(actual[name][part], array[part]))
    return found


def main(names: list[str]) -> None:
    reference = load_backend("reference")
    tables = [errors(load_backend(name), reference) for name in names]
    print("| optimizer | cases |" + "".join(f" {n}: parameter | slots | rows |" for n in names))
    print("|---|---|" + "---|" * 3 * len(names))
    for kind in sorted(tables[0]):
        count = sum(type(case.optimizer).__name__ == kind for case in OPTIMIZER_CASES)
        cells = " | ".join(f"{error:.1e}" for table in tables for error in table[kind])
        print(f"| `{kind}` | {count} | {cells} |")


if __name__ == "__main__":
    main(sys.argv[1:] or ["tensorflow", "mindspore"])
