"""Sabotages outside the equations: state, steps, batches, and the compiled experiment."""

from __future__ import annotations

import numpy as np

from dnnbridge import ops
from dnnbridge.backend.protocol import Deviation, Limitation
from dnnbridge.ops import RULES
from sabotage import executables
from sabotage.executables import feeding, of_first_step
from sabotage.row import Sabotage

STATE = [
    Sabotage(
        "weights that were set are seen by nothing compiled",
        ("behaviour/written state",),
        wrap=executables.StaleAfterFirstRun,
    ),
    Sabotage(
        "predictions with stale weights",
        ("behaviour/written state",),
        wrap=executables.StalePredictions,
    ),
    Sabotage(
        "evaluation with stale weights",
        ("behaviour/written state",),
        wrap=executables.StaleEvaluation,
    ),
    Sabotage(
        "training goes on with stale weights",
        ("behaviour/written state",),
        wrap=executables.StaleTraining,
    ),
    Sabotage(
        "weights that are not set are lost",
        ("behaviour/written parameters",),
        wrap=executables.WritesForget,
    ),
    Sabotage(
        "slots are not restored",
        ("behaviour/written state", "resuming/resume-softplus-momentum"),
        wrap=executables.SlotsNotWritten,
    ),
    Sabotage(
        "weights in half precision",
        ("behaviour/starting weights",),
        wrap=executables.HalfPrecision,
    ),
    Sabotage("what was read changes later", ("behaviour/copies",), wrap=executables.LiveViews),
    Sabotage(
        "running statistics stay",
        ("training/train-batch_norm", "training/train-hostile"),
        wrap=executables.BuffersStay,
    ),
    Sabotage(
        "evaluation moves running statistics",
        ("training/train-batch_norm",),
        wrap=executables.EvaluationMovesBuffers,
    ),
]

STEPS = [
    Sabotage(
        "results of the last step for all",
        ("training/train-softplus-momentum",),
        wrap=executables.ResultsOfLastStep,
    ),
    Sabotage(
        "state written before the results are computed",
        ("training/train-softplus-momentum",),
        wrap=executables.ResultsAfterWriting,
    ),
    Sabotage(
        "the last step of a call changes nothing",
        ("behaviour/steps per call", "resuming/resume-softplus-momentum"),
        wrap=executables.StepsLeftOut,
    ),
    Sabotage(
        "one dropout mask for a whole call",
        ("resuming/resume-dropout",),
        wrap=feeding("random:", of_first_step),
    ),
    Sabotage(
        "the first batch for a whole call",
        ("behaviour/steps per call",),
        wrap=feeding("input:", of_first_step),
    ),
    Sabotage(
        "compiled anew at every call",
        ("behaviour/compiled once",),
        wrap=executables.CompilesEveryTime,
    ),
]

BATCHES = [
    Sabotage(
        "examples that fill up a batch counted",
        ("training/train-softplus-momentum", "layer/BatchNormalization-short"),
        wrap=executables.EveryExampleCounts,
    ),
    Sabotage(
        "weights of examples ignored",
        ("training/train-sum-weights", "training/train-heads", "behaviour/few examples"),
        wrap=executables.WeightsIgnored,
    ),
    Sabotage(
        "strides of arrays ignored",
        ("operation/Mul-same", "layer/Dense"),
        wrap=feeding("", executables.as_if_contiguous),
    ),
    Sabotage(
        "inputs in half precision",
        ("operation/Mul-same",),
        wrap=feeding("input", lambda a: np.float16(a) if a.dtype.kind == "f" else a),
    ),
]


def _decays_everything(experiment):
    optimizer = experiment.optimizer
    decay = optimizer.weight_decay
    if not hasattr(decay, "exempt"):
        return experiment
    return experiment.replace(optimizer=optimizer.replace(weight_decay=decay.replace(exempt=())))


def _mean_for_sum(experiment):
    return experiment.replace(loss=experiment.loss.replace(reduction="mean"))


def _heads_weigh_the_same(experiment):
    return experiment.replace(loss=[head.replace(weight=1.0) for head in experiment.loss])


def _another_start(experiment):
    text = experiment.to_json().replace("initializer.HeNormal", "initializer.GlorotNormal")
    return type(experiment).from_json(text)


COMPILED = [
    Sabotage(
        "frozen weights move",
        ("training/train-fine-tuning",),
        experiment=lambda experiment: experiment.replace(frozen=()),
    ),
    Sabotage(
        "frozen statistics follow the batch",
        ("training/train-fine-tuning",),
        experiment=lambda experiment: experiment.replace(frozen_statistics="update"),
    ),
    Sabotage(
        "biases and normalisations decay",
        ("training/train-regularised", "training/train-loss_scale"),
        experiment=_decays_everything,
    ),
    Sabotage("a sum as a mean", ("training/train-sum-weights",), experiment=_mean_for_sum),
    Sabotage(
        "weights of heads ignored", ("training/train-heads",), experiment=_heads_weigh_the_same
    ),
    Sabotage(
        "constraints by pattern ignored",
        ("training/train-regularised",),
        experiment=lambda experiment: experiment.replace(constraints=()),
    ),
    Sabotage(
        "penalties by pattern ignored",
        ("training/train-regularised",),
        experiment=lambda experiment: experiment.replace(regularizers=()),
    ),
    Sabotage(
        "other starting weights",
        ("behaviour/starting weights",),
        experiment=_another_start,
    ),
]


TABLES = [
    Sabotage(
        "an operation forgotten",
        ("behaviour/table is total",),
        backend={"lowered": frozenset(RULES) - {ops.Erfc}},
    ),
    Sabotage(
        "an operation lowered and declared a limitation",
        ("behaviour/table is total",),
        backend={"limitations": (Limitation(ops.Erfc, "slow"),)},
    ),
    Sabotage(
        "a deviation declared that is mended",
        ("operation/MaxPool-nan",),
        backend={"deviations": (Deviation(ops.MaxPool, "NaN", "dropped", ("MaxPool-nan",)),)},
    ),
    Sabotage(
        "a deviation without a case",
        ("behaviour/table is total",),
        backend={"deviations": (Deviation(ops.MaxPool, "NaN", "dropped", ("MaxPool-zero",)),)},
    ),
]

RUNNING = [*STATE, *STEPS, *BATCHES, *COMPILED, *TABLES]
