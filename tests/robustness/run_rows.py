"""Bad arguments of runs, callbacks, diagnoses, conversions and reports; most reach a backend."""

from __future__ import annotations

import os

import numpy as np
from robustness.row import X, Y, experiment, model, on_each, row

import dnnbridge as db
from dnnbridge.errors import (
    ArgumentError,
    BackendError,
    CheckpointError,
    ConversionError,
    DataError,
    DeviceError,
    DTypeError,
    RunError,
    ShapeError,
    SpecError,
)

HUGE = np.where(np.arange(24).reshape(6, 4) == 9, 1e39, X)
HOLES = np.where(np.arange(24).reshape(6, 4) == 9, np.nan, X)


class Breaks(db.Callback):
    """Stops with an error of Python in the middle of a training."""

    def on_epoch_end(self, run, epoch, logs):
        run.fit(X, Y)


FIT = {
    "x-none": on_each(lambda c: c.run().fit(None, Y), DTypeError, "x", "None"),
    "x-missing": on_each(lambda c: c.run().fit(), ArgumentError, "fit", "x"),
    "y-missing": on_each(lambda c: c.run().fit(X), ArgumentError, "y"),
    "x-of-other-features": on_each(lambda c: c.run().fit(X[:, :3], Y), DataError, "x", "(6, 3)"),
    "x-of-texts": on_each(lambda c: c.run().fit(X.astype(str), Y), DTypeError, "x", "<U"),
    "x-of-objects": on_each(lambda c: c.run().fit([[object()] * 4] * 6, Y), DTypeError, "x"),
    "x-of-complex": on_each(lambda c: c.run().fit(X * 1j, Y), DTypeError, "x", "complex"),
    "x-of-dates": on_each(
        lambda c: c.run().fit(np.zeros((6, 4), "M8[s]"), Y), DTypeError, "x", "datetime64"
    ),
    "x-a-dict": on_each(lambda c: c.run().fit({"z": X}, Y), DataError, "z"),
    "x-a-scalar": on_each(lambda c: c.run().fit(3.0, Y), DataError, "x"),
    "x-ragged": on_each(lambda c: c.run().fit([[1.0], [1.0, 2.0]], Y), DataError, "lengths"),
    "x-a-function": on_each(lambda c: c.run().fit(len, Y), DTypeError, "x"),
    "x-nan": on_each(lambda c: c.run().fit(HOLES, Y), DataError, "x[2, 1]", "nan"),
    "x-too-large": on_each(lambda c: c.run().fit(HUGE, Y), DataError, "x[2, 1]", "1e+39"),
    "x-empty": on_each(lambda c: c.run().fit(X[:0], Y[:0]), DataError, "0"),
    "y-too-high": on_each(lambda c: c.run().fit(X, Y + 1), DataError, "y[2]", "3"),
    "y-fractions": on_each(lambda c: c.run().fit(X, Y + 0.5), DTypeError, "y"),
    "y-of-other-length": on_each(lambda c: c.run().fit(X, Y[:4]), DataError, "6", "4"),
    "batch-size-0": on_each(lambda c: c.run().fit(X, Y, 0), DataError, "batch_size", "0"),
    "batch-size-a-fraction": on_each(lambda c: c.run().fit(X, Y, 2.5), DataError, "batch_size"),
    "epochs-below-0": on_each(lambda c: c.run().fit(X, Y, epochs=-1), DataError, "epochs", "-1"),
    "epochs-a-text": on_each(lambda c: c.run().fit(X, Y, epochs="2"), DataError, "epochs", "'2'"),
    "unknown-argument": on_each(lambda c: c.run().fit(X, Y, epoch=2), ArgumentError, "epochs"),
    "validation-split-1": on_each(
        lambda c: c.run().fit(X, Y, validation_split=1.0), DataError, "validation_split", "1.0"
    ),
    "validation-data-a-number": on_each(
        lambda c: c.run().fit(X, Y, validation_data=3), DataError, "validation_data", "int"
    ),
    "validation-data-of-one": on_each(
        lambda c: c.run().fit(X, Y, validation_data=(X,)), DataError, "validation_data"
    ),
    "validation-freq-0": on_each(
        lambda c: c.run().fit(X, Y, validation_data=(X, Y), validation_freq=0), DataError, "0"
    ),
    "class-weight-of-no-class": on_each(
        lambda c: c.run().fit(X, Y, class_weight={7: 1.0}), DataError, "class_weight", "7"
    ),
    "class-weight-a-word": on_each(
        lambda c: c.run().fit(X, Y, class_weight="balanced"),
        DTypeError,
        "class_weight",
        "'balanced'",
    ),
    "sample-weight-below-0": on_each(
        lambda c: c.run().fit(X, Y, sample_weight=-np.ones(6)), DataError, "sample_weight", "-1"
    ),
    "sample-weight-shape": on_each(
        lambda c: c.run().fit(X, Y, sample_weight=np.ones(5)), DataError, "sample_weight", "5"
    ),
    "verbose-7": on_each(lambda c: c.run().fit(X, Y, verbose=7), DataError, "verbose", "7"),
    "callback-a-class": on_each(
        lambda c: c.run().fit(X, Y, callbacks=[db.EarlyStopping]), ArgumentError, "callbacks"
    ),
    "callback-a-text": on_each(
        lambda c: c.run().fit(X, Y, callbacks="csv"), ArgumentError, "callbacks"
    ),
    "fit-within-fit": on_each(lambda c: c.run().fit(X, Y, callbacks=[Breaks()]), RunError, "fit"),
    "steps-per-epoch-0": on_each(
        lambda c: c.run().fit(X, Y, steps_per_epoch=0), DataError, "steps_per_epoch", "0"
    ),
    "steps-per-call-a-word": on_each(
        lambda c: c.run().fit(X, Y, steps_per_call="all"), DataError, "steps_per_call", "all"
    ),
    "on-nonfinite-unknown": on_each(
        lambda c: c.run().fit(X, Y, on_nonfinite="ignore"), DataError, "on_nonfinite", "ignore"
    ),
    "initial-epoch-below-0": on_each(
        lambda c: c.run().fit(X, Y, initial_epoch=-2), DataError, "initial_epoch", "-2"
    ),
    "batches-that-end": on_each(lambda c: c.run().fit(iter([]), epochs=1), DataError, "batch"),
    "batches-of-another-shape": on_each(
        lambda c: c.run().fit(iter([(X[:, :2], Y)])), DataError, "x", "(6, 2)"
    ),
    "batches-of-numbers": on_each(lambda c: c.run().fit(iter([1, 2])), DataError, "batch"),
}

