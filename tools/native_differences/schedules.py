"""Learning rates as functions of the step."""

from __future__ import annotations

from native_differences.row import Row

SCHEDULES = (
    Row(
        id="piecewise-boundary",
        title="The step of a boundary",
        kind="differs",
        says="At a milestone MindSpore takes the new rate; Keras keeps the old one for this step too. Rates of the "
        "steps 0 to 4, boundary 2.",
        mindspore="nn.piecewise_constant_lr([2, 5], [0.1, 0.05])",
        keras="""
schedule = keras.optimizers.schedules.PiecewiseConstantDecay([2], [0.1, 0.05])
[float(schedule(step)) for step in range(5)]
""",
        like_mindspore="db.PiecewiseConstant.mindspore([2, 5], [0.1, 0.05]).values(5)",
        like_keras="db.PiecewiseConstant.keras([2], [0.1, 0.05]).values(5)",
    ),
    Row(
        id="warmup-epochs",
        title="Warm-up by epochs or by steps",
        kind="differs",
        says="`nn.warmup_lr` counts whole epochs, so all of the first epoch is trained at rate 0. `WarmUpLR` and the "
        "warm-up of Keras' `CosineDecay` count steps; only the first is at rate 0.",
        mindspore="nn.warmup_lr(0.1, 6, 2, 2)",
        keras="""
schedule = keras.optimizers.schedules.CosineDecay(0.0, 10, alpha=1.0, warmup_target=0.1, warmup_steps=4)
[float(schedule(step)) for step in range(6)]
""",
        like_mindspore="db.warmup_lr(0.1, 6, 2, 2)",
        like_keras="db.LinearWarmup(0.1, 4).values(6)",
    ),
    Row(
        id="exponential-epochs",
        title="Exponential decay by epochs or by steps",
        kind="differs",
        says="`nn.exponential_decay_lr` puts the number of whole epochs in the exponent: two steps an epoch, then a "
        "jump. Keras and `ExponentialDecayLR` put the step there.",
        mindspore="nn.exponential_decay_lr(0.1, 0.9, 6, 2, 1)",
        keras="""
schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.9)
[float(schedule(step)) for step in range(6)]
""",
        like_mindspore="db.exponential_decay_lr(0.1, 0.9, 6, 2, 1)",
        like_keras="db.ExponentialDecay(0.1, decay_rate=0.9, decay_steps=2).values(6)",
    ),
    Row(
        id="natural-exponential",
        title="decay_epoch of natural_exp_decay_lr",
        kind="ignored",
        says="Unless `is_stair`, the argument has no effect: the exponent is -rate · epoch, not "
        "-rate · epoch / decay_epoch as in its sisters, from whose formula the expected numbers are.",
        mindspore="nn.natural_exp_decay_lr(0.1, 0.9, 6, 2, 3)",
        expected="0.1 * np.exp(-0.9 * np.array([0, 0, 1, 1, 2, 2]) / 3)",
        like_mindspore="db.natural_exp_decay_lr(0.1, 0.9, 6, 2, 3)",
    ),
    Row(
        id="cosine-floor",
        title="The floor of a cosine decay",
        kind="differs",
        says="MindSpore's `min_lr` is a rate, Keras' `alpha` a fraction of the first rate. The last of both with 0.01.",
        mindspore="nn.CosineDecayLR(0.01, 0.1, 4)(Tensor(4, ms.int32))",
        keras="float(keras.optimizers.schedules.CosineDecay(0.1, 4, alpha=0.01)(4))",
        like_mindspore="db.CosineDecayLR(0.01, 0.1, 4)(4)",
        like_keras="db.CosineDecay.keras(0.1, 4, alpha=0.01)(4)",
    ),
    Row(
        id="float32-schedule",
        title="A schedule in float32",
        kind="wrong",
        says="Both frameworks evaluate schedules in float32 at every step. A rate of decay near 1 loses its digits: "
        "0.999999 to the power of a million is 0.36788.",
        mindspore="nn.ExponentialDecayLR(1.0, 0.999999, 1)(Tensor(1_000_000, ms.int32))",
        keras="float(keras.optimizers.schedules.ExponentialDecay(1.0, 1, 0.999999)(1_000_000))",
        expected="db.ExponentialDecay(1.0, decay_rate=0.999999, decay_steps=1)(1_000_000)",
    ),
    Row(
        id="polynomial-end",
        title="The end of a polynomial decay",
        kind="differs",
        says="Keras' `PolynomialDecay` ends at 1e-4 unless told, MindSpore asks for the end; its epochs are whole ones.",
        mindspore="nn.polynomial_decay_lr(0.1, 0.0001, 6, 2, 2, 1.0)",
        keras="""
schedule = keras.optimizers.schedules.PolynomialDecay(0.1, 4)
[float(schedule(step)) for step in range(6)]
""",
        like_mindspore="db.polynomial_decay_lr(0.1, 0.0001, 6, 2, 2, 1.0)",
        like_keras="db.PolynomialDecay(0.1, decay_steps=4, end_learning_rate=0.0001).values(6)",
    ),
)
