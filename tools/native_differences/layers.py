"""Layers: defaults, layouts, running statistics."""

from __future__ import annotations

from native_differences.row import Row

LAYERS = (
    Row(
        id="batch-norm-variance",
        title="The running variance of BatchNormalization",
        kind="differs",
        says="MindSpore follows the unbiased variance of a batch, Keras the biased one that normalises. One step with "
        "momentum 0.5 over the numbers 0, 1, 2, 3.",
        mindspore="""
layer = nn.BatchNorm1d(1, momentum=0.5).set_train()
layer(tensor([[0], [1], [2], [3]]))
layer.moving_variance
""",
        keras="""
layer = keras.layers.BatchNormalization(momentum=0.5)
layer(np.array([[0], [1], [2], [3]], np.float32), training=True)
layer.moving_variance.numpy()
""",
        like_mindspore="trained(db.BatchNormalization.mindspore(momentum=0.5), [[0.0], [1.0], [2.0], [3.0]]).buffers()['batch_normalization/moving_variance']",
        like_keras="trained(db.BatchNormalization(momentum=0.5), [[0.0], [1.0], [2.0], [3.0]]).buffers()['batch_normalization/moving_variance']",
    ),
    Row(
        id="batch-norm-defaults",
        title="Epsilon and momentum of BatchNormalization",
        kind="differs",
        says="1e-5 and 0.9 in MindSpore, 1e-3 and 0.99 in Keras. What the inputs -0.01 and 0.01 become, and the running "
        "mean of two inputs of 1.",
        mindspore="""
layer = nn.BatchNorm1d(1).set_train()
made = layer(tensor([[-0.01], [0.01]])).asnumpy().ravel()
other = nn.BatchNorm1d(1).set_train()
other(tensor([[1.0], [1.0]]))
[*made, other.moving_mean.asnumpy()[0]]
""",
        keras="""
layer, other = keras.layers.BatchNormalization(), keras.layers.BatchNormalization()
made = np.asarray(layer(np.array([[-0.01], [0.01]], np.float32), training=True)).ravel()
other(np.ones((2, 1), np.float32), training=True)
[*made, other.moving_mean.numpy()[0]]
""",
        like_mindspore="""
layer = db.BatchNormalization.mindspore()
run = trained(layer, [[1.0], [1.0]])
x = 0.01 / np.sqrt(1e-4 + layer.epsilon)
[-x, x, run.buffers()["batch_normalization/moving_mean"][0]]
""",
        like_keras="""
layer = db.BatchNormalization()
run = trained(layer, [[1.0], [1.0]])
x = 0.01 / np.sqrt(1e-4 + layer.epsilon)
[-x, x, run.buffers()["batch_normalization/moving_mean"][0]]
""",
    ),
    Row(
        id="batch-norm-one",
        title="BatchNormalization of one example",
        kind="wrong",
        says="A training step over a single example makes MindSpore's running variance NaN, by n / (n - 1), and all "
        "predictions after it.",
        mindspore="""
layer = nn.BatchNorm1d(2).set_train()
layer(tensor([[1, 2]]))
layer.moving_variance
""",
        keras="""
layer = keras.layers.BatchNormalization(momentum=0.9)
layer(np.array([[1, 2]], np.float32), training=True)
layer.moving_variance.numpy()
""",
        expected="trained(db.BatchNormalization.mindspore(), [[1.0, 2.0]]).buffers()['batch_normalization/moving_variance']",
    ),
    Row(
        id="dropout-argument",
        title="The argument of Dropout",
        kind="differs",
        says="The first argument of `nn.Dropout` is the probability to keep, in Keras and in `nn.Dropout(p=…)` to drop. "
        "The fraction of zeros of Dropout(0.1).",
        mindspore="""
layer = nn.Dropout(0.1).set_train()
(layer(tensor(np.ones((300, 300)))).asnumpy() == 0).mean()
""",
        keras="""
layer = keras.layers.Dropout(0.1, seed=0)
(np.asarray(layer(np.ones((300, 300), np.float32), training=True)) == 0).mean()
""",
        like_mindspore="(value(db.Dropout(1 - 0.1), np.ones((300, 300))) == 0).mean()",
        like_keras="(value(db.Dropout(0.1), np.ones((300, 300))) == 0).mean()",
        tolerance=0.05,
    ),
    Row(
        id="dense-layout",
        title="The kernel of a Dense",
        kind="differs",
        says="(out, in) in MindSpore, (in, out) in Keras. The shape for 2 inputs and 3 outputs.",
        mindspore="nn.Dense(2, 3).weight.shape",
        keras="""
layer = keras.layers.Dense(3)
layer.build((None, 2))
layer.kernel.shape
""",
        like_keras="weights_of(db.Dense(3), (2,))['kernel'].shape",
    ),
    Row(
        id="conv-defaults",
        title="Defaults of a convolution",
        kind="differs",
        says="MindSpore pads ('same') and has no bias; Keras does not pad ('valid') and has one. Height and width of "
        "what a 3×3 makes of 5×5, and how many arrays of weights it has.",
        mindspore="""
layer = nn.Conv2d(1, 1, 3)
[*layer(tensor(np.ones((1, 1, 5, 5)))).shape[2:], len(layer.trainable_params())]
""",
        keras="""
layer = keras.layers.Conv2D(1, 3)
[*layer(np.ones((1, 5, 5, 1), np.float32)).shape[1:3], len(layer.weights)]
""",
        like_mindspore="""
layer = db.Conv2D.mindspore(1, 1, 3)
[*value(layer, np.ones((1, 1, 5, 5))).shape[2:], len(weights_of(layer, (1, 5, 5)))]
""",
        like_keras="""
layer = db.Conv2D(1, 3)
[*value(layer, np.ones((1, 5, 5, 1))).shape[1:3], len(weights_of(layer, (5, 5, 1)))]
""",
    ),
    Row(
        id="conv-nhwc",
        title="Channels last in a convolution",
        kind="fails",
        says="MindSpore takes `data_format='NHWC'` on a GPU only; MaxPool2d and BatchNorm2d too.",
        mindspore="nn.Conv2d(1, 1, 3, data_format='NHWC')(tensor(np.ones((1, 5, 5, 1)))).shape",
        expected="value(db.Conv2D(1, 3, padding='same'), np.ones((1, 5, 5, 1))).shape",
    ),
    Row(
        id="flatten-order",
        title="The order of a Flatten",
        kind="differs",
        says="After convolutions MindSpore's rows run over channels first, Keras' over channels last, so the kernel of "
        "the Dense that follows has other rows. One image of 1×2 pixels with the channels (1, 2) and (3, 4).",
        mindspore="nn.Flatten()(tensor([[[[1, 3]], [[2, 4]]]]))",
        keras="np.asarray(keras.layers.Flatten()(np.array([[[[1, 2], [3, 4]]]], np.float32)))",
        like_mindspore="value(db.Sequential([db.Input((1, 2, 2)), db.Permute((3, 1, 2)), db.Flatten()]), np.array([[[[1.0, 2.0], [3.0, 4.0]]]]))",
        like_keras="value(db.Flatten(), np.array([[[[1.0, 2.0], [3.0, 4.0]]]]))",
    ),
    Row(
        id="layer-norm-epsilon",
        title="Epsilon of LayerNormalization",
        kind="differs",
        says="1e-7 in MindSpore, 1e-3 in Keras: features that differ by little are normalised or vanish.",
        mindspore="nn.LayerNorm((2,))(tensor([[-1e-3, 1e-3]]))",
        keras="np.asarray(keras.layers.LayerNormalization()(np.array([[-1e-3, 1e-3]], np.float32)))",
        like_mindspore="1e-3 / np.sqrt(1e-6 + db.LayerNormalization.mindspore().epsilon) * np.array([-1, 1])",
        like_keras="1e-3 / np.sqrt(1e-6 + db.LayerNormalization().epsilon) * np.array([-1, 1])",
    ),
    Row(
        id="max-pool-defaults",
        title="Defaults of a maximum pool",
        kind="differs",
        says="`nn.MaxPool2d()` has a window and stride of 1 and changes nothing; Keras' have 2. The height of 6×6 after.",
        mindspore="nn.MaxPool2d()(tensor(np.ones((1, 1, 6, 6)))).shape[2]",
        keras="keras.layers.MaxPooling2D()(np.ones((1, 6, 6, 1), np.float32)).shape[1]",
        like_mindspore="value(db.MaxPooling2D.mindspore(), np.ones((1, 1, 6, 6))).shape[2]",
        like_keras="value(db.MaxPooling2D(), np.ones((1, 6, 6, 1))).shape[1]",
    ),
    Row(
        id="average-pool-padding",
        title="count_include_pad of a mean pool",
        kind="ignored",
        says="With 'same', `nn.AvgPool2d(count_include_pad=True)` leaves the padding out all the same. The last corner of "
        "a 2×2 mean over 3×3 ones has one pixel and three zeros.",
        mindspore="nn.AvgPool2d(2, 2, 'same', count_include_pad=True)(tensor(np.ones((1, 1, 3, 3)))).asnumpy()[0, 0, 1, 1]",
        expected="0.25",
        like_mindspore="value(db.AveragePooling2D(2, 2, 'same'), np.ones((1, 3, 3, 1)))[0, 1, 1, 0]",
    ),
    Row(
        id="embedding-padding",
        title="padding_idx of an Embedding",
        kind="ignored",
        says="The row of the padding is 0 at the start and then trained like any other. Its gradient:",
        mindspore="""
layer = nn.Embedding(3, 1, padding_idx=0)
f = ms.value_and_grad(lambda x: layer(x).sum(), None, layer.trainable_params())
f(integers([[0, 1]]))[1][0].asnumpy()[0]
""",
        expected="evaluated(db.Embedding.mindspore(3, 1, padding_idx=0), np.array([[0, 1]]))['d/embeddings'][0]",
    ),
    Row(
        id="embedding-clamped",
        title="An Embedding of an index that does not exist",
        kind="fails",
        says="Under `jit_compile=True` Keras gives the last row; without, an error.",
        keras="""
layer = keras.layers.Embedding(3, 1, embeddings_initializer="ones")
try:
    found = tf.function(layer, jit_compile=True)(tf.constant([[5]])).numpy()
except Exception as error:
    found = "an error"
found
""",
        expected="'an error'",
        here="Indices are checked before a step on every backend.",
    ),
    Row(
        id="lstm-biases",
        title="Biases of an LSTM",
        kind="differs",
        says="MindSpore has two, of the input and of the state; Keras one. Numbers in the weights, 3 inputs, 2 units.",
        mindspore="sum(p.size for p in nn.LSTM(3, 2).trainable_params())",
        keras="""
layer = keras.layers.LSTM(2)
layer.build((None, 5, 3))
layer.count_params()
""",
        like_mindspore="sum(w.size for w in weights_of(db.LSTM.mindspore(2), (5, 3)).values())",
        like_keras="sum(w.size for w in weights_of(db.LSTM(2), (5, 3)).values())",
    ),
    Row(
        id="lstm-forget",
        title="The forget gate's bias",
        kind="differs",
        says="Keras starts it at 1 (`unit_forget_bias`), MindSpore at random within ±1 / √units. The mean over 400 units.",
        mindspore="""
bias = [p for p in nn.LSTM(3, 400).trainable_params() if "bias_ih" in p.name][0].asnumpy()
abs(bias[400:800].mean().round(1))
""",
        keras="""
layer = keras.layers.LSTM(400)
layer.build((None, 5, 3))
layer.weights[2].numpy()[400:800].mean()
""",
        like_mindspore="abs(weights_of(db.LSTM.mindspore(400), (5, 3))['bias'].ravel()[400:800].mean().round(1))",
        like_keras="weights_of(db.LSTM(400), (5, 3))['bias'].ravel()[400:800].mean()",
    ),
    Row(
        id="gru-order",
        title="The order of a GRU's gates",
        kind="differs",
        says="MindSpore's blocks are r, z, n, Keras' z, r, h. All weights 0 but the first third of the bias, which is 100, "
        "and a state of 1: in Keras it opens the update gate and the state stays.",
        mindspore="""
layer = nn.GRU(1, 1)
for p in layer.trainable_params():
    p.set_data(ms.ops.zeros_like(p))
first = [p for p in layer.trainable_params() if "bias_ih" in p.name][0]
first.set_data(tensor([100, 0, 0]))
layer(tensor([[[0]]]), tensor([[[1]]]))[0]
""",
        keras="""
layer = keras.layers.GRU(1)
layer.build((None, 1, 1))
layer.set_weights([np.zeros(w.shape) for w in layer.weights[:2]] + [np.array([[100.0, 0, 0], [0, 0, 0]])])
np.asarray(layer(np.zeros((1, 1, 1), np.float32), initial_state=[np.ones((1, 1), np.float32)]))
""",
        here="Blocks are in Keras' order; permute MindSpore's by (1, 0, 2).",
    ),
)
