"""Measure one and two workers, and write docs/measurements/scaling.md.

    PYTHONPATH=tools python -m scaling [--backends tensorflow,mindspore] [--port 29400]

Each backend is measured in one launch of two workers, which leaves its times as JSON in
`out/scaling`. One that is there is not repeated: delete the folder to measure anew.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from dnnbridge.launching.job import THREADS
from scaling.page import write
from scaling.times import Times

OUT = Path("out") / "scaling"


def measured(backend: str, port: int) -> Times:
    """Return the times of a backend, with one thread for each worker."""
    path = OUT / f"{backend}.json"
    if not path.exists():
        print(backend, flush=True)
        OUT.mkdir(parents=True, exist_ok=True)
        load = os.getloadavg()[1]
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "dnnbridge", "launch", "-n", "2", "--port", str(port)]
            command += ["--logs", str(OUT), "--", "python", "-m", "scaling.worker", backend, folder]
            subprocess.run(command, check=True, env=os.environ | dict.fromkeys(THREADS, "1"))
            made = (Path(folder) / path.name).read_text("utf-8")
        path.write_text(json.dumps({"seconds": json.loads(made), "load": load}), "utf-8")
    return Times(**json.loads(path.read_text("utf-8")))


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backends", default="tensorflow,mindspore")
    parser.add_argument("--port", type=int, default=29400)
    options = parser.parse_args()
    backends = options.backends.split(",")
    write({backend: measured(backend, options.port) for backend in backends})


if __name__ == "__main__":
    main()