RUN = {
    "predict-none": on_each(lambda c: c.run().predict(None), DTypeError, "x", "None"),
    "predict-shape": on_each(lambda c: c.run().predict(X[:, :2]), DataError, "x", "(6, 2)"),
    "predict-training-a-text": on_each(
        lambda c: c.run().predict(X, training="yes"), DataError, "training", "'yes'"
    ),
    "predict-a-word-more": on_each(
        lambda c: c.run().predict(X, verbos=1), ArgumentError, "predict", "verbos=1"
    ),
    "evaluate-without-labels": on_each(lambda c: c.run().evaluate(X), ArgumentError, "y"),
    "evaluate-batch-size": on_each(
        lambda c: c.run().evaluate(X, Y, batch_size=-3), DataError, "batch_size", "-3"
    ),
    "set-state-of-other-names": on_each(
        lambda c: (r := c.run()).set_state({"x": X}, r.position), DataError, "dense/kernel"
    ),
    "set-state-of-other-shape": on_each(
        lambda c: (r := c.run()).set_state(
            {name: np.zeros(7, np.float32) for name in r.state()}, r.position
        ),
        DataError,
        "dense/",
        "(7,)",
    ),
    "set-weights-nan": on_each(
        lambda c: (r := c.run()).set_state(
            {n: np.full(np.shape(a), "a") for n, a in r.state().items()}, r.position
        ),
        DTypeError,
        "dense/",
    ),
    "rate-below-0": on_each(
        lambda c: c.run().set_learning_rate(-1.0), SpecError, "learning_rate", "-1"
    ),
    "save-to-a-folder": on_each(lambda c: c.run().save(c.folder), CheckpointError, "folder"),
    "save-where-no-folder-is": on_each(
        lambda c: c.run().save(c.folder / "no" / "a.safetensors"), CheckpointError, "no"
    ),
    "save-as-keras": on_each(
        lambda c: c.run().save(c.folder / "a.keras"), CheckpointError, ".keras", "export"
    ),
    "save-to-a-zero-character": on_each(
        lambda c: c.run().save("a\0b.safetensors"), CheckpointError, "path", "zero character"
    ),
    "save-to-nothing": row(
        lambda c: c.run().save(""), CheckpointError, "path", "''", "that is not empty"
    ),
    "backup-to-a-zero-character": row(
        lambda c: db.BackupAndRestore("a\0b"), DataError, "backup_dir", "zero character"
    ),
    "save-to-a-number": on_each(lambda c: c.run().save(3), CheckpointError, "path", "3"),
    "export-of-unknown-form": on_each(
        lambda c: c.run().export(c.folder / "a.xyz"), ConversionError, ".xyz"
    ),
    "export-to-an-unknown-format": on_each(
        lambda c: c.run().export(c.folder / "a", "caffe"), ConversionError, "caffe"
    ),
    "with-another-thing": on_each(
        lambda c: c.run().with_experiment(model()), DTypeError, "Experiment"
    ),
    "compile-a-model": on_each(lambda c: db.compile(model(), c.backend), DTypeError, "Experiment"),
    "compile-a-text": on_each(lambda c: db.compile("model", c.backend), DTypeError, "'model'"),
    "compile-workers-0": on_each(
        lambda c: db.compile(experiment(), c.backend, workers=0), BackendError, "workers", "0"
    ),
    "device-unknown": on_each(
        lambda c: db.compile(experiment(), c.backend, "tpu"), DeviceError, "tpu"
    ),
    "device-99": on_each(
        lambda c: db.compile(experiment(), c.backend, "cpu:99"), DeviceError, "cpu:99"
    ),
    "device-a-number": on_each(
        lambda c: db.compile(experiment(), c.backend, 1), DTypeError, "device", "1"
    ),
    "backend-unknown": row(lambda c: db.compile(experiment(), "torch"), BackendError, "torch"),
    "backend-a-number": row(lambda c: db.compile(experiment(), 3), BackendError, "3"),
    "devices-of-no-backend": row(lambda c: db.list_devices("torch"), BackendError, "torch"),
    "array-beyond-memory": on_each(
        lambda c: db.compile(
            experiment(model=db.Sequential([db.Input((4,)), db.Dense(10**12), db.Dense(3)])),
            c.backend,
        ),
        SpecError,
        "dense/kernel",
        "GB",
    ),
    "truncated-beyond-sense": on_each(
        lambda c: db.compile(
            experiment(
                model=db.Sequential(
                    [
                        db.Input((4,)),
                        db.Dense(3, kernel_initializer=db.TruncatedNormal(low=50.0, high=51.0)),
                    ]
                )
            ),
            c.backend,
        ),
        SpecError,
        "TruncatedNormal",
        "50",
    ),
    "orthogonal-of-a-vector": on_each(
        lambda c: db.compile(
            experiment(
                model=db.Sequential([db.Input((4,)), db.Dense(3, bias_initializer="orthogonal")])
            ),
            c.backend,
        ),
        ShapeError,
        "dense/bias",
    ),
}

