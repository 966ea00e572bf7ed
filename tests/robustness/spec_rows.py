"""Bad arguments of layers, losses, metrics, optimizers, schedules and models."""

from __future__ import annotations

from robustness.row import experiment, image, row

import dnnbridge as db
from dnnbridge.errors import (
    ArgumentError,
    DataError,
    DTypeError,
    ScheduleTypeError,
    ShapeError,
    SpecError,
)

LAYERS = {
    "units-0": row(lambda c: db.Dense(0), SpecError, "Dense.units", "0"),
    "units-a-text": row(lambda c: db.Dense("ten"), SpecError, "Dense.units", "'ten'"),
    "units-a-fraction": row(lambda c: db.Dense(2.5), SpecError, "Dense.units", "2.5"),
    "units-true": row(lambda c: db.Dense(True), SpecError, "Dense.units", "True"),
    "units-missing": row(lambda c: db.Dense(), SpecError, "units"),
    "unknown-argument": row(lambda c: db.Dense(3, neurons=3), SpecError, "neurons"),
    "too-many-arguments": row(lambda c: db.Flatten(1, 2, 3, 4), SpecError, "Flatten"),
    "use-bias-a-number": row(lambda c: db.Dense(3, use_bias=7), SpecError, "use_bias", "7"),
    "activation-misspelt": row(lambda c: db.Dense(3, "rellu"), SpecError, "activation", "relu"),
    "activation-a-number": row(lambda c: db.Dense(3, 5), SpecError, "activation", "5"),
    "activation-a-function": row(lambda c: db.Dense(3, lambda x: x), SpecError, "activation"),
    "initializer-unknown": row(
        lambda c: db.Dense(3, kernel_initializer="xavier_magic"), SpecError, "kernel_initializer"
    ),
    "initializer-a-layer": row(
        lambda c: db.Dense(3, kernel_initializer=db.Flatten()), SpecError, "kernel_initializer"
    ),
    "name-slash": row(
        lambda c: db.Sequential([db.Input((4,)), db.Dense(3, name="a/b")]),
        SpecError,
        "unique",
        "'a/b'",
    ),
    "name-a-number": row(lambda c: db.Dense(3, name=3), SpecError, "Dense.name", "3"),
    "rate-one": row(lambda c: db.Dropout(1.0), SpecError, "Dropout.rate", "1.0"),
    "rate-below-0": row(lambda c: db.Dropout(-0.1), SpecError, "Dropout.rate", "-0.1"),
    "rate-nan": row(lambda c: db.Dropout(float("nan")), SpecError, "Dropout.rate", "nan"),
    "momentum-2": row(lambda c: db.BatchNormalization(momentum=2), SpecError, "momentum", "2"),
    "epsilon-below-0": row(lambda c: db.LayerNormalization(epsilon=-1), SpecError, "epsilon", "-1"),
    "filters-below-0": row(lambda c: db.Conv2D(-1, 3), SpecError, "Conv2D.filters", "-1"),
    "kernel-size-0": row(lambda c: db.Conv2D(1, 0), SpecError, "kernel_size", "0"),
    "kernel-of-3-axes": row(lambda c: db.Conv2D(1, (3, 3, 3)), SpecError, "kernel_size"),
    "padding-unknown": row(lambda c: db.Conv2D(1, 3, padding="some"), SpecError, "padding", "same"),
    "strides-below-0": row(lambda c: db.Conv2D(1, 3, strides=-2), SpecError, "strides", "-2"),
    "groups-that-do-not-divide": row(
        lambda c: image(db.Conv2D(4, 3, groups=2)), ShapeError, "groups", "3"
    ),
    "window-larger-than-image": row(
        lambda c: image(db.Conv2D(1, 9)), ShapeError, "conv2d", "(9, 9)", "(8, 8)"
    ),
    "pool-larger-than-image": row(
        lambda c: image(db.MaxPooling2D(9)), ShapeError, "max_pooling2d", "8"
    ),
    "conv-of-a-vector": row(
        lambda c: image(db.Conv2D(1, 3), (4,)), ShapeError, "conv2d", "(batch, 4)"
    ),
    "lstm-of-a-vector": row(lambda c: image(db.LSTM(2), (4,)), ShapeError, "lstm", "(batch, 4)"),
    "embedding-of-floats": row(lambda c: image(db.Embedding(9, 2), (4,)), DTypeError, "embedding"),
    "embedding-without-rows": row(lambda c: db.Embedding(0, 2), SpecError, "input_dim", "0"),
    "reshape-that-does-not-fit": row(
        lambda c: image(db.Reshape((5, 5))), ShapeError, "reshape", "(batch, 5, 5)"
    ),
    "reshape-with-two-open": row(lambda c: db.Reshape((-1, -1)), SpecError, "target_shape", "-1"),
    "permute-a-gap": row(lambda c: db.Permute((1, 3)), SpecError, "dims", "3"),
    "cropping-everything": row(lambda c: image(db.Cropping2D(4)), ShapeError, "cropping2d"),
    "heads-0": row(lambda c: db.MultiHeadAttention(0, 4), SpecError, "num_heads", "0"),
    "einsum-wrong": row(
        lambda c: db.EinsumDense("ab->", (3,), None), SpecError, "equation", "ab->"
    ),
    "wrapper-of-nothing": row(lambda c: db.TimeDistributed(None), SpecError, "layer", "None"),
    "bidirectional-of-dense": row(
        lambda c: db.Bidirectional(db.Dense(3)), SpecError, "Bidirectional"
    ),
    "merge-mode": row(
        lambda c: db.Bidirectional(db.LSTM(2), merge_mode="glue"), SpecError, "merge_mode", "glue"
    ),
    "add-of-one": row(
        lambda c: db.Model(i := db.Input((4,)), db.Add()(i)).summary(), ShapeError, "add"
    ),
    "add-of-two-shapes": row(
        lambda c: db.Model(
            (i := [db.Input((4,), name="a"), db.Input((5,), name="b")]), db.Add()(i)
        ).summary(),
        ShapeError,
        "add",
        "4",
        "5",
    ),
    "concatenate-along-batch": row(
        lambda c: db.Model(
            (i := [db.Input((4,), name="a"), db.Input((4,), name="b")]), db.Concatenate(axis=0)(i)
        ).summary(),
        ShapeError,
        "axis",
        "0",
    ),
    "units-no-float": row(lambda c: db.Dense(10**400), SpecError, "Dense.units", "digits"),
    "boundary-no-float": row(
        lambda c: db.Discretization([1.0, 10**400]), SpecError, "bin_boundaries", "float32"
    ),
    "scale-no-float": row(lambda c: db.Rescaling(10**400), SpecError, "Rescaling.scale"),
    "axis-beyond-rank": row(lambda c: image(db.Softmax(axis=7)), ShapeError, "7"),
    "vocabulary-twice": row(
        lambda c: db.StringLookup(vocabulary=["a", "a"]), SpecError, "vocabulary", "'a'"
    ),
    "boundaries-that-fall": row(lambda c: db.Discretization([3.0, 1.0]), SpecError, "boundaries"),
    "tokens-missing": row(
        lambda c: db.CategoryEncoding(num_tokens=0), SpecError, "num_tokens", "0"
    ),
    "adapt-to-nothing": row(lambda c: db.Normalization().adapt([]), SpecError, "adapt"),
    "adapt-to-texts": row(lambda c: db.Normalization().adapt(["a", "b"]), SpecError, "adapt"),
    "resizing-to-0": row(lambda c: db.Resizing(0, 4), SpecError, "height", "0"),
    "interpolation-unknown": row(
        lambda c: db.Resizing(4, 4, interpolation="magic"), SpecError, "interpolation", "magic"
    ),
    "layer-called-on-text": row(lambda c: db.Dense(3)("x"), ArgumentError, "Dense", "'x'"),
    "layer-called-on-nothing": row(lambda c: db.Dense(3)(), ArgumentError, "Dense"),
}

