"""Large tables are updated by the rows that a step reads, with the numbers of the whole table."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge import ops
from dnnbridge.backend import row_updates
from dnnbridge.backend.flattening import flatten
from dnnbridge.backend.plugins import load_backend
from dnnbridge.graph import ValueAndGrad
from dnnbridge.layers import AbstractLayer
from dnnbridge.optimizers import AbstractWrapper, Adagrad, ExponentialMovingAverage, Lookahead
from dnnbridge.reference.backend import ReferenceBackend, ReferenceExecutable
from dnnbridge.specs.spec import spec
from dnnbridge.testing.cases.optimizer_cases import OPTIMIZER_CASES
from dnnbridge.training.compiling import compile_for
from dnnbridge.training.profiling import TimedBackend, profile

ROWS = 9
START = db.RandomNormal(0.0, 0.5)


@pytest.fixture(autouse=True)
def _small_tables_too(monkeypatch):
    monkeypatch.setattr(row_updates, "LEAST", 0)
    monkeypatch.setattr(row_updates, "EXAMPLES", 0)


@spec
class Shifted(AbstractLayer):
    """Rows of a table at computed indices, some of which are out of range."""

    shift: int = 0

    def emit(self, scope, x):
        table = scope.parameter("embeddings", (ROWS, 3), START)
        return ops.take(table, ops.cast(ops.cast(x, "float32") + float(self.shift), "int32"))


@spec
class Read(AbstractLayer):
    """Rows of a table at indices sliced from the input, or at constant indices."""

    fixed: bool = False

    def emit(self, scope, x):
        table = scope.parameter("embeddings", (ROWS, 3), START)
        if self.fixed:
            chosen = ops.take(table, scope.builder.constant(np.array([4, 1, 4, 0])))
            return ops.cast(x, "float32") @ chosen
        return ops.take(table, ops.slice(x, (0, 1), (None, 2)))


@spec
class Numbers(AbstractLayer):
    """A number for each index: a table of one axis."""

    def emit(self, scope, x):
        return ops.take(scope.parameter("embeddings", (ROWS,), START), x)


def words(*shape):
    return np.random.default_rng(0).integers(0, ROWS - 3, (11, *shape)).astype(np.int32)


def sequential(table, *layers):
    return db.Sequential([db.Input((4,), "int32"), table, db.Flatten(), *layers, db.Dense(2)])


def shared():
    a, b = db.Input((4,), "int32", name="a"), db.Input((2, 2), "int32", name="b")
    table = db.Embedding(ROWS, 3, name="embedding")
    rows = db.Concatenate()(db.Flatten()(table(a)), db.Flatten()(table(b)))
    return db.Model([a, b], db.Dense(2)(db.Dense(5, "tanh")(rows)))


def tied():
    """A model whose table is also the kernel of a matrix product."""
    x = db.Input((4,), "int32")
    return db.Model(x, db.Dense(2)(db.Flatten()(Tied()(x))))


@spec
class Tied(AbstractLayer):
    def emit(self, scope, x):
        table = scope.parameter("embeddings", (ROWS, 3), START)
        return ops.take(table, x) @ ops.reshape(ops.slice(table, (0, 0), (3, 3)), (3, 3))


def plain():
    return sequential(db.Embedding(ROWS, 3), db.Dense(5, "tanh"))


MODELS = {
    "plain": plain,
    "padding": lambda: sequential(db.Embedding(ROWS, 3, padding_idx=1)),
    "shared": shared,
    "cut": lambda: sequential(Read()),
    "fixed": lambda: sequential(Read(True)),
    "numbers": lambda: sequential(Numbers()),
    "one_axis": lambda: db.Sequential([db.Input((), "int32"), db.Embedding(ROWS, 3), db.Dense(2)]),
}

OPTIMIZERS = {
    "sgd": db.SGD(0.5),
    "adagrad": Adagrad(0.3),
    "lazy": db.LazyAdam(0.05),
    "lazy-nesterov": db.LazyAdam(0.05, nesterov=True, beta_1=db.ExponentialDecay(0.9, 3, 0.9)),
}


def experiment(model, optimizer, **fields):
    return db.Experiment(model, db.MeanSquaredError(), optimizer, seed=3, **fields)


def lowered(made):
    """Return the step as a backend lowers it."""
    return flatten(made.program().functions["train"], {}, rows=True)


def count(flat, op):
    return Counter(type(node.op) for node in flat.graph.walk())[op]


class ByRows(ReferenceExecutable):
    """The reference with the graph of a backend that updates by rows."""

    def __init__(self, program):
        super().__init__(program)
        self._graphs |= {"train": flatten(program.functions["train"], {}, rows=True).graph}


class ByRowsBackend(ReferenceBackend):
    def compile(self, program, device):
        return ByRows(program)


def trained(made, backend, x):
    by_name = isinstance(backend, str)
    run = db.compile(made, backend) if by_name else compile_for(backend, made, "cpu")
    labels = np.random.default_rng(1).normal(size=(11, 2)).astype(np.float32)
    history = run.fit(x, labels, batch_size=4, epochs=3)
    return run, history


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("model", MODELS)
def test_rows_have_the_numbers_of_the_whole_table(model, optimizer):
    """In float64 they agree to rounding. Words are repeated within every batch."""
    made = experiment(MODELS[model](), OPTIMIZERS[optimizer])
    slots = len(OPTIMIZERS[optimizer].slots(()))
    assert count(lowered(made), ops.PutRows) == 1 + slots
    x = words() if model == "one_axis" else words(4)
    if model == "shared":
        x = {"a": x, "b": words(2, 2)}
    whole, _ = trained(made, "reference", x)
    rows, _ = trained(made, ByRowsBackend(), x)
    start = db.compile(made, "reference").state()
    for name, array in whole.state().items():
        np.testing.assert_allclose(rows.state()[name], array, rtol=1e-12, atol=1e-14)
        if name == "embedding/embeddings" and optimizer == "sgd":
            assert np.abs(array - start[name]).max() > 1e-3


@spec
class Watched(AbstractWrapper):
    """Reads a weight, its gradient or the new weight, and stores its sum in a slot."""

    what: str

    def emit(self, updates, weights):
        updates.writes |= self.emit_inner(updates, weights).writes
        for weight in weights:
            seen = {"before": weight.value, "gradient": weight.gradient}
            seen["after"] = updates.writes[weight.name]
            value = updates.slot(f"{weight.name}:sum", ())
            axes = tuple(range(weight.value.rank))
            updates.writes[f"{weight.name}:sum"] = value + ops.reduce_sum(seen[self.what], axes)


LEFT = {
    "momentum": {"optimizer": db.SGD(0.1, momentum=0.5)},
    "adam": {"optimizer": db.Adam(0.1)},
    "adagrad-0/0": {"optimizer": Adagrad(0.1, 0.0, 0.0)},
    "decay": {"optimizer": db.SGD(0.1, weight_decay=0.1)},
    "decay-coupled": {
        "optimizer": db.LazyAdam(0.1, weight_decay=db.CoupledWeightDecay(0.1)),
    },
    "not-lazy": {"optimizer": db.LazyAdam(0.1, lazy=("dense/kernel",))},
    "regularizer": {"optimizer": db.SGD(0.1), "regularizers": {"embedding/*": db.L2(0.1)}},
    "constraint": {"optimizer": db.SGD(0.1), "constraints": {"embedding/*": db.MaxNorm(1.0)}},
    "clipping": {"optimizer": db.SGD(0.1), "gradients": db.ClipByGlobalNorm(0.1)},
    "average": {"optimizer": ExponentialMovingAverage(db.SGD(0.1))},
    "reads-table": {"optimizer": Watched(db.SGD(0.1), "before")},
    "reads-gradient": {"optimizer": Watched(db.SGD(0.1), "gradient")},
    "reads-result": {"optimizer": Watched(db.SGD(0.1), "after")},
    "lookahead": {"optimizer": Lookahead(db.SGD(0.1))},
    "accumulation": {"optimizer": db.SGD(0.1), "accumulate": 2},
    "loss_scale": {"optimizer": db.SGD(0.1), "loss_scale": db.DynamicLossScale()},
    "tied": {"optimizer": db.SGD(0.1), "model": tied},
    "computed": {"optimizer": db.SGD(0.1), "model": lambda: sequential(Shifted())},
}


@pytest.mark.parametrize("fields", LEFT.values(), ids=LEFT)
def test_what_needs_the_whole_table_is_left_as_it_is(fields):
    """The graph equals the one without row updates, which other tests check."""
    given = dict(fields)
    made = experiment(given.pop("model", plain)(), given.pop("optimizer"), **given)
    function = made.program().functions["train"]
    assert str(lowered(made).graph) == str(flatten(function, {}).graph)


def test_a_frozen_table_has_no_gradient_and_is_read_by_rows():
    flat = lowered(experiment(plain(), db.Adam(0.1), frozen=["embedding/*"]))
    (node,) = (node for node in flat.graph.nodes if isinstance(node.op, ValueAndGrad))
    assert "embedding/embeddings" in flat.tables.values()
    assert all(node.inputs[i] not in flat.tables for i in node.op.wrt)


def test_small_tables_and_those_that_a_batch_may_read_whole_are_not_for_rows(monkeypatch):
    monkeypatch.undo()
    for rows, features, by_rows in ((2**15, 8, 1), (2**15, 4, 0), (2**12, 2**9, 0)):
        made = experiment(sequential(db.Embedding(rows, features)), db.SGD(0.1))
        assert count(lowered(made), ops.PutRows) == by_rows, (rows, features)


def test_rows_are_of_use_to_exactly_those_optimizers_that_leave_them():
    """Two rows whose gradient is 0 must keep their numbers and slots from then on."""
    from dnnbridge.backend.plugins import load_backend
    from dnnbridge.testing.harness import trajectory

    reference, seen = load_backend("reference"), set()
    for case in OPTIMIZER_CASES:
        optimizer = case.optimizer
        if optimizer.weight_decay is not None or case.start.shape != (12, 3):
            continue
        gradients = case.gradients[:12].copy()
        gradients[4:, [2, 7]] = 0.0
        before = trajectory(reference, optimizer, case.start, gradients[:4])
        after = trajectory(reference, optimizer, case.start, gradients)
        arrays = [n for n, a in after.items() if a.shape == case.start.shape]
        stay = all((after[n][[2, 7]] == before[n][[2, 7]]).all() for n in arrays)
        lazy = not isinstance(optimizer, db.LazyAdam) or "p" in optimizer.lazy
        if optimizer.leaves_rows and lazy:
            assert stay, case.id
            seen.add(type(optimizer))
    assert seen == {db.SGD, Adagrad, db.LazyAdam}


both = pytest.mark.parametrize("backend", ["tensorflow", "mindspore"])


@both
def test_backends_put_rows_where_the_table_lies(backend):
    pytest.importorskip(backend)
    made = experiment(plain(), db.LazyAdam(0.05))
    run, _ = trained(made, backend, words(4))
    expected, _ = trained(made, "reference", words(4))
    for name, array in expected.state().items():
        np.testing.assert_allclose(run.state()[name], array, rtol=2e-5, atol=2e-6)
    timed = TimedBackend(load_backend(backend))
    run = compile_for(timed, made, "cpu")
    found = profile(run, timed, words(4), np.zeros((11, 2), np.float32), 4, epochs=1)
    assert found.operations["PutRows"] == 3
    assert "OneHot" not in found.operations
    assert found.in_place >= 3


@both
def test_an_index_that_the_table_lacks_is_seen_and_corrupts_no_other_row(backend):
    """The loss is NaN; all rows that no example read keep their numbers, the last one too."""
    pytest.importorskip(backend)
    made = experiment(sequential(OffTable()), db.SGD(0.5))
    assert count(lowered(made), ops.PutRows) == 1
    x = np.full((11, 4), 2, np.int32)
    x[:, 1] = 3
    for shift in (-ROWS, ROWS):
        x[2, 0] = 2 + shift
        run = db.compile(made, backend)
        before = run.parameters()["off_table/embeddings"]
        labels = np.zeros((11, 2), np.float32)
        history = run.fit(x, labels, batch_size=11, epochs=1)
        after = run.parameters()["off_table/embeddings"]
        assert np.isnan(history.step_losses[0])
        others = [row for row in range(ROWS) if row not in (2, 3)]
        np.testing.assert_array_equal(after[others], before[others])


@spec
class OffTable(AbstractLayer):
    """As an Embedding; its indices go through a slice, so that nothing looks at them before."""

    def emit(self, scope, x):
        table = scope.parameter("embeddings", (ROWS, 3), START)
        return ops.take(table, ops.slice(x, (0, 0), (None, 4)))
