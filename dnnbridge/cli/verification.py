"""Compare a file that `dnnbridge convert` wrote with the model that it was made from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dnnbridge.base.arrays import Array
from dnnbridge.base.packages import framework
from dnnbridge.cli.conversion_checks import Check, broken, of_predictions, short
from dnnbridge.cli.conversion_facts import KERAS
from dnnbridge.cli.conversion_sources import Data, Source
from dnnbridge.cli.conversion_targets import TARGETS, Arrays, for_keras, given, listed
from dnnbridge.cli.conversion_training import STEPS, training_checks
from dnnbridge.errors import DnnbridgeError
from dnnbridge.models.tracing import layers_of, trace

CHANNELS = (
    "TensorFlow cannot run the file here: convolutions and pools with channels first, as in this "
    "model, need a GPU there"
)

PREDICTIONS = 1e-4
"""Largest difference that passes, relative to the largest prediction."""


def verify(source: Source, format: str, path: Path, data: Data) -> list[Check]:
    """Return the comparisons of a written file with its source."""
    nothing = ("predictions", f"losses of {STEPS} training steps")
    if format not in TARGETS:
        return [Check(what, why="this format is not run by this command") for what in nothing]
    try:
        target = TARGETS[format](path, source.run)
    except (ImportError, DnnbridgeError) as error:
        return [Check(what, why=f"the file cannot be run here: {error}") for what in nothing]
    except Exception as error:
        return [broken("loading the file", error)]
    checks = []
    for name, x in data.inputs.items():
        what = f"predictions for {name}"
        here = listed(source.run.predict(given(x)))
        try:
            found = target.predict(x)
        except Exception as error:
            if _channels_first(source, format):
                return [Check(each, why=CHANNELS) for each in nothing]
            checks.append(broken(what, error))
            continue
        checks.append(of_predictions(what, found, here, PREDICTIONS))
        if source.keras is not None:
            checks.append(_with_keras(source.keras, name, x, found))
    return [*checks, *training_checks(source, format, target, data)]


def _channels_first(source: Source, format: str) -> bool:
    layers = layers_of(trace(source.run.experiment.model)[0])
    firsts = (getattr(layer, "data_format", "") == "channels_first" for _, layer in layers)
    return format in KERAS and any(firsts)


def _with_keras(path: Path, name: str, x: Arrays, found: Sequence[Array]) -> Check:
    """Compare with what Keras itself predicts from the source."""
    what = f"predictions for {name} of Keras itself, from {path.name}"
    try:
        keras = framework("keras", "the comparison with Keras")
        model = keras.saving.load_model(path, compile=False)
        wanted = listed(model.predict(for_keras(x), verbose=0))
    except DnnbridgeError as error:
        return Check(what, why=str(error))
    except Exception as error:
        return Check(what, why=f"Keras cannot run it: {short(error)}")
    return of_predictions(what, found, wanted, PREDICTIONS)
