"""Names that every piece of code may use, the same on every side."""

MINDSPORE = '''
import numpy as np
import mindspore as ms
from mindspore import Parameter, Tensor, mint, nn, ops
from mindspore.experimental import optim

np.random.seed(0)

def tensor(x): return Tensor(np.asarray(x, np.float32))
def weight(x, name="w"): return Parameter(tensor(x), name=name)
def integers(x): return Tensor(np.asarray(x, np.int32))
def slope(f, x): return ms.grad(f)(tensor(x)).asnumpy()

def steps(make, gradients, start=0.0):
    """Where a weight is after one update per gradient."""
    gradients = np.asarray(gradients, np.float32)
    p = weight(np.full(gradients.shape[1:] or (1,), start))
    optimizer = make([p])
    for g in gradients:
        optimizer((tensor(g.reshape(p.shape)),))
    return p.asnumpy().copy()
'''

KERAS = '''
import numpy as np
import keras
import tensorflow as tf

keras.utils.set_random_seed(0)

def slope(f, x):
    x = tf.constant(x, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x).numpy()

def steps(optimizer, gradients, start=0.0, rates=None):
    """Where a weight is after one update per gradient."""
    gradients = np.asarray(gradients, np.float32)
    p = keras.Variable(np.full(gradients.shape[1:] or (1,), start, np.float32))
    optimizer.build([p])
    for i, g in enumerate(gradients):
        if rates:
            optimizer.learning_rate = rates[i]
        optimizer.apply([tf.constant(g.reshape(p.shape))], [p])
    return p.numpy()
'''

REFERENCE = '''
import numpy as np
import dnnbridge as db
from dnnbridge.graph import BATCH, TensorType
from dnnbridge.backend.plugins import load_backend
from dnnbridge.testing.harness import equation, trajectory

def types(arrays):
    kinds = {"i": "int32", "f": "float32"}
    return [TensorType((BATCH, *a.shape[1:]), kinds[a.dtype.kind]) for a in arrays]

def steps(optimizer, gradients, start=0.0):
    """Where a weight is after one update per gradient, in float64."""
    gradients = np.asarray(gradients, np.float32)
    gradients = gradients.reshape(len(gradients), *(gradients.shape[1:] or (1,)))
    p = np.full(gradients.shape[1:], start, np.float32)
    return trajectory(load_backend("reference"), optimizer, p, gradients)["p"]

def evaluated(spec, *arrays):
    """What a spec makes of arrays, one row per example, and the derivatives of its sum."""
    arrays = [np.asarray(a) for a in arrays]
    arrays = [a.astype(np.float32) if a.dtype.kind == "f" else a for a in arrays]
    built = equation(lambda scope, *v: scope.call(spec, *v), types(arrays), arrays)
    built.feeds["weights"] = np.ones_like(built.feeds["weights"])
    return built.run(load_backend("reference"))

def value(spec, *arrays): return evaluated(spec, *arrays)["value"]
def slope(spec, *arrays): return evaluated(spec, *arrays)["d/input_0"]

def trained(layer, x):
    """A run after one step of a model of that one layer, at a rate of nearly 0."""
    x = np.asarray(x)
    model = db.Sequential([db.Input(x.shape[1:], "int32" if x.dtype.kind == "i" else "float32"), layer])
    run = db.compile(db.Experiment(model, db.MeanSquaredError(), db.SGD(1e-30)), "reference")
    run.fit(x, np.zeros((len(x), *model.output_shape[1:])), batch_size=len(x), epochs=1, verbose=0)
    return run

def weights_of(layer, shape):
    """The initial weights of a layer, by name."""
    model = db.Sequential([db.Input(shape), layer])
    run = db.compile(db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1)), "reference")
    return {name.split("/")[-1]: array for name, array in run.parameters().items()}
'''

PRELUDES = {"mindspore": MINDSPORE, "keras": KERAS, "reference": REFERENCE}