CALLBACKS = {
    "monitor-unknown": on_each(
        lambda c: c.run().fit(X, Y, callbacks=[db.EarlyStopping("val_los")]), DataError, "val_los"
    ),
    "patience-below-0": row(lambda c: db.EarlyStopping(patience=-1), DataError, "patience", "-1"),
    "mode-unknown": row(lambda c: db.EarlyStopping(mode="up"), ArgumentError, "mode", "up"),
    "checkpoint-field": row(
        lambda c: c.run().fit(
            X, Y, callbacks=[db.ModelCheckpoint(c.folder / "{epoch_number}.safetensors")]
        ),
        ArgumentError,
        "epoch_number",
    ),
    "checkpoint-frequency": row(
        lambda c: db.ModelCheckpoint(c.folder / "a.safetensors", save_freq=0),
        DataError,
        "save_freq",
    ),
    "csv-in-no-folder": on_each(
        lambda c: c.run().fit(X, Y, callbacks=[db.CSVLogger(c.folder / "no" / "a.csv")]),
        DataError,
        "no",
    ),
    "csv-separator": row(lambda c: db.CSVLogger("a.csv", separator=""), ArgumentError, "separator"),
    "plateau-factor": row(lambda c: db.ReduceLROnPlateau(factor=2.0), SpecError, "factor", "2"),
    "scheduler-of-text": on_each(
        lambda c: c.run().fit(X, Y, callbacks=[db.LearningRateScheduler(lambda epoch: "0.1")]),
        ArgumentError,
        "LearningRateScheduler",
        "'0.1'",
    ),
    "scheduler-a-number": row(lambda c: db.LearningRateScheduler(3), ArgumentError, "3"),
    "trace-every-0": row(
        lambda c: db.Trace(c.folder / "a.trace", every=0), DataError, "every", "0"
    ),
    "lambda-unknown-hook": row(
        lambda c: db.LambdaCallback(on_epoch_ends=print), ArgumentError, "on_epoch_end"
    ),
    "lambda-not-callable": row(lambda c: db.LambdaCallback(on_epoch_end=3), ArgumentError, "3"),
    "backup-to-a-file": row(lambda c: db.BackupAndRestore(""), DataError, "backup_dir"),
}

