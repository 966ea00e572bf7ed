"""Compare the speed of dnnbridge with the frameworks' own training loops and with manual loops.

    python benchmarks/speed [--workloads mlp,lstm] [--frameworks tensorflow] [--rounds 5]

Contestants of a framework take turns in one process, so that changes in machine speed affect all
of them. Memory and the time to the first step are measured in a separate process for each. Only
ratios are comparable between machines.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from speed.report import plot, summary, table
from speed.workloads import WORKLOADS, Workload

FRAMEWORKS = ("tensorflow", "mindspore", "torch")


def ask(*arguments: str) -> Any:
    """Run a contest in a separate process and return the JSON of its last line."""
    command = [sys.executable, str(HERE / "contest.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def compare(framework: str, work: Workload, rounds: int, turns_only: bool) -> dict[str, Any]:
    """Return the measurements of every contestant of a framework."""
    rounds = rounds if work.all_steps(framework) > 10 else min(rounds, 3)
    times = ask(framework, work.name, "turns", str(rounds))
    found: dict[str, Any] = {
        name: {"ms": statistics.median(each), "all_ms": each} for name, each in times.items()
    }
    for name in [] if turns_only else found:
        alone = [ask(framework, work.name, "first", name) for _ in range(2)]
        found[name] |= min(alone, key=lambda each: each["first_step"])
        found[name] |= ask(framework, work.name, "peak", name)
    return found


def main() -> None:
    """Run the requested contests, print tables, and write JSON and a plot."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workloads", default=",".join(WORKLOADS))
    parser.add_argument("--frameworks", default=",".join(FRAMEWORKS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--turns-only", action="store_true", help="no memory, no first step")
    parser.add_argument("--out", type=Path, default=Path("out"))
    given = parser.parse_args()
    given.out.mkdir(exist_ok=True)
    results: dict[str, Any] = {"machine": platform.platform(), "workloads": {}}
    for name in given.workloads.split(","):
        for framework in given.frameworks.split(","):
            if importlib.util.find_spec(framework) is None:
                continue
            work = WORKLOADS[name]
            found = compare(framework, work, given.rounds, given.turns_only)
            results["workloads"].setdefault(name, {})[framework] = found
            print(table(work, framework, found), flush=True)
            (given.out / "speed.json").write_text(json.dumps(results, indent=1))
    for framework in FRAMEWORKS:
        print(summary(results["workloads"], framework))
    plot(results["workloads"], given.out / "speed.svg")
    print(f"Wrote {given.out}/speed.json and {given.out}/speed.svg.")


if __name__ == "__main__":
    main()
