"""Check experiments from JSON files on a backend: FILE… BACKEND."""

from __future__ import annotations

import sys
from pathlib import Path

from dnnbridge.backend.plugins import load_backend
from dnnbridge.experiment import Experiment
from dnnbridge.testing.programs import measure_program
from dnnbridge.testing.subject import Subject


def main(arguments: list[str]) -> int:
    """Print every measurement; return 1 if one exceeds its tolerance."""
    *files, backend = arguments
    subject, good = Subject(load_backend(backend)), True
    for file in files:
        print(file)
        for made in measure_program(Experiment.from_json(Path(file).read_text()), subject):
            print(" " if made.ok else "*", made)
            good = good and made.ok
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
