"""Cases of metrics."""

from __future__ import annotations

import numpy as np

from dnnbridge import metrics
from dnnbridge.testing.cases.equation_case import EquationCase


def _cases() -> list[EquationCase]:
    scores, label = (
        np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0], [0.0, 1.0, 5.0]]),
        np.array([1, 1, 2]),
    )
    accuracy = metrics.Accuracy()
    return [
        EquationCase("Accuracy-ties", accuracy, (scores, label), gradient=False),
        EquationCase("Accuracy-one_hot", accuracy, (scores, np.eye(3)[label]), gradient=False),
    ]


METRIC_CASES: list[EquationCase] = _cases()
