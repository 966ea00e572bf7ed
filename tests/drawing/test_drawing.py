"""Drawings of models: no part is missing, nothing overlaps, edges go down."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import dnnbridge as db
from dnnbridge.drawing.placing import place

SVG = "{http://www.w3.org/2000/svg}"


def branched() -> db.Model:
    x, z = db.Input((4, 5), name="picture"), db.Input((20,), name="extra")
    shared = db.Dense(20, "tanh", name="shared")
    a = shared(db.Flatten()(x))
    inner = db.Sequential([db.Input((20,)), db.Dense(20)])
    total = db.Add()(a, db.Dense(20)(db.Dense(20)(a)), inner(z), shared(z))
    return db.Model([x, z], [db.Dense(3, name="kind")(total), db.Dense(1, name="size")(total)])


def test_every_input_and_layer_is_drawn(tmp_path):
    drawing = branched().plot()
    drawing.save(tmp_path / "model.svg")
    root = ElementTree.parse(tmp_path / "model.svg").getroot()
    texts = [text.text for text in root.iter(f"{SVG}text")]
    names = ["picture", "extra", "flatten", "shared", "dense", "add", "kind", "size", "sequential"]
    assert set(names) <= set(texts)
    assert texts.count("shared") == 2
    assert "Dense · 420 weights" in texts
    assert "Dense · shared weights" in texts
    assert "[batch, 3]" in texts


def test_a_terminal_is_not_flooded():
    assert len(repr(branched().plot())) < 100


def test_boxes_do_not_overlap():
    root = ElementTree.fromstring(branched().plot().svg)
    boxes = [
        tuple(float(rect.get(key)) for key in ("x", "y", "width", "height"))
        for rect in root.iter(f"{SVG}rect")
        if rect.get("x")
    ]
    for i, (x, y, w, h) in enumerate(boxes):
        assert 0 <= x <= float(root.get("width")) - w
        for x2, y2, w2, h2 in boxes[:i]:
            assert x >= x2 + w2 or x2 >= x + w or y >= y2 + h2 or y2 >= y + h


def test_a_long_edge_keeps_out_of_the_way():
    placed = place("abcd", [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d")], 0.5)
    assert [placed.places[node][1] for node in "abcd"] == [0, 1, 2, 3]
    skip = placed.routes["a", "d"]
    assert [row for _, row in skip] == [0, 1, 2, 3]
    for column, row in skip[1:-1]:
        inside = placed.places["abcd"[row]][0]
        assert abs(column - inside) >= 0.75
