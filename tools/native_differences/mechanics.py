"""Compiled steps, tensors and parameters."""

from __future__ import annotations

from native_differences.row import Row

MECHANICS = (
    Row(
        id="set-data-detaches",
        title="set_data after the first step",
        kind="ignored",
        says="Optimizers of `mindspore.nn` are compiled. What `set_data`, `load_param_into_net` or `param[…] = …` puts in "
        "a Parameter afterwards is not what they update: training stands still. Losses of three steps; `ops.assign` works.",
        mindspore="""
layer = nn.Dense(2, 1, weight_init="ones", has_bias=False)
optimizer = nn.SGD(layer.trainable_params(), 0.1)
f = ms.value_and_grad(lambda x: layer(x).sum(), None, optimizer.parameters)
x = tensor([[1, 1]])
optimizer(f(x)[1])
layer.weight.set_data(tensor([[50, 50]]))
losses = []
for _ in range(3):
    loss, gradients = f(x)
    optimizer(gradients)
    losses.append(float(loss.asnumpy()))
losses
""",
        expected="[100.0, 99.8, 99.6]",
        here="`run.set_parameters(…)`.",
    ),
    Row(
        id="set-data-shape",
        title="set_data of another shape",
        kind="fails",
        says="The Parameter takes any shape, with no error. The shape of a (2,) after set_data of a (3,).",
        mindspore="""
p = weight([1, 1])
try:
    p.set_data(tensor([1, 1, 1]))
    found = p.shape
except Exception:
    found = "an error"
found
""",
        expected="'an error'",
        here="`set_parameters` checks names and shapes.",
    ),
    Row(
        id="live-view",
        title="asnumpy is a view",
        kind="differs",
        says="`Parameter.asnumpy()` shows the memory of the weights: what was kept before a step has moved with it. "
        "Keras' `.numpy()` is a copy.",
        mindspore="""
p = weight([1])
kept = p.asnumpy()
nn.SGD([p], 1.0)((tensor([1]),))
kept
""",
        keras="""
p = keras.Variable(np.ones(1, np.float32))
kept = p.numpy()
optimizer = keras.optimizers.SGD(1.0)
optimizer.build([p])
optimizer.apply([tf.ones(1)], [p])
kept
""",
        here="`run.parameters()` copies.",
    ),
    Row(
        id="in-place",
        title="In-place operations on a CPU",
        kind="ignored",
        says="`add_`, `sub_`, `mul_`, `div_`, `exp_` return without having changed the tensor. 1 add_ 1:",
        mindspore="""
x = tensor([1])
x.add_(tensor([1]))
x
""",
        expected="2.0",
    ),
    Row(
        id="float32-folding",
        title="Python numbers in a compiled function",
        kind="wrong",
        says="`ms.jit` folds 1 - 0.999 in float32, which has a relative error of 1.3e-5: the moments of Adam, say.",
        mindspore="""
@ms.jit
def f(x):
    return x * (1 - 0.999)

f(tensor([1]))
""",
        keras="tf.function(lambda x: x * (1 - 0.999))(tf.constant([1.0])).numpy()",
        expected="0.001",
        tolerance=2e-6,
        here="The host computes such numbers in float64.",
    ),
    Row(
        id="set-train-ignored",
        title="set_train after a function was compiled",
        kind="ignored",
        says="A jitted function around a Cell keeps the mode in which it was compiled. What a BatchNormalization makes of 0 after "
        "set_train(False), with a running mean of 0.3.",
        mindspore="""
layer = nn.BatchNorm1d(1).set_train(True)

def forward(x):
    return layer(x)

f = ms.jit(forward)
x = tensor([[0], [6]])
f(x)
layer.set_train(False)
float(f(x).asnumpy()[0, 0] - layer(x).asnumpy()[0, 0])
""",
        expected="0.0",
        tolerance=1e-3,
        here="Training, evaluation and prediction are three functions of the program.",
    ),
    Row(
        id="trainable-ignored",
        title="trainable = False after a step was traced",
        kind="ignored",
        says="A `tf.function` that was traced goes on training the layer. The weight after two steps, frozen before the "
        "second.",
        keras="""
layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
layer.build((None, 1))
optimizer = keras.optimizers.SGD(1.0)
optimizer.build(layer.variables)

@tf.function
def step():
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(tf.ones((1, 1))))
    weights = layer.trainable_variables
    if weights:
        optimizer.apply(tape.gradient(loss, weights), weights)

step()
layer.trainable = False
step()
layer.get_weights()[0]
""",
        expected="-1.0",
        here="`Experiment(frozen=…)` with `run.with_experiment`.",
    ),
    Row(
        id="numpy-equal",
        title="Tensor == np.float32",
        kind="wrong",
        says="Comparing with a NumPy scalar is False as a whole; with a Python number it is element by element.",
        mindspore="str(tensor([1]) == np.float32(1))",
        keras="str(bool((tf.constant([1.0]) == np.float32(1)).numpy()[0]))",
        expected="'True'",
    ),
    Row(
        id="full-integers",
        title="ops.full of a NumPy number",
        kind="wrong",
        says="`ops.full((1,), np.float32(0.5))` is an array of integers.",
        mindspore="ops.full((1,), np.float32(0.5))",
        keras="keras.ops.full((1,), np.float32(0.5)).numpy()",
        expected="0.5",
    ),
    Row(
        id="mint-kernels",
        title="mint on a CPU",
        kind="fails",
        says="Most of `mint.nn.functional` has no CPU kernel, and says so when the result is read.",
        mindspore="mint.nn.functional.gelu(tensor([1])).asnumpy()",
        expected="value(db.GELU(), np.array([[1.0]]))",
    ),
    Row(
        id="attribute-frozen",
        title="An attribute that changes after compilation",
        kind="ignored",
        says="A Cell whose construct is jitted keeps the number it was compiled with. 1 · k after k went from 1 to 5:",
        mindspore="""
class Scale(nn.Cell):
    def __init__(self):
        super().__init__()
        self.k = 1.0

    @ms.jit
    def construct(self, x):
        return x * self.k

cell = Scale()
cell(tensor([1]))
cell.k = 5.0
cell(tensor([1]))
""",
        expected="5.0",
        here="What may change is state, a schedule or a feed.",
    ),
    Row(
        id="duplicate-names",
        title="Two layers with weights of one name",
        kind="fails",
        says="Weights of two bare `nn.Dense` are both called weight; an optimizer refuses them.",
        mindspore="""
layers = nn.Dense(1, 1, has_bias=False), nn.Dense(1, 1, has_bias=False)
len(nn.SGD([p for layer in layers for p in layer.trainable_params()], 0.1).parameters)
""",
        expected="2",
        here="Names are made unique by the model.",
    ),
    Row(
        id="numpy-scalar-rate",
        title="A NumPy number as rate",
        kind="fails",
        says="Neither takes `np.float32(0.1)` as a learning rate, nor does dnnbridge; all say so at once.",
        mindspore="steps(lambda p: nn.SGD(p, np.float32(0.1)), [1])",
        keras="steps(keras.optimizers.SGD(np.float32(0.1)), [1])",
        expected="-0.1",
    ),
)
