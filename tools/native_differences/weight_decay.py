"""Around an update: weight decay, groups, rates, clipping, accumulation."""

from __future__ import annotations

from native_differences.row import Row

WEIGHT_DECAY = (
    Row(
        id="weight-decay-coupled",
        title="weight_decay of an optimizer",
        kind="differs",
        says="MindSpore adds wd · p to the gradient, which then passes through momentum and moments. Keras takes "
        "lr · wd · p from the weight itself. Here Adam at rate 0.1 sees a gradient of 0.",
        mindspore="steps(lambda p: nn.Adam(p, 0.1, weight_decay=0.1), [0], start=1.0)",
        keras="steps(keras.optimizers.Adam(0.1, weight_decay=0.1), [0], start=1.0)",
        like_mindspore="steps(db.Adam.mindspore(0.1, weight_decay=0.1), [0], start=1.0)",
        like_keras="steps(db.Adam.keras(0.1, weight_decay=0.1), [0], start=1.0)",
    ),
    Row(
        id="weight-decay-by-name",
        title="Who decays goes by a part of the name",
        kind="wrong",
        says="Without groups, MindSpore decays nothing whose name contains beta or gamma, wherever in it: the kernel "
        "of a layer called betablock stays as it is. Two weights of 1, both with a decay of 0.1.",
        mindspore="""
p = [weight([1], "betablock.weight"), weight([1], "x.weight")]
nn.SGD(p, 1.0, weight_decay=0.1)((tensor([0]), tensor([0])))
[float(v.asnumpy()[0]) for v in p]
""",
        expected="[0.9, 0.9]",
        here="`CoupledWeightDecay(0.1, exempt=MINDSPORE_EXEMPT)`, which `.mindspore(weight_decay=…)` writes, matches "
        "patterns of whole names; any other list of patterns may stand there.",
    ),
    Row(
        id="weight-decay-in-groups",
        title="Groups drop the exemption from weight decay",
        kind="differs",
        says="The same weight, called norm.beta, does not decay when the optimizer is given a list of weights, and "
        "decays when it is given groups with one decay for all.",
        mindspore="""
alone, grouped = weight([1], "norm.beta"), weight([1], "norm.beta")
nn.SGD([alone], 1.0, weight_decay=0.1)((tensor([0]),))
nn.SGD([{"params": [grouped]}], 1.0, weight_decay=0.1)((tensor([0]),))
[float(alone.asnumpy()[0]), float(grouped.asnumpy()[0])]
""",
        expected="[1.0, 1.0]",
        here="`ParameterGroups`; each group's optimizer says what its decay leaves out.",
    ),
    Row(
        id="bias-decays",
        title="Whether shift and scale of a normalisation decay",
        kind="differs",
        says="Keras decays every weight, beta and gamma of a normalisation too; MindSpore leaves those two out.",
        mindspore="""
p = weight([1], "norm.gamma")
nn.SGD([p], 1.0, weight_decay=0.1)((tensor([0]),))
p
""",
        keras="steps(keras.optimizers.SGD(1.0, weight_decay=0.1), [0], start=1.0)",
        here="`exempt` of `DecoupledWeightDecay` and `CoupledWeightDecay`.",
    ),
    Row(
        id="rate-plus-one",
        title="A constant rate beside a changing one",
        kind="wrong",
        says="Where one group of a MindSpore optimizer has a list of rates, constant rates of the others pass through "
        "rate + 1 - 1 in float32: 1e-8 becomes 0.",
        mindspore="""
a, b = weight([0], "a"), weight([0], "b")
groups = [{"params": [a], "lr": [0.5, 0.5]}, {"params": [b]}]
nn.SGD(groups, learning_rate=1e-8)((tensor([1]), tensor([1])))
b
""",
        expected="-1e-8",
        here="`ParameterGroups`: rates are Python floats, rounded to float32 once.",
    ),
    Row(
        id="rates-run-out",
        title="A list of rates that ends",
        kind="fails",
        says="After the last rate of its list, an optimizer of MindSpore stops with an error about a Gather.",
        mindspore="steps(lambda p: nn.SGD(p, [0.5, 0.25]), [1, 1, 1])",
        expected="steps(db.SGD(db.TableSchedule((0.5, 0.25))), [1, 1, 1])",
        here="`TableSchedule` goes on with its last rate.",
    ),
    Row(
        id="rate-set-data",
        title="set_data of a learning rate",
        kind="ignored",
        says="After the first step the rate's Parameter can be read by nothing but `ops.assign`: what `set_data` puts "
        "there is never used. Two steps, the second at rate 0.",
        mindspore="""
p = weight([0])
optimizer = nn.SGD([p], 1.0)
optimizer((tensor([1]),))
optimizer.learning_rate.set_data(Tensor(0.0, ms.float32))
optimizer((tensor([1]),))
p
""",
        expected="-1.0",
        here="`run.set_learning_rate(…)`.",
    ),
    Row(
        id="callable-rate",
        title="A callable rate in a compiled step",
        kind="ignored",
        says="Keras accepts a function as the rate. `tf.function` calls it once, while it traces. Two steps, the second "
        "at rate 0.",
        keras="""
rate = [1.0]
p = keras.Variable(np.zeros(1, np.float32))
optimizer = keras.optimizers.SGD(lambda: rate[0])
optimizer.build([p])
step = tf.function(lambda: optimizer.apply([tf.ones(1)], [p]))
step()
rate[0] = 0.0
step()
p.numpy()
""",
        expected="-1.0",
        here="Schedules are evaluated by the host, step by step.",
    ),
    Row(
        id="gradient-centralization",
        title="grad_centralization on a CPU",
        kind="fails",
        says="The option of MindSpore's groups has no CPU kernel.",
        mindspore="""
p = weight(np.zeros((16, 16)))
nn.SGD([{"params": [p], "grad_centralization": True}], 1.0)((tensor(np.eye(16)),))
p.asnumpy()[0, :2]
""",
        expected="[-15 / 16, 1 / 16]",
        here="`CentralizeGradients`.",
    ),
    Row(
        id="accumulation-schedule",
        title="A schedule under gradient accumulation",
        kind="differs",
        says="With `gradient_accumulation_steps=2`, Keras' schedule counts batches, not updates. The rates 1, 2, 3 … "
        "and six gradients of 1 make three updates; counted by updates their rates would be 1, 2, 3.",
        keras="""
rates = keras.optimizers.schedules.PiecewiseConstantDecay(
    [0, 1, 2, 3, 4], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
)
steps(keras.optimizers.SGD(rates, gradient_accumulation_steps=2), [1] * 6)
""",
        expected="-6.0",
        like_keras="""
rates = db.Strided(db.TableSchedule((1.0, 2.0, 3.0, 4.0, 5.0, 6.0)), 2, 1)
steps(db.GradientAccumulation(db.SGD(rates), 2), [1] * 6)
""",
    ),
    Row(
        id="exclude-after-build",
        title="exclude_from_weight_decay after build",
        kind="differs",
        says="Keras documents that it must be called before the optimizer is built. A later call works, silently.",
        keras="""
p = keras.Variable(np.ones(1, np.float32), name="p")
optimizer = keras.optimizers.SGD(1.0, weight_decay=0.1)
optimizer.build([p])
optimizer.apply([tf.zeros(1)], [p])
optimizer.exclude_from_weight_decay(var_list=[p])
optimizer.apply([tf.zeros(1)], [p])
p.numpy()
""",
        expected="0.9 * 0.9",
        here="`exempt` is part of the spec.",
    ),
    Row(
        id="clip-norm",
        title="clip_by_norm of a list",
        kind="differs",
        says="`ops.clip_by_norm` takes the norm of all tensors of a list together; `clipnorm` of Keras clips each "
        "tensor alone. Gradients (3, 4) and 1 with the limit 1.",
        mindspore="""
clipped = ops.clip_by_norm([tensor([3.0, 4.0]), tensor([1.0])], 1.0)
np.concatenate([c.asnumpy() for c in clipped])
""",
        keras="""
a, b = (keras.Variable(np.zeros(n, np.float32)) for n in (2, 1))
optimizer = keras.optimizers.SGD(1.0, clipnorm=1.0)
optimizer.build([a, b])
optimizer.apply([tf.constant([3.0, 4.0]), tf.constant([1.0])], [a, b])
-np.concatenate([a.numpy(), b.numpy()])
""",
        like_mindspore="np.array([3.0, 4.0, 1.0]) / np.sqrt(26.0)",
        here="`ClipByGlobalNorm` and `ClipByNorm`.",
    ),
)