MODELS = {
    "no-layers": row(lambda c: db.Sequential([]), SpecError, "Sequential", "layers"),
    "no-input": row(lambda c: db.Sequential([db.Dense(3)]), SpecError, "Input"),
    "layer-a-text": row(lambda c: db.Sequential([db.Input((4,)), "dense"]), SpecError, "layers[1]"),
    "layer-a-class": row(
        lambda c: db.Sequential([db.Input((4,)), db.Dense]), SpecError, "layers[1]"
    ),
    "names-twice": row(
        lambda c: db.Sequential([db.Input((4,)), db.Dense(3, name="a"), db.Dense(2, name="a")]),
        SpecError,
        "a",
    ),
    "shape-a-text": row(lambda c: db.Input("4"), SpecError, "Input.shape", "'4'"),
    "shape-below-0": row(lambda c: db.Input((-4,)), SpecError, "Input.shape", "-4"),
    "shape-open": row(lambda c: db.Input((None, 4)), SpecError, "Input.shape", "None"),
    "dtype-unknown": row(
        lambda c: db.Input((4,), "complex64"), SpecError, "Input.dtype", "complex64"
    ),
    "batch-size-0": row(lambda c: db.Input((4,), batch_size=0), SpecError, "batch_size", "0"),
    "outputs-of-another-input": row(
        lambda c: db.Model(db.Input((4,)), db.Dense(3)(db.Input((4,)))), SpecError, "Model", "Input"
    ),
    "inputs-a-number": row(lambda c: db.Model(3, db.Input((4,))), SpecError, "3"),
    "zoo-classes-0": row(lambda c: db.zoo.lenet5(classes=0), SpecError, "0"),
    "zoo-small-image": row(
        lambda c: db.zoo.vgg11(input_shape=(8, 8, 3)), ShapeError, "max_pooling2d_3", "(1, 1)"
    ),
}

