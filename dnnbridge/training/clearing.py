"""`clear_session`: free what is kept for runs to come."""

from __future__ import annotations

import gc

from dnnbridge.program import build
from dnnbridge.program.dividing import divided
from dnnbridge.training import reuse


def clear_session() -> None:
    """Free what is kept for runs to come: compiled steps of deleted runs, and emitted programs.

    Compiled steps of up to 4 deleted runs and the programs of the last experiments are kept, so
    that an experiment that is compiled again starts at once. Call this between experiments of a
    long search. Runs that you still hold are not touched, and go with their last reference.

    Unlike Keras' function of this name, it resets no names or seeds, because none are global here,
    and leaves the sessions of the frameworks as they are.

    Example:
        >>> import dnnbridge as db
        >>> experiment = db.Experiment(
        ...     db.Sequential([db.Input((2,)), db.Dense(1)]), db.MeanSquaredError(), db.SGD(0.1)
        ... )
        >>> run = db.compile(experiment, backend="reference")
        >>> del run
        >>> db.clear_session()
    """
    reuse.clear()
    build.forget()
    divided.cache_clear()
    gc.collect()
