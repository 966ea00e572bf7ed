"""Write docs/measurements/doctor-bench.md: what `align` finds of two programs that differ.

PYTHONPATH=tools:tests python tools/doctor_bench.py
"""

from __future__ import annotations

import platform
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

from doctor.bench.every_pair import PAIRS
from doctor.bench.judging import Judgement, judged
from doctor.bench.limits import LIMITS

PAGE = Path(__file__).parents[1] / "docs" / "measurements" / "doctor-bench.md"

HEAD = """# How much `align` finds

A program of Keras, and its translation to MindSpore as people write it, are given to
[`db.align`](../guide/aligning.md). In {planted} pairs one to three differences were planted, of
which was written down beforehand at which stage, where and by which rule or argument they must be
found. {agreeing} pairs are translated with all arguments that make them equal. Their programs are
in `tests/doctor/bench/`. Written by `make doctor-bench`, measured on {processor} with {versions}.
It took {minutes:.1f} minutes on a busy machine.

| | |
|---|---|
| pairs with differences | {planted}, of which {deep} have 10 layers or more |
| all differences found at their stage and place with their cause, and nothing else | {right} |
| differences planted | {differences} |
| found at their stage and place | {placed} |
| found with their cause | {caused} |
| false causes in pairs with differences | {false} |
| held out: written after the rest, judged once | {held}, of which {held_right} are right |
| pairs that agree | {agreeing}, of which {deep_agreeing} have 10 layers or more |
| false causes in pairs that agree | {false_agreeing} |

What must be found was written down before a pair was judged, and not changed to what was found,
except for the words by which an argument is known and for one difference that had been forgotten.
But `align` and its rules were mended by what the pairs had shown, and about eight
programs were changed, most because their difference was too small to show in any number, one
because its loss needed a reduction that can be compared. So the figures say what `align` can do,
and those of the pairs that are held out (`new-…`) what it does with programs that it was not mended
for.

A *start* is how a weight or an array of an optimizer begins: `align` gives both sides those of the
first, and says what it took away. *Refused* means that `align` cannot compare the two and must say
which weight or part is the reason. Data of other order, or with other labels, are not a difference
that it can see: both sides get the same batches.
"""

COLUMNS = "| pair | layers | planted | found | cause | right |\n|---|---|---|---|---|---|"

TITLES = {
    "optimizer": "Optimizers",
    "schedule": "Schedules",
    "layer": "Layers",
    "loss": "Losses",
    "start": "Starts",
    "kernel": "Kernels",
    "mechanics": "Mechanics",
    "none": "Pairs that agree",
}


def page(made: Sequence[Judgement], minutes: float) -> str:
    """Return the page of all judgements."""
    lines = [HEAD.format(minutes=minutes, **_totals(made), **_machine()), COLUMNS]
    for section, title in TITLES.items():
        lines.append(f"| **{title}** | | | | | |")
        lines += [_line(each) for each in made if each.pair.section == section]
    if wrong := [each for each in made if not each.right]:
        lines += ["", "## What is not found as it was planned", ""]
        lines += [f"- {each.pair.name}: {_why(each)}" for each in wrong]
    return "\n".join([*lines, ""])


def _totals(made: Sequence[Judgement]) -> dict[str, int]:
    planted = [each for each in made if each.pair.expected]
    agreeing = [each for each in made if not each.pair.expected]
    held = [each for each in made if each.pair.name.startswith("new-")]
    wanted = [(each, expected) for each in planted for expected in each.pair.expected]
    return {
        "planted": len(planted),
        "agreeing": len(agreeing),
        "deep": sum(each.layers >= 10 for each in planted),
        "deep_agreeing": sum(each.layers >= 10 for each in agreeing),
        "right": sum(each.right for each in planted),
        "held": len(held),
        "held_right": sum(each.right for each in held),
        "differences": len(wanted),
        "placed": sum(each.place_of(expected) is not None for each, expected in wanted),
        "caused": sum(each.cause_of(expected) is not None for each, expected in wanted),
        "false": sum(len(each.false) for each in planted),
        "false_agreeing": sum(len(each.false) for each in agreeing),
    }


def _line(made: Judgement) -> str:
    found = [each for each in (made.place_of(e) for e in made.pair.expected) if each is not None]
    stages = [f"{each.stage} `{each.where}`" for each in made.pair.expected if made.place_of(each)]
    causes = [each.rule or _short(each.says) for each in found]
    others = [f"also {each.stage} `{each.where}`" for each in made.false]
    right = "yes" if made.right else "no"
    cells = [made.pair.name, str(made.layers), made.pair.planted]
    cells += ["; ".join([*stages, *others]) or "nothing", "; ".join(causes), right]
    return f"| {' | '.join(each.replace('|', '/') for each in cells)} |"


def _short(said: str) -> str:
    """Return the argument that an explanation names."""
    return said.partition(" is ")[0] if " is " in said[:60] else said.partition(". ")[0]


def _why(made: Judgement) -> str:
    missed = [f"{each.stage} {each.where}: {each}" for each in made.missed]
    false = [str(each) for each in made.false]
    said = f"missed {'; '.join(missed)}" if missed else "all of it is found"
    more = f"; not planned: {'; '.join(false)}" if false else ""
    return f"{LIMITS.get(made.pair.name, '')} {said.capitalize()}{more}".strip(" .") + "."


def _machine() -> dict[str, str]:
    import keras
    import mindspore

    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    processor = names[0] if names else platform.processor()
    versions = f"mindspore {mindspore.__version__} and keras {keras.__version__}"
    return {"processor": f"{processor}, {len(names)} cores", "versions": versions}


def main() -> None:
    """Judge all pairs, and write the page."""
    warnings.simplefilter("ignore")
    began, made = time.perf_counter(), []
    for pair in PAIRS.values():
        made.append(judged(pair))
        print("right" if made[-1].right else "wrong", pair.name, flush=True)
    PAGE.write_text(page(made, (time.perf_counter() - began) / 60), "utf-8")


if __name__ == "__main__":
    main()
