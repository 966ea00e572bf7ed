"""Cases of optimizers, schedules and whole models, as in `remedy_cases`."""

from __future__ import annotations

from doctor.remedy_cases import CASES_OF_MODELS, Case, net, run_of

import dnnbridge as db

GRADIENTS = "[[1e-5, -2, 0.5], [-1, 0.3, 1e-3], [1, 1, 1]]"

KERAS_STEPS = f"""
p = keras.Variable(np.float32([1.0, -1.0, 0.5]))
optimizer = REMEDY
optimizer.build([p])
for g in {GRADIENTS}:
    optimizer.apply([tf.constant(g)], [p])
p.numpy()
"""

MINDSPORE_STEPS = f"""
params = [weight([1.0, -1.0, 0.5])]
optimizer = REMEDY
for g in {GRADIENTS}:
    optimizer((tensor(g),))
params[0].asnumpy()
"""

BEFORE_EACH_STEP = f"""
params = [weight([1.0, -1.0, 0.5])]
REMEDY_FIRST
for g in {GRADIENTS}:
    REMEDY_REST
    optimizer((tensor(g),))
params[0].asnumpy()
"""

AFTER_EACH_STEP = f"""
params = [weight([1.0, -1.0, 0.5])]
REMEDY_FIRST
for g in {GRADIENTS}:
    optimizer((tensor(g),))
    REMEDY_REST
params[0].asnumpy()
"""

IN_PLACE_OF_A_STEP = f"""
params = [weight([1.0, -1.0, 0.5])]
REMEDY_FIRST
for g in {GRADIENTS}:
    gradients = [tensor(g)]
    REMEDY_REST
params[0].asnumpy()
"""

FALLING = """
rates = [1.0, 0.1, 0.1]
params = [weight([0.0])]
schedule = rates
REMEDY_FIRST
for i, new_rate in enumerate(rates):
    old_rate = rates[max(i - 1, 0)]
    REMEDY_REST
    optimizer((tensor([1.0]),))
params[0].asnumpy()
"""

FALLING_IN_KERAS = """
schedule = 1.0
p = keras.Variable(np.zeros(1, np.float32))
optimizer = REMEDY
optimizer.build([p])
for rate in (1.0, 0.1, 0.1):
    optimizer.learning_rate = rate
    optimizer.apply([tf.ones(1)], [p])
p.numpy()
"""

OPTIMIZERS: dict[str, Case] = {
    "adam-epsilon": Case(db.Adam(0.1, epsilon=1e-5), KERAS_STEPS, MINDSPORE_STEPS),
    "adadelta-defaults": Case(db.Adadelta(0.5), KERAS_STEPS, MINDSPORE_STEPS),
    "rmsprop-body-and-tail": Case(db.RMSprop(0.1, epsilon=1e-3), KERAS_STEPS, IN_PLACE_OF_A_STEP),
    "rmsprop-start": Case(
        db.RMSprop(0.1),
        KERAS_STEPS.replace("1e-5", "1").replace("1e-3", "1"),
        AFTER_EACH_STEP.replace("    REMEDY_REST\n", "")
        .replace("REMEDY_FIRST", "REMEDY")
        .replace("1e-5", "1")
        .replace("1e-3", "1"),
    ),
    "adagrad-epsilon": Case(
        db.Adagrad(0.1, initial_accumulator_value=0.0), KERAS_STEPS, IN_PLACE_OF_A_STEP
    ),
    "ftrl-l1": Case(
        db.Ftrl(0.5, l1_regularization_strength=0.5, l2_regularization_strength=0.1),
        KERAS_STEPS,
        AFTER_EACH_STEP,
    ),
    "nadam-decay": Case(
        db.Nadam(0.1),
        KERAS_STEPS,
        MINDSPORE_STEPS.replace("optimizer = REMEDY", "REMEDY_FIRST\noptimizer = REMEDY_REST"),
    ),
    "adam-weight-decay-no-correction": Case(
        db.AdamW(0.1, weight_decay=0.5), KERAS_STEPS, BEFORE_EACH_STEP
    ),
    "weight-decay-coupled": Case(
        db.Adam(0.1, weight_decay=db.DecoupledWeightDecay(0.5)), KERAS_STEPS, BEFORE_EACH_STEP
    ),
    "momentum-changing-rate": Case(
        db.SGD.keras(db.PiecewiseConstant((1,), (1.0, 0.1)), momentum=0.9),
        FALLING_IN_KERAS,
        FALLING,
    ),
    "piecewise-boundary": Case(
        db.PiecewiseConstant.keras([2], [0.1, 0.05]),
        "schedule = REMEDY\n[float(schedule(step)) for step in range(5)]",
        "steps = 5\nREMEDY",
    ),
    "cosine-floor": Case(
        db.CosineDecay.keras(0.1, 4, alpha=0.01),
        "schedule = REMEDY\n[float(schedule(step)) for step in (0, 2, 4)]",
        "schedule = REMEDY\n"
        "[float(schedule(Tensor(step, ms.int32)).asnumpy()) for step in (0, 2, 4)]",
    ),
}

