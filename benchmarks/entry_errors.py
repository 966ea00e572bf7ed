"""Errors of every layer, activation, loss and metric against the float64 reference, per backend.

python benchmarks/entry_errors.py [BACKEND ...]   prints a table in Markdown.
"""

from __future__ import annotations

import sys
from collections import defaultdict

import numpy as np

from dnnbridge.backend.plugins import load_backend
from dnnbridge.backend.protocol import Backend
from dnnbridge.specs.spec import kind_of
from dnnbridge.testing.cases.equation_cases import EQUATION_CASES
from dnnbridge.testing.harness import build_case
from dnnbridge.testing.measurement import mixed_error
from dnnbridge.testing.tolerances import elementwise


def errors(backend: Backend, reference: Backend) -> dict[str, list[float]]:
    """Return the largest errors of value and gradient and the largest tolerance share, by kind."""
    found: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for case in EQUATION_CASES:
        built = build_case(case)
        actual, expected = built.run(backend), built.run(reference)
        row = found[kind_of(type(case.spec))]
        for name, array in expected.items():
            error = float(np.max(mixed_error(actual[name], array), initial=0.0))
            place = int(not name.endswith("value"))
            row[place] = max(row[place], error)
            row[2] = max(row[2], error / elementwise(case.reduced))
    return found


def main(names: list[str]) -> None:
    reference = load_backend("reference")
    tables = {name: errors(load_backend(name), reference) for name in names}
    print("| entry |" + "".join(f" {n}: value | gradient | share of tolerance |" for n in names))
    print("|---|" + "---|" * 3 * len(names))
    for kind in sorted(kind for kind in next(iter(tables.values())) if "." in kind):
        cells = [f"{v:.1e} | {g:.1e} | {s:.0%}" for v, g, s in (t[kind] for t in tables.values())]
        print(f"| {kind} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main(sys.argv[1:] or ["tensorflow", "mindspore"])
