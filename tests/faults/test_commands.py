"""`dnnbridge train`: one line for each fault; the state is saved, and the command goes on."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from dnnbridge.training import checkpoint_file

posix = pytest.mark.skipif(os.name == "nt", reason="limits and signals of POSIX")

SPEC = """
import dnnbridge as db
layers = [db.Dense(16, "relu"), db.BatchNormalization(), db.Dropout(0.2), db.Dense(10)]
model = db.Sequential([db.Input((64,)), *layers])
loss = db.SparseCategoricalCrossentropy(from_logits=True)
experiment = db.Experiment(model, loss, db.Adam(0.01))
"""


def train(folder, *more, epochs=2, limit=None):
    """Start the command, whose files may have at most so many bytes."""

    def limited():
        import resource

        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    (folder / "spec.py").write_text(SPEC)
    words = ["train", "spec.py", "--data", "digits", "--backend", "reference", "--no-validation"]
    command = [
        sys.executable,
        "-B",
        "-P",
        "-m",
        "dnnbridge",
        *words,
        "--epochs",
        str(epochs),
        *more,
    ]
    return subprocess.Popen(
        command, cwd=folder, stderr=subprocess.PIPE, text=True, preexec_fn=limited
    )


def said_by(process):
    with process:
        said = process.stderr.read()
    return process.returncode, said


@posix
@pytest.mark.parametrize("option", ["--save", "--backup"])
def test_a_full_disk_is_one_line(option, tmp_path):
    name = "run.safetensors" if option == "--save" else "backup"
    status, said = said_by(train(tmp_path, option, name, limit=3000))
    assert status == 1
    assert "Traceback" not in said
    (line,) = [line for line in said.splitlines() if line.startswith("Error: ")]
    assert re.search(r"\.safetensors: cannot be written, got File too large\. .*ulimit -f", line)
    assert not list(tmp_path.rglob("*.safetensors")) + list(tmp_path.rglob(".*part"))


@posix
@pytest.mark.slow
def test_a_command_that_was_ended_goes_on_to_the_same_weights(tmp_path):
    """SIGTERM in the middle of a training, with --save; then --resume."""
    status, said = said_by(train(tmp_path, "--save", "whole.safetensors", epochs=60))
    assert status == 0, said
    process = train(tmp_path, "--save", "part.safetensors", epochs=60)
    for line in process.stderr:
        if "epoch 5/" in line:
            break
    time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    status, said = said_by(process)
    assert status == 143
    done = int(re.search(r"stopped in epoch (\d+)", said)[1])
    assert 5 <= done < 60, "too late"
    left = str(60 - done + 1)
    more = ("--resume", "part.safetensors", "--save", "end.safetensors")
    status, said = said_by(train(tmp_path, *more, epochs=left))
    assert status == 0, said
    (_, whole), (_, end) = (
        checkpoint_file.read(tmp_path / f"{name}.safetensors") for name in ("whole", "end")
    )
    for name, array in whole.items():
        np.testing.assert_array_equal(end[name], array, err_msg=name)
