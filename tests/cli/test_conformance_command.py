"""`dnnbridge conformance`: exit status, JSON, what has changed, and the report."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dnnbridge.backend.plugins import load_backend
from dnnbridge.cli import main
from dnnbridge.cli.conformance_jobs import ask_in_processes, share
from dnnbridge.errors import BackendError
from dnnbridge.report.conformance import TITLES, areas, render
from dnnbridge.testing.cases.training_cases import TRAINING_CASES
from dnnbridge.testing.changes import changes, key_of
from dnnbridge.testing.checks import all_checks, select
from dnnbridge.testing.measurement import Measurement
from dnnbridge.testing.recorded import read, to_json
from dnnbridge.testing.running import Conformance, Outcome
from dnnbridge.testing.subject import Subject

CROOKED = '''
"""Right in all but Tanh, and without Erfc."""
import os
from dnnbridge import ops
from dnnbridge.backend.protocol import BackendInfo, Limitation, Variant
from dnnbridge.backend.hookspecs import hookimpl
from dnnbridge.reference.backend import ReferenceBackend, ReferenceExecutable


class Bent(ReferenceExecutable):
    def run(self, function, feeds, steps):
        results = super().run(function, feeds, steps)
        graph = self._functions[function].graph
        bent = any(type(node.op) is ops.Tanh for node in graph.walk())
        return {name: array + 0.001 * bent for name, array in results.items()}


class Backend(ReferenceBackend):
    info = BackendInfo("crooked", variants=(
        Variant("other-way", (("CROOKED_WAY", "the other"),), "goes another way", cores=1),
        Variant("on-ascend", (), "is not here", ("ascend",)),
    ))
    lowered = ReferenceBackend.lowered - {ops.Erfc}
    limitations = (Limitation(ops.Erfc, "nobody wrote it"),)

    def compile(self, program, device):
        return Bent(program)


@hookimpl
def dnnbridge_backend_info(name):
    return Backend.info


@hookimpl
def dnnbridge_backend(name):
    return Backend()


@hookimpl
def dnnbridge_backend_facts(name):
    return {"way": os.environ.get("CROOKED_WAY", "usual"), "may use": len(os.sched_getaffinity(0))}
'''

OUTSIDE = {"src", "href", "action", "data", "srcset"}


@pytest.fixture
def crooked(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a backend that is wrong in one place and limited in another."""
    folder = tmp_path_factory.mktemp("crooked")
    (folder / "crooked_backend.py").write_text(CROOKED)
    info = folder / "crooked_backend-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: crooked-backend\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[dnnbridge.backends]\ncrooked = crooked_backend\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder), os.pathsep)  # of processes that it starts


def call(*args: str | Path) -> Result:
    return CliRunner().invoke(main, ["conformance", *map(str, args)])


