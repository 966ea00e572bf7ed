"""For arguments of other frameworks' `fit` and similar calls: what to write instead."""

from __future__ import annotations

SOURCE = "Write run.fit(dataset): a data set, generator or data loader takes the place of x and y."

_DATA = {
    "workers": "Leave it out: a thread prepares each block of steps while the previous one runs.",
    "use_multiprocessing": "Leave it out: one thread reads ahead; a loader may have its workers.",
    "max_queue_size": "Leave it out: the next compiled call is read ahead.",
    "dataset": SOURCE,
    "train_dataset": SOURCE,
}

FIT = _DATA | {
    "epoch": "Write epochs=….",
    "validation_steps": "Leave it out: all of validation_data is evaluated; give less of it.",
    "validation_batch_size": "Leave it out: validation uses batch_size; means are exact.",
    "dataset_sink_mode": "Leave it out: many steps run in one compiled call, see steps_per_call.",
}

EVALUATE = _DATA | {
    "verbose": "Leave it out: evaluate prints nothing.",
    "steps": "Leave it out: all is evaluated; give fewer examples, or dataset.take(100).",
    "return_dict": "Leave it out: evaluate always returns a dictionary.",
    "callbacks": "Leave it out: callbacks are for fit.",
    "class_weight": "Multiply it into sample_weight.",
}

PREDICT = _DATA | {
    "verbose": "Leave it out: predict prints nothing.",
    "steps": "Leave it out: all is predicted; give fewer examples, or dataset.take(100).",
    "callbacks": "Leave it out: callbacks are for fit.",
}

_EXPERIMENT = "It belongs to the experiment: db.compile(db.Experiment(model, loss, optimizer, …))."

COMPILE = {
    "experiment": _EXPERIMENT,
    "model": _EXPERIMENT,
    "optimizer": _EXPERIMENT,
    "loss": _EXPERIMENT,
    "metrics": _EXPERIMENT,
    "loss_weights": "Give each output a Head with its weight: Experiment(loss=[Head(…)]).",
    "weighted_metrics": _EXPERIMENT,
    "run_eagerly": 'Leave it out; backend="reference" computes step by step in NumPy.',
    "steps_per_execution": "Write fit(steps_per_call=…).",
    "jit_compile": "Leave it out: the backend decides what is compiled.",
    "auto_scale_loss": "Write Experiment(loss_scale=DynamicLossScale()).",
}

LOAD = {
    "filepath": "Write path=….",
    "custom_objects": "Leave it out: import the module that defines the class before load.",
    "compile": "Leave it out: load always compiles the experiment in the file.",
    "safe_mode": "Leave it out: load runs no code from the file.",
    "net": "Leave it out: the file has the model. To load your own arrays, see set_weights.",
}