TOOLS = {
    "diagnose-a-model": on_each(
        lambda c: db.diagnose.activations(model(), X), DTypeError, "a diagnosis", "Run"
    ),
    "diagnose-shape": on_each(
        lambda c: db.diagnose.gradients(c.run(), X[:, :2], Y), DataError, "x", "(6, 2)"
    ),
    "rates-that-fall": on_each(
        lambda c: db.diagnose.learning_rate_range(c.run(), X, Y, start=1.0, end=0.1),
        DataError,
        "1.0",
    ),
    "overfit-nothing": on_each(
        lambda c: db.diagnose.overfit_small(c.run(), X, Y, examples=0), DataError, "examples", "0"
    ),
    "compare-one": row(lambda c: db.compare_experiments({}, (X, Y)), DTypeError, "experiments"),
    "align-with-a-number": on_each(lambda c: db.align(c.run(), 3, (X, Y)), DTypeError, "3"),
    "align-without-data": on_each(
        lambda c: db.align(c.run(), c.run(), None), DataError, "data", "inputs"
    ),
    "align-steps-0": on_each(
        lambda c: db.align(c.run(), c.run(), (X, Y), steps=0), DataError, "steps", "0"
    ),
    "lint-a-number": row(lambda c: db.lint(3), DTypeError, "3"),
    "lint-to-torch": row(lambda c: db.lint(model(), to="torch"), ConversionError, "torch"),
    "inspect-a-device": row(lambda c: db.inspect("/dev/null"), CheckpointError, "is a device"),
    "inspect-a-pipe": row(
        lambda c: (os.mkfifo(c.folder / "a.trace"), db.inspect(c.folder / "a.trace")),
        CheckpointError,
        "a.trace",
        "a pipe",
    ),
    "weights-of-a-device": row(
        lambda c: db.load_weights(c.run(), "/dev/zero"), ConversionError, "is a device"
    ),
    "inspect-a-number": row(lambda c: db.inspect(3), CheckpointError, "3"),
    "traces-missing": row(
        lambda c: db.align_traces(c.folder / "a.trace", c.folder / "b.trace"),
        CheckpointError,
        "a.trace",
        "does not exist",
    ),
    "report-of-a-model": row(
        lambda c: db.write_report(model(), c.folder / "a.html"), DTypeError, "run"
    ),
    "report-to-a-folder": on_each(
        lambda c: db.write_report(c.run(), c.folder), DataError, "folder"
    ),
    "keras-of-a-model": row(lambda c: db.to_keras(model()), DTypeError, "to_keras", "run"),
    "mindspore-of-a-text": row(lambda c: db.to_mindspore("net"), DTypeError, "'net'"),
    "from-keras-a-number": row(lambda c: db.from_keras(3), ConversionError, "3"),
    "from-mindspore-a-text": row(lambda c: db.from_mindspore("net", (4,)), DTypeError, "'net'"),
    "from-onnx-a-folder": row(lambda c: db.from_onnx(c.folder), ConversionError, "is a folder"),
    "load-weights-into-a-model": row(
        lambda c: db.load_weights(model(), "a.npz"), DTypeError, "load_weights"
    ),
    "history-metric": on_each(
        lambda c: c.run().fit(X, Y, verbose=0).plot("accuraccy"), ArgumentError, "accuraccy"
    ),
    "metric-of-nothing": row(lambda c: db.metric(3), SpecError, "3"),
    "shuffled-of-a-number": row(lambda c: db.Shuffled(3), ArgumentError, "Shuffled", "buffer"),
}

ROWS = {**FIT, **RUN, **CALLBACKS, **TOOLS}
