"""Run pieces of code of one framework: `python run_code.py SIDE FILE`, a JSON of code by name."""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from pathlib import Path
from subprocess import run

from native_differences import measure

BEGIN = "results: "


def results_elsewhere(side: str, code: dict[str, str]) -> dict[str, measure.Result]:
    """Return what a new process makes of the last expression of each piece of code."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "code.json"
        file.write_text(json.dumps(code), encoding="utf-8")
        command = [sys.executable, __file__, side, str(file)]
        made = run(
            command,
            capture_output=True,
            text=True,
            cwd=folder,
            env=measure._environment(),
            timeout=600,
        )
    lines = [line for line in made.stdout.splitlines() if line.startswith(BEGIN)]
    assert lines, made.stderr[-2000:]
    found: dict[str, measure.Result] = json.loads(lines[0].removeprefix(BEGIN))
    return found


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    given = json.loads(Path(sys.argv[2]).read_text("utf-8"))
    print(BEGIN + json.dumps({n: measure.run(sys.argv[1], n, text) for n, text in given.items()}))
