"""Activations and operations, value and gradient, against float64."""

from __future__ import annotations

from native_differences.row import Row

KERNELS = (
    Row(
        id="prelu-start",
        title="Where PReLU starts",
        kind="differs",
        says="One slope of 0.25 in MindSpore, a slope of 0 per feature in Keras. The value at -1.",
        mindspore="nn.PReLU()(tensor([[-1, -1]]))",
        keras="np.asarray(keras.layers.PReLU()(np.array([[-1, -1]], np.float32)))",
        here="`PReLU.mindspore()` and `PReLU.keras()`.",
    ),
    Row(
        id="leaky-relu-slope",
        title="The slope of LeakyReLU",
        kind="differs",
        says="0.2 in MindSpore, 0.3 in Keras' layer and 0.2 in its function. The value at -1.",
        mindspore="nn.LeakyReLU()(tensor([-1]))",
        keras="np.asarray(keras.layers.LeakyReLU()(np.array([-1], np.float32)))",
        like_mindspore="value(db.LeakyReLU.mindspore(), np.array([[-1.0]]))",
        like_keras="value(db.LeakyReLU.keras(), np.array([[-1.0]]))",
    ),
    Row(
        id="gelu-approximate",
        title="GELU exact or by tanh",
        kind="differs",
        says="MindSpore's default is the approximation by tanh, Keras' the exact one. The value at 2.",
        mindspore="nn.GELU()(tensor([2]))",
        keras="np.asarray(keras.activations.gelu(np.array([2], np.float32)))",
        like_mindspore="value(db.GELU.mindspore(), np.array([[2.0]]))",
        like_keras="value(db.GELU.keras(), np.array([[2.0]]))",
        tolerance=2e-5,
    ),
    Row(
        id="tanh",
        title="tanh",
        kind="wrong",
        says="The CPU kernel of MindSpore errs by 1e-4, exceeds 1 just below 5 and is 1 from there on.",
        mindspore="ops.tanh(tensor([2.5, 4.99, 6.0])).asnumpy() - np.tanh([2.5, 4.99, 6.0])",
        keras="tf.tanh(tf.constant([2.5, 4.99, 6.0])).numpy() - np.tanh([2.5, 4.99, 6.0])",
        expected="np.zeros(3)",
        tolerance=3e-6,
        here="The MindSpore backend uses a tanh of its own, within 3e-7.",
    ),
    Row(
        id="selu-gradient",
        title="The gradient of SeLU",
        kind="wrong",
        says="For x < 0 it is λ α exp(x). MindSpore has λ (y + 1), with y the value.",
        mindspore="slope(ops.selu, [-3, -1])",
        keras="slope(keras.activations.selu, [-3.0, -1.0])",
        expected="1.0507009873554805 * 1.6732632423543772 * np.exp([-3.0, -1.0])",
        like_keras="slope(db.SELU(), np.array([[-3.0, -1.0]]))",
    ),
    Row(
        id="mish-overflow",
        title="Mish of 50",
        kind="wrong",
        says="x · tanh(softplus(x)) is x there. MindSpore's is NaN from 44.5 on.",
        mindspore="ops.mish(tensor([50]))",
        keras="np.asarray(keras.activations.mish(np.array([50.0], np.float32)))",
        expected="value(db.Mish(), np.array([[50.0]]))",
    ),
    Row(
        id="log-sigmoid-overflow",
        title="LogSigmoid of -100",
        kind="wrong",
        says="It is x there. MindSpore takes the logarithm of a sigmoid that has underflown.",
        mindspore="nn.LogSigmoid()(tensor([-100]))",
        keras="np.asarray(keras.activations.log_sigmoid(np.array([-100.0], np.float32)))",
        expected="value(db.LogSigmoid(), np.array([[-100.0]]))",
    ),
    Row(
        id="softmax-masked-row",
        title="Softmax after a row that is masked out",
        kind="wrong",
        says="A row of -∞ has no softmax. In MindSpore the rows after it come out as what was in memory. How many of the "
        "199 other rows do not sum up to 1.",
        mindspore="""
x = np.random.default_rng(0).normal(size=(200, 10)).astype(np.float32)
x[100] = -np.inf
sums = ops.softmax(Tensor(x), axis=-1).asnumpy().sum(-1)
float((~(np.abs(sums - 1) < 1e-3)).sum() - 1) > 0
""",
        keras="""
x = np.random.default_rng(0).normal(size=(200, 10)).astype(np.float32)
x[100] = -np.inf
sums = tf.nn.softmax(x).numpy().sum(-1)
float((~(np.abs(sums - 1) < 1e-3)).sum() - 1) > 0
""",
        expected="'False'",
        here="`MultiHeadAttention` gives the mean where there is nothing to look at.",
    ),
    Row(
        id="softplus-underflow",
        title="Softplus of -20",
        kind="wrong",
        says="It is exp(-20) there, 2.06e-9. MindSpore's CPU kernel gives 0 in blocks of eight elements and the right "
        "number in the rest. The first and the ninth of nine equal elements:",
        mindspore="ops.softplus(tensor([-20] * 9)).asnumpy()[[0, 8]]",
        keras="np.asarray(keras.activations.softplus(np.full(9, -20.0, np.float32)))[[0, 8]]",
        expected="value(db.Softplus(), np.full((1, 9), -20.0))[0, [0, 8]]",
        tolerance=1e-3,
    ),
    Row(
        id="elu-alpha",
        title="alpha of ELU",
        kind="fails",
        says="MindSpore takes no alpha but 1.",
        mindspore="nn.ELU(0.5)(tensor([-1]))",
        keras="np.asarray(keras.layers.ELU(alpha=0.5)(np.array([-1.0], np.float32)))",
        expected="value(db.ELU(0.5), np.array([[-1.0]]))",
    ),
    Row(
        id="relu-nan",
        title="ReLU of NaN",
        kind="wrong",
        says="MindSpore's is 0, so a training that has diverged looks alive.",
        mindspore="ops.relu(tensor([np.nan]))",
        keras="np.asarray(keras.activations.relu(np.array([np.nan], np.float32)))",
        expected="value(db.ReLU(), np.array([[np.nan]]))",
    ),
    Row(
        id="leaky-relu-zero",
        title="The gradient of LeakyReLU at 0",
        kind="differs",
        says="The slope in Keras and here; in MindSpore the mean of the slope and 1.",
        mindspore="slope(nn.LeakyReLU(0.2), [0])",
        keras="slope(keras.layers.LeakyReLU(0.2), [0.0])",
        like_keras="slope(db.LeakyReLU(0.2), np.array([[0.0]]))",
    ),
    Row(
        id="celu-zero",
        title="The gradient of CELU at 0",
        kind="wrong",
        says="Both sides have the slope 1 there. Keras' formula passes the gradient twice.",
        mindspore="slope(nn.CELU(), [0])",
        keras="slope(keras.activations.celu, [0.0])",
        expected="1.0",
        like_mindspore="slope(db.CELU(), np.array([[0.0]]))",
    ),
    Row(
        id="relu6-corner",
        title="The gradient of ReLU6 at 6",
        kind="differs",
        says="1 in MindSpore, 0 in TensorFlow.",
        mindspore="slope(ops.relu6, [6])",
        keras="slope(tf.nn.relu6, [6.0])",
        here="0 on every backend, as TensorFlow.",
        like_keras="slope(db.ReLU6(), np.array([[6.0]]))",
    ),
    Row(
        id="exp-error",
        title="exp",
        kind="wrong",
        says="The relative error of MindSpore's is 5e-6 within ±10, of TensorFlow's 1e-7; the largest over 2001 points:",
        mindspore="""
x = np.linspace(-10, 10, 2001).astype(np.float32)
np.abs(ops.exp(Tensor(x)).asnumpy() / np.exp(x.astype(np.float64)) - 1).max()
""",
        keras="""
x = np.linspace(-10, 10, 2001).astype(np.float32)
np.abs(tf.exp(x).numpy() / np.exp(x.astype(np.float64)) - 1).max()
""",
        expected="0.0",
        tolerance=1e-6,
        here="The tolerances of the suite allow for it.",
    ),
    Row(
        id="log1p-small",
        title="log1p of 1e-5",
        kind="wrong",
        says="Its purpose is to be exact near 0. The relative error:",
        mindspore="ops.log1p(tensor([1e-5])).asnumpy().astype(np.float64) / np.log1p(np.float64(np.float32(1e-5))) - 1",
        keras="tf.math.log1p(tf.constant([1e-5])).numpy().astype(np.float64) / np.log1p(np.float64(np.float32(1e-5))) - 1",
        expected="0.0",
        tolerance=1e-6,
    ),
    Row(
        id="log-softmax-float64",
        title="log_softmax in float64",
        kind="wrong",
        says="MindSpore's takes float64 and is as exact as float32. The error for the logits 1, 2, 3.",
        mindspore="""
x = np.array([[1.0, 2.0, 3.0]])
np.abs(ops.log_softmax(Tensor(x), axis=-1).asnumpy() - (x - np.log(np.exp(x).sum()))).max()
""",
        keras="""
x = np.array([[1.0, 2.0, 3.0]])
np.abs(tf.nn.log_softmax(x).numpy() - (x - np.log(np.exp(x).sum()))).max()
""",
        expected="0.0",
        tolerance=1e-12,
    ),
    Row(
        id="float64-times-float",
        title="A float64 tensor times 0.1",
        kind="wrong",
        says="MindSpore rounds the Python number to float32 first. The error:",
        mindspore="(Tensor(np.ones(1)) * 0.1).asnumpy() - 0.1",
        keras="(tf.constant([1.0], tf.float64) * 0.1).numpy() - 0.1",
        expected="0.0",
        tolerance=1e-12,
    ),
    Row(
        id="cast-float64",
        title="keras.ops.cast of a Python number",
        kind="wrong",
        says="cast(0.999, 'float64') passes through float32. The error:",
        keras="float(keras.ops.cast(0.999, 'float64')) - 0.999",
        expected="0.0",
        tolerance=1e-12,
    ),
    Row(
        id="denormals",
        title="Numbers below 1.2e-38",
        kind="differs",
        says="TensorFlow takes them as 0, MindSpore keeps them. Whether 1e-40 · 1 is above 0.",
        mindspore="float((tensor([1e-40]) * tensor([1.0])).asnumpy()[0] > 0)",
        keras="float((tf.constant([1e-40]) * tf.constant([1.0])).numpy()[0] > 0)",
        here="The suite compares nothing that small.",
    ),
)
