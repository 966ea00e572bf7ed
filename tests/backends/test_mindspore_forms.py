"""Every form of a convolution under MindSpore meets the reference, whatever a probe says."""

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.backend import choosing
from dnnbridge.backend.kernel_variable import VARIABLE
from dnnbridge.backend.plugins import load_backend
from dnnbridge.errors import DeclaredLimitationError
from dnnbridge.graph import inline
from dnnbridge.testing.checks import all_checks, select
from dnnbridge.testing.subject import Subject
from dnnbridge.training import reuse

pytest.importorskip("mindspore")

import mindspore as ms
from dnnbridge_mindspore import forms
from dnnbridge_mindspore.generator import generate

CHECKS = [check for check in all_checks() if check.entry == "Conv"]
"""All checks of the operation `Conv`. By default a quarter of them run."""

MORE = [
    *select(all_checks(), words="conv,inception,resnet,lenet,images"),
    *select(all_checks(), words="pool,norm"),
]


@pytest.fixture(autouse=True)
def anew():
    """Empty the cache of executables: it does not know that these tests change the forms."""
    reuse.clear()
    yield
    reuse.clear()


def test_the_description_names_every_form():
    from dnnbridge_mindspore.plugin import INFO

    assert {group.name: group.candidates for group in INFO.kernels} == {
        "mindspore.conv": tuple(forms.CANDIDATES)
    }


def require(check, form, monkeypatch):
    """Compare the backend with the reference, with one form for all convolutions."""
    monkeypatch.setenv(VARIABLE, f"mindspore.conv={form}")
    check.require(Subject(load_backend("mindspore"), "cpu"))


@pytest.mark.parametrize("form", forms.CANDIDATES)
@pytest.mark.parametrize(
    "check",
    [
        pytest.param(check, id=check.id, marks=[pytest.mark.slow] if k % 4 else [])
        for k, check in enumerate(CHECKS)
    ],
)
def test_every_form_of_a_convolution(check, form, monkeypatch):
    require(check, form, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("form", forms.CANDIDATES)
@pytest.mark.parametrize("check", MORE, ids=lambda check: f"{check.area}-{check.id}")
def test_every_form_in_layers_and_trainings(check, form, monkeypatch):
    try:
        require(check, form, monkeypatch)
    except DeclaredLimitationError as error:
        pytest.skip(str(error))


def net():
    """A net in which neighbours of a convolution want channels where they are not."""
    x = db.Input((8, 9, 3))
    y = db.Conv2D(6, 3, padding="same", activation="tanh")(x)
    z = db.Conv2D(6, 3, padding="same")(y)
    y = db.BatchNormalization()(db.Add()([y, z]))
    y = db.AveragePooling2D(2)(db.Activation("tanh")(y))
    z = db.DepthwiseConv2D(3, padding="same")(y)
    y = db.Multiply()([y, z])
    y = db.Concatenate()([db.GlobalAveragePooling2D()(y), db.GlobalAveragePooling2D()(z)])
    return db.Model(x, db.Dense(3)(y))


def experiment(model):
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    return db.Experiment(model, loss, db.SGD(0.1, momentum=0.9), seed=3)


def trained(backend, batch=4):
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(12, 8, 9, 3)).astype(np.float32), rng.integers(0, 3, 12)
    run = db.compile(experiment(net()), backend)
    losses = run.fit(x, y, batch, 2).step_losses
    return losses, run.parameters(), run.predict(x)


@pytest.mark.parametrize(
    ("few", "some"), [("native", "native"), ("native", "slices"), ("slices", "native")]
)
def test_forms_may_be_neighbours(few, some, monkeypatch):
    """Forms are chosen per kind, so neighbouring convolutions may differ in layout."""

    def choose(question, about, candidates):
        return few if "up to 4" in question else some

    monkeypatch.setattr(forms, "choose", choose)
    losses, weights, predicted = trained("mindspore")
    expected = trained("reference")
    np.testing.assert_allclose(losses, expected[0], rtol=1e-5)
    np.testing.assert_allclose(predicted, expected[2], rtol=1e-4, atol=1e-5)
    for name, weight in weights.items():
        np.testing.assert_allclose(weight, expected[1][name], rtol=1e-4, atol=1e-5, err_msg=name)


