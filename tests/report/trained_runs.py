"""A small classifier of images, and a reader of pages."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import numpy as np

import dnnbridge as db

RNG = np.random.default_rng(1)
X = RNG.normal(size=(60, 6, 6)).astype(np.float32)
Y = (X[:, 0, 0] > 0).astype(np.int32) + (X[:, 0, 1] > 0)
EVIL = "<script>alert('&')</script>"


class Page(HTMLParser):
    """Checks nesting; collects ids, links, images, scripts and visible text."""

    VOID = ("meta", "br", "link", "img", "source")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.points: list[dict[str, Any]] = []
        self.scripts = 0
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []
        assert len(self.ids) == len(set(self.ids))

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        self.scripts += tag == "script"
        self.handle_startendtag(tag, attrs)

    def handle_startendtag(self, tag, attrs):
        named = dict(attrs)
        self.ids += [named["id"]] if "id" in named else []
        self.links += [named[key] for key in ("src", "href", "xlink:href") if key in named]
        if "data-points" in named:
            self.points.append(json.loads(named["data-points"]))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("script", "style"):
            self.text += data


def make(optimizer: Any = None, **changes: Any) -> db.Run:
    model = db.Sequential([db.Input((6, 6)), db.Flatten(), db.Dense(8, "tanh"), db.Dense(3)])
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    rate = db.Warmup(db.CosineDecay(0.3, 30), 5)
    experiment = db.Experiment(model, loss, optimizer or db.SGD(rate), ["accuracy"])
    return db.compile(experiment.replace(**changes), "reference")
