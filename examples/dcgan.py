"""A DCGAN on small images: discriminator and generator trained in turn.

    DNNBRIDGE_BACKEND=mindspore python examples/dcgan.py --data digits --steps 200

TensorFlow and the NumPy reference give the same numbers, unless rounding moves an activation
across a kink.
"""

from __future__ import annotations

import argparse

import numpy as np

import dnnbridge as db
from dnnbridge import zoo
from dnnbridge.base import randomness
from dnnbridge.datasets import load_dataset

LOSS = db.BinaryCrossentropy(from_logits=True)
CODE = 16


def train(
    images: np.ndarray, steps: int, batch_size: int = 16, width: int = 8, seed: int = 0
) -> tuple[db.Run, list[tuple[float, float]]]:
    """Train both in turn; return the run of the combined model, and the losses of each step.

    Args:
        images: shape (n, height, width, channels), from -1 to 1; sides are multiples of 4.
        steps: number of training steps of each model.
        batch_size: number of real images per step; the number of generated ones is the same.
        width: filters of the first convolution.
        seed: seed of weights, codes and batches.
    """
    pair = zoo.dcgan(images.shape[1:], CODE, width)
    adam = db.Adam(2e-4, beta_1=0.5)
    discriminator = db.compile(db.Experiment(pair.discriminator, LOSS, adam, seed=seed))
    heads, frozen = [db.Head("discriminator", LOSS)], ["discriminator/*"]
    both = db.compile(db.Experiment(pair.combined, heads, adam, seed=seed, frozen=frozen))
    losses = []
    for step in range(steps):
        rng = randomness.generator(seed, "dcgan", step)
        codes = rng.normal(size=(2, batch_size, CODE))
        real = images[rng.integers(len(images), size=batch_size)]
        x = np.concatenate([real, both.predict(codes[0])["generator"]])
        y = np.repeat([[1.0], [0.0]], batch_size, axis=0)
        found = discriminator.fit(x, y, 2 * batch_size, verbose=0).step_losses
        learnt = discriminator.parameters()
        both.set_parameters({f"discriminator/{name}": array for name, array in learnt.items()})
        fooled = {"discriminator": np.ones((batch_size, 1))}
        found += both.fit(codes[1], fooled, batch_size, verbose=0).step_losses
        losses.append((found[0], found[1]))
    return both, losses


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="digits")
    parser.add_argument("--steps", type=int, default=200)
    options = parser.parse_args()
    x = load_dataset(options.data).x_train
    pictures = 2.0 * x.reshape(len(x), *(x.shape[1:] if x.ndim == 3 else (8, 8)), 1) - 1.0
    _, history = train(pictures, options.steps)
    for number in range(0, len(history), 20):
        print("step {}  discriminator {:.4f}  generator {:.4f}".format(number, *history[number]))
