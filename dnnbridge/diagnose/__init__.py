"""Diagnoses of a training: each gives numbers, a picture and a verdict in plain words."""

from __future__ import annotations

from dnnbridge.diagnose.diagnosis import AbstractDiagnosis
from dnnbridge.diagnose.generalising import Generalisation, generalisation
from dnnbridge.diagnose.layer_activations import Activations, LayerActivations, activations
from dnnbridge.diagnose.layer_gradients import Gradients, gradients
from dnnbridge.diagnose.learning_rates import LearningRateRange, learning_rate_range
from dnnbridge.diagnose.overfitting import OverfitSmall, overfit_small
from dnnbridge.diagnose.rate_comparison import RateComparison, compare_rates
from dnnbridge.diagnose.starting_loss import InitialLoss, initial_loss
from dnnbridge.diagnose.updates import UpdateRatio, update_ratio

__all__ = [
    "AbstractDiagnosis",
    "Activations",
    "Generalisation",
    "Gradients",
    "InitialLoss",
    "LayerActivations",
    "LearningRateRange",
    "OverfitSmall",
    "RateComparison",
    "UpdateRatio",
    "activations",
    "compare_rates",
    "generalisation",
    "gradients",
    "initial_loss",
    "learning_rate_range",
    "overfit_small",
    "update_ratio",
]