OF_GRU = "np.linspace(-1, 1, 18).reshape(3, 6).astype(np.float32)"

KERAS_GRU = f"""
blocks = np.split({OF_GRU}, 3, axis=1)
class weight_ih:
    asnumpy = lambda: np.concatenate([blocks[1], blocks[0], blocks[2]], axis=1).T
layer = keras.layers.GRU(2, recurrent_initializer="zeros", return_sequences=True)
layer.build((None, 5, 3))
kernel = layer.weights[0]
REMEDY
layer(np.linspace(-1, 1, 15).reshape(1, 5, 3).astype(np.float32))
"""

MINDSPORE_GRU = f"""
class kernel:
    numpy = lambda: {OF_GRU}
gru = nn.GRU(3, 2, batch_first=True)
for p in gru.trainable_params():
    p.set_data(ops.zeros_like(p))
weight_ih = [p for p in gru.trainable_params() if "weight_ih" in p.name][0]
REMEDY
gru(tensor(np.linspace(-1, 1, 15).reshape(1, 5, 3)))[0]
"""

ON_BOTH = "g = [np.float32([[3, 4], [1, 2]]), np.float32([1])]\n"

WHOLE: dict[str, Case] = {
    "gru-order": Case(
        run_of(net((5, 3), db.GRU(2))),
        KERAS_GRU,
        MINDSPORE_GRU,
        2e-4,  # nn.GRU computes tanh to 1e-4
    ),
    "conv-nhwc": Case(
        net((6, 6, 2), db.Conv2D(1, 3)),
        "layer = keras.layers.Conv2D(1, 3, kernel_initializer='ones')\n"
        "layer(np.arange(72, dtype=np.float32).reshape(1, 6, 6, 2))",
        "x = tensor(np.arange(72).reshape(1, 6, 6, 2))\n"
        "nn_Conv2d = nn.Conv2d\n"
        "nn.Conv2d = lambda *a, **k: nn_Conv2d(*a, **k, weight_init='ones', bias_init='zeros')\n"
        "made = REMEDY\nnn.Conv2d = nn_Conv2d\nmade",
    ),
    "flatten-order": Case(
        run_of(net((3, 3, 2), db.Conv2D(2, 2), db.Flatten(), db.Dense(1))),
        "x = np.arange(8, dtype=np.float32).reshape(1, 2, 2, 2)\nREMEDY",
        "x = ops.transpose(tensor(np.arange(8).reshape(1, 2, 2, 2)), (0, 3, 1, 2))\nREMEDY",
    ),
    "nesterov-changing-rate": Case(
        db.SGD.keras(db.PiecewiseConstant((1,), (1.0, 0.1)), momentum=0.9, nesterov=True),
        FALLING_IN_KERAS,
        FALLING,
    ),
    "bias-decays": Case(
        db.Experiment(
            net((2,), db.LayerNormalization(), db.Dense(1)),
            "mse",
            db.SGD(0.1, weight_decay=db.DecoupledWeightDecay(0.5)),
        ),
        "p = keras.Variable(np.float32([1.0, -1.0]), name='gamma')\noptimizer = REMEDY\n"
        "optimizer.build([p])\noptimizer.apply([tf.constant([0.5, 1.0])], [p])\np.numpy()",
        "params = [weight([1.0, -1.0], name='gamma')]\nREMEDY\noptimizer = nn.SGD(params, 0.1)\n"
        "optimizer((tensor([0.5, 1.0]),))\nparams[0]['params'][0].asnumpy()",
    ),
    "clip-norm": Case(
        db.Experiment(net((2,), db.Dense(2)), "mse", "sgd", gradients=[db.ClipByNorm(1.0)]),
        ON_BOTH + "rate = 1.0\nps = [keras.Variable(np.zeros_like(each)) for each in g]\n"
        "optimizer = REMEDY\noptimizer.build(ps)\noptimizer.apply([*map(tf.constant, g)], ps)\n"
        "np.concatenate([-np.ravel(p.numpy()) for p in ps])",
        ON_BOTH + "gradients = [*map(tensor, g)]\nREMEDY\n"
        "np.concatenate([np.ravel(each.asnumpy()) for each in gradients])",
    ),
    "gradient-centralization": Case(
        db.Experiment(net((2,), db.Dense(2)), "mse", "sgd", gradients=[db.CentralizeGradients()]),
        ON_BOTH + "gradients = [*map(tf.constant, g)]\nREMEDY\n"
        "np.concatenate([np.ravel(np.transpose(each)) for each in gradients])",
        ON_BOTH + "gradients = [tensor(each.T) for each in g]\nREMEDY\n"
        "np.concatenate([np.ravel(each.asnumpy()) for each in gradients])",
    ),
}

