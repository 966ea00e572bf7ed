"""What `dnnbridge train --save` writes at the end, whatever happened to its folder."""

from __future__ import annotations

import numpy as np

import dnnbridge as db
from dnnbridge.cli.stopping import saving

X = np.zeros((4, 2), np.float32)


def test_a_folder_that_vanished_is_made_again(tmp_path):
    model = db.Sequential([db.Input((2,)), db.Dense(1)])
    run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
    (tmp_path / "out").mkdir()
    path = tmp_path / "out" / "run.safetensors"
    with saving(run, path):
        run.fit(X, X[:, :1], 4, 1, verbose=0)
        (tmp_path / "out").rmdir()
    assert db.load(path, "reference").position.step == 1
