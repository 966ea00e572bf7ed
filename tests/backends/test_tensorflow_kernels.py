"""The forms of windows on TensorFlow: which is taken, that each is tested, and what is printed."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys

import pytest

from dnnbridge import ops
from dnnbridge.backend.kernel_variable import VARIABLE, named_candidates
from dnnbridge.backend.plugins import backend_facts, load_backend
from dnnbridge.errors import BackendError

if importlib.util.find_spec("tensorflow") is None:  # not imported: the backend decides how
    pytest.skip("TensorFlow is not installed", allow_module_level=True)

FLAT = ((0, 0), (0, 0))
CONV = ops.Conv((1, 1), FLAT, (1, 1))
SHAPES = ((2, 4, 4, 2), (2, 2, 2, 2))


@pytest.fixture(scope="module")
def windows():
    load_backend("tensorflow")
    from dnnbridge_tensorflow import windows

    return windows


def test_every_form_is_asked_by_some_variant(windows):
    """All cases run the default forms; a variant must force each of the others."""
    from dnnbridge_tensorflow.plugin import REWRITTEN, SLICES

    default = {"line", "pointwise", "depthwise", "native"}
    named = named_candidates(",".join(REWRITTEN)), named_candidates(",".join(SLICES))
    forced = {(group, name) for each in named for group in each for name in each[group]}
    there = {(f.name, c.name) for f in windows.WINDOWS.values() for c in f.candidates}
    assert {pair for pair in there if pair[1] not in default} == forced


def test_the_description_names_every_form(windows):
    from dnnbridge_tensorflow.plugin import INFO

    there = {f.name: tuple(c.name for c in f.candidates) for f in windows.WINDOWS.values()}
    assert {group.name: group.candidates for group in INFO.kernels} == there


def test_the_first_form_that_can_is_taken(windows, monkeypatch):
    from dnnbridge_tensorflow.candidates import choose

    monkeypatch.delenv(VARIABLE, raising=False)
    forms = windows.WINDOWS[ops.Conv]
    assert choose(forms, CONV, SHAPES, "cpu").name == "native"
    monkeypatch.setenv(VARIABLE, "mindspore.conv=native,tensorflow.conv=batches/slices")
    assert choose(forms, CONV, SHAPES, "cpu").name == "slices"
    dilated = ops.Conv((1, 1), FLAT, (2, 2))
    assert choose(forms, dilated, SHAPES, "cpu").name == "batches"
    monkeypatch.setenv(VARIABLE, "tensorflow.conv=slice")
    with pytest.raises(BackendError, match=r"'slice'.* 'slices'\?.* slices, split"):
        choose(forms, CONV, SHAPES, "cpu")


def refused(op, x, kernel):
    raise ValueError("no such kernel")


def test_a_kernel_that_is_wrong_or_refuses_is_not_taken(windows):
    from dnnbridge_tensorflow.probe import is_right

    assert is_right(windows._conv, CONV, SHAPES, "cpu")
    assert not is_right(lambda op, x, k: windows._conv(op, x, k) * 1.0001, CONV, SHAPES, "cpu")
    assert not is_right(refused, CONV, SHAPES, "cpu")


def test_a_kernel_with_a_wrong_derivative_is_not_taken(windows):
    import tensorflow as tf
    from dnnbridge_tensorflow.probe import is_right

    @tf.custom_gradient
    def conv(x, kernel):
        return tf.nn.conv2d(x, kernel, 1, "VALID"), lambda dy: (tf.zeros_like(x), kernel)

    assert not is_right(lambda op, x, kernel: conv(x, kernel), CONV, SHAPES, "cpu")


def test_what_the_user_has_chosen_stays(windows, monkeypatch):
    """TensorFlow reads its variables on import, so the backend sets none afterwards."""
    from dnnbridge_tensorflow.plugin import PLUGIN

    assert "tensorflow" in sys.modules
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    PLUGIN.load()
    assert "TF_ENABLE_ONEDNN_OPTS" not in os.environ
    assert "TF_CPP_MIN_LOG_LEVEL" not in os.environ


def test_lines_of_the_framework_are_held_back_and_no_others(monkeypatch, capfd):
    from dnnbridge_tensorflow.quiet import LEVEL, OURS, quiet

    lines = [
        b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n",
        b"I0000 00:00:1795899359.901729   10082 cudart_stub.cc:31] Could not find cuda drivers\n",
    ]
    for level, expected in ((OURS, ["mine", "E0000 1.2 an error"]), ("0", None)):
        monkeypatch.setenv(LEVEL, level)
        with quiet():
            os.write(2, b"".join([*lines, b"mine\n", b"E0000 1.2 an error\n"]))
        written = capfd.readouterr().err.splitlines()
        assert written == expected if expected else len(written) == 4


OF_GPUS = re.compile(r"Unable to register cu|All log messages before absl|computation_placer")
"""What TensorFlow 2.18 writes at its import, before any setting is read."""


def test_a_process_is_silent_and_has_asked_for_onednn():
    code = "import os, dnnbridge.backend.plugins as p; p.load_backend('tensorflow')\n"
    code += "print(p.backend_facts('tensorflow'), os.environ['TF_ENABLE_ONEDNN_OPTS'])"
    own = {n: v for n, v in os.environ.items() if not n.startswith("TF_")}
    done = subprocess.run([sys.executable, "-c", code], env=own, capture_output=True, text=True)
    lines = [line for line in done.stderr.splitlines() if not OF_GPUS.search(line)]
    assert not lines
    assert done.stdout.endswith(" 1\n")
    assert "oneDNN" in done.stdout


def test_facts_say_what_was_tried(windows):
    facts = backend_facts("tensorflow")
    assert facts["oneDNN"] == ("on" if windows.has_dilated_conv("cpu") else "off")
    assert facts["threads"]
    assert backend_facts("reference") == {}
