"""Place the nodes of a directed acyclic graph in rows, so that edges go down and rarely cross.

The method of Sugiyama, Tagawa & Toda (1981). A node's row is the length of the longest path to it.
An edge has a waypoint in every row that it passes. The order in a row follows the mean column of
the neighbours.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

SWEEPS = 8
"""Number of times the rows are reordered, alternately downwards and upwards."""

Key = Hashable


@dataclass(frozen=True)
class Placement:
    """Places of nodes and edges, in units of a node's width and of one row.

    Attributes:
        places: node -> (column, row); the middle of the drawing is column 0.
        routes: the places of each edge, including its ends.
    """

    places: Mapping[Key, tuple[float, int]]
    routes: Mapping[tuple[Key, Key], tuple[tuple[float, int], ...]]


def place(nodes: Sequence[Key], edges: Sequence[tuple[Key, Key]], waypoint: float) -> Placement:
    """Place nodes, given in topological order.

    Args:
        nodes: the nodes.
        edges: pairs of nodes, (from, to).
        waypoint: width of an edge in a row that it passes, in units of a node's width.
    """
    row: dict[Key, int] = {}
    for node in nodes:
        row[node] = max((row[a] + 1 for a, b in edges if b == node), default=0)
    paths: dict[tuple[Key, Key], list[Key]] = {}
    for a, b in edges:
        between = [("waypoint", a, b, r) for r in range(row[a] + 1, row[b])]
        row |= {point: point[-1] for point in between}
        paths[a, b] = [a, *between, b]
    rows: list[list[Key]] = [[] for _ in range(max(row.values(), default=0) + 1)]
    for key, number in row.items():
        rows[number].append(key)
    links = [pair for path in paths.values() for pair in pairwise(path)]
    widths = {key: 1.0 if key in set(nodes) else waypoint for key in row}
    columns = _columns(rows, links, widths)
    places = {key: (columns[key], row[key]) for key in row}
    return Placement(
        {node: places[node] for node in nodes},
        {edge: tuple(places[key] for key in path) for edge, path in paths.items()},
    )


def _columns(
    rows: list[list[Key]], links: Sequence[tuple[Key, Key]], widths: Mapping[Key, float]
) -> dict[Key, float]:
    """Order every row by the mean column of the neighbours, and return the columns."""
    above: dict[Key, list[Key]] = {key: [] for key in widths}
    below: dict[Key, list[Key]] = {key: [] for key in widths}
    for a, b in links:
        below[a].append(b)
        above[b].append(a)
    columns: dict[Key, float] = {}
    for row in rows:
        columns |= _spread(row, widths)
    for sweep in range(SWEEPS):
        neighbours = above if sweep % 2 == 0 else below
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wish = {
                key: sum(columns[n] for n in neighbours[key]) / len(neighbours[key])
                if neighbours[key]
                else columns[key]
                for key in row
            }
            row.sort(key=lambda key: wish[key])
            columns |= _spread(row, widths)
    return columns


def _spread(row: Sequence[Key], widths: Mapping[Key, float]) -> dict[Key, float]:
    """Put the members of a row side by side around the middle."""
    start = -sum(widths[key] for key in row) / 2
    columns = {}
    for key in row:
        columns[key] = start + widths[key] / 2
        start += widths[key]
    return columns
