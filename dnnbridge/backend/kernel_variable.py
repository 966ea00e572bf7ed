"""`DNNBRIDGE_KERNELS`: which candidates it names, and whether backends have them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from dnnbridge.backend.protocol import BackendInfo, KernelGroup
from dnnbridge.base.messages import close_match, shorten
from dnnbridge.errors import BackendError

VARIABLE = "DNNBRIDGE_KERNELS"
"""Environment variable: "default" takes the first candidate everywhere, without a probe. Pairs
such as "mindspore.conv=native,tensorflow.conv=slices" set the candidate of a group, or several in
order: "tensorflow.conv=batches/slices"."""

DEFAULT = "default"


def given_text() -> str:
    """Return the text of the variable; empty if it is not set."""
    return os.environ.get(VARIABLE, "").strip()


def named_candidates(given: str) -> dict[str, tuple[str, ...]]:
    """Return the candidates that a text names, in its order, by group.

    Raises:
        BackendError: the text does not hold pairs, or names a group or a candidate twice.

    Example:
        >>> named_candidates("mindspore.conv=native, tensorflow.conv=batches/slices")
        {'mindspore.conv': ('native',), 'tensorflow.conv': ('batches', 'slices')}
    """
    made: dict[str, tuple[str, ...]] = {}
    for pair in [] if given == DEFAULT else filter(str.strip, given.split(",")):
        group, _, names = (part.strip() for part in pair.partition("="))
        candidates = tuple(name.strip() for name in names.split("/"))
        if not group or not all(candidates) or "=" in names:
            raise BackendError(
                "must be pairs of a group and a candidate",
                where=VARIABLE,
                got=shorten(pair.strip()),
                hint=f'Write "{DEFAULT}", or pairs such as "mindspore.conv=native".',
            )
        if group in made or len(set(candidates)) < len(candidates):
            raise BackendError(
                f"{group} is there twice" if group in made else f"{group} has a candidate twice",
                where=VARIABLE,
                got=shorten(given),
                hint="Give each group and each candidate once. Several candidates of a group "
                'that takes them have "/" between them, the preferred one first.',
            )
        made[group] = candidates
    return made


def check_kernels(given: str, infos: Iterable[BackendInfo]) -> None:
    """Raise unless backends have all groups and candidates that a text names.

    Args:
        given: the text of the variable.
        infos: descriptions of all backends: a text may also name groups of other backends than
            the one that trains.

    Raises:
        BackendError: as `named_candidates`, or there is no such group or candidate.
    """
    groups = {group.name: group for info in infos for group in info.kernels}
    for name, candidates in named_candidates(given).items():
        _check_group(name, candidates, groups)


def _check_group(name: str, candidates: tuple[str, ...], groups: Mapping[str, KernelGroup]) -> None:
    if name not in groups:
        raise BackendError(
            "no backend has this group of kernels",
            where=VARIABLE,
            got=shorten(name),
            hint=close_match(name, groups),
        )
    group = groups[name]
    check_candidates(name, candidates, group.candidates)
    if len(candidates) > 1 and not group.several:
        raise BackendError(
            f"{name} takes one candidate",
            where=VARIABLE,
            got=shorten("/".join(candidates)),
            hint=f"Name one of {', '.join(group.candidates)}.",
        )


def check_candidates(group: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raise a BackendError unless a group has all these candidates."""
    every = list(known)
    for name in names:
        if name not in every:
            raise BackendError(
                f"{group} has no candidate of this name",
                where=VARIABLE,
                got=shorten(name),
                hint=close_match(name, every),
            )