PARTS = {
    "loss-unknown": row(lambda c: experiment(loss="mean_error"), SpecError, "loss", "mean_error"),
    "loss-none": row(lambda c: experiment(loss=None), SpecError, "Experiment.loss", "None"),
    "loss-shape": row(lambda c: experiment(loss=db.Head("nothing", "mse")), SpecError, "loss"),
    "head-unknown": row(
        lambda c: experiment(loss=[db.Head("nothing", "mse")]), SpecError, "nothing"
    ),
    "label-smoothing": row(
        lambda c: db.CategoricalCrossentropy(label_smoothing=2), SpecError, "label_smoothing", "2"
    ),
    "delta-0": row(lambda c: db.Huber(delta=0), SpecError, "Huber.delta", "0"),
    "metric-unknown": row(lambda c: experiment(metrics=["acuracy"]), SpecError, "metrics", "acc"),
    "metric-a-number": row(lambda c: experiment(metrics=[3]), SpecError, "metrics", "3"),
    "metrics-a-dict": row(lambda c: experiment(metrics={"a": "mse"}), SpecError, "metrics"),
    "top-k-0": row(lambda c: db.TopKCategoricalAccuracy(k=0), SpecError, "k", "0"),
    "optimizer-unknown": row(
        lambda c: experiment(optimizer="adamm"), SpecError, "optimizer", "adam"
    ),
    "optimizer-a-class": row(lambda c: experiment(optimizer=db.Adam), SpecError, "optimizer"),
    "learning-rate-below-0": row(lambda c: db.SGD(-0.1), SpecError, "learning_rate", "-0.1"),
    "learning-rate-nan": row(lambda c: db.SGD(float("nan")), SpecError, "learning_rate", "nan"),
    "learning-rate-a-text": row(lambda c: db.SGD("0.1"), SpecError, "learning_rate", "'0.1'"),
    "beta-1": row(lambda c: db.Adam(beta_1=1.0), SpecError, "beta_1", "1"),
    "nesterov-without-momentum": row(lambda c: db.SGD(0.1, nesterov=True), SpecError, "nesterov"),
    "learning-rate-no-float": row(lambda c: db.SGD(10**400), SpecError, "SGD.learning_rate"),
    "weight-decay-no-float": row(
        lambda c: db.Adam(weight_decay=10**400), SpecError, "Adam.weight_decay", "digits"
    ),
    "loss-scale-no-float": row(lambda c: experiment(loss_scale=10**400), SpecError, "loss_scale"),
    "multiplier-no-float": row(
        lambda c: db.LearningRateMultipliers(db.SGD(0.1), {"*": 10**400}), SpecError, "multipliers"
    ),
    "adafactor-exponent": row(
        lambda c: db.Adafactor(0.01, beta_2_decay=2**63), SpecError, "beta_2_decay", "equal to 0"
    ),
    "schedule-that-overflows": row(
        lambda c: db.ExponentialDecay(0.1, 1, 1e30)(99), SpecError, "ExponentialDecay", "step 99"
    ),
    "clip-0": row(lambda c: db.ClipByNorm(0), SpecError, "ClipByNorm", "0"),
    "frozen-matches-nothing": row(
        lambda c: experiment(frozen=("nothing/*",)), SpecError, "frozen", "nothing/*"
    ),
    "regularizer-below-0": row(lambda c: db.L2(-1.0), SpecError, "L2", "-1"),
    "regularizer-of-nothing": row(
        lambda c: experiment(regularizers={"x/*": db.L2(0.1)}), SpecError, "regularizers", "x/*"
    ),
    "constraint-0": row(lambda c: db.MaxNorm(-1), SpecError, "MaxNorm", "-1"),
    "seed-below-0": row(lambda c: experiment(seed=-1), SpecError, "Experiment.seed", "-1"),
    "accumulate-0": row(lambda c: experiment(accumulate=0), SpecError, "accumulate", "0"),
    "loss-scale-0": row(lambda c: experiment(loss_scale=0), SpecError, "loss_scale", "0"),
    "gradients-a-number": row(lambda c: experiment(gradients=[3]), SpecError, "gradients", "3"),
    "field-that-is-none": row(lambda c: experiment().replace(weights=3), SpecError, "weights"),
    "decay-steps-0": row(lambda c: db.CosineDecay(0.1, 0), SpecError, "decay_steps", "0"),
    "boundaries-and-values": row(
        lambda c: db.PiecewiseConstantDecay([3], [0.1]), SpecError, "PiecewiseConstant", "1 rates"
    ),
    "schedule-of-a-text": row(
        lambda c: db.CosineDecay(0.1, 5)("x"), DTypeError, "CosineDecay", "'x'"
    ),
    "list-function-of-texts": row(
        lambda c: db.cosine_decay_lr("a", 0.1, 10, 5, 1), ScheduleTypeError, "min_lr"
    ),
    "initializer-of-range": row(lambda c: db.RandomUniform(1.0, -1.0), SpecError, "RandomUniform"),
    "stddev-below-0": row(lambda c: db.RandomNormal(stddev=-1.0), SpecError, "stddev", "-1"),
    "loss-of-arrays": row(
        lambda c: db.MeanSquaredError()([1.0], [[1.0, 2.0]]), DataError, "y_true", "(1, 2)"
    ),
    "metric-of-arrays": row(
        lambda c: db.Accuracy()([1.0], [1.0, 2.0]), DataError, "y_true", "(2,)"
    ),
    "kind-twice": row(
        lambda c: db.spec(type("Dense", (db.AbstractLayer,), {})), SpecError, "Dense"
    ),
}

ROWS = {**LAYERS, **MODELS, **PARTS}
