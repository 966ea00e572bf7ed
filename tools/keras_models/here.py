"""What dnnbridge makes of a file of Keras, on one backend."""

from __future__ import annotations

import time
import warnings
import zipfile
from pathlib import Path
from typing import Any

from keras_models import folders

SAMPLES = 3
"""Random roundings of a prediction; the largest change counts."""


def measure(folder: Path, backend: str) -> dict[str, Any]:
    """Read the file, predict, train and write it back; return the differences."""
    import dnnbridge as db

    warnings.simplefilter("ignore")
    start = time.perf_counter()
    imported = db.from_keras(folder / "model.keras")
    facts: dict[str, Any] = {"seconds": time.perf_counter() - start}
    data = folders.arrays_of(folder / "data.npz")
    run = imported.compile(backend)
    found = folders.listed(run.predict(_given(data["x"])))
    facts["layers"] = len(imported.report.layers)
    facts["to keras"] = folders.distance(found, data["predicted"])
    facts["back"] = returns(run, folder, backend)
    if backend == "reference":
        folders.keep(folder / "exact.npz", exact=found)
        facts["rounded"] = _rounded(imported, data["x"], found)
        facts["keras to float64"] = folders.distance(data["predicted"], found)
        if "exact" in data:
            facts["float64 to float64"] = folders.distance(found, data["exact"])
    else:
        exact = folders.arrays_of(folder / "exact.npz")["exact"]
        facts["to float64"] = folders.distance(found, exact)
    return facts


def train(folder: Path, backend: str, size: int, epochs: int) -> dict[str, Any]:
    """Train as Keras has done; return the differences."""
    import dnnbridge as db

    warnings.simplefilter("ignore")
    data = folders.arrays_of(folder / "data.npz") | folders.arrays_of(folder / "fit.npz")
    run = db.from_keras(folder / folders.TRAINED).compile(backend)
    if run.experiment.program().randoms:
        return {"why": "it draws random numbers"}
    given = _given(data["rows"]), _given(data["labels"])
    history = run.fit(*given, batch_size=size, epochs=epochs, shuffle=False, verbose=0).history
    after = folders.listed(run.predict(_given(data["x"])))
    return {
        "losses": folders.of_losses([history["loss"]], data["losses"]),
        "after": folders.distance(after, data["after"]),
    }


def returns(run: Any, folder: Path, backend: str) -> bool:
    """Return whether the file that goes back to Keras has the same bytes of weights."""
    back = run.export(folder / f"back-{backend}.keras")
    try:
        return weights_of(folder / "model.keras") == weights_of(back)
    finally:
        back.unlink()


def weights_of(path: Path) -> list[bytes]:
    """Return the bytes of all arrays of layers in a file, sorted.

    Their places may differ: an `RNN` of an `LSTMCell` goes back as an `LSTM`.
    """
    import h5py

    made: list[bytes] = []

    def visit(name: str, each: Any) -> None:
        if hasattr(each, "shape") and name.startswith("layers/") and "seed_gen" not in name:
            made.append(f"{each.dtype}{each.shape}".encode() + each[()].tobytes())

    with (
        zipfile.ZipFile(path) as archive,
        archive.open("model.weights.h5") as stream,
        h5py.File(stream, "r") as file,
    ):
        file.visititems(visit)
    return sorted(made)


def _given(arrays: list[Any]) -> Any:
    return arrays if len(arrays) > 1 else arrays[0]


def _rounded(imported: Any, x: list[Any], exact: list[Any]) -> float:
    """Return how far random roundings of every operation move the prediction."""
    from dnnbridge.testing.rounding import RoundedBackend
    from dnnbridge.training.compiling import compile_for

    moved = []
    for sample in range(SAMPLES):
        run = compile_for(RoundedBackend(sample), imported.experiment, "cpu")
        run.set_weights(imported.weights)
        moved.append(folders.distance(folders.listed(run.predict(_given(x))), exact))
    return max(moved)
