"""Optimizers with the same name and different equations."""

from __future__ import annotations

from native_differences.row import Row

OPTIMIZERS = (
    Row(
        id="momentum-changing-rate",
        title="Momentum under a rate that changes",
        kind="differs",
        says="MindSpore keeps v = μ v + g and moves by lr · v; Keras keeps v = μ v - lr · g and moves by v. "
        "The same while the rate is constant. After it falls, Keras goes on with the old one for about 1 / (1 - μ) steps.",
        mindspore="steps(lambda p: nn.SGD(p, [1.0, 0.1], momentum=0.9), [1, 1])",
        keras="steps(keras.optimizers.SGD(1.0, momentum=0.9), [1, 1], rates=[1.0, 0.1])",
        like_mindspore="steps(db.SGD.mindspore(db.TableSchedule((1.0, 0.1)), momentum=0.9), [1, 1])",
        like_keras="steps(db.SGD.keras(db.TableSchedule((1.0, 0.1)), momentum=0.9), [1, 1])",
    ),
    Row(
        id="nesterov-ignored",
        title="Momentum(use_nesterov=True)",
        kind="ignored",
        says="The first step of Nesterov's momentum is lr · (1 + μ) · g. `nn.Momentum` makes the step of plain "
        "momentum; `nn.SGD(nesterov=True)` and Keras look ahead.",
        mindspore="steps(lambda p: nn.Momentum(p, 1.0, 0.9, use_nesterov=True), [1])",
        keras="steps(keras.optimizers.SGD(1.0, momentum=0.9, nesterov=True), [1])",
        expected="steps(db.SGD(1.0, momentum=0.9, nesterov=True), [1])",
    ),
    Row(
        id="nesterov-changing-rate",
        title="Nesterov's momentum under a rate that changes",
        kind="differs",
        says="As with plain momentum: Keras has the rate inside of the velocity.",
        mindspore="steps(lambda p: nn.SGD(p, [1.0, 0.1], momentum=0.9, nesterov=True), [1, 1])",
        keras="steps(keras.optimizers.SGD(1.0, momentum=0.9, nesterov=True), [1, 1], rates=[1.0, 0.1])",
        like_mindspore="steps(db.SGD.mindspore(db.TableSchedule((1.0, 0.1)), momentum=0.9, nesterov=True), [1, 1])",
        like_keras="steps(db.SGD.keras(db.TableSchedule((1.0, 0.1)), momentum=0.9, nesterov=True), [1, 1])",
    ),
    Row(
        id="dampening-without-momentum",
        title="dampening without momentum",
        kind="ignored",
        says="`nn.SGD` documents v = u · v + (1 - dampening) · g. With momentum 0 the factor is left out.",
        mindspore="steps(lambda p: nn.SGD(p, 1.0, dampening=0.5), [1, 1])",
        expected="-1.0 * (1 - 0.5) * 2",
        like_mindspore="steps(db.SGD.mindspore(1.0, dampening=0.5), [1, 1])",
    ),
    Row(
        id="dampening-first-step",
        title="dampening in the first step",
        kind="differs",
        says="With momentum, the first velocity of `nn.SGD` is g and not (1 - dampening) · g, as in PyTorch. The "
        "expected number is that of the equation from v = 0 on.",
        mindspore="steps(lambda p: nn.SGD(p, 1.0, momentum=0.9, dampening=0.5), [1, 1])",
        expected="-(0.5 + (0.9 * 0.5 + 0.5))",
        like_mindspore="steps(db.SGD.mindspore(1.0, momentum=0.9, dampening=0.5), [1, 1])",
    ),
    Row(
        id="adam-epsilon",
        title="Epsilon of Adam",
        kind="differs",
        says="The default is 1e-8 in MindSpore and 1e-7 in Keras. Weights with small gradients move at another pace.",
        mindspore="steps(lambda p: nn.Adam(p, 1.0), [1e-7])",
        keras="steps(keras.optimizers.Adam(1.0), [1e-7])",
        like_mindspore="steps(db.Adam.mindspore(1.0), [1e-7])",
        like_keras="steps(db.Adam.keras(1.0), [1e-7])",
    ),
    Row(
        id="adam-weight-decay-no-correction",
        title="AdamWeightDecay has no bias correction",
        kind="differs",
        says="`nn.AdamWeightDecay` reads like AdamW and is BERT's Adam: without a bias correction its first steps are "
        "√(1 - β₂) / (1 - β₁) times those of AdamW, and ε is 1e-6.",
        mindspore="steps(lambda p: nn.AdamWeightDecay(p, 0.1), [1])",
        keras="steps(keras.optimizers.AdamW(0.1, weight_decay=0.0), [1])",
        like_mindspore="steps(db.AdamW.mindspore(0.1), [1])",
        like_keras="steps(db.AdamW.keras(0.1, weight_decay=0.0), [1])",
    ),
    Row(
        id="adamw-default-decay",
        title="Default weight decay of AdamW",
        kind="differs",
        says="0 in `nn.AdamWeightDecay`, 0.004 in Keras, 0.01 in `experimental.optim.AdamW`.",
        mindspore="steps(lambda p: nn.AdamWeightDecay(p, 1.0), [0], start=1.0)",
        keras="steps(keras.optimizers.AdamW(1.0), [0], start=1.0)",
        like_mindspore="steps(db.AdamW.mindspore(1.0), [0], start=1.0)",
        like_keras="steps(db.AdamW.keras(1.0), [0], start=1.0)",
    ),
    Row(
        id="adamw-experimental-epsilon",
        title="Where ε stands in the experimental AdamW",
        kind="differs",
        says="`experimental.optim.AdamW` adds ε after the bias correction, √(v / (1 - β₂ᵗ)) + ε; Keras before, √v + ε.",
        mindspore="steps(lambda p: optim.AdamW(p, 0.1, eps=0.01, weight_decay=0.0), [1e-2])",
        keras="steps(keras.optimizers.AdamW(0.1, epsilon=0.01, weight_decay=0.0), [1e-2])",
        like_mindspore="steps(db.AdamW(0.1, epsilon=0.01, epsilon_hat=False, weight_decay=0.0), [1e-2])",
        like_keras="steps(db.AdamW.keras(0.1, epsilon=0.01, weight_decay=0.0), [1e-2])",
    ),
    Row(
        id="amsgrad-experimental",
        title="AMSGrad of the experimental Adam",
        kind="ignored",
        says="`experimental.optim.Adam(amsgrad=True)` is plain Adam. `nn.Adam(use_amsgrad=True)` and Keras keep the "
        "largest v.",
        mindspore="steps(lambda p: optim.Adam(p, 0.1, betas=(0.9, 0.5), amsgrad=True), [1, 0.01, 0.01, 0.01])",
        keras="steps(keras.optimizers.Adam(0.1, beta_2=0.5, amsgrad=True), [1, 0.01, 0.01, 0.01])",
        expected="steps(db.Adam(0.1, beta_2=0.5, epsilon=1e-8, amsgrad=True), [1, 0.01, 0.01, 0.01])",
    ),
    Row(
        id="rmsprop-body-and-tail",
        title="RMSprop has two formulas in one tensor",
        kind="wrong",
        says="`nn.RMSProp` documents g / √(s + ε). The CPU kernel computes g / (√s + ε) for blocks of eight elements "
        "and the documented form for the rest: the first and the ninth of nine equal elements move apart.",
        mindspore="steps(lambda p: nn.RMSProp(p, 1.0, decay=0.9, epsilon=0.1), [np.ones(9)])[[0, 8]]",
        expected="steps(db.RMSprop.mindspore(1.0, decay=0.9, epsilon=0.1), [np.ones(9)])[[0, 8]]",
    ),
    Row(
        id="rmsprop-start",
        title="Where RMSprop starts",
        kind="differs",
        says="The mean square begins at 1 in MindSpore and at 0 in Keras, so first steps differ by a factor of 3.2.",
        mindspore="steps(lambda p: nn.RMSProp(p, 0.1), [1])",
        keras="steps(keras.optimizers.RMSprop(0.1), [1])",
        like_mindspore="steps(db.RMSprop.mindspore(0.1), [1])",
        like_keras="steps(db.RMSprop.keras(0.1), [1])",
    ),
    Row(
        id="rmsprop-experimental-epsilon",
        title="Where ε stands in the experimental RMSprop",
        kind="differs",
        says="`experimental.optim.RMSprop` divides by √s + ε, Keras by √(s + ε).",
        mindspore="steps(lambda p: optim.RMSprop(p, 0.1, alpha=0.9, eps=0.01), [1])",
        keras="steps(keras.optimizers.RMSprop(0.1, rho=0.9, epsilon=0.01), [1])",
        like_mindspore="steps(db.RMSprop(0.1, rho=0.9, epsilon=0.01, epsilon_inside=False), [1])",
        like_keras="steps(db.RMSprop.keras(0.1, rho=0.9, epsilon=0.01), [1])",
    ),
    Row(
        id="adagrad-epsilon",
        title="Epsilon of Adagrad",
        kind="differs",
        says="`nn.Adagrad` documents none and its CPU kernel adds 1e-8 under the root; Keras adds 1e-7. Seen where the "
        "accumulator starts at 0.",
        mindspore="steps(lambda p: nn.Adagrad(p, accum=0.0, learning_rate=0.1), [1e-5])",
        keras="steps(keras.optimizers.Adagrad(0.1, initial_accumulator_value=0.0), [1e-5])",
        like_mindspore="steps(db.Adagrad.mindspore(0.1, accum=0.0), [1e-5])",
        like_keras="steps(db.Adagrad.keras(0.1, initial_accumulator_value=0.0), [1e-5])",
    ),
    Row(
        id="adagrad-experimental-epsilon",
        title="Where ε stands in the experimental Adagrad",
        kind="differs",
        says="`experimental.optim.Adagrad` divides by √s + ε and starts at 0, Keras by √(s + ε) and at 0.1.",
        mindspore="steps(lambda p: optim.Adagrad(p, 0.1, eps=0.01), [1])",
        keras="steps(keras.optimizers.Adagrad(0.1, epsilon=0.01), [1])",
        like_mindspore="steps(db.Adagrad(0.1, initial_accumulator_value=0.0, epsilon=0.01, epsilon_inside=False), [1])",
        like_keras="steps(db.Adagrad.keras(0.1, epsilon=0.01), [1])",
    ),
    Row(
        id="adadelta-defaults",
        title="Defaults of Adadelta",
        kind="differs",
        says="MindSpore: rate 1, ρ 0.9, ε 1e-6, as in the paper's experiments. Keras: rate 0.001, ρ 0.95, ε 1e-7.",
        mindspore="steps(lambda p: nn.Adadelta(p), [1, 1])",
        keras="steps(keras.optimizers.Adadelta(), [1, 1])",
        like_mindspore="steps(db.Adadelta.mindspore(), [1, 1])",
        like_keras="steps(db.Adadelta.keras(), [1, 1])",
    ),
    Row(
        id="adamax-experimental-epsilon",
        title="Where ε stands in the experimental Adamax",
        kind="differs",
        says="`experimental.optim.Adamax` takes max(β₂ u, |g| + ε) and divides by that; Keras divides by u + ε after "
        "the maximum. Seen where the maximum is the old u.",
        mindspore="steps(lambda p: optim.Adamax(p, 0.1, betas=(0.9, 0.9), eps=0.1), [1, 0])",
        keras="steps(keras.optimizers.Adamax(0.1, beta_2=0.9, epsilon=0.1), [1, 0])",
        like_keras="steps(db.Adamax.keras(0.1, beta_2=0.9, epsilon=0.1), [1, 0])",
    ),
    Row(
        id="nadam-decay",
        title="How fast Nadam's momentum grows",
        kind="differs",
        says="The exponent of 0.96 is t in Keras and 0.004 · t by default in `experimental.optim.NAdam`.",
        mindspore="steps(lambda p: optim.NAdam(p, 0.1), [1, -0.5, 1])",
        keras="steps(keras.optimizers.Nadam(0.1), [1, -0.5, 1])",
        like_mindspore="steps(db.Nadam(0.1, epsilon=1e-8, momentum_decay=0.004), [1, -0.5, 1])",
        like_keras="steps(db.Nadam.keras(0.1), [1, -0.5, 1])",
    ),
    Row(
        id="ftrl-l1",
        title="FTRL with l1 above 0",
        kind="wrong",
        says="For a negative z the weight is (-l₁ - z) / divisor. MindSpore's CPU kernel has (l₁ - z) / divisor. "
        "Keras' default accumulator and equation are those of MindSpore otherwise.",
        mindspore="steps(lambda p: nn.FTRL(p, learning_rate=1.0, l1=0.5), [-2])",
        keras="steps(keras.optimizers.Ftrl(1.0, l1_regularization_strength=0.5), [-2])",
        expected="steps(db.Ftrl(1.0, l1_regularization_strength=0.5), [-2])",
    ),
    Row(
        id="lamb-weight-decay",
        title="Weight decay of Keras' Lamb",
        kind="differs",
        says="In the paper the decay is part of the update that the ratio of norms scales. Keras decays the weights "
        "outside of it. MindSpore's Lamb has no CPU kernel.",
        keras="steps(keras.optimizers.Lamb(0.1, weight_decay=0.5), [1], start=2.0)",
        mindspore="steps(lambda p: nn.Lamb(p, 0.1, weight_decay=0.5), [1], start=2.0)",
        expected="steps(db.Lamb.mindspore(0.1, weight_decay=0.5), [1], start=2.0)",
        like_keras="steps(db.Lamb.keras(0.1).replace(weight_decay=0.5), [1], start=2.0)",
    ),
    Row(
        id="lars-cpu",
        title="LARS on a CPU",
        kind="fails",
        says="`nn.LARS` has no CPU kernel. Keras has no LARS.",
        mindspore="steps(lambda p: nn.LARS(nn.SGD(p, 0.1), coefficient=0.02), [1], start=1.0)",
        expected="steps(db.LARS.mindspore(0.1, coefficient=0.02), [1], start=1.0)",
    ),
    Row(
        id="mint-optim",
        title="mint.optim moves nothing on a CPU",
        kind="ignored",
        says="Its updates are written with in-place operations, which have no effect on a CPU.",
        mindspore="steps(lambda p: mint.optim.SGD(p, lr=1.0), [1, 1])",
        expected="steps(db.SGD(1.0), [1, 1])",
    ),
    Row(
        id="adafactor-relative-step",
        title="Adafactor(relative_step=False)",
        kind="ignored",
        says="Keras documents that the rate is then taken as it is. It stays at most 1 / √t. Nine steps from 1 on.",
        keras="steps(keras.optimizers.Adafactor(1.0, relative_step=False), [-1] * 9, start=1.0)",
        expected="steps(db.Adafactor(1.0, relative_step=False), [-1] * 9, start=1.0)",
        like_keras="steps(db.Adafactor.keras(1.0), [-1] * 9, start=1.0)",
    ),
    Row(
        id="indexed-slices",
        title="A word that a batch has twice",
        kind="wrong",
        says="The gradient of an `Embedding` is a list of rows. Where a row is listed twice, Keras' Adagrad (Adam, "
        "RMSprop, clipnorm) squares each entry and not their sum. With ε = 0 and no accumulator the first step is "
        "the rate, whatever the gradient.",
        keras="""
p = keras.Variable(np.zeros((2, 1), np.float32))
optimizer = keras.optimizers.Adagrad(0.1, initial_accumulator_value=0.0, epsilon=1e-12)
optimizer.build([p])
optimizer.apply([tf.IndexedSlices(tf.ones((2, 1)), tf.constant([0, 0]), tf.constant([2, 1]))], [p])
p.numpy()[0]
""",
        expected="steps(db.Adagrad(0.1, 0.0, 1e-12), [2])",
    ),
)
