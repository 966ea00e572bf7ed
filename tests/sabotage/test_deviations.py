"""A declared deviation is reported, must occur, and excuses no other error."""

from __future__ import annotations

import numpy as np
import pytest

from dnnbridge import ops
from dnnbridge.backend.protocol import Deviation
from dnnbridge.errors import DeclaredLimitationError
from dnnbridge.report.conformance import render
from dnnbridge.testing.changes import changes, key_of
from dnnbridge.testing.checks import all_checks, select
from dnnbridge.testing.recorded import read, to_json
from dnnbridge.testing.running import run_checks
from sabotage.operations import value
from sabotage.row import Sabotage

DROPS = value(lambda y, x: np.where(np.isnan(y), 7.0, y))
DECLARED = Deviation(ops.MaxPool, "a NaN in a window", "it is dropped", ("MaxPool-nan",))
ELSEWHERE = Deviation(ops.MaxPool, "a NaN", "it is dropped", ("MaxPool-nan",), ("ascend",))
CHECKS = select(all_checks(), words="MaxPool-nan,MaxPool-2x2,table is total")


def found(rule=None, *deviations):
    wrong = Sabotage(
        "", (), rules={ops.MaxPool: rule} if rule else {}, backend={"deviations": deviations}
    )
    with np.errstate(all="ignore"):
        return run_checks(CHECKS, wrong.subject)


def statuses(conformance):
    return {outcome.id: outcome.status for outcome in conformance.outcomes}


RIGHT = dict.fromkeys((check.id for check in CHECKS), "passed")


@pytest.mark.parametrize(
    ("rule", "deviations", "status"),
    [
        (None, (), "passed"),
        (DROPS, (DECLARED,), "limited"),
        (DROPS, (), "failed"),
        (DROPS, (ELSEWHERE,), "failed"),
        (None, (DECLARED,), "failed"),
        (None, (ELSEWHERE,), "passed"),
    ],
    ids=["none", "declared", "hidden", "other-device", "mended", "mended-elsewhere"],
)
def test_a_deviation_is_declared_exactly_where_it_is_seen(rule, deviations, status):
    assert statuses(found(rule, *deviations)) == RIGHT | {"MaxPool-nan": status}


def test_what_is_mended_is_told():
    (outcome,) = found(None, DECLARED).failed
    assert "declared as a deviation, but within tolerance" in outcome.reason
    assert "it is dropped" in outcome.reason


def test_it_excuses_nothing_else():
    off = found(value(lambda y, x: np.where(np.isnan(y), 7.0, y + 1.0)), DECLARED)
    assert statuses(off)["MaxPool-2x2"] == "failed"
    assert statuses(off)["MaxPool-nan"] == "limited"


def test_it_needs_a_case_of_its_operation():
    for cases in ((), ("MaxPool-nam",), ("AvgPool-2x2",)):
        missing = Deviation(ops.MaxPool, "a NaN in a window", "it is dropped", cases)
        assert statuses(found(None, missing))["table is total"] == "failed", cases


def test_reports_have_it(tmp_path):
    """The page, the JSON and the comparison with an earlier run show it."""
    before, now = found(), found(DROPS, DECLARED)
    (outcome,) = now.limited
    assert outcome.note == "MaxPool deviates for a NaN in a window: it is dropped"
    assert outcome.measurements[1].error == np.inf
    assert outcome.worst.error == 0
    path = tmp_path / "r.json"
    path.write_text(to_json([now]))
    assert read(path)[0].outcomes == now.outcomes
    assert outcome.note in render([now])
    changed = changes(before, now, {key_of(check) for check in CHECKS})
    assert [each.id for each in changed.limited] == ["MaxPool-nan"]
    assert not changes(now, now, {key_of(check) for check in CHECKS})


def test_pytest_skips_it():
    check = next(check for check in CHECKS if check.id == "MaxPool-nan")
    wrong = Sabotage("", (), rules={ops.MaxPool: DROPS}, backend={"deviations": (DECLARED,)})
    with np.errstate(all="ignore"), pytest.raises(DeclaredLimitationError, match="it is dropped"):
        check.require(wrong.subject)
