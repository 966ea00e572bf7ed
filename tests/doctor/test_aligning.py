"""`align`: several differences, wrong kernels, what stays as it was, the answer shown."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from diagnose.nets import kept, same
from doctor.aligning_nets import DATA, X, adam, net, normalised, run
from sabotage.other_rules import OtherRules

import dnnbridge as db
from dnnbridge import errors as db_errors
from dnnbridge import ops
from dnnbridge.doctor.aligning import align
from dnnbridge.ops import RULES
from dnnbridge.ops.rule import Rule
from dnnbridge.training.compiling import compile_for


def test_two_differences_are_both_found_in_order():
    a = run(*normalised(), optimizer=db.Adam(0.01))
    b = run(*normalised(epsilon=1e-5), optimizer=db.Adam(0.1))
    found = align(a, b, DATA, 4, 8)
    assert [difference.stage for difference, _ in found.found] == ["layer", "update"]
    assert [cause.argument.name for _, cause in found.found] == ["epsilon", "learning_rate"]
    rate, epsilon = found.causes  # the rate has the larger effect
    assert (rate.argument.name, epsilon.argument.name) == ("learning_rate", "epsilon")
    assert rate.effect > epsilon.effect > 0


def test_two_arguments_of_one_optimizer_are_both_found():
    found = align(adam(), run(optimizer=db.Adam(0.02, beta_1=0.8)), DATA, 4, 8)
    assert {cause.argument.name for cause in found.causes} == {"learning_rate", "beta_1"}


def test_an_argument_without_effect_is_a_note_only():
    found = align(adam(), adam(epsilon=1.001e-7), DATA, 2, 8)
    assert found.agrees
    assert found.notes == (
        "epsilon of Adam is 1e-07 here and 1.001e-07 there, which makes no difference beyond "
        "rounding here.",
    )


def test_the_effect_is_the_change_of_the_loss_when_the_difference_is_mended():
    found = align(run(), run(optimizer=db.SGD(0.5)), DATA, 3, 24)
    losses = []
    for rate in (0.1, 0.5):
        alone = run(optimizer=db.SGD(rate))
        alone.fit(*DATA, 24, 3, shuffle=False, verbose=0)
        losses.append(alone.evaluate(*DATA)["loss"])
    np.testing.assert_allclose(found.causes[0].effect, abs(losses[0] - losses[1]), rtol=1e-6)


def broken(experiment, by=1e-3):
    """Compile for a backend whose tanh is off by a part of it."""
    right = RULES[ops.Tanh]
    wrong = Rule(lambda op, x: right.forward(op, x) * (1 + by), right.vjp)
    return compile_for(OtherRules({ops.Tanh: wrong}), experiment, "cpu")


def test_between_runs_in_float64_only_the_roundings_of_float64_are_allowed():
    a, by = run(precision="float64"), 1e-11
    assert align(a, broken(net(precision="float64"), 1e-16), DATA, 4, 8).agrees
    found = align(a, broken(net(precision="float64"), by), DATA, 4, 8)
    assert (found.first.stage, found.first.where) == ("layer", "hidden")
    assert found.first.error == pytest.approx(by, rel=1e-2)
    assert align(a, broken(net(), by), DATA, 4, 8).agrees  # one of them computes in float32


@pytest.mark.parametrize("swapped", [False, True])
def test_a_wrong_kernel_is_found_at_its_layer_and_reproduced(tmp_path, swapped):
    sides = run(), broken(net())
    found = align(*reversed(sides) if swapped else sides, DATA, 4, 8)
    assert (found.first.step, found.first.stage, found.first.where) == (1, "layer", "hidden")
    assert found.first.error == pytest.approx(1e-3, rel=1e-3)
    (cause,) = found.causes
    assert (cause.rule, cause.argument) == (None, None)
    guilty = "the first" if swapped else "the second"
    assert cause.explanation.endswith(f"{guilty} (reference) that computes something else.")
    *_, script = found.reproduce(tmp_path)
    assert len(script.read_text().splitlines()) <= 12
    output = run_script(script)
    distance = {line.split()[0]: float(line.split()[-1]) for line in output.splitlines()}
    wrong, right = ("first", "second") if swapped else ("second", "first")
    assert distance[wrong] > 1e-4
    assert distance[right] < 1e-6


def run_script(path):
    made = subprocess.run(
        [sys.executable, path.name], cwd=path.parent, capture_output=True, text=True, check=True
    )
    return made.stdout


def test_an_unexplained_difference_counts_from_four_times_what_rounding_allows():
    allowed = align(run(), broken(net()), DATA, 1, 8).first.allowed
    narrow, wide = (align(run(), broken(net(), by * allowed), DATA, 1, 8) for by in (2.0, 6.0))
    assert narrow.agrees
    assert narrow.notes[0].startswith("Little above what rounding allows, and not counted: step 1")
    assert (wide.first.stage, wide.first.where) == ("layer", "hidden")


def test_a_wrong_kernel_does_not_hide_what_the_arguments_explain():
    found = align(run(), broken(net(optimizer=db.SGD(0.2))), DATA, 4, 8)
    assert [cause.argument and cause.argument.name for _, cause in found.found] == [
        None,
        "learning_rate",
    ]


def test_a_wrong_gradient_is_found_at_its_weight_and_reproduced(tmp_path):
    right = RULES[ops.Tanh]
    wrong = Rule(right.forward, lambda *args: tuple(g * 1.01 for g in right.vjp(*args)))
    backend = OtherRules({ops.Tanh: wrong})
    found = align(run(), compile_for(backend, net(), "cpu"), DATA, 2, 8)
    assert (found.first.stage, found.first.where) == ("gradient", "hidden/kernel")
    assert found.causes[0].rule is None
    *_, script = found.reproduce(tmp_path)
    first, second = (line.split() for line in run_script(script).splitlines())
    assert first[:2] == ["hidden/kernel", "first"]
    assert float(first[-1]) < 1e-8 < 1e-4 < float(second[-1])


def test_a_number_near_its_kink_excuses_gradients_of_two_steps_and_no_output():
    x = X.copy()
    x[:, 0] = 1e-8  # the other numbers are about 1
    layers = db.Dense(4, "tanh", name="hidden"), db.Activation("relu"), db.Dense(5)
    shifted = [db.Activation("relu", name="first"), *layers]
    right = RULES[ops.Tanh]
    wrong = Rule(right.forward, lambda *args: tuple(g * 1.01 for g in right.vjp(*args)))
    backend = OtherRules({ops.Tanh: wrong})
    pair = run(*shifted), compile_for(backend, net(*shifted), "cpu")
    found = align(*pair, (x, DATA[1]), 2, 8)
    assert found.agrees
    assert [note.split(" numbers")[0] for note in found.notes] == ["In step 1", "In step 2"]
    assert align(*pair, (x, DATA[1]), 3, 8).first.step == 3
    found = align(run(*shifted), broken(net(*shifted)), (x, DATA[1]), 1, 8)
    assert (found.first.stage, found.first.where) == ("layer", "hidden")


def test_both_subjects_stay_as_they_were():
    a, b = adam(), run(optimizer=db.Adam(0.1))
    a.fit(*DATA, 8, 1, verbose=0)
    before = [kept(each) for each in (a, b)]
    found = align(a, b, DATA, 2, 8)
    assert found.first.step == 1
    assert all(same(*pair) for pair in zip(before, map(kept, (a, b)), strict=True))


def test_both_start_from_the_weights_of_the_first():
    first, second = net(seed=1), net(seed=2)
    pair = [db.compile(each, "reference") for each in (first, second)]
    assert align(*pair, DATA, 4, 8).agrees


def test_masks_of_dropout_are_the_same():
    layers = db.Dense(6, "relu"), db.Dropout(0.5)
    pair = [db.compile(net(*layers, seed=seed), "reference") for seed in (1, 2)]
    assert align(*pair, DATA, 4, 8).agrees


def test_layers_with_other_names_are_matched_in_order():
    first, second = run(db.Dense(4, name="one")), run(db.Dense(4, name="two"))
    assert align(first, second, DATA, 2, 8).agrees


def test_a_short_last_batch_and_validation_are_compared():
    plain, weighted = run(metrics=["mae"]), run(metrics=["mae"])
    found = align(plain, weighted, DATA, 4, 7, validation_data=DATA)
    assert found.agrees
    assert found.compared > 4 * 10


def test_the_answer_as_text_json_and_page():
    found = align(run(), run(optimizer=db.SGD(0.2)), DATA, 2, 8)
    assert str(found).splitlines()[0] == found.verdict
    assert found.verdict.startswith("They part at step 1, in the update of hidden/kernel: 1.0e+00")
    made = json.loads(found.to_json())
    assert (made["agrees"], made["differences"][0]["stage"]) == (False, "update")
    assert "SGD(learning_rate=0.1)" in made["differences"][0]["remedy"]
    assert "learning_rate of SGD is 0.1 here and 0.2 there." in found._repr_html_()


WRONG = {
    "subject": (lambda: (run(), 3, DATA), db_errors.DTypeError, "b: align takes a Run"),
    "weights": (
        lambda: (run(), run(db.Dense(7, name="hidden")), DATA),
        db_errors.DataError,
        "the models must have the same weights",
    ),
    "data": (lambda: (run(), run(), X), db_errors.DataError, "data: must be"),
    "empty": (lambda: (run(), run(), (X[:0], X[:0])), db_errors.DataError, "no examples"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_compared_is_refused(name):
    make, kind, said = WRONG[name]
    with pytest.raises(kind, match=said):
        align(*make())


def test_the_examples_of_the_guide_do_what_it_says(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (Path(__file__).parents[2] / "docs" / "guide" / "aligning.md").read_text("utf-8")
    first, second = re.findall(r"```python\n(.*?)```", text, re.S)
    wanted = re.search(r"prints\n\n```\n(.*?)```", text, re.S)[1]
    names = {}
    exec(compile(first, "aligning.md", "exec"), names)
    assert capsys.readouterr().out == wanted
    exec(compile(second, "aligning.md", "exec"), names)
    assert capsys.readouterr().out.endswith(" times what is allowed: step 1, optimizer\n")
    assert [path.name for path in tmp_path.iterdir()] == ["alignment.html"]
