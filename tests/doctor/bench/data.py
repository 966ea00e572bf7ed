"""The data of the bench: small, and the same in each run."""

import numpy as np

_RNG = np.random.default_rng(11)

ROWS = _RNG.normal(size=(24, 6)).astype(np.float32)
SUMS = (ROWS[:, :1] - 0.5 * ROWS[:, 1:2]).astype(np.float32)
SIGNS = (SUMS > 0).astype(np.float32)
CLASSES = (np.abs(ROWS[:, :3]).argmax(axis=1)).astype(np.int32)
ONE_HOT = np.eye(3, dtype=np.float32)[CLASSES]

REGRESSION = ROWS, SUMS
BINARY = ROWS, SIGNS
CLASSIFICATION = ROWS, CLASSES
ONE_OF_THREE = ROWS, ONE_HOT
FAINT = ROWS * np.float32(1e-2), SUMS * np.float32(1e-2)
"""Examples with small gradients, where epsilons count."""

IMAGES = _RNG.normal(size=(16, 8, 8, 3)).astype(np.float32)
PICTURES = IMAGES, (np.arange(16) % 3).astype(np.int32)
"""Images with the channels last; a Cell gets them first."""

SERIES = _RNG.normal(size=(16, 5, 4)).astype(np.float32)
SEQUENCES = SERIES, SERIES.sum(axis=(1, 2))[:, None].astype(np.float32)
TOKENS = _RNG.integers(0, 12, size=(16, 6)).astype(np.int32)
SENTENCES = TOKENS, (TOKENS[:, :1] % 2).astype(np.float32)
