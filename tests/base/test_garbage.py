"""Compilation disables Python's garbage collector, and restores its state afterwards."""

import gc

import pytest

from dnnbridge.base.garbage import set_aside, uncollected


@pytest.fixture(autouse=True)
def thawed():
    """Begin with nothing frozen, and end as before."""
    frozen = gc.get_freeze_count()
    gc.unfreeze()
    yield
    gc.enable()
    gc.freeze() if frozen else gc.unfreeze()


def test_the_collector_pauses_and_goes_on():
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_is_alive_is_set_aside_and_comes_back():
    with set_aside():
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0


def test_an_error_ends_both():
    with pytest.raises(KeyError), uncollected(), set_aside():
        raise KeyError
    assert gc.get_freeze_count() == 0
    assert gc.isenabled()


def test_a_caller_who_froze_or_disabled_keeps_that():
    gc.freeze()
    gc.disable()
    frozen = gc.get_freeze_count()
    with uncollected(), set_aside():
        pass
    assert gc.get_freeze_count() == frozen
    assert not gc.isenabled()


def test_one_within_another_ends_nothing():
    with uncollected(), set_aside():
        with uncollected(), set_aside():
            pass
        assert not gc.isenabled()
        assert gc.get_freeze_count() > 0
