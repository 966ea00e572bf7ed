"""Print the most memory of a training on files: large_files.py BACKEND FORM FOLDER [mapped]."""

from __future__ import annotations

import json
import sys

import numpy as np
from large_data.memory import train

from dnnbridge.training.checking import stored

if __name__ == "__main__":
    backend, form, folder, *how = sys.argv[1:]
    if how:
        stored.mapped_rows = lambda array: np.asarray(array).__getitem__
    print(json.dumps(train(backend, form, folder)))
