"""`align` names planted differences at their first stage, with the argument that makes them."""

import pytest
from doctor.aligning_nets import DATA, SMALL, adam, normalised, run

import dnnbridge as db
from dnnbridge.doctor.aligning import align

DECAYING = db.ExponentialDecay(0.1, decay_steps=1, decay_rate=0.5)
SHIFTED = db.ExponentialDecay(0.2, decay_steps=1, decay_rate=0.5)
COUPLED = db.SGD(0.1, momentum=0.9, weight_decay=db.CoupledWeightDecay(0.1))
DECOUPLED = db.SGD(0.1, momentum=0.9, weight_decay=db.DecoupledWeightDecay(0.1))

PLANTED = {
    "epsilon of Adam": (
        lambda: adam(),
        lambda: adam(epsilon=1e-8),
        (1, "update", "hidden/kernel"),
        "epsilon of Adam is 1e-07 here and 1e-08 there.",
    ),
    "beta of Adam": (
        lambda: adam(),
        lambda: adam(beta_2=0.99),
        (1, "update", "hidden/kernel"),
        "beta_2 of Adam is 0.999 here and 0.99 there.",
    ),
    "schedule": (
        lambda: run(optimizer=db.SGD(DECAYING)),
        lambda: run(optimizer=db.SGD(SHIFTED)),
        (1, "update", "hidden/kernel"),
        "initial_learning_rate of ExponentialDecay is 0.1 here and 0.2 there.",
    ),
    "later rate": (
        lambda: run(optimizer=db.SGD(db.PiecewiseConstantDecay([2], [0.1, 0.01]))),
        lambda: run(optimizer=db.SGD(db.PiecewiseConstantDecay([1], [0.1, 0.01]))),
        (3, "update", "hidden/kernel"),
        "boundaries of PiecewiseConstant is 2 here and 1 there.",
    ),
    "momentum of running statistics": (
        lambda: run(*normalised()),
        lambda: run(*normalised(momentum=0.9)),
        (1, "statistics", "bn/moving_mean"),
        "momentum of BatchNormalization is 0.99 here and 0.9 there.",
    ),
    "epsilon of a layer": (
        lambda: run(*normalised()),
        lambda: run(*normalised(epsilon=1e-5)),
        (1, "layer", "bn"),
        "epsilon of BatchNormalization is 0.001 here and 1e-05 there.",
    ),
    "dropout": (
        lambda: run(db.Dense(4, name="hidden"), db.Dropout(0.0, name="drop")),
        lambda: run(db.Dense(4, name="hidden"), db.Dropout(0.5, name="drop")),
        (1, "layer", "drop"),
        "rate of Dropout is 0.0 here and 0.5 there.",
    ),
    "decay": (
        lambda: run(optimizer=COUPLED),
        lambda: run(optimizer=DECOUPLED),
        (1, "slots", "hidden/kernel:velocity"),  # the first update of both is the same
        "weight_decay of SGD is CoupledWeightDecay(rate=0.1) here and "
        "DecoupledWeightDecay(rate=0.1) there.",
    ),
    "reduction": (
        lambda: run(loss=db.MeanSquaredError()),
        lambda: run(loss=db.MeanSquaredError(reduction="sum")),
        (1, "loss", "loss"),
        "reduction of MeanSquaredError is 'mean' here and 'sum' there.",
    ),
    "clipping": (
        lambda: run(gradients=[db.ClipByGlobalNorm(0.01)]),
        lambda: run(),
        (1, "update", "hidden/kernel"),
        "gradients is (ClipByGlobalNorm(limit=0.01),) here and none there.",
    ),
    "frozen": (
        lambda: run(),
        lambda: run(frozen=("hidden/*",)),
        (1, "gradient", "hidden/kernel"),
        "frozen is none here and ('hidden/*',) there.",
    ),
    "penalty": (
        lambda: run(db.Dense(4, name="hidden", kernel_regularizer=db.L2(0.1))),
        lambda: run(db.Dense(4, name="hidden")),
        (1, "loss", "loss"),
        "kernel_regularizer of Dense is L2(l2=0.1) here and None there.",
    ),
    "metric": (
        lambda: run(metrics=[db.BinaryAccuracy()]),
        lambda: run(metrics=[db.BinaryAccuracy(threshold=0.1)]),
        (3, "metrics", "binary_accuracy"),
        "threshold of BinaryAccuracy is 0.5 here and 0.1 there.",
    ),
}


RULES_OF = {
    "epsilon of Adam": "adam-epsilon",
    "later rate": "piecewise-boundary",
    "momentum of running statistics": "batch-norm-defaults",
    "epsilon of a layer": "batch-norm-defaults",
    "decay": "weight-decay-coupled",
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_difference_is_named_at_its_first_stage(name):
    first, second, place, explanation = PLANTED[name]
    data = SMALL if name == "epsilon of Adam" else DATA
    found = align(first(), second(), data, 4, 8)
    assert not found.agrees
    assert (found.first.step, found.first.stage, found.first.where) == place
    (cause,) = found.causes
    assert cause.explanation.startswith(explanation)
    assert cause.rule == RULES_OF.get(name)
    assert (cause.explanation == explanation) == (cause.rule is None)
    assert found.first.error > found.first.allowed
    assert explanation in str(found).splitlines()[0]


@pytest.mark.parametrize("name", PLANTED)
def test_a_training_agrees_with_itself(name):
    first, second = (make() for make in [PLANTED[name][1]] * 2)
    found = align(first, second, DATA, 3, 8)
    assert (found.agrees, found.first, found.causes) == (True, None, ())
    assert str(found).startswith("They agree: 3 steps")
