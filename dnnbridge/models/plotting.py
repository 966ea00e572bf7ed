"""The drawing of a model, with a box for each layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from dnnbridge.drawing.drawing import Drawing
from dnnbridge.drawing.placing import place
from dnnbridge.emit.declarations import Declarations
from dnnbridge.graph import Call, Node, TensorType, Value
from dnnbridge.models.tracing import trace, weights_below

if TYPE_CHECKING:
    from dnnbridge.models.base import AbstractModel

WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 220, 58, 26, 34, 16
WAYPOINT = 0.3
CHARACTERS = 32
"""Largest number of characters of a line in a box."""

HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" \
width="{width}" height="{height}" role="img" aria-label="{label}" \
font-family="system-ui, sans-serif" font-size="12" text-anchor="middle">
<style>
rect {{ fill: #eef3fb; stroke: #5b7aa8; rx: 6px }}
rect.input {{ fill: #f4f0e6; stroke: #a08a4f }}
rect.model {{ fill: #eaf5ec; stroke: #5a9367 }}
path {{ fill: none; stroke: #76808c; stroke-width: 1.4 }}
path.head {{ fill: #76808c; stroke: none }}
text {{ fill: #1d232b }}
text.minor {{ fill: #56606b }}
.name {{ font-weight: 600 }}
</style>
<rect width="100%" height="100%" style="fill: #ffffff; stroke: none"/>
"""


@dataclass(frozen=True)
class _Box:
    kind: str
    lines: tuple[str, str, str]


@dataclass(frozen=True)
class _Frame:
    """Converts columns and rows to coordinates of the drawing."""

    left: float
    right: float
    rows: int

    @classmethod
    def around(cls, points: Sequence[tuple[float, int]]) -> _Frame:
        columns = [column for column, _ in points]
        return cls(min(columns), max(columns), 1 + max(row for _, row in points))

    @property
    def width(self) -> int:
        return math.ceil(2 * MARGIN + WIDTH + (self.right - self.left) * (WIDTH + GAP_X))

    @property
    def height(self) -> int:
        return 2 * MARGIN + self.rows * HEIGHT + (self.rows - 1) * GAP_Y

    def at(self, point: tuple[float, int]) -> tuple[float, float]:
        """Return the coordinates of the middle of a place."""
        x = MARGIN + WIDTH / 2 + (point[0] - self.left) * (WIDTH + GAP_X)
        return x, MARGIN + HEIGHT / 2 + point[1] * (HEIGHT + GAP_Y)


def draw(model: AbstractModel) -> Drawing:
    """Draw the layers of a model from top to bottom."""
    boxes, edges = _read(model)
    placed = place(list(boxes), edges, WAYPOINT)
    routes = list(placed.routes.values())
    frame = _Frame.around([*placed.places.values(), *(point for r in routes for point in r)])
    lines = [_edge([frame.at(point) for point in route]) for route in routes]
    lines += [_box(box, *frame.at(placed.places[key])) for key, box in boxes.items()]
    label = f"Graph of the layers of a {type(model).__name__}"
    head = HEAD.format(label=label, width=frame.width, height=frame.height)
    return Drawing(head + "\n".join(lines) + "\n</svg>\n")


def _read(model: AbstractModel) -> tuple[dict[int, _Box], list[tuple[int, int]]]:
    """Return a box per input and per call of a layer, and the edges; inputs have negative keys."""
    graph, declared = trace(model)
    inputs = graph.inputs[: len(model.input_types)]
    makers: dict[Value, int] = {value: -1 - i for i, value in enumerate(inputs)}
    boxes = {makers[value]: _input_box(value) for value in inputs}
    edges: list[tuple[int, int]] = []
    counted: set[str] = set()
    for number, node in enumerate(graph.nodes):
        boxes[number] = _layer_box(node, declared, counted)
        sources = dict.fromkeys(makers[value] for value in node.inputs if value in makers)
        edges += [(source, number) for source in sources]
        makers |= dict.fromkeys(node.outputs, number)
    return boxes, edges


def _input_box(value: Value) -> _Box:
    return _Box("input", (value.name, "Input", str(value.type)))


def _layer_box(node: Node, declared: Declarations, counted: set[str]) -> _Box:
    """Describe a layer by name, class, number of weights and shape; shared weights count once."""
    weights = weights_below(node.path, declared)
    fresh = sum(size for name, size in weights.items() if name not in counted)
    shared = bool(weights) and not fresh
    counted.update(weights)
    kind = str(node.op)
    note = " · shared weights" if shared else f" · {fresh:,} weights" if fresh else ""
    is_model = isinstance(node.op, Call) and getattr(node.op.spec, "is_model", False)
    return _Box(
        "model" if is_model else "layer",
        (node.path, _short(kind, len(note)) + note, _types(node.outputs)),
    )


def _types(values: Sequence[Value]) -> str:
    types: list[TensorType] = [value.type for value in values]
    return ", ".join(str(type).removeprefix("float32") for type in types)


def _box(box: _Box, x: float, y: float) -> str:
    rect = (
        f'<rect class="{box.kind}" x="{x - WIDTH / 2:g}" y="{y - HEIGHT / 2:g}" '
        f'width="{WIDTH}" height="{HEIGHT}"/>'
    )
    classes = ("name", "minor", "minor")
    texts = [
        f'<text class="{c}" x="{x:g}" y="{y - 13 + 17 * i:g}">{escape(_short(line))}</text>'
        for i, (c, line) in enumerate(zip(classes, box.lines, strict=True))
    ]
    return "\n".join([rect, *texts])


def _short(text: str, taken: int = 0) -> str:
    """Shorten a text to the characters of a line that are not taken."""
    most = CHARACTERS - taken
    return text if len(text) <= most else text[: most - 1] + "…"


def _edge(points: Sequence[tuple[float, float]]) -> str:
    """Draw a curve from the bottom of the first box to the top of the last, with an arrowhead."""
    half, bend = HEIGHT / 2, GAP_Y * 0.6
    x, y = points[0][0], points[0][1] + half
    parts = [f"M{x:g} {y:g}"]
    for number, (px, py) in enumerate(points[1:], 1):
        last = number == len(points) - 1
        top = py - half - (6 if last else 0)
        parts.append(f"C{x:g} {y + bend:g} {px:g} {top - bend:g} {px:g} {top:g}")
        x, y = px, top
        if not last:
            y = py + half
            parts.append(f"L{x:g} {y:g}")
    head = f"M{x - 4:g} {y - 1:g}L{x + 4:g} {y - 1:g}L{x:g} {y + 6:g}Z"
    return f'<path d="{" ".join(parts)}"/><path class="head" d="{head}"/>'
