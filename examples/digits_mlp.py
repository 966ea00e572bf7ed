"""A small smooth network on 8 × 8 digits; no download needed.

dnnbridge train examples/digits_mlp.py --data digits
dnnbridge compare examples/digits_mlp.py --data digits --backends tensorflow,mindspore,reference
"""

import dnnbridge as db

experiment = db.Experiment(
    model=db.Sequential(
        [
            db.Input((64,)),
            db.Dense(32, activation="tanh"),
            db.Dense(10),
        ]
    ),
    loss=db.SparseCategoricalCrossentropy(from_logits=True),
    optimizer=db.SGD(learning_rate=0.1, momentum=0.9),
    metrics=["accuracy"],
    seed=0,
)
