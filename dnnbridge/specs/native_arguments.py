"""Arguments of frameworks' classes that `.keras()` and `.mindspore()` do not take, and why."""

from __future__ import annotations

from collections.abc import Mapping

Hints = Mapping[str, str]

_NAMED = {
    "name": "Leave it out: optimizers, losses and schedules have no names here.",
    "dtype": "Leave it out: Experiment(precision=…) says the types of numbers.",
}

_PARAMETERS = (
    "Leave it out: the weights are those of the experiment's model; Experiment(frozen=…) and "
    "ParameterGroups choose among them."
)

_LOCKING = "Leave it out: no other step changes the weights at the same time."

_REDUCTION = 'Write .replace(reduction="mean"), "sum" or "weighted_mean".'

_DENSE = "Leave it out: results are dense arrays."

COMMON: Mapping[tuple[str, str], Hints] = {
    ("optimizer", "keras"): {
        **_NAMED,
        "clipnorm": "Write Experiment(gradients=[ClipByNorm(…)]).",
        "clipvalue": "Write Experiment(gradients=[ClipByValue(…)]).",
        "global_clipnorm": "Write Experiment(gradients=[ClipByGlobalNorm(…)]).",
        "use_ema": "Write ExponentialMovingAverage(optimizer, momentum).",
        "ema_momentum": "Write ExponentialMovingAverage(optimizer, momentum).",
        "ema_overwrite_frequency": "Write ExponentialMovingAverage(optimizer, overwrite_every=…).",
        "loss_scale_factor": "Write Experiment(loss_scale=…), which scales the loss and divides "
        "the gradients.",
        "gradient_accumulation_steps": "Write Experiment(accumulate=…).",
    },
    ("optimizer", "mindspore"): {
        "params": _PARAMETERS,
        "use_locking": _LOCKING,
        "use_lazy": "Write LazyAdam.mindspore(…), which moves only the rows that a batch reads.",
        "use_offload": "Leave it out: the backend decides where arrays are stored.",
    },
    ("loss", "keras"): {**_NAMED, "reduction": _REDUCTION},
    ("loss", "mindspore"): {
        "reduction": _REDUCTION,
        "weight": "Give fit(sample_weight=…), or class_weight=….",
    },
    ("schedule", "keras"): {
        **_NAMED,
        "verbose": "Leave it out: Run.optimizer shows the present rate.",
    },
    ("initializer", "keras"): {"seed": "Write Experiment(seed=…), which seeds all draws."},
    ("layer", "mindspore"): {"dtype": "Leave it out; see Experiment(precision=…)."},
}
"""Arguments that all classes of a family share in a framework."""