MORE: dict[str, Case] = {
    "batch-norm-variance--to-keras": Case(
        net((2, 4), db.BatchNormalization.mindspore(momentum=0.5)),
        "x = np.arange(24, dtype=np.float32).reshape(3, 2, 4) ** 2\nREMEDY_FIRST\n"
        "for _ in range(2):\n    REMEDY_REST\nnorm.moving_variance.numpy()",
        "norm = REMEDY.set_train()\n"
        "x = tensor((np.arange(24).reshape(3, 2, 4) ** 2).transpose(0, 2, 1))\n"
        "norm(x)\nnorm(x)\nnorm.moving_variance.asnumpy()",
    ),
    "conv-defaults--padded": Case(
        net((2, 6, 6), db.Conv2D(3, 3, padding=((1, 0), (2, 1)), data_format="channels_first")),
        "made = REMEDY\nx = np.arange(72, dtype=np.float32).reshape(1, 2, 6, 6)\nmade(x)\n"
        "kernel = np.linspace(-1, 1, 54).reshape(3, 3, 2, 3)\n"
        "made.layers[-1].set_weights([kernel, np.ones(3)])\nmade(x)",
        "layer = REMEDY\nkernel = np.linspace(-1, 1, 54).reshape(3, 3, 2, 3)\n"
        "layer.weight.set_data(tensor(kernel.transpose(3, 2, 0, 1)))\n"
        "layer.bias.set_data(tensor(np.ones(3)))\n"
        "layer(tensor(np.arange(72).reshape(1, 2, 6, 6)))",
    ),
    "momentum-changing-rate--to-keras": Case(
        db.SGD(db.PiecewiseConstant((1,), (1.0, 0.1)), momentum=0.9),
        """
schedule = old_rate = 1.0
p = keras.Variable(np.zeros(1, np.float32))
REMEDY_FIRST
optimizer.build([p])
for new_rate in (1.0, 0.1, 0.1):
    optimizer.learning_rate = new_rate
    REMEDY_REST
    optimizer.apply([tf.ones(1)], [p])
    old_rate = new_rate
p.numpy()
""",
        """
schedule = [1.0, 0.1, 0.1]
params = [weight([0.0])]
optimizer = REMEDY
for _ in range(3):
    optimizer((tensor([1.0]),))
params[0].asnumpy()
""",
    ),
    "weight-decay-coupled--to-keras": Case(
        db.Adam.mindspore(0.1, weight_decay=0.5),
        f"""
p = keras.Variable(np.float32([1.0, -1.0, 0.5]))
weights = [p]
REMEDY_FIRST
optimizer.build(weights)
for g in {GRADIENTS}:
    gradients = [tf.constant(g, tf.float32)]
    REMEDY_REST
    optimizer.apply(gradients, weights)
p.numpy()
""",
        MINDSPORE_STEPS,
    ),
    "piecewise-boundary--to-keras": Case(
        db.PiecewiseConstant.mindspore([2, 5], [0.1, 0.05]),
        "schedule = REMEDY\n[float(schedule(step)) for step in range(5)]",
        "steps = 5\nREMEDY",
    ),
}
"""More cases of a rule, after "--": specs with MindSpore's meaning, and other arguments."""

CASES = CASES_OF_MODELS | OPTIMIZERS | WHOLE
