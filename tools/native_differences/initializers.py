"""Initializers: the distributions of initial weights."""

from __future__ import annotations

from native_differences.row import Row

DRAW = """
x = initializer({0}, (300, 400)).init_data().asnumpy().astype(np.float64)
"""
IMPORT = "from mindspore.common.initializer import initializer, {0}\n"

INITIALIZERS = (
    Row(
        id="dense-start",
        title="Where a Dense starts",
        kind="differs",
        says="MindSpore draws kernel and bias of a Dense uniformly within ±1 / √in; Keras the kernel within "
        "±√(6 / (in + out)), bias 0. Standard deviations of both, 300 inputs, 400 outputs.",
        mindspore="""
layer = nn.Dense(300, 400)
[layer.weight.asnumpy().std(), layer.bias.asnumpy().std()]
""",
        keras="""
layer = keras.layers.Dense(400)
layer.build((None, 300))
[w.numpy().std() for w in layer.weights]
""",
        like_mindspore="[w.std() for w in weights_of(db.Dense.mindspore(300, 400), (300,)).values()]",
        like_keras="[w.std() for w in weights_of(db.Dense(400), (300,)).values()]",
        tolerance=0.1,
    ),
    Row(
        id="variance-scaling",
        title="VarianceScaling(distribution='truncated_normal')",
        kind="wrong",
        says="MindSpore's default draws a uniform distribution. Kurtosis: 1.8 is uniform, a normal one that is cut at "
        "two standard deviations has 2.37.",
        mindspore=IMPORT.format("VarianceScaling")
        + DRAW.format("VarianceScaling()")
        + "(x**4).mean() / x.var() ** 2",
        keras="""
x = np.asarray(keras.initializers.VarianceScaling(seed=0)((300, 400)), np.float64)
(x**4).mean() / x.var() ** 2
""",
        expected="""
x = db.VarianceScaling().sample(np.random.default_rng(0), (300, 400))
(x**4).mean() / x.var() ** 2
""",
        like_mindspore="""
x = db.VarianceScaling.mindspore().sample(np.random.default_rng(0), (300, 400))
(x**4).mean() / x.var() ** 2
""",
        tolerance=0.05,
    ),
    Row(
        id="truncated-normal",
        title="Where TruncatedNormal is cut",
        kind="differs",
        says="MindSpore's bounds -2 and 2 are absolute, so with its default σ = 0.01 nothing is cut; Keras cuts at 2 σ. "
        "Whether any of 120 000 numbers is beyond 2 σ.",
        mindspore=IMPORT.format("TruncatedNormal")
        + DRAW.format("TruncatedNormal(0.01)")
        + "float(np.abs(x).max() > 0.02001)",
        keras="float(np.abs(np.asarray(keras.initializers.TruncatedNormal(stddev=0.01)((300, 400)))).max() > 0.02001)",
        like_mindspore="float(np.abs(db.TruncatedNormal.mindspore(0.01).sample(np.random.default_rng(0), (300, 400))).max() > 0.02001)",
        like_keras="float(np.abs(db.TruncatedNormal(0.0, 0.01).sample(np.random.default_rng(0), (300, 400))).max() > 0.02001)",
    ),
    Row(
        id="normal-kinds",
        title="HeNormal is truncated or not",
        kind="differs",
        says="Keras cuts at two standard deviations of the normal one and widens it to keep the variance; MindSpore does "
        "not cut. Largest number over standard deviation, over 3 or not.",
        mindspore=IMPORT.format("HeNormal")
        + DRAW.format("HeNormal()")
        + "float(np.abs(x).max() / x.std() > 3)",
        keras="""
x = np.asarray(keras.initializers.HeNormal(seed=0)((300, 400)))
float(np.abs(x).max() / x.std() > 3)
""",
        like_mindspore="""
x = db.HeNormal.mindspore().sample(np.random.default_rng(0), (300, 400))
float(np.abs(x).max() / x.std() > 3)
""",
        like_keras="""
x = db.HeNormal().sample(np.random.default_rng(0), (300, 400))
float(np.abs(x).max() / x.std() > 3)
""",
    ),
    Row(
        id="embedding-start",
        title="Where an Embedding starts",
        kind="differs",
        says="Normal with σ = 0.01 in MindSpore, uniform within ±0.05 in Keras.",
        mindspore="nn.Embedding(300, 400).embedding_table.asnumpy().std()",
        keras="""
layer = keras.layers.Embedding(300, 400)
layer.build()
layer.embeddings.numpy().std()
""",
        like_mindspore="db.Embedding.mindspore(300, 400).embeddings_initializer.sample(np.random.default_rng(0), (300, 400)).std()",
        like_keras="db.Embedding(300, 400).embeddings_initializer.sample(np.random.default_rng(0), (300, 400)).std()",
        tolerance=0.1,
    ),
    Row(
        id="seeds-of-numpy",
        title="set_seed seeds NumPy",
        kind="differs",
        says="`ms.set_seed` seeds NumPy's global generator, from which initializers draw: data that are shuffled by "
        "`np.random` come in another order. Whether NumPy's draws repeat after the call.",
        mindspore="""
ms.set_seed(1)
first = np.random.rand()
ms.set_seed(1)
float(first == np.random.rand())
""",
        expected="0.0",
        here="Weights, shuffles and masks come from keyed generators that nothing else reads.",
    ),
    Row(
        id="initializer-repeats",
        title="One initializer for two layers",
        kind="differs",
        says="An initializer of Keras that has a seed gives the same numbers at every call, so layers that share it "
        "start alike. Whether two draws are equal.",
        keras="""
initializer = keras.initializers.GlorotUniform(seed=0)
float(np.array_equal(initializer((3, 3)), initializer((3, 3))))
""",
        expected="""
initializer = db.GlorotUniform()
model = db.Sequential([db.Input((3,)), db.Dense(3, kernel_initializer=initializer), db.Dense(3, kernel_initializer=initializer)])
run = db.compile(db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1)), "reference")
kernels = [array for name, array in run.parameters().items() if name.endswith("kernel")]
float(np.array_equal(*kernels))
""",
    ),
)
