"""Train and predict with plain files in a new process: `python run_plain.py folder`.

For each `name.py` and `name.in.npz` it writes `name.out.npz`: predictions before and after, losses.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np


def main(folder: Path) -> None:
    for path in sorted(folder.glob("*.py")):
        with np.load(path.with_suffix(".in.npz")) as arrays:
            inputs = [arrays[key] for key in sorted(arrays.files) if key.startswith("x")]
            batch_size = int(arrays["batch_size"])
            labels = [arrays[key] for key in sorted(arrays.files) if key.startswith("y")]
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
        net, optimizer = module.load()
        before = as_list(module.predict(net, *inputs))
        losses = module.train(net, optimizer, *inputs, *labels, epochs=2, batch_size=batch_size)
        after = as_list(module.predict(net, *inputs))
        made = {f"before{i}": array for i, array in enumerate(before)}
        made |= {f"after{i}": array for i, array in enumerate(after)}
        np.savez(path.with_suffix(".out.npz"), losses=losses, **made)
    wanted = {"dnnbridge", "tensorflow", "keras"} & sys.modules.keys()
    assert not wanted, wanted


def as_list(found):
    return found if isinstance(found, list) else [found]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
