"""Cases of layers, activations, losses and metrics. A test checks that each class has one."""

from __future__ import annotations

from dnnbridge.testing.cases.activation_cases import ACTIVATION_CASES
from dnnbridge.testing.cases.convolution_cases import CONVOLUTION_CASES
from dnnbridge.testing.cases.equation_case import EquationCase
from dnnbridge.testing.cases.extreme_cases import EXTREME_CASES
from dnnbridge.testing.cases.extreme_loss_cases import EXTREME_LOSS_CASES
from dnnbridge.testing.cases.layer_cases import LAYER_CASES
from dnnbridge.testing.cases.loss_cases import LOSS_CASES
from dnnbridge.testing.cases.merging_cases import MERGING_CASES
from dnnbridge.testing.cases.metric_cases import METRIC_CASES
from dnnbridge.testing.cases.normalization_cases import NORMALIZATION_CASES
from dnnbridge.testing.cases.odd_cases import ODD_CASES
from dnnbridge.testing.cases.pooling_cases import POOLING_CASES
from dnnbridge.testing.cases.recurrent_cases import RECURRENT_CASES
from dnnbridge.testing.cases.scan_cases import SCAN_CASES
from dnnbridge.testing.cases.sequence_cases import SEQUENCE_CASES
from dnnbridge.testing.cases.spatial_cases import SPATIAL_CASES
from dnnbridge.testing.cases.twice_cases import MADE_OF_LAYERS, twice_cases
from dnnbridge.testing.cases.weight_rule_cases import WEIGHT_RULE_CASES

_ONCE: list[EquationCase] = [
    *ACTIVATION_CASES,
    *LAYER_CASES,
    *MERGING_CASES,
    *LOSS_CASES,
    *METRIC_CASES,
    *CONVOLUTION_CASES,
    *POOLING_CASES,
    *SPATIAL_CASES,
    *ODD_CASES,
    *NORMALIZATION_CASES,
    *SEQUENCE_CASES,
    *RECURRENT_CASES,
    *SCAN_CASES,
    *WEIGHT_RULE_CASES,
    *EXTREME_CASES,
    *EXTREME_LOSS_CASES,
]

EQUATION_CASES: list[EquationCase] = [*_ONCE, MADE_OF_LAYERS, *twice_cases(_ONCE)]
