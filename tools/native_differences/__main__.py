"""Measure every row, or those named, and write docs/measurements/native-differences.md."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

from native_differences import ROWS
from native_differences.measure import Result, measured
from native_differences.page import page, same, status, text

PAGE = Path(__file__).parents[2] / "docs" / "measurements" / "native-differences.md"
NEEDS = {"reference": "dnnbridge", "mindspore": "mindspore", "keras": "tensorflow"}


def results_of(ids: list[str]) -> dict[str, dict[str, Result]]:
    """Run the code of the rows for every installed framework, and return the results."""
    found: dict[str, dict[str, Result]] = {id: {} for id in ids}
    for side, module in NEEDS.items():
        if find_spec(module):
            with_code = [id for id in ids if ROWS[id].code(side)]
            for id, results in measured(side, with_code).items():
                found[id] |= results
    return found


def main(names: list[str]) -> None:
    found = results_of(names or list(ROWS))
    if not names:
        PAGE.write_text(page(found), encoding="utf-8")
    for id in found:
        print(f"{status(ROWS[id], found[id]):16} {id}")
        for name, result in found[id].items():
            twin = name.removeprefix("like_")
            odd = twin != name and twin in found[id]
            odd = odd and not same(found[id][twin], result, max(ROWS[id].tolerance, 1e-4))
            print(f"    {name:15} {text(result)}{'   NOT THE SAME' if odd else ''}")


if __name__ == "__main__":
    main(sys.argv[1:])
