"""Compile every case and model for a simulated Ascend and write docs/measurements/…json.

PYTHONPATH=tools:tests python tools/ascend_simulation.py [--missing]

It takes 20 minutes or more. With --missing it compiles only entries that the file does not have.
"""

from __future__ import annotations

import datetime
import json
import sys
import tempfile
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ascend import stub_cann
from ascend.simulation import Row, compile_all
from ascend.subjects import subjects

FILE = Path(__file__).parents[1] / "docs" / "measurements" / "ascend-simulation.json"


def main(only_missing: bool) -> None:
    """Compile, print what is wrong, and write the file."""
    if needed := stub_cann.missing():
        sys.exit(f"the simulation needs {needed}")
    known = json.loads(FILE.read_text("utf-8"))["entries"] if only_missing else {}
    names = [each.name for each in subjects() if entry_of(each.name) not in known]
    with tempfile.TemporaryDirectory(prefix="dnnbridge-") as folder:
        path = Path(folder)
        rows = compile_all(names, stub_cann.build(path), path, _say)
    made = {**known, **entries(rows)}
    order = list(dict.fromkeys(entry_of(each.name) for each in subjects()))
    FILE.write_text(as_text({name: made[name] for name in order if name in made}), "utf-8")


def entry_of(name: str) -> str:
    """Return the area and the entry of a subject."""
    return name.rpartition("/")[0]


def entries(rows: list[Row]) -> dict[str, Any]:
    """Return, for each entry, how many of its cases compile, its operations, and its faults."""
    made: dict[str, Any] = {}
    for row in rows:
        entry = made.setdefault(
            entry_of(row["name"]), {"cases": 0, "compiled": 0, "operations": Counter()}
        )
        entry["cases"] += 1
        entry["compiled"] += row["status"] == "compiled"
        entry["operations"].update(row.get("primitives", {}))
        for fault in row["faults"]:
            entry.setdefault("faults", []).append(f"{row['name'].rpartition('/')[2]}: {fault}")
        if row["status"] == "limited":
            entry["limited"] = row["reason"]
    for entry in made.values():
        entry["operations"] = sorted(entry["operations"])
    return made


def as_text(found: dict[str, Any]) -> str:
    """Return the file, with one line for each entry."""
    head = {
        "mindspore": f"MindSpore {version('mindspore')}",
        "processor": stub_cann.PROCESSOR,
        "date": datetime.date.today().isoformat(),
    }
    lines = [f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in found.items()]
    top = "".join(f" {json.dumps(key)}: {json.dumps(value)},\n" for key, value in head.items())
    return "{\n" + top + ' "entries": {\n' + ",\n".join(lines) + "\n }\n}\n"


def _say(row: Row) -> None:
    print(row["status"], row["name"], *row["faults"], sep="  ", flush=True)


if __name__ == "__main__":
    main("--missing" in sys.argv[1:])
