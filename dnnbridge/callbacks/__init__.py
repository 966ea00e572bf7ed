"""Callbacks of `fit`, under the names and with the arguments that Keras has for them."""

from __future__ import annotations

from dnnbridge.callbacks.backup import BackupAndRestore
from dnnbridge.callbacks.checkpoints import Checkpoint, ModelCheckpoint
from dnnbridge.callbacks.csv_logger import CSVLogger
from dnnbridge.callbacks.early_stopping import EarlyStopping
from dnnbridge.callbacks.lambda_callback import LambdaCallback
from dnnbridge.callbacks.learning_rates import LearningRateScheduler, ReduceLROnPlateau
from dnnbridge.callbacks.tensorboard import TensorBoard
from dnnbridge.callbacks.terminate_on_nonfinite import TerminateOnNonFinite
from dnnbridge.callbacks.trace import Trace
from dnnbridge.callbacks.trackers import MlflowCallback, WandbMetricsLogger
from dnnbridge.training.callbacks import Callback

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "LambdaCallback",
    "LearningRateScheduler",
    "MlflowCallback",
    "ModelCheckpoint",
    "ReduceLROnPlateau",
    "TensorBoard",
    "TerminateOnNonFinite",
    "Trace",
    "WandbMetricsLogger",
]
