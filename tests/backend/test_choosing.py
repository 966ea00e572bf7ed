"""A probe chooses kernels once per machine, whatever happens to the file of its results."""

import json
import multiprocessing
import os
import stat

import pytest

from dnnbridge.backend import choosing
from dnnbridge.backend.choosing import choices, choose, forget
from dnnbridge.backend.kernel_variable import VARIABLE
from dnnbridge.errors import BackendError

QUESTION = "test.work: a form"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache folder, a clock that candidates advance, and no remembered choices."""
    known, taken = dict(choosing._KNOWN), dict(choosing._TAKEN)
    monkeypatch.setattr(choosing.platformdirs, "user_cache_dir", lambda name: str(tmp_path / name))
    monkeypatch.setattr(choosing.time, "perf_counter", lambda: CLOCK[0])
    monkeypatch.delenv(VARIABLE, raising=False)
    forget()
    yield tmp_path
    forget()
    choosing._KNOWN.update(known)
    choosing._TAKEN.update(taken)


CLOCK = [0.0]


def candidates(**seconds):
    """Return candidates with the given times, by name, and the list of those that ran."""
    ran = []

    def prepare(name, time):
        def work():
            ran.append(name)
            CLOCK[0] += time

        return lambda: work

    return {name: prepare(name, time) for name, time in seconds.items()}, ran


def file_of(folder):
    return next(folder.rglob("*.json"))


@pytest.mark.parametrize(
    ("times", "best"),
    [
        ({"a": 1.0, "b": 3.0}, "a"),
        ({"a": 3.0, "b": 1.0}, "b"),
        ({"a": 1.0, "b": 0.95}, "a"),  # too small a gain
        ({"a": 1.0, "b": 0.8}, "b"),
        ({"a": 1.0, "b": 0.85, "c": 0.7}, "c"),
    ],
)
def test_the_fastest_is_chosen_and_the_first_in_doubt(times, best):
    assert choose(QUESTION, "1", candidates(**times)[0]) == best


def test_turns_alternate_and_a_hopeless_candidate_has_one():
    given, ran = candidates(a=0.001, b=0.1, c=0.002)
    choose(QUESTION, "1", given)
    assert ran[:6] == ["a", "b", "c"] * 2
    assert ran.count("b") == 2
    assert ran.count("a") == ran.count("c") == 1 + choosing.ROUNDS


def test_a_probe_ends_in_time():
    given, ran = candidates(a=10.0, b=11.0)
    choose(QUESTION, "1", given)
    assert len(ran) == 4


def test_an_answer_is_kept_for_this_process_and_the_next(cache):
    choose(QUESTION, "1", candidates(a=3.0, b=1.0)[0])
    for _ in range(2):
        other, ran = candidates(a=1.0, b=3.0)
        assert choose(QUESTION, "1", other) == "b"
        assert not ran
        forget()
    assert json.loads(file_of(cache).read_text())["about"] == "1"


@pytest.mark.parametrize("change", ["about", "machine", "candidates"])
def test_another_framework_machine_or_set_of_candidates_is_asked_anew(change, monkeypatch):
    choose(QUESTION, "1", candidates(a=3.0, b=1.0)[0])
    forget()
    if change == "machine":
        monkeypatch.setattr(choosing, "machine", lambda: "another")
    more = {"c": 9.0} if change == "candidates" else {}
    given, ran = candidates(a=1.0, b=3.0, **more)
    assert choose(QUESTION, "2" if change == "about" else "1", given) == "a"
    assert ran


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b'{"seconds": 3}',
        b'{"seconds": {"test.work: a form": {"a": "x", "b": 1.0}}}',
        b'{"seconds": {"test.work: a form": {"a": NaN, "b": 1.0}}}',
        b'{"seconds": {"test.work: a form": {"a": -1.0, "b": 1.0}}}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_is_measured_anew_and_replaced(cache, content):
    choose(QUESTION, "1", candidates(a=3.0, b=1.0)[0])
    file_of(cache).write_bytes(content)
    forget()
    given, ran = candidates(a=1.0, b=3.0)
    assert choose(QUESTION, "1", given) == "a"
    assert ran
    assert json.loads(file_of(cache).read_text())["seconds"][QUESTION]["a"] == 1.0


def test_a_folder_that_cannot_be_written_does_no_harm(cache):
    (cache / "dnnbridge").write_text("a file where the folder should be")
    given, ran = candidates(a=3.0, b=1.0)
    assert choose(QUESTION, "1", given) == "b"
    ran.clear()
    assert choose(QUESTION, "1", given) == "b"
    assert not ran


@pytest.mark.skipif(os.name != "posix", reason="modes")
def test_what_another_process_has_kept_meanwhile_stays(cache):
    choose(QUESTION, "1", candidates(a=3.0, b=1.0)[0])
    path = file_of(cache)
    kept = json.loads(path.read_text())
    kept["seconds"]["test.work: of another"] = {"a": 1.0}
    path.write_text(json.dumps(kept))
    choose("test.work: a third", "1", candidates(a=3.0, b=1.0)[0])
    assert len(json.loads(path.read_text())["seconds"]) == 3
    assert not stat.S_IMODE(path.stat().st_mode) & 0o111


def _many(folder, number):
    choosing.platformdirs.user_cache_dir = lambda name: os.path.join(folder, name)
    for k in range(20):
        choosing._keep(choosing._path("1"), "1", f"{number}: {k}", {"a": 1.0})


def test_processes_that_write_at_once_leave_a_whole_file(cache):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_many, args=(str(cache), i)) for i in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert json.loads(file_of(cache).read_text())["seconds"]
    assert len(list(file_of(cache).parent.iterdir())) == 1


def test_the_environment_decides_without_a_probe(cache, monkeypatch):
    given, ran = candidates(a=3.0, b=1.0)
    monkeypatch.setenv(VARIABLE, "default")
    assert choose(QUESTION, "1", given) == "a"
    monkeypatch.setenv(VARIABLE, "other=a, test.work=b")
    assert choose(QUESTION, "1", given) == "b"
    assert not ran
    assert not list(cache.rglob("*.json"))
    assert str(choices()[0]) == "test.work: a form: b (not measured)"
    monkeypatch.setenv(VARIABLE, "other=a")
    choose(QUESTION, "1", given)
    assert ran
    assert str(choices()[0]) == "test.work: a form: b (a 3000.00 ms, b 1000.00 ms)"


@pytest.mark.parametrize(
    "given", ["test.work=c", "test.work", "defaults", "test.work=a,test.work=a", "=a"]
)
def test_an_environment_that_says_nothing_of_use_is_refused(given, monkeypatch):
    monkeypatch.setenv(VARIABLE, given)
    with pytest.raises(BackendError, match=VARIABLE):
        choose(QUESTION, "1", candidates(a=3.0, b=1.0)[0])
