"""784-300-100-10 with ReLU on MNIST, from your folder or .npz file.

dnnbridge train examples/mnist_mlp.py --data mnist:PATH --batch-size 50
dnnbridge schedule examples/mnist_mlp.py --steps 2000 --plot rate.svg
"""

import dnnbridge as db

experiment = db.Experiment(
    model=db.Sequential(
        [
            db.Input((784,)),
            db.Dense(300, activation="relu", kernel_initializer="he_normal"),
            db.Dense(100, activation="relu", kernel_initializer="he_normal"),
            db.Dense(10),
        ]
    ),
    loss=db.SparseCategoricalCrossentropy(from_logits=True),
    optimizer=db.SGD(
        learning_rate=db.ExponentialDecay(0.05, decay_rate=0.9, decay_steps=400),
        momentum=0.9,
        nesterov=True,
    ),
    metrics=["accuracy"],
    seed=0,
)
