"""A run and its page, for several tests."""

from __future__ import annotations

import pytest
from report.trained_runs import EVIL, X, Y, make

import dnnbridge as db


@pytest.fixture(scope="session")
def run() -> db.Run:
    made = make()
    made.fit(X, Y, batch_size=16, epochs=6, validation_split=0.25, verbose=0)
    return made


@pytest.fixture(scope="session")
def text(run: db.Run, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "page.html"
    names = ["none", "one", EVIL]
    assert db.write_report(run, path, X, Y, title=EVIL, class_names=names) == path
    return path.read_text("utf-8")
