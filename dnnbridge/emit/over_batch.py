"""`AbstractOverBatch`: the part of a scope that combines the examples of a batch."""

from __future__ import annotations

from abc import ABC

from dnnbridge.emit.declarations import BatchMask, Declarations
from dnnbridge.errors import SpecError
from dnnbridge.graph import Builder, Value


class AbstractOverBatch(ABC):
    """Means and sums over the examples of a batch that count."""

    builder: Builder
    path: str
    _declared: Declarations

    def batch_mean(self, x: Value) -> Value:
        """Return the mean over the examples of the batch.

        Equations that combine examples must use it or `batch_sum`: a short batch is padded.
        """
        return self.batch_sum(x) * self.normalizer()

    def normalizer(self) -> Value:
        """Return 1 / the number of examples of the batch that count."""
        return self.builder.local(self._batch().normalizer)

    def batch_sum(self, x: Value) -> Value:
        """Return the sum over the examples of the batch that count."""
        return self._batch().sum(x, self.builder)

    def for_each(self, x: Value) -> Value:
        """Return a number of the batch, once per example; 0 for those that do not count."""
        return self._batch().spread(x, self.builder)

    def batch_size(self) -> Value:
        """Return how many examples of the batch count."""
        return self._batch().size(self.builder)

    def _batch(self) -> BatchMask:
        if self._declared.batch is None:
            raise SpecError("there is no batch to take a mean over here", where=self.path)
        return self._declared.batch
