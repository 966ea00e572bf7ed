"""The order of the batches of a run, as text of a Python file that needs NumPy alone."""

from __future__ import annotations

from dnnbridge.formats.trained import Trained

IMPORTS = ("import hashlib", "import numpy as np")
"""What the text of `batches_source` imports."""

_TEXT = '''\
SEED = {seed}
"""Decides the order of the examples in every epoch."""

EPOCHS_DONE = {epoch}
"""How many epochs had been trained when this file was written."""

BATCHES_DONE = {batch}
"""How many batches of the next epoch had been trained then."""

EPOCH_SIZE = ({examples}, {batch_size})
"""The number of examples and the batch size of that epoch."""


def epoch_order(epoch, examples):
    """Return the numbers of the examples in the order of an epoch."""
    name = f"{{SEED}}\\x1fshuffle\\x1f{{epoch}}"
    key = hashlib.blake2b(name.encode(), digest_size=16).digest()
    generator = np.random.Generator(np.random.Philox(key=np.frombuffer(key, np.uint64)))
    return generator.permutation(examples)


def batches(examples, batch_size, epochs, shuffle=True):
    """Yield, for every training step, the epoch and the numbers of its examples.

    The last batch of an epoch may have fewer examples. The first epoch goes on where the
    training stopped, if it has the same number of examples and batch size.
    """
    batch_size = min(batch_size, examples)
    done = BATCHES_DONE if (examples, batch_size) == EPOCH_SIZE else 0
    for epoch in range(EPOCHS_DONE, EPOCHS_DONE + epochs):
        order = epoch_order(epoch, examples) if shuffle else np.arange(examples)
        for start in range(done * batch_size, examples, batch_size):
            yield epoch, order[start : start + batch_size]
        done = 0
'''


def batches_source(run: Trained) -> str:
    """Return the text of `epoch_order` and `batches`, with the seed and the epochs of a run.

    The functions give the batches that `Run.fit` trains next: the same examples in the same order.
    """
    return _TEXT.format(
        seed=run.experiment.seed,
        epoch=run.epoch,
        batch=run.batch,
        examples=run.examples,
        batch_size=run.batch_size,
    )
