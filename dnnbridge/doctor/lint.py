"""`lint`: which known differences a model meets in the other framework."""

from __future__ import annotations

from typing import Any

from dnnbridge.base.calling import explained
from dnnbridge.doctor.findings import Finding, Lint
from dnnbridge.doctor.reading import read_subject
from dnnbridge.doctor.rule import Place
from dnnbridge.doctor.rules import RULES
from dnnbridge.doctor.subject import Framework, Subject
from dnnbridge.errors import ConversionError

OTHER: dict[str, Framework] = {"tensorflow": "mindspore", "mindspore": "tensorflow"}


@explained()
def lint(
    thing: Any,
    to: str | None = None,
    *,
    input_shapes: Any = None,
    loss: Any = None,
    optimizer: Any = None,
) -> Lint:
    """Return what differs if somebody writes this with the classes of the same name elsewhere.

    Nothing is run. A rule reports a layer, a loss, an optimizer or a schedule if the class of the
    same name in the other framework, with the same arguments or its defaults, computes something
    else. It is silent where the arguments make both sides equal. A file is read without a
    framework.

    Args:
        thing: an `Experiment`, a run, a model, a layer, an activation, a loss, an optimizer or a
            schedule of this library; a live model, layer, loss or optimizer of Keras; a Cell, loss
            or optimizer of MindSpore; or the path of a `.keras`, `.h5` or `.json` file of Keras, of
            a checkpoint, or of the JSON of an experiment.
        to: the other framework, "mindspore" or "tensorflow". By default the one that `thing` does
            not come from; "mindspore" for what comes from neither.
        input_shapes: the shape of an example without the batch, for a Cell, and for a model of
            Keras that leaves sizes open.
        loss: takes the place of the loss of `thing`.
        optimizer: takes the place of its optimizer.

    Raises:
        ConversionError: the file or object cannot be read, or comes from `to` itself.
        DTypeError: `thing` is none of these.
        PackageNotInstalledError: h5py is missing for a file of Keras.

    Example:
        >>> import dnnbridge as db
        >>> found = lint(db.Adam(1e-3), "mindspore")
        >>> print(found.verdict)
        1 of 1 part gives other numbers in MindSpore under the same name; the worst is 'Epsilon of \
Adam' at optimizer.
        >>> found.findings[0].remedy.mindspore
        'nn.Adam(params, learning_rate=0.001, eps=1e-07)'
        >>> lint(db.Adam(1e-3, epsilon=1e-8), "mindspore").ok
        True
    """
    if to is not None and to not in OTHER:
        raise ConversionError(
            "unknown framework", where="to", got=repr(to), hint='Give "mindspore" or "tensorflow".'
        )
    subject = read_subject(thing, input_shapes, loss, optimizer)
    target = OTHER[OTHER[to]] if to else OTHER.get(subject.origin, "mindspore")
    if subject.origin == target:
        raise ConversionError(
            "comes from this framework itself",
            where="to",
            got=repr(target),
            hint=f'Give to="{OTHER[target]}".',
        )
    return Lint(target, _findings(subject, target), subject.parts, tuple(subject.unread))


def _findings(subject: Subject, to: Framework) -> tuple[Finding, ...]:
    """Return what the rules find, the worst first."""
    found = [
        Finding(
            rule,
            place.where,
            _part(subject, place),
            rule.explanation([place]),
            rule.remedy(place),
        )
        for rule in RULES.values()
        for place in rule.biting(subject, to)
    ]
    return tuple(sorted(found, key=lambda each: each.rank))


def _part(subject: Subject, place: Place) -> str:
    """Return the layer or loss that a place is in; else it is in the optimizer or schedule."""
    paths = {each.path for each in subject.layers} | {each.path for each in subject.losses}
    path = place.where.rpartition(".")[0]
    return next((each for each in (place.where, path) if each in paths), "optimizer")
