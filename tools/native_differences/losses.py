"""Losses: averaging, clipping, and checks of arguments."""

from __future__ import annotations

from native_differences.row import Row

LOSSES = (
    Row(
        id="reduction-sum",
        title="reduction='sum'",
        kind="differs",
        says="MindSpore adds up all elements, Keras the means of the examples. Squares of four examples of six ones.",
        mindspore="nn.MSELoss('sum')(tensor(np.ones((4, 6))), tensor(np.zeros((4, 6))))",
        keras="float(keras.losses.MeanSquaredError(reduction='sum')(np.zeros((4, 6)), np.ones((4, 6))))",
        like_keras="value(db.MeanSquaredError(), np.ones((4, 6)), np.zeros((4, 6))).sum()",
        here="`MeanSquaredError(reduction='sum')` is Keras'.",
    ),
    Row(
        id="mse-broadcast",
        title="A column against a row",
        kind="wrong",
        says="MindSpore broadcasts labels (5,) against predictions (5, 1) to (5, 5), with no error. All five are right "
        "here, so the loss should be 0.",
        mindspore="nn.MSELoss()(tensor(np.arange(5).reshape(5, 1)), tensor(np.arange(5)))",
        keras="float(keras.losses.MeanSquaredError()(np.arange(5.0), np.arange(5.0).reshape(5, 1)))",
        expected="0.0",
        here="Labels of another shape are an error.",
    ),
    Row(
        id="sparse-mean-infinite",
        title="SoftmaxCrossEntropyWithLogits(sparse=True, reduction='mean')",
        kind="wrong",
        says="It is -log(softmax) and infinite once the probability underflows; with 'none' it is exact. Logits 110 and "
        "0, the label is the second class.",
        mindspore="nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction='mean')(tensor([[110, 0]]), integers([1]))",
        keras="float(keras.losses.SparseCategoricalCrossentropy(from_logits=True)(np.array([1]), np.array([[110.0, 0.0]])))",
        expected="value(db.SparseCategoricalCrossentropy(True), np.array([[110.0, 0.0]]), np.array([1]))",
    ),
    Row(
        id="bad-label-zero",
        title="A label that is no class",
        kind="fails",
        says="With 'none', MindSpore's loss of label 9 of 2 classes is 0, and nothing is said.",
        mindspore="""
loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="none")
try:
    found = loss(tensor([[100, 0]]), integers([9])).asnumpy()
except Exception:
    found = "an error"
found
""",
        expected="'an error'",
        here="Labels are checked before training.",
    ),
    Row(
        id="bad-label-xla",
        title="A label that is no class, under XLA",
        kind="fails",
        says="Keras' loss is NaN under `jit_compile=True`; an error without.",
        keras="""
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
try:
    found = tf.function(loss, jit_compile=True)(tf.constant([9]), tf.constant([[1.0, 0.0]])).numpy()
except Exception:
    found = "an error"
found
""",
        expected="'an error'",
        here="Labels are checked before training.",
    ),
    Row(
        id="class-weights",
        title="What weighted losses are divided by",
        kind="differs",
        says="MindSpore's class weights divide by the sum of the weights, Keras' sample weights by the number of "
        "examples. Two uncertain examples of two classes, weights 1 and 3.",
        mindspore="nn.CrossEntropyLoss(weight=tensor([1, 3]))(tensor([[0, 0], [0, 0]]), integers([0, 1]))",
        keras="""
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
float(loss(np.array([0, 1]), np.zeros((2, 2)), sample_weight=np.array([1.0, 3.0])))
""",
        like_mindspore="np.log(2)",
        like_keras="2 * np.log(2)",
        here="`reduction='weighted_mean'` and `'mean'`, with `class_weights` or `sample_weight`.",
    ),
    Row(
        id="all-ignored",
        title="A batch whose labels are all ignored",
        kind="wrong",
        says="MindSpore divides 0 by 0; Keras' `ignore_class` gives 0.",
        mindspore="nn.CrossEntropyLoss()(tensor([[1, 0]]), integers([-100]))",
        keras="""
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-100)
float(loss(np.array([-100]), np.array([[1.0, 0.0]])))
""",
        expected="0.0",
        here="`SparseCategoricalCrossentropy(ignore_class=-100)` gives 0.",
    ),
    Row(
        id="kl-mean",
        title="The mean of KLDivLoss",
        kind="differs",
        says="Its default 'mean' divides by all elements, so it is smaller than the divergence by the number of classes; "
        "'batchmean' is Keras' KLDivergence.",
        mindspore="nn.KLDivLoss()(ops.log(tensor([[0.5, 0.5]])), tensor([[0.9, 0.1]]))",
        keras="float(keras.losses.KLDivergence()(np.array([[0.9, 0.1]]), np.array([[0.5, 0.5]])))",
        like_keras="value(db.KLDivergence(), np.array([[0.5, 0.5]]), np.array([[0.9, 0.1]]))",
        here="Divide by the number of classes with `Head(…, weight=1 / classes)` for MindSpore's.",
    ),
    Row(
        id="bce-clipping",
        title="Binary cross-entropy of a sure wrong answer",
        kind="differs",
        says="MindSpore adds 1e-12 to the probability, Keras clips it at 1e-7. Probability 0, label 1.",
        mindspore="nn.BCELoss(reduction='mean')(tensor([[0], [0]]), tensor([[1], [1]]))",
        keras="float(keras.losses.BinaryCrossentropy()(np.array([[1.0]]), np.array([[0.0]])))",
        like_mindspore="value(db.BinaryCrossentropy(epsilon=1e-12), np.array([[0.0]]), np.array([[1.0]]))",
        like_keras="value(db.BinaryCrossentropy(), np.array([[0.0]]), np.array([[1.0]]))",
    ),
    Row(
        id="bce-one",
        title="The mean of one element",
        kind="wrong",
        says="Mean and sum of the binary cross-entropy of a single element, and its gradient, are twice what they should be "
        "in MindSpore; of two they are right. "
        "Means of one and of two answers of 0.5.",
        mindspore="[nn.BCELoss(reduction='mean')(tensor([[0.5]] * n), tensor([[1]] * n)).item() for n in (1, 2)]",
        keras="[float(keras.losses.BinaryCrossentropy()(np.ones((n, 1)), np.full((n, 1), 0.5))) for n in (1, 2)]",
        expected="np.log(2.0) * np.ones(2)",
    ),
    Row(
        id="bce-gradient",
        title="The gradient of that answer",
        kind="differs",
        says="-1e12 in MindSpore, which ends a training; 0 in Keras, which learns nothing from it. Use logits.",
        mindspore="slope(lambda p: nn.BCELoss(reduction='sum')(p, tensor([[1], [1]])), [[0], [0]])",
        keras="slope(lambda p: keras.losses.BinaryCrossentropy(reduction='sum')(tf.ones((2, 1)), p), [[0.0], [0.0]])",
        like_keras="slope(db.BinaryCrossentropy(), np.zeros((2, 1)), np.ones((2, 1)))",
    ),
    Row(
        id="cosine-offset",
        title="Cosine losses",
        kind="differs",
        says="`CosineEmbeddingLoss` is 1 - cos, Keras' `CosineSimilarity` is -cos. For equal vectors:",
        mindspore="nn.CosineEmbeddingLoss()(tensor([[3, 4]]), tensor([[3, 4]]), tensor([1]))",
        keras="float(keras.losses.CosineSimilarity()(np.array([[3.0, 4.0]]), np.array([[3.0, 4.0]])))",
        like_keras="value(db.CosineSimilarity(), np.array([[3.0, 4.0]]), np.array([[3.0, 4.0]]))",
    ),
    Row(
        id="cross-entropy-shape",
        title="Default reduction of SoftmaxCrossEntropyWithLogits",
        kind="differs",
        says="'none': one loss per example, where Keras gives the mean. How many numbers two examples make.",
        mindspore="nn.SoftmaxCrossEntropyWithLogits(sparse=True)(tensor([[1, 0], [1, 0]]), integers([0, 1])).size",
        keras="np.size(keras.losses.SparseCategoricalCrossentropy(from_logits=True)(np.array([0, 1]), np.array([[1.0, 0], [1, 0]])))",
        here="`reduction` is 'mean' everywhere unless a spec says otherwise.",
    ),
    Row(
        id="probabilities-clip-order",
        title="Cross-entropy of what does not sum up to 1",
        kind="wrong",
        says="Keras normalises predictions; the sparse loss clips to [1e-7, 1 - 1e-7] before that and the one-hot one "
        "after, so the two differ for the same example. Predictions 1.8 and 0.2, the first class.",
        keras="""
sparse, one_hot = keras.losses.SparseCategoricalCrossentropy(), keras.losses.CategoricalCrossentropy()
p = np.array([[1.8, 0.2]], np.float32)
[float(sparse(np.array([0]), p)), float(one_hot(np.array([[1.0, 0.0]], np.float32), p))]
""",
        expected="-np.log(0.9) * np.ones(2)",
        like_keras="""
p = np.array([[1.8, 0.2]])
sparse = value(db.SparseCategoricalCrossentropy(), p, np.array([0]))
one_hot = value(db.CategoricalCrossentropy(), p, np.array([[1.0, 0.0]]))
[float(sparse[0]), float(one_hot[0])]
""",
        here="The same here, so that the names have one meaning; `normalize=False` takes predictions as they are.",
    ),
    Row(
        id="cross-entropy-huge",
        title="CrossEntropyLoss of huge logits",
        kind="wrong",
        says="With logits of 3e38 and 0 the loss of the first class is 0.",
        mindspore="nn.CrossEntropyLoss()(tensor([[3e38, -3e38]]), integers([0]))",
        keras="float(keras.losses.SparseCategoricalCrossentropy(from_logits=True)(np.array([0]), np.array([[3e38, -3e38]], np.float32)))",
        expected="0.0",
    ),
    Row(
        id="cross-entropy-float64",
        title="Losses in float64",
        kind="fails",
        says="MindSpore's cross-entropies refuse float64.",
        mindspore="nn.CrossEntropyLoss()(Tensor(np.zeros((1, 2))), integers([0]))",
        expected="np.log(2.0)",
        here="The backend `reference` computes everything in float64.",
    ),
    Row(
        id="hinge-labels",
        title="Labels of a hinge loss",
        kind="differs",
        says="Keras turns labels 0 and 1 into -1 and 1 only if no other label is in the batch, so a batch decides what a "
        "0 means. Prediction 0.5 with the label 0, alone and beside a label of -1.",
        keras="""
hinge = keras.losses.Hinge(reduction="none")
alone = hinge(np.array([[0.0], [1.0]]), np.array([[0.5], [0.5]]))
beside = hinge(np.array([[0.0], [-1.0]]), np.array([[0.5], [0.5]]))
[float(alone[0]), float(beside[0])]
""",
        expected="[1.5, 1.5]",
        here="`Hinge` takes -1 and 1, or 0 and 1; labels with both -1 and 0 are an error.",
    ),
)