OWN: Mapping[tuple[str, str], Hints] = {
    ("optimizer.Adafactor", "keras"): {
        "relative_step": "Leave it out: Keras' step is the same with True and False.",
    },
    ("optimizer.Adafactor", "mindspore"): {
        "relative_step": "Leave learning_rate out for a relative step, or give one.",
        "compression": "Leave it out: nothing is compressed.",
        "weight_decay": "Write .replace(weight_decay=DecoupledWeightDecay(…)), which comes before "
        "the update; MindSpore's comes after it.",
    },
    ("optimizer.Adagrad", "mindspore"): {
        "update_slots": "Leave it out: the sum of squares is always updated.",
    },
    ("optimizer.LARS", "mindspore"): {
        "optimizer": "Give the arguments of its nn.SGD: LARS.mindspore(learning_rate, momentum).",
        "lars_filter": "Write ParameterGroups for the weights that it leaves out.",
    },
    **{
        (f"initializer.{kind}", "mindspore"): {
            "nonlinearity": 'Leave it out: it is "leaky_relu"; "relu" is a negative_slope of 0.',
        }
        for kind in ("HeNormal", "HeUniform")
    },
    ("loss.BinaryCrossentropy", "mindspore"): {
        "pos_weight": "Write fit(class_weight={1: …}) where there is one number per example.",
    },
    ("loss.CategoricalCrossentropy", "mindspore"): {
        "ignore_index": "Leave it out: it is for class numbers, "
        "SparseCategoricalCrossentropy.mindspore(ignore_index=…).",
    },
    ("loss.CategoricalFocalCrossentropy", "mindspore"): {
        "weight": "Write .replace(alpha=…), or fit(class_weight=…).",
    },
    ("loss.Poisson", "mindspore"): {"full": "Leave it out: Stirling's term has no gradient."},
    ("activation.PReLU", "mindspore"): {
        "channel": "Leave it out: mindspore() has one slope. "
        "PReLU(shared_axes=…) has one per channel.",
    },
    ("activation.GELU", "keras"): {"x": "Call the activation on it: GELU.keras()(x)."},
    ("layer.BatchNormalization", "mindspore"): {
        "num_features": "Leave it out: it is the size of the last axis of the input.",
        "moving_mean_init": "Leave it out: it starts at 0. run.set_parameters sets another start.",
        "moving_var_init": "Leave it out: it starts at 1. run.set_parameters sets another start.",
        "use_batch_statistics": "Leave it out: training uses those of the batch, prediction the "
        "running ones; Experiment(frozen=…) makes training use them too.",
        "data_format": "Leave it out: features are in the last axis, or write "
        "BatchNormalization(axis=1).",
    },
    ("layer.GroupNormalization", "mindspore"): {
        "num_channels": "Leave it out: it is the size of the last axis of the input.",
    },
    ("layer.InstanceNorm", "mindspore"): {
        "num_features": "Leave it out: it is the size of the last axis of the input.",
        "momentum": "Leave it out: statistics are those of each example, in prediction too.",
    },
    ("layer.LayerNormalization", "mindspore"): {
        "normalized_shape": "Write axis=…, which axes are normalised.",
        "begin_norm_axis": "Write axis=…, which axes are normalised.",
        "begin_params_axis": "Leave it out: gamma and beta have the shape of the axes.",
    },
    ("layer.MultiHeadAttention", "mindspore"): {
        "add_bias_kv": "Leave it out: it is not supported.",
        "add_zero_attn": "Leave it out: it is not supported.",
        "kdim": "Leave it out: the size is that of the given keys.",
        "vdim": "Leave it out: the size is that of the given values.",
        "batch_first": "Leave it out: the batch is the first axis.",
    },
    ("layer.MaxPooling2D", "mindspore"): {
        "return_indices": "Leave it out: it gives the maxima only.",
    },
    ("layer.AveragePooling2D", "mindspore"): {
        "divisor_override": "Leave it out: a mean is divided by the number of its elements.",
    },
    ("layer.Conv2DTranspose", "mindspore"): {
        "output_padding": "Write Conv2DTranspose(output_padding=…).",
        "group": "Leave it out: a transposed convolution has one group.",
    },
    ("layer.Embedding", "mindspore"): {
        "use_one_hot": "Leave it out: the rows are the same.",
    },
    **{
        (f"layer.{kind}", "mindspore"): {
            "input_size": "Leave it out: it is the size of the last axis of the input.",
            "num_layers": "Write one layer after another.",
            "has_bias": "Write use_bias=….",
            "batch_first": "Leave it out: the batch is the first axis.",
            "dropout": "Put a Dropout layer between two of them.",
            "bidirectional": f"Write Bidirectional({kind}.mindspore(…)).",
        }
        for kind in ("SimpleRNN", "LSTM", "GRU")
    },
}
"""Further arguments of single classes."""


LACKING: Mapping[str, Hints] = {
    "layer.CategoryEncoding": {"sparse": _DENSE},
    "layer.Discretization": {"sparse": _DENSE},
    "layer.IntegerLookup": {
        "sparse": _DENSE,
        "vocabulary_dtype": "Leave it out: whole numbers are int32.",
        "invert": "Look numbers up in NumPy: np.array(layer.get_vocabulary())[indices].",
        "oov_method": "Leave it out: with one index for unknown numbers nothing is hashed.",
        "salt": "Leave it out: with one index for unknown numbers nothing is hashed.",
    },
    "layer.StringLookup": {
        "sparse": _DENSE,
        "encoding": "Leave it out: texts are in UTF-8.",
        "invert": "Look texts up in NumPy: np.array(layer.get_vocabulary())[indices].",
        "salt": "Leave it out: with one index for unknown texts nothing is hashed.",
    },
}
"""Arguments that a class of Keras has, and the class of that name here lacks."""


def lacking(kind: str) -> Hints:
    """Return advice for each argument of Keras that the class of a kind does not take."""
    return {**refused(kind, "keras"), **LACKING.get(kind, {})}


def refused(kind: str, framework: str) -> Hints:
    """Return advice for each argument that a constructor does not take, by name.

    Args:
        kind: of the spec, such as "optimizer.SGD".
        framework: whose constructor: "keras" or "mindspore".
    """
    family = kind.partition(".")[0]
    return {**COMMON.get((family, framework), {}), **OWN.get((kind, framework), {})}
