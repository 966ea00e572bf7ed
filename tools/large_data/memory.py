"""Train one epoch on files, and return the most memory that the process held."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import dnnbridge as db
from large_data.writing import FEATURES, read

STATUS = Path("/proc/self/status")

EVERY = 0.02
"""Seconds between two looks at the memory."""

BATCH = 256


class Peaks:
    """The largest values of the system's figures about this process, while a context is open.

    `rss` is all resident memory, `anonymous` that part of it that is no copy of a file, so that
    the system cannot take it back. In bytes.
    """

    def __init__(self) -> None:
        self.rss = self.anonymous = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Peaks:
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._stop.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._stop.wait(EVERY):
            self._look()

    def _look(self) -> None:
        fields = dict(line.split(":", 1) for line in STATUS.read_text("ascii").splitlines())
        rss, anonymous = (1024 * int(fields[name].split()[0]) for name in ("VmRSS", "RssAnon"))
        self.rss, self.anonymous = max(self.rss, rss), max(self.anonymous, anonymous)


def train(backend: str, form: str, folder: str) -> dict[str, float]:
    """Train one epoch of a small net in shuffled order.

    Args:
        backend: its name.
        form: of the files, one of `FORMS`.
        folder: where they are.
    """
    x, y = read(form, Path(folder))
    model = db.Sequential([db.Input((FEATURES,)), db.Dense(16, "relu"), db.Dense(1)])
    run = db.compile(db.Experiment(model, "mse", db.SGD(1e-3)), backend)
    start = time.perf_counter()
    with Peaks() as peaks:
        history = run.fit(x, y, BATCH, verbose=0)
    seconds = time.perf_counter() - start
    steps = len(history.step_losses)
    return {
        "rss": peaks.rss,
        "anonymous": peaks.anonymous,
        "steps": steps,
        "rows": len(x),
        "bytes": float(x.nbytes + y.nbytes),
        "seconds": seconds,
    }
