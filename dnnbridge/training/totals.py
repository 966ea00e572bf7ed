"""Means and metrics of an epoch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dnnbridge.arrays import Array
from dnnbridge.metrics import AbstractMetric


class Totals:
    """Sums over the real examples of an epoch, in float64."""

    def __init__(self, metrics: Mapping[str, AbstractMetric]) -> None:
        self.metrics = metrics
        self.loss, self.count = 0.0, 0.0
        self.sums: dict[str, Array] = {label: np.zeros(()) for label in metrics}

    def add(self, results: Mapping[str, Array], counts: Array) -> list[float]:
        """Add the results of some steps with so many examples each; return their losses."""
        losses = results["loss"].astype(np.float64)
        self.loss += float((losses * counts).sum())
        self.count += float(counts.sum())
        for label in self.sums:
            self.sums[label] = self.sums[label] + results[label].sum(axis=0, dtype=np.float64)
        return [float(loss) for loss in losses]

    def means(self) -> dict[str, float]:
        """Return the loss and every metric."""
        metrics = {
            label: self.metrics[label].result(total, self.count)
            for label, total in self.sums.items()
        }
        return {"loss": self.loss / self.count} | metrics
