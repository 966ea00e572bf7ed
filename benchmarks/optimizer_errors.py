"""How far every optimizer is from the float64 reference after 300 steps, per backend.

python benchmarks/optimizer_errors.py [BACKEND ...]   prints a table in Markdown.
"""

from __future__ import annotations

import sys

from dnnbridge.backend import Backend
from dnnbridge.plugins import load_backend
from dnnbridge.testing.assertions import relative_distance
from dnnbridge.testing.cases.optimizer_cases import OPTIMIZER_CASES, OptimizerCase
from dnnbridge.testing.harness import trajectory


def errors(case: OptimizerCase, backend: Backend, reference: Backend) -> tuple[float, float]:
    """Return the relative L2 distance of the parameter, and the largest of a slot."""
    given = case.optimizer, case.start, case.gradients
    actual, expected = trajectory(backend, *given), trajectory(reference, *given)
    found = {name: relative_distance(actual[name], array) for name, array in expected.items()}
    return found.pop("p"), max(found.values(), default=0.0)


def main(names: list[str]) -> None:
    reference = load_backend("reference")
    backends = [load_backend(name) for name in names]
    print("| optimizer |" + "".join(f" {name}: parameter | slots |" for name in names))
    print("|---|" + "---|" * 2 * len(names))
    for case in OPTIMIZER_CASES:
        cells = [errors(case, backend, reference) for backend in backends]
        print(f"| {case.id} | " + " | ".join(f"{p:.1e} | {s:.1e}" for p, s in cells) + " |")


if __name__ == "__main__":
    main(sys.argv[1:] or ["tensorflow", "mindspore"])
