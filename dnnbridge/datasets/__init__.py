"""Data to train on: embedded digits, MNIST files, and NumPy archives."""

from dnnbridge.datasets.adapting import adapt_to
from dnnbridge.datasets.dataset import Dataset
from dnnbridge.datasets.idx import read_idx
from dnnbridge.datasets.loading import load_dataset

__all__ = ["Dataset", "adapt_to", "load_dataset", "read_idx"]
