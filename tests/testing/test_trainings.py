"""Whole trainings on backends that are wrong between the steps; the checks detect it."""

from __future__ import annotations

import pytest

from dnnbridge.reference.backend import ReferenceBackend
from dnnbridge.testing.checks import all_checks
from dnnbridge.testing.subject import Subject

CHECKS = {check.id: check for check in all_checks()}


class Forgetful(ReferenceBackend):
    """The reference, but arrays of some names can be written only once."""

    def __init__(self, word: str) -> None:
        self.word = word

    def compile(self, program, device):
        executable, written = super().compile(program, device), set()
        write = executable.write

        def forget(values):
            write({n: a for n, a in values.items() if self.word not in n or n not in written})
            written.update(values)

        executable.write = forget
        return executable


class Stuck(ReferenceBackend):
    """The reference with host scalars that keep their first value."""

    def compile(self, program, device):
        executable, first = super().compile(program, device), {}
        run = executable.run

        def stuck(function, feeds, steps):
            for name, array in feeds.items():
                if name.startswith("scalar:"):
                    first.setdefault(name, array[0])
            return run(
                function,
                feeds | {n: array * 0 + first[n] for n, array in feeds.items() if n in first},
                steps,
            )

        executable.run = stuck
        return executable


@pytest.mark.parametrize(
    ("word", "check"),
    [
        ("kernel", "legs-transfer"),
        ("embeddings", "forms of data"),
        (":accumulated", "resume-accumulated"),
        (":slow", "resume-averaged"),
        (":average", "resume-averaged"),
        ("loss_scale:finite_steps", "resume-loss_scale"),
        ("moving_variance", "resume-statistics"),
    ],
)
def test_an_array_that_is_not_written_is_seen(word, check):
    CHECKS[check].require(Subject(Forgetful("nothing")))
    with pytest.raises(AssertionError, match=check):
        CHECKS[check].require(Subject(Forgetful(word)))


@pytest.mark.parametrize("check", ["legs-transfer", "train-averaged"])
def test_a_rate_that_does_not_change_is_seen(check):
    with pytest.raises(AssertionError, match=check):
        CHECKS[check].require(Subject(Stuck()))


def test_the_curve_of_weights_shows_when_they_part():
    curve = CHECKS["train-averaged"].measure(Subject(Stuck()))[0].curve
    assert len(curve) == 48
    assert curve[0] == 0 < curve[1]
