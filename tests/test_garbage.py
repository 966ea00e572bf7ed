"""Compiling looks for no garbage, and leaves Python's collector as it was."""

import gc

import pytest

from dnnbridge.garbage import uncollected


@pytest.fixture(autouse=True)
def thawed():
    """Begin with nothing frozen, and end so."""
    gc.unfreeze()
    yield
    gc.unfreeze()
    gc.enable()


def test_what_is_alive_is_set_aside_and_comes_back():
    with uncollected():
        assert gc.get_freeze_count() > 0
        assert not gc.isenabled()
    assert gc.get_freeze_count() == 0
    assert gc.isenabled()


def test_an_error_brings_it_back_too():
    with pytest.raises(KeyError), uncollected():
        raise KeyError
    assert gc.get_freeze_count() == 0
    assert gc.isenabled()


def test_a_caller_who_froze_or_disabled_keeps_that():
    gc.freeze()
    gc.disable()
    frozen = gc.get_freeze_count()
    with uncollected():
        pass
    assert gc.get_freeze_count() == frozen
    assert not gc.isenabled()


def test_one_within_another_ends_nothing():
    with uncollected():
        with uncollected():
            pass
        assert not gc.isenabled()
        assert gc.get_freeze_count() > 0
