"""Write `dnnbridge/__init__.pyi`: the names in `__all__` of the packages, and the names below.

python tools/public_names.py
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

FACE = Path(__file__).parents[1] / "dnnbridge" / "__init__.pyi"

MODULES = ("callbacks", "diagnose", "ops", "optimizers", "zoo")

PACKAGES = (
    "activations",
    "callbacks",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "schedules",
)
"""Packages whose names are all public, except the names in `WITHIN`."""

WITHIN = {
    *("ActivationField", "InitializerField", "MetricsField", "AccumulationField", "ScheduleField"),
    *("ActivationLike", "InitializerLike", "MetricsLike", "AccumulationLike", "ScheduleLike"),
    *("FractionLike", "as_activation", "as_initializer", "as_metrics", "as_accumulation"),
    *("as_optimizer", "as_schedule", "fans", "fraction_at", "shortest", "from_native"),
    *("LayerOutput", "ModelNode", "AbstractComposed", "NativeDifferenceWarning"),
    *("NativeOptions", "Scalars", "Slots"),
}
"""Names that packages use from each other, and that are not public."""

SINGLE: dict[str, tuple[str, ...]] = {
    "backend.plugins": ("available_backends",),
    "installation.checking": ("check_installation",),
    "installation.installation": ("Installation",),
    "base.warning": (
        "DnnbridgeWarning",
        "LogitsWarning",
        "NativeDifferenceWarning",
        "UnadaptedWarning",
        "ValidationWarning",
    ),
    "convert.from_keras": ("from_keras",),
    "convert.from_mindspore": ("from_mindspore",),
    "convert.from_onnx": ("from_onnx",),
    "convert.imported": ("Imported",),
    "convert.inspected": ("Inspected",),
    "convert.inspecting": ("inspect",),
    "convert.load_weights": ("WeightsReport", "load_weights"),
    "convert.to_keras": ("to_keras",),
    "convert.to_mindspore": ("MindSporeModel", "to_mindspore"),
    "diagnose.comparing": ("ExperimentComparison", "compare_experiments"),
    "doctor.aligning": ("align",),
    "doctor.aligning_traces": ("align_traces",),
    "doctor.alignment": ("Alignment",),
    "doctor.findings": ("Lint",),
    "doctor.keras_trace": ("trace_keras",),
    "doctor.lint": ("lint",),
    "doctor.mindspore_trace": ("trace_mindspore",),
    "doctor.trace_alignment": ("TraceAlignment",),
    "experiment": ("Experiment",),
    "formats.shards.shards": ("Shards",),
    "formats.weight_files": ("read_weights",),
    "optimizers.gradient_rules": (
        "AbstractGradientRule",
        "AdaptiveClip",
        "CentralizeGradients",
        "ClipByGlobalNorm",
        "ClipByNorm",
        "ClipByValue",
        "ScaleGradients",
    ),
    "optimizers.loss_scale": ("AbstractLossScale", "DynamicLossScale", "FixedLossScale"),
    "optimizers.weight_decay": (
        "BIASES_AND_NORMS",
        "AbstractWeightDecay",
        "CoupledWeightDecay",
        "DecoupledWeightDecay",
    ),
    "program.precision": (
        *("AbstractPrecision", "Float32", "Float64", "MixedBFloat16", "MixedFloat16"),
        "precision_of_amp_level",
    ),
    "program.heads": ("Head",),
    "report.writing": ("write_report",),
    "specs.spec": ("Spec", "spec"),
    "training.checkpoint": ("load",),
    "training.clearing": ("clear_session",),
    "training.compiling": ("compile", "list_devices"),
    "training.history": ("History",),
    "training.run": ("Run",),
    "training.sources.shuffled": ("Shuffled",),
    "weights.constraints": (
        "AbstractConstraint",
        "MaxNorm",
        "MinMaxNorm",
        "NonNeg",
        "UnitNorm",
    ),
    "weights.regularizers": (
        "L1",
        "L1L2",
        "L2",
        "AbstractRegularizer",
        "AbstractSummedRegularizer",
        "OrthogonalRegularizer",
    ),
}
"""Public names of single modules."""


def public_names() -> dict[str, list[str]]:
    """Return the public names by module, sorted."""
    packages = {
        name: sorted(set(import_module(f"dnnbridge.{name}").__all__) - WITHIN)
        for name in (*PACKAGES, "optimizers")
    }
    return dict(sorted((packages | {m: sorted(names) for m, names in SINGLE.items()}).items()))


def face() -> str:
    """Return the text of the stub."""
    names = public_names()
    lines = [
        '"""What `dnnbridge` offers: read by type checkers, and at run time to find each name.',
        "",
        "Written by `make docs` from what the packages list.",
        '"""',
        "",
        f"from . import {', '.join(MODULES)}",
    ]
    for module, listed in names.items():
        lines += [f"from .{module} import (", *(f"    {name}," for name in listed), ")"]
    every = sorted({*MODULES, *(name for listed in names.values() for name in listed)})
    lines += ["", "__version__: str", "", "__all__ = ["]
    lines += [f'    "{name}",' for name in [*every, "__version__"]] + ["]"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    FACE.write_text(face(), encoding="utf-8")
