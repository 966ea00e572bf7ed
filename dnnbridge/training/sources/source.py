"""`AbstractSource`: what gives batches, pass by pass; and its three kinds."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from dnnbridge.base import randomness


class AbstractSource:
    """Gives batches, pass by pass.

    Attributes:
        steps: the batches of a pass; None if not known.
        endless: whether a pass never ends.
        once: whether there is one pass only, which goes on where it was left.
        name: what it is, in messages.
    """

    steps: int | None
    endless: bool
    once: bool
    name: str

    @abstractmethod
    def batches(self, number: int, start: int) -> Iterator[Any]:
        """Return the batches of a pass, from batch `start` on; both are counted from 0."""

    def first(self) -> list[Any]:
        """Return the first batch, if it can be read without beginning a pass."""
        return []

    def begin_epoch(self) -> None:
        """Hear that an epoch begins."""

    def end_epoch(self) -> None:
        """Hear that all steps of an epoch are done."""


@dataclass(frozen=True, eq=False)
class Stream(AbstractSource):
    """What makes an iterator of batches for each pass.

    Attributes:
        make: makes the iterator.
    """

    make: Callable[[], Iterator[Any]]
    name: str
    steps: int | None = None
    endless: bool = False
    once: bool = False

    def batches(self, number: int, start: int) -> Iterator[Any]:
        return itertools.islice(self.make(), start, None)


@dataclass(frozen=True, eq=False)
class Once(AbstractSource):
    """An iterator, such as a generator: it cannot begin again.

    Attributes:
        iterator: what gives the batches.
    """

    iterator: Iterator[Any]
    name: str
    steps: int | None = None
    endless: bool = False
    once: bool = True

    def batches(self, number: int, start: int) -> Iterator[Any]:
        return self.iterator


@dataclass(frozen=True, eq=False)
class Indexed(AbstractSource):
    """What has a length and gives each batch by its number; no other batch is read.

    Attributes:
        given: `given[k]` is a batch.
        seed: seed of the orders of batches, which are drawn as those of examples; None reads them
            in order.
    """

    given: Any
    name: str
    steps: int | None
    seed: int | None
    endless: bool = False
    once: bool = False

    def batches(self, number: int, start: int) -> Iterator[Any]:
        for k in self._order(number, start):
            yield self.given[int(k)]

    def _order(self, number: int, start: int) -> Iterator[Any]:
        if self.steps is None:
            return itertools.count(start)
        if self.seed is None:
            return iter(range(start, self.steps))
        return iter(randomness.permutation(self.seed, number, self.steps)[start:])

    def first(self) -> list[Any]:
        return [] if self.seed is None or not self.steps else [self.given[0]]

    def begin_epoch(self) -> None:
        getattr(self.given, "on_epoch_begin", _nothing)()

    def end_epoch(self) -> None:
        getattr(self.given, "on_epoch_end", _nothing)()


def _nothing() -> None:
    """Stand for what only a data set of Keras has."""
