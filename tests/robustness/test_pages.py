"""Texts of a spec, of logs and of files never become markup in a page or a notebook."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.cli.conversion_checks import Check
from dnnbridge.cli.conversion_report import Conversion, report_of
from dnnbridge.cli.conversion_sources import Source
from dnnbridge.doctor.trace_alignment import TraceDifference
from dnnbridge.drawing import notebook
from dnnbridge.report.comparing import compare
from dnnbridge.report.html import render
from dnnbridge.report.recording import Recorder, Recording
from dnnbridge.report.trained import read_trained
from dnnbridge.report.training_page import render_training
from dnnbridge.training.history import History

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")

EVIL = (
    '</script></title></style>--><img src=x onerror="alert(1)"><script>alert(1)</script>'
    "<svg/onload=alert(1)>'\"&amp;{{7*7}}{%x%}${7}"
)
PLAIN = "a plain text"
MARK = "onerror="
"""A part of the evil text that can be read on a page where the text is shown."""


class Elements(HTMLParser):
    """Collects elements with the names of their attributes, and the visible text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.scripts, self.text = 0, ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.scripts += tag == "script"

    handle_startendtag = handle_starttag

    def handle_data(self, data):
        self.text += data


def spec(text: str) -> db.Experiment:
    """Return an experiment with a text in its vocabulary, in a token and in a pattern."""
    lookup = db.StringLookup(vocabulary=["a", text], mask_token=f"m{text}", output_mode="multi_hot")
    model = db.Sequential([db.Input((2,), "string"), lookup, db.Dense(2)])
    return db.Experiment(model, "mse", "sgd")


def run(text: str) -> db.Run:
    made = db.compile(spec(text), "reference")
    made.fit([["a", text], [text, "b"]], np.eye(2), 2, 2, verbose=0)
    return made


def _report(text, folder):
    path, x = folder / "report.html", [["a", text], [text, "b"]]
    found = run(text)
    db.write_report(found, path, x, np.eye(2), title=text, class_names=[text, f"{text}2"])
    return path.read_text("utf-8")


def _history(text, folder):
    logs = {"loss": [3.0, 2.0], text: [0.5, 0.6], f"val_{text}": [0.4, 0.5]}
    made = History(logs, [0, 1])
    path = folder / "history.html"
    db.write_report(made, path, title=text)
    return path.read_text("utf-8") + made._repr_html_()


def _log(text, folder):
    path = folder / "log.csv"
    path.write_text('epoch,loss,"{}"\n0,1.0,2.0\n1,1.0,3.0\n'.format(text.replace('"', '""')))
    return render_training(read_trained(path), title=text)


def _comparison(text, folder):
    recordings, experiment = [], spec(text)
    for name in ("left", "right"):
        place = folder / f"{len(text)}{name}"
        place.mkdir()
        recording = Recording(f"{name} {text}", text, {text: text}, 0.5, folder=place)
        x = np.array([["a", text], [text, "b"]])
        trained = db.compile(experiment, "reference")
        trained.fit(x, np.eye(2), 2, 2, callbacks=[Recorder(recording)], verbose=0)
        recordings.append(Recording.read(place))
    return render(compare(experiment, {text: text}, recordings), text)


def _alignment(text, folder):
    a, b = run(text), run(text).with_experiment(spec(text).replace(optimizer=db.SGD(0.5)))
    data = ([["a", text], [text, "b"]] * 4, np.tile(np.eye(2), (4, 1)))
    made = db.align(a, b, data, steps=2)
    path = folder / "alignment.html"
    db.write_report(made, path, title=text)
    return path.read_text("utf-8") + made._repr_html_()


def _notebook(text, folder):
    found = TraceDifference(1, "state", text, 1.0, 0.1, text)
    return "".join(
        [
            run(text)._repr_html_(),
            spec(text)._repr_html_(),
            spec(text).model.summary()._repr_html_(),
            db.lint(spec(text))._repr_html_(),
            notebook.block(text, notebook.note(str(found)), notebook.facts({text: text})),
            notebook.table([text], [[text]], words=1),
            notebook.folded(text, ""),
            db.diagnose.initial_loss(run(text), [["a", text]], np.eye(2)[:1])._repr_html_(),
            db.CosineDecay(0.1, 10)._repr_html_(),
        ]
    )


PAGES = {
    "report": _report,
    "history": _history,
    "log": _log,
    "comparison": _comparison,
    "alignment": _alignment,
    "notebook": _notebook,
}


@pytest.mark.parametrize("page", PAGES)
def test_a_text_is_no_markup(page, tmp_path):
    evil, plain = (Elements(PAGES[page](text, tmp_path)) for text in (EVIL, PLAIN))
    assert evil.tags <= plain.tags
    assert evil.attributes <= plain.attributes
    assert evil.scripts == plain.scripts
    assert not [name for name in evil.attributes if name.startswith("on")]
    assert MARK in evil.text
    assert "{{7*7}}" in evil.text or "7*7" not in evil.text


def test_the_check_notices():
    bare, plain = Elements(f"<p>{EVIL}</p>"), Elements(f"<p>{PLAIN}</p>")
    assert not bare.tags <= plain.tags
    assert "onload" in bare.attributes - plain.attributes
    assert bare.scripts > plain.scripts


def test_a_text_is_no_markup_in_markdown():
    checks = [Check(f"predictions {EVIL}", None, why=f"{EVIL}\n```\n# head")]
    added = (f"a\n```\n{EVIL}",)
    found = Source(Path("model.keras"), run(EVIL), 0, None, added)
    made = Conversion(EVIL, "keras", Path("model.keras"), found, db.SGD(0.1), checks, "numbers")
    report = report_of(made)["REPORT.md"]
    outside = re.sub(r"^```$.*?^```$|`[^`\n]*`", "", report, flags=re.DOTALL | re.MULTILINE)
    assert "onerror=" in outside
    assert not Elements(outside).tags
    assert report.count("\n```") == 2
