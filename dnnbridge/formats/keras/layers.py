"""`read_layer`: the layer here for a serialised Keras layer, wrappers and models included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dnnbridge import layers
from dnnbridge.errors import DnnbridgeError
from dnnbridge.formats.findings import Findings
from dnnbridge.formats.keras.each_call import divides_at_each_call
from dnnbridge.formats.keras.plain_layers import PLAIN
from dnnbridge.formats.keras.rule import Group, Rebuilt, Rule, arguments, built, rebuilt
from dnnbridge.formats.keras.settings import Serialized, Settings, serialized
from dnnbridge.formats.keras.special_layers import SPECIAL
from dnnbridge.formats.keras.stateful import carries_states
from dnnbridge.layers import AbstractLayer

MODELS = {"Sequential", "Functional", "Model"}

_DATA = "it prepares data: apply it to the data before"
_TEXTS = "it splits texts: split them before, and look up the words with a StringLookup"
_IMAGES = "it changes images while training: apply it to the data"
_FOREIGN = "it holds a program of another framework"

REASONS = {
    "Lambda": "it holds Python code, which is never run",
    **dict.fromkeys(
        (
            *("Hashing", "HashedCrossing", "Pipeline"),
            *("MelSpectrogram", "STFTSpectrogram"),
        ),
        _DATA,
    ),
    "TextVectorization": _TEXTS,
    **dict.fromkeys(
        (
            *("AugMix", "AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization", "CutMix"),
            *("Equalization", "MaxNumBoundingBoxes", "MixUp", "RandAugment", "Solarization"),
        ),
        _IMAGES,
    ),
    **dict.fromkeys(("FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper"), _FOREIGN),
}
"""Why some classes will not be read."""


def read_layer(
    found: Serialized,
    path: str,
    findings: Findings,
    shapes: Any = None,
    masked: Sequence[bool] = (),
) -> Rebuilt | None:
    """Return the layer here for a serialised layer; None if it cannot be read, with a finding.

    Args:
        found: the serialised layer.
        path: the names of the models around it, and its own.
        findings: receives what cannot be read.
        shapes: of the inputs of a call, for a model that leaves sizes open.
        masked: which inputs of a model have a mask when Keras calls it.
    """
    if found.kind in MODELS:
        from dnnbridge.formats.keras.models import read_model

        return read_model(found, path, findings, shapes, masked)
    rule = RULES.get(found.kind)
    if rule is None:
        reason = _IMAGES if found.kind.startswith("Random") else REASONS.get(found.kind)
        findings.add(path, f"the layer {found.kind}" + (f": {reason}" if reason else ""))
        return None
    settings = Settings(found.kind, found.config, path, findings)
    try:
        made = rule(settings)
    except DnnbridgeError as error:
        findings.add(path, f"{found.kind}: {error}")
        return None
    settings.finish()
    trainable = bool(found.config.get("trainable", True))
    if made is None:
        return None
    return Rebuilt(made.layer, tuple(group.below("", "", trainable) for group in made.groups))


def _inner(settings: Settings, name: str) -> tuple[Serialized, Rebuilt] | None:
    """Read a layer that is an argument."""
    found = serialized(settings.take(name))
    if found is None:
        settings.unsupported(name)
        return None
    made = read_layer(found, f"{settings.path}/{name}", settings.findings)
    return made and (found, made)


def _time_distributed(settings: Settings) -> Rebuilt | None:
    read = _inner(settings, "layer")
    if read is None:
        return None
    if read[0].config.get("activity_regularizer") is not None:
        text = "TimeDistributed of a layer with an activity_regularizer, which Keras ignores"
        settings.findings.add(settings.path, text)
    if divides_at_each_call(read[1].layer):
        text = "TimeDistributed of SpectralNormalization, which divides at each step in Keras"
        settings.findings.add(settings.path, text)
    if carries_states(read[1].layer):
        text = "TimeDistributed of a layer with stateful=True: Keras cuts the gradient at each step"
        settings.findings.add(settings.path, text)
    made = built(layers.TimeDistributed, {"layer": read[1].layer.replace(name=None)}, settings)
    return rebuilt(made, *(g.below("layer", "layer") for g in read[1].groups))


def _spectral(settings: Settings) -> Rebuilt | None:
    read = _inner(settings, "layer")
    if read is None:
        return None
    if settings.config.get("trainable") is False or read[0].config.get("trainable") is False:
        settings.findings.add(settings.path, "a frozen SpectralNormalization, which changes still")
    if isinstance(read[1].layer, layers.Embedding):
        text = "SpectralNormalization of an Embedding: Keras cuts its vectors to the input's dtype"
        settings.findings.add(settings.path, text)
    given = arguments(layers.SpectralNormalization, settings)
    given["layer"] = read[1].layer.replace(name=None)
    made = built(layers.SpectralNormalization, given, settings)
    inner = (group.below("layer", "layer") for group in read[1].groups)
    vector = Group(("vector_u",), first=("layer/kernel", "layer/embeddings"))
    return rebuilt(made, *inner, vector)


def _bidirectional(settings: Settings) -> Rebuilt | None:
    forward, backward = _inner(settings, "layer"), _inner(settings, "backward_layer")
    if forward is None or backward is None:
        return None
    if _turned(forward[0]) != _plain(backward[0]):
        settings.findings.add(settings.path, "a backward_layer that is not the forward one, turned")
    if settings.config.get("merge_mode") is None:
        settings.unsupported("merge_mode")
        return None
    given = arguments(layers.Bidirectional, settings) | {"layer": _plainly(forward[1].layer)}
    made = built(layers.Bidirectional, given, settings)
    sides = (("forward", forward[1]), ("backward", backward[1]))
    groups = (g.below(f"{side}_layer", side) for side, part in sides for g in part.groups)
    return rebuilt(made, *groups)


def _plainly(layer: AbstractLayer) -> AbstractLayer:
    """Return a side of a Bidirectional, which sets masked steps to 0 itself."""
    return layer.replace(zero_output_for_mask=False) if hasattr(layer, ZEROS) else layer


ZEROS = "zero_output_for_mask"

NAMES = {"name", "dtype", "seed", ZEROS}


def _plain(found: Serialized) -> dict[str, object]:
    return {key: _unnamed(value) for key, value in found.config.items() if key not in NAMES}


def _unnamed(value: object) -> object:
    """Return a value without what differs between two equal objects, such as their seeds."""
    found = serialized(value)
    return (found.kind, _plain(found)) if found else value


def _turned(found: Serialized) -> dict[str, object]:
    return _plain(found) | {"go_backwards": not found.config.get("go_backwards", False)}


RULES: Mapping[str, Rule] = {
    **PLAIN,
    **SPECIAL,
    "TimeDistributed": _time_distributed,
    "Bidirectional": _bidirectional,
    "SpectralNormalization": _spectral,
}
"""The rule of each class, by Keras' name."""