def block():
    """Three convolutions with a normalisation between, pools, and a sum."""
    x = db.Input((16, 16, 3))
    first = db.Activation("relu")(db.BatchNormalization()(db.Conv2D(8, 3, padding="same")(x)))
    second = db.Activation("relu")(db.BatchNormalization()(db.Conv2D(8, 3, padding="same")(first)))
    y = db.MaxPooling2D()(db.Add()([first, second]))
    return db.Model(x, db.Dense(10)(db.GlobalAveragePooling2D()(db.Conv2D(8, 3)(y))))


@pytest.mark.parametrize(
    ("model", "form", "transposes"),
    [
        (db.zoo.lenet5, "native", 2),  # of the images, and before the first Dense
        (db.zoo.lenet5, "slices", 4),  # around the pools
        (block, "native", 1),  # of the images: the mean over space reads either
        (block, "slices", 2),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_channels_stay_where_they_are_from_one_layer_to_the_next(
    model, form, transposes, monkeypatch
):
    monkeypatch.setenv(VARIABLE, f"mindspore.conv={form}")
    source, _ = generate(experiment(model()).program().functions["train"])
    assert source.count("TRANSPOSE") == transposes


@pytest.mark.parametrize("form", forms.CANDIDATES)
def test_a_probe_runs_and_leaves_the_mode_of_the_caller(form, monkeypatch, tmp_path):
    monkeypatch.setattr(choosing.platformdirs, "user_cache_dir", lambda name: str(tmp_path))
    monkeypatch.setattr(choosing, "_KNOWN", {})
    monkeypatch.setattr(choosing, "_TAKEN", {})
    monkeypatch.delenv(VARIABLE, raising=False)
    times = {name: 1.0 if name == form else 9.0 for name in forms.CANDIDATES}
    measure, measured = choosing._times, []

    def timed(candidates):
        measured.append(measure(candidates))
        return times

    monkeypatch.setattr(choosing, "_times", timed)
    ms.set_context(mode=ms.PYNATIVE_MODE)
    model = db.Sequential([db.Input((6, 6, 5)), db.Conv2D(2, 3), db.Flatten(), db.Dense(2)])
    run = db.compile(experiment(model), "mindspore")
    run.fit(np.ones((4, 6, 6, 5), np.float32), np.zeros(4, np.int32), 2)
    assert ms.get_context("mode") == ms.PYNATIVE_MODE
    assert [set(each) for each in measured] == [set(forms.CANDIDATES)]
    assert min(measured[0].values()) > 0.0
    assert [choice.name for choice in choosing.choices()] == [form]


@pytest.mark.parametrize(
    ("filters", "size", "groups", "channels", "kind"),
    [
        (8, 3, 1, 1, "2 axes, up to 4 channels"),
        (8, 5, 1, 32, "2 axes, up to 32 channels"),
        (8, 1, 1, 33, "2 axes, over 32 channels"),
        (8, 3, 2, 4, "2 axes, up to 32 channels a group"),
        (8, 3, 4, 4, "2 axes, depthwise"),
        (8, 8, 1, 3, "None"),
    ],
)
def test_convolutions_are_of_few_kinds(filters, size, groups, channels, kind):
    layer = db.Conv2D(filters, size, groups=groups)
    program = experiment(
        db.Sequential([db.Input((9, 9, channels)), layer, db.Flatten(), db.Dense(2)])
    ).program()
    found = [
        str(forms.kind_of_conv(node.op, node.inputs[1].type))
        for node in inline(program.functions["predict"].graph).walk()
        if type(node.op).__name__ == "Conv"
    ]
    assert set(found) == {kind}
