"""The worst examples and the confused classes of a page, as texts and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.drawing.png import data_uri, picture_of
from dnnbridge.program.objectives import Objective
from dnnbridge.report.examining import Examined, confusion, of_two_classes, threshold
from dnnbridge.report.wording import number

WORST = 12
"""Number of examples that a page shows."""

NUMBERS = 24
"""Numbers of an example that is no picture, the first ones."""

CLASSES = 20
"""A table has at most this many classes; of more classes the most frequent confusions are shown."""

CONFUSIONS = 20

DEEPEST = 0.6
"""Opacity of the colour of a cell that has all examples of its row."""


@dataclass(frozen=True)
class Example:
    """A card of the page.

    Attributes:
        row: its place in the data, counted from 0.
        picture: address of an image, or empty.
        text: its first numbers, if it is no picture.
        outcomes: for each output its name, the label and the prediction.
        loss: its loss.
    """

    row: int
    picture: str
    text: str
    outcomes: tuple[tuple[str, str, str], ...]
    loss: str


@dataclass(frozen=True)
class Cell:
    """A cell of a confusion matrix: its number, its colour as CSS, and what it says in words."""

    text: str
    colour: str
    title: str


@dataclass(frozen=True)
class Confusion:
    """The confusion matrix of an output.

    Attributes:
        output: its name; empty if there is only one.
        names: of the classes.
        rows: for each class its cells and the share that is right; empty for many classes.
        pairs: the most frequent confusions: label, prediction, how many.
        right: how many of all examples are right, in words.
    """

    output: str
    names: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...], str], ...]
    pairs: tuple[tuple[str, str, str], ...]
    right: str


def worst_examples(
    found: Examined, class_names: Sequence[str] | None, pictures: Array | None
) -> list[Example]:
    """Return the examples with the largest losses.

    Args:
        found: predictions and losses.
        class_names: names of the classes, in order.
        pictures: rows to show in the place of the inputs.
    """
    made = []
    for row in found.worst(WORST):
        shown = {"": pictures} if pictures is not None else found.inputs
        image = next((p for a in shown.values() if (p := picture_of(a[row])) is not None), None)
        outcomes = tuple(
            (
                name if len(found.objectives) > 1 else "",
                _label(found.labels[name][row], objective, class_names),
                _prediction(found.predictions[name][row], objective, class_names),
            )
            for name, objective in found.objectives.items()
        )
        uri = data_uri(image) if image is not None else ""
        text = "" if uri else _numbers(found.inputs, row)
        made.append(Example(row, uri, text, outcomes, number(float(found.losses[row]))))
    return made


def _label(label: Array, objective: Objective, names: Sequence[str] | None) -> str:
    target = objective.target
    if target.classes is not None and label.ndim == 0:
        return _name(int(label), names)
    if target.distribution and label.ndim == 1:
        return _name(int(np.argmax(label)), names)
    if of_two_classes(objective, label):
        return _name(int(label.item() > 0.5), names)
    return _few(label)


def _prediction(prediction: Array, objective: Objective, names: Sequence[str] | None) -> str:
    target = objective.target
    if prediction.ndim == 1 and (target.classes is not None or target.distribution):
        best = int(np.argmax(prediction))
        shares = _probabilities(prediction, objective)
        return _name(best, names) + ("" if shares is None else f" ({shares[best]:.0%})")
    if of_two_classes(objective, prediction):
        second = prediction.item() > threshold(objective)
        return f"{_name(int(second), names)} ({_few(prediction)})"
    return _few(prediction)


def _probabilities(prediction: Array, objective: Objective) -> Array | None:
    """Return the probabilities of the classes, if the prediction gives them."""
    values = prediction.astype(np.float64)
    if getattr(objective.loss, "from_logits", False):
        powers = np.exp(values - values.max())
        return np.asarray(powers / powers.sum())
    return values if values.min() >= 0 and abs(values.sum() - 1) < 1e-3 else None


def _name(number: int, names: Sequence[str] | None) -> str:
    return names[number] if names and 0 <= number < len(names) else str(number)


def _few(values: Array, most: int = 6) -> str:
    flat = np.asarray(values).reshape(-1)
    texts = flat.dtype.kind not in "fiub"
    written = (repr(each) if texts else f"{each:.4g}" for each in flat[:most].tolist())
    more = f", … ({flat.size} {'texts' if texts else 'numbers'})"
    return ", ".join(written) + (more if flat.size > most else "")


def _numbers(inputs: Mapping[str, Array], row: int) -> str:
    parts = {name: _few(array[row], NUMBERS) for name, array in inputs.items()}
    several = len(parts) > 1
    return "; ".join(f"{name}: {text}" if several else text for name, text in parts.items())


def confusions(found: Examined, class_names: Sequence[str] | None) -> list[Confusion]:
    """Return the confusion matrix of each output that predicts classes."""
    made = []
    for name, objective in found.objectives.items():
        matrix = confusion(objective, found.labels[name], found.predictions[name])
        if matrix is not None:
            output = name if len(found.objectives) > 1 else ""
            note = ""
            if of_two_classes(objective, found.predictions[name][0]):
                second = _name(1, class_names)
                note = f" Predictions above {threshold(objective):g} are of class {second}."
            made.append(table_of(matrix, output, class_names, note))
    return made


def table_of(
    matrix: Array, output: str = "", class_names: Sequence[str] | None = None, note: str = ""
) -> Confusion:
    """Return a matrix of counts as a table with colours.

    Example:
        >>> table = table_of(np.array([[3.0, 1.0], [0.0, 4.0]]))
        >>> table.right, table.rows[0][2], table.pairs
        ('7 of 8 are right (88%).', '75%', (('0', '1', '1'),))
    """
    names = tuple(_name(i, class_names) for i in range(len(matrix)))
    classes = range(len(names)) if len(names) <= CLASSES else ()
    rows = tuple(
        (
            names[i],
            tuple(_cell(matrix, names, i, j) for j in classes),
            _share(matrix[i, i], matrix[i].sum()),
        )
        for i in classes
    )
    wrong = np.where(np.eye(len(matrix), dtype=bool), 0, matrix)
    order = np.argsort(-wrong, axis=None, kind="stable")[:CONFUSIONS]
    places = [(int(i), int(j)) for i, j in zip(*np.unravel_index(order, wrong.shape), strict=True)]
    pairs = tuple((names[i], names[j], f"{wrong[i, j]:g}") for i, j in places if wrong[i, j])
    right, total = float(np.trace(matrix)), float(matrix.sum())
    said = f"{right:g} of {total:g} are right ({_share(right, total)}).{note}"
    return Confusion(output, names, rows, pairs, said)


def _cell(matrix: Array, names: Sequence[str], i: int, j: int) -> Cell:
    count, total = float(matrix[i, j]), float(matrix[i].sum())
    share = count / total if total else 0.0
    colour = f"rgba({'26, 127, 55' if i == j else '207, 34, 46'}, {DEEPEST * share**0.5:.3f})"
    title = f"label {names[i]}, predicted {names[j]}: {count:g} of {total:g}"
    return Cell(f"{count:g}", colour if count else "none", title)


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.0%}" if whole else ""
