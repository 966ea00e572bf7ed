"""`Agreement`: all workers of a training end after the same step."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import numpy as np

from dnnbridge.base.interrupts import WAITING, Waiting

if TYPE_CHECKING:
    from dnnbridge.training.engine import Engine


class Agreement:
    """Ends a training after a call, on all workers alike.

    A worker that left alone would let the others wait for its part of the next sum. So after each
    call they sum what each of them asks for: to stop, and signals. What one asks for happens on
    all: `fit` returns, or the handlers of the signal run.

    Args:
        engine: of the run that is being fitted.
        waiting: the handlers of its signals. With several processes they wait for `reached`.
    """

    def __init__(self, engine: Engine, waiting: Waiting) -> None:
        self._engine, self._waiting = engine, waiting
        workers = engine.workers
        self._alone = workers is None or workers.rank is None
        if not self._alone:
            waiting.hold()

    def reached(self) -> bool:
        """Return whether `fit` ends now; with several processes all of them must call this.

        Raises:
            KeyboardInterrupt: or what else a handler of a signal raises that came to any worker.
        """
        if self._alone:
            return self._engine.stopped
        here = self._waiting.came()
        asked = [self._engine.stopped, *(number in here for number in WAITING)]
        stop, *signals = self._engine.agree(np.array(asked, np.float32)) > 0
        self._engine.stopped = bool(stop)
        for number, came in zip(WAITING, signals, strict=True):
            if came and number not in here and callable(signal.getsignal(number)):
                signal.raise_signal(number)
        self._waiting.deliver()
        return self._engine.stopped