def test_a_right_backend_conforms(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    done = call("--backend", "reference", "--select", "Softplus, tanh-wide", "--json", path)
    assert done.exit_code == 0, done.output
    assert re.search(r"reference  activation: \d+ checks, 0 failed", done.output)
    assert "reference on cpu conforms: " in done.output
    (found,) = read(path)
    assert {outcome.area for outcome in found.outcomes} >= {"operation", "activation"}
    assert all(outcome.measurements for outcome in found.outcomes)
    assert to_json([found]) == path.read_text()


@pytest.mark.usefixtures("crooked")
def test_a_wrong_backend_does_not(tmp_path: Path) -> None:
    """Its failures say where; its limitations say why, and alone they fail nothing."""
    page = tmp_path / "r.html"
    done = call("--backend", "crooked", "--select", "Tanh-wide,Erfc", "--report", page)
    assert done.exit_code == 1
    assert re.search(r"FAILED operation Tanh-wide: .*value: error 0.001 > 1.91e-06 at", done.output)
    assert re.search(r"limited operation Erfc.*: .*nobody wrote it", done.output)
    assert re.search(r"crooked on cpu \d of \d+ checks failed", done.output)
    assert "crooked  fails" in re.sub(r"\s{2,}", "  ", page.read_text())
    assert "nobody wrote it" in page.read_text()
    assert call("--backend", "crooked", "--select", "Erfc").exit_code == 0


def test_a_report_may_be_json(tmp_path: Path) -> None:
    """So `--report` is enough for what a machine sends about its device."""
    path, other = tmp_path / "cpu.json", tmp_path / "other.json"
    asked = "--backend", "reference", "--device", "cpu", "--select", "Erfc"
    done = call(*asked, "--report", path, "--json", other)
    assert done.exit_code == 0, done.output
    (found,) = read(path)
    assert (found.backend, found.device) == ("reference", "cpu")
    assert {"dnnbridge", "processor", "platform"} <= found.versions.keys()
    assert path.read_text() == other.read_text()


@pytest.mark.usefixtures("crooked")
def test_environment_names_the_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DNNBRIDGE_BACKEND", "crooked")
    assert call("--select", "Tanh-wide").exit_code == 1
    assert call("--select", "Tanh-wide", "--backend", "reference").exit_code == 0
    monkeypatch.setenv("DNNBRIDGE_DEVICE", "gpu")
    assert "It knows cpu" in call("--select", "Tanh-wide").output


def test_mistakes_have_one_line(tmp_path: Path) -> None:
    (tmp_path / "no.json").write_text("{}")
    mistakes = {
        "no check matches 'nosuch'": ("--select", "nosuch"),
        "is not a report of dnnbridge conformance": ("--against", tmp_path / "no.json"),
        "Did you mean 'reference'": ("--backend", "refrence"),
        "cannot be written": ("--report", tmp_path),
    }
    for message, args in mistakes.items():
        done = call("--backend", "reference", *args)
        assert done.exit_code, message
        assert "Traceback" not in done.output
    (tmp_path / "other.json").write_text(to_json([Conformance("other", "cpu", {})]))
    done = call("--backend", "reference", "--against", tmp_path / "other.json")
    assert "other on cpu" in done.output
    assert "Give a file of reference on cpu" in done.output


@pytest.mark.usefixtures("crooked")
def test_against_says_what_has_changed(tmp_path: Path) -> None:
    """The files of two backends, one under the other's name."""
    before, words = tmp_path / "b.json", ("--select", "tanh-wide,Erfc-wide,exp-wide")
    assert call("--backend", "reference", *words, "--json", before).exit_code == 0
    same = call("--backend", "reference", *words, "--against", before)
    assert "No changes." in same.output
    before.write_text(before.read_text().replace('"backend": "reference"', '"backend": "crooked"'))
    now = call("--backend", "crooked", *words, "--against", before).output
    assert "newly failing: operation Tanh-wide: value: error 0.001" in now
    assert "newly limited: operation Erfc-wide" in now
    assert "No changes." not in now
    assert "newly passing" not in now


@pytest.mark.usefixtures("crooked")
def test_a_variant_runs_in_a_process_with_its_environment(tmp_path: Path) -> None:
    usual, other = tmp_path / "usual.json", tmp_path / "other.json"
    words = ("--backend", "crooked", "--select", "operation Erfc Erfc-wide")
    assert call(*words, "--json", usual).exit_code == 0
    done = call(*words, "--variant", "all", "--json", other)
    assert done.exit_code == 0, done.output
    assert "crooked other-way (goes another way): 1 check in 1 process" in done.output
    assert "crooked other-way on cpu conforms" in done.output
    (before,), (after,) = read(usual), read(other)
    assert (before.variant, after.variant) == ("", "other-way")
    assert (before.versions["way"], after.versions["way"]) == ("usual", "the other")
    assert after.versions["may use"] == 1
    assert after.versions["processor"]
    assert "crooked other-way" in render([before, after])
    against = call(*words, "--variant", "other-way", "--against", usual)
    assert "Give a file of crooked other-way on cpu" in against.output
    unknown = call(*words, "--variant", "otherway")
    assert unknown.exit_code == 1
    assert "Did you mean 'other-way'?" in unknown.output
    assert "Traceback" not in unknown.output


def outcome(id: str, error: float = 0.0, status: str = "passed") -> Outcome:
    return Outcome("layer", "layer.A", id, status, 1.0, (Measurement("value", error, 1.0),))


def test_changes_are_each_in_one_place() -> None:
    old = [outcome("a"), outcome("b", 2.0, "failed"), outcome("c"), outcome("d", 0.1)]
    old += [outcome("e", 0.04), outcome("f", 0.2), outcome("gone"), outcome("not asked")]
    new = [outcome("a", 2.0, "failed"), outcome("b"), outcome("c", status="limited")]
    new += [outcome("d", 0.3), outcome("e", 0.09), outcome("f", 0.39), outcome("new")]
    before, now = (Conformance("mine", "cpu", {}, tuple(each)) for each in (old, new))
    found = changes(before, now, {("layer", id) for id in ("a", "b", "c", "d", "e", "not asked")})
    names = {
        what: [key_of(each)[1] for each in getattr(found, what)]
        for what in ("failing", "passing", "limited", "new")
    }
    assert names == {"failing": ["a"], "passing": ["b"], "limited": ["c"], "new": ["new"]}
    assert [key_of(each)[1] for each in found.gone] == ["f", "gone"]
    assert [(g.outcome.id, g.before.error, g.now.error) for g in found.grown] == [("d", 0.1, 0.3)]
    assert not changes(before, before, {key_of(each) for each in before.outcomes})


class Page(HTMLParser):
    """Collects the texts of a page, and the addresses that it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.loaded: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loaded += [value or "" for name, value in attrs if name in OUTSIDE]
        self.scripts += tag == "script"

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def made(backend: str, error: float) -> Conformance:
    outcomes = (
        Outcome(c.area, c.entry, c.id, "passed", 0.1, (Measurement("value", error, 1e-5, "<at>"),))
        for c in all_checks()
    )
    return Conformance(backend, "cpu", {backend: "1.2.3"}, tuple(outcomes))


def test_the_report_has_every_entry_on_every_backend_and_needs_nothing_else() -> None:
    found = [made("one", 3e-7), made("two", 0.0), made("three", 1e-6)]
    failing = replace(found[2].outcomes[0], status="failed", measurements=(), note="Oh: <no>")
    found[2] = replace(found[2], outcomes=(failing, *found[2].outcomes[1:]))
    text = render(found)
    page = Page()
    page.feed(text)
    assert not page.scripts
    assert all(link.startswith("#") for link in page.loaded)
    assert not re.search(r"url\(|@import|https?:", text)
    for check in all_checks():
        assert check.entry.removeprefix(f"{check.area}.") in page.texts, check.entry
    assert "Oh: <no>" in text.replace("&lt;", "<").replace("&gt;", ">")
    assert "<at>" not in text
    for area in areas(found):
        assert area.key in TITLES, "a new area wants a title"
        assert all(len(row.cells) == 3 for row in area.rows)
        for row in area.rows:
            assert row.cells[0].text == "3.0e-07"
            assert row.cells[1].shade == "exact"
    assert "three 1.2.3" in re.sub(r"\s+", " ", text)


def test_files_of_several_backends_make_one_report(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.json").write_text(to_json([made(name, 1e-6)]))
    files, page = [str(tmp_path / f"{name}.json") for name in ("one", "two")], tmp_path / "r.html"
    command = ["conformance-report", *files, "--report", str(page)]
    assert CliRunner().invoke(main, command).exit_code == 0
    assert "two 1.2.3" in re.sub(r"\s+", " ", page.read_text())
    twice = CliRunner().invoke(main, [*command, files[0]])
    assert twice.exit_code == 1
    assert "the same backend occurs more than once" in twice.output


def test_what_is_not_finite_is_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    wrong = Outcome("a", "b", "c", "failed", 1.0, (Measurement("x", float("inf"), 1.0),))
    path.write_text(to_json([Conformance("mine", "cpu", {}, (wrong,))]))
    assert json.loads(path.read_text())["backends"][0]["outcomes"][0]["measurements"]
    assert read(path)[0].outcomes == (wrong,)


def test_checks_have_names_of_their_own_and_cover_every_entry() -> None:
    checks = all_checks()
    assert len({key_of(check) for check in checks}) == len(checks)
    quick = {(check.area, check.entry) for check in select(checks, quick=True)}
    some = ("training", "resuming")
    assert quick >= {(c.area, c.entry) for c in checks if c.area not in some}
    assert {area for area, _ in quick} == {check.area for check in checks}


class Noting(Subject):
    """Records the keys for which work is done once."""

    def once(self, key, make):
        self._made.setdefault("asked", set()).add(key)
        return super().once(key, make)

    def asked(self) -> set:
        return self._made.pop("asked", set())


def test_checks_that_make_something_once_are_together() -> None:
    """Checks that share work have one `together` key, so that they run in one process."""
    backend, asked = load_backend("reference"), {}
    reference = Noting(backend)
    subject = Noting(backend, held_to=reference)
    loss_scales = {c.id.removeprefix("train-") for c in all_checks() if c.area == "loss_scale"}
    chosen = [c for c in all_checks() if c.area in ("schedule", "initializer", "behaviour")]
    runs = [c for c in all_checks() if c.area in ("training", "resuming", "loss_scale")]
    for check in [*chosen, *(c for c in runs if c.id.split("-", 1)[-1] in loss_scales)]:
        check.measure(subject)
        for key in subject.asked() | reference.asked():
            asked.setdefault(key, []).append(check)
    shared = [checks for checks in asked.values() if len(checks) > 1]
    assert len(shared) > 3
    for checks in shared:
        assert len({check.together or check for check in checks}) == 1, [c.id for c in checks]
    names = {check.together for check in all_checks()}
    assert {f"train-{case.id}" for case in TRAINING_CASES} <= names


def test_no_process_has_a_part_of_what_is_together() -> None:
    shares = [share(all_checks(), k, 3) for k in range(3)]
    for name in {check.together for check in all_checks()} - {""}:
        assert sum(any(check.together == name for check in each) for each in shares) == 1, name


def test_two_processes_find_what_one_finds(tmp_path: Path) -> None:
    options = ["--backend", "reference", "--select", "Softplus", "--quick"]
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    assert call(*options, "--json", one).exit_code == 0
    assert call(*options, "--jobs", "2", "--json", two).exit_code == 0
    (alone,), (together,) = read(one), read(two)
    assert [each.id for each in together.outcomes] == [each.id for each in alone.outcomes]
    assert all(each.status == "passed" for each in together.outcomes)


def test_a_process_that_cannot_begin_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="a suite process failed with"):
        ask_in_processes(["conformance", "--backend", "nobody"], [], 1, tmp_path)
