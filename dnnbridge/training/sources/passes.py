"""`Passes`: which batches of a source an epoch has."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from dnnbridge.errors import DataError
from dnnbridge.training.feeding.batches import steps_of_epoch
from dnnbridge.training.sources.reading import Batch, Reading

AGAIN = (
    "Give what can begin again, such as a list of batches, a data set, a data loader, or an object "
    "whose __iter__ makes a new generator."
)


@dataclass(eq=False)
class Passes:
    """The batches of the epochs of a training.

    An epoch is one pass of the source or, with `steps_per_epoch`, the next batches of a pass; the
    epoch that reaches the end of a pass is shorter, as with arrays. What cannot begin again goes on
    where it is.

    Attributes:
        reading: gives the batches.
        steps_per_epoch: batches of an epoch; None for all of a pass.
    """

    reading: Reading
    steps_per_epoch: int | None = None
    _going: Iterator[Batch] | None = None
    _number: int = 0

    def steps(self, epoch: int) -> int | None:
        """Return how many batches an epoch has; None if not known."""
        most, count = self.steps_per_epoch, self.reading.steps
        if most is None or count is None:
            return count if most is None else most
        return min(most, count - epoch % steps_of_epoch(count, most) * most)

    def epoch(self, epoch: int, batch: int) -> Iterator[Batch]:
        """Return the batches of an epoch, from batch `batch` on.

        Args:
            epoch: the number of the epoch. After the first call, the next one is that of the next
                epoch.
            batch: the first batch within the epoch.
        """
        once = self.reading.source.once
        if self.steps_per_epoch is None and not once:
            return self.reading.batches(epoch, batch)
        if self._going is None:
            self._go_to(epoch, 0 if once else batch)
        most = None if self.steps_per_epoch is None else max(self.steps_per_epoch - batch, 0)
        return itertools.islice(self._part(begun=batch > 0), most)

    def _part(self, begun: bool) -> Iterator[Batch]:
        """Yield what is left of the pass; if nothing is, an epoch that begins has the next pass."""
        going = self._going or iter(())
        found = next(going, None)
        if found is None and not begun and not self.reading.source.once:
            self._number += 1
            self._going = going = self.reading.batches(self._number)
            found = next(going, None)
        while found is not None:  # "yield from" would end the pass with this part of it
            yield found
            found = next(going, None)

    def _go_to(self, epoch: int, batch: int) -> None:
        """Begin where an epoch does."""
        most, count = self.steps_per_epoch or 1, self.reading.steps
        if self.reading.source.once:
            self._going = self.reading.batches()
            return
        if count is None and not self.reading.source.endless:
            count = self._length(epoch * most)
        self._number, within = divmod(epoch, steps_of_epoch(count, most)) if count else (0, epoch)
        self._going = self.reading.batches(self._number, within * most + batch)

    def _length(self, needed: int) -> int | None:
        """Return the batches of a pass if there are fewer than needed or as many, else None."""
        if not needed:
            return None
        count = sum(1 for _ in itertools.islice(self.reading.batches(), needed + 1))
        return count if count <= needed else None


def check_repeated(reading: Reading, times: int, what: str) -> None:
    """Raise if something is to be read more than once, and cannot be."""
    if reading.source.once and times > 1:
        raise DataError(
            f"can be read once, not for {times} {what}",
            where=reading.where,
            got=reading.source.name,
            hint=AGAIN,
        )


def check_ends(reading: Reading, hint: str) -> None:
    """Raise if a pass over the source never ends."""
    if reading.source.endless:
        raise DataError(
            "never ends",
            where=reading.where,
            got=f"{reading.source.name}, which repeats",
            hint=hint,
        )
