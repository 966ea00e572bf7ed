"""Findings about packages, from metadata that the tests make."""

from __future__ import annotations

import platform

import pytest

from dnnbridge.installation.installed import Installed, installed
from dnnbridge.installation.known_bad import ANY, MISSING, RULES, TOOLKITS
from dnnbridge.installation.packages import package_findings, packages
from dnnbridge.installation.versions import meets, normal, read_requirement

VERSIONS = [
    ("1.26.4", ">=1.26,<2", True),
    ("2.0.0", ">=1.26,<2", False),
    ("1.9", ">=1.10", False),
    ("1.10", ">=1.9", True),
    ("2.0", "==2.0.0", True),
    ("2.10.0", "==2.10.*", True),
    ("2.1.0", "==2.10.*", False),
    ("2", "==2.0.*", True),
    ("2.11", "!=2.10.*", True),
    ("0.5.0", "!=0.5.0,>=0.2.1", False),
    ("2.0.0rc1", "<2", False),
    ("2.0.0rc1", ">=2", False),
    ("2.0.0.dev3", "<2.0.0rc1", True),
    ("2.0.post1", ">2.0", True),
    ("1.4.5", "~=1.4.2", True),
    ("1.5.0", "~=1.4.2", False),
    ("2.21.0+cpu", ">=2.18", True),
    ("7.35.0", "<=7.35", True),
    ("weird", ">=1", True),
    ("1.0", "", True),
]


@pytest.mark.parametrize(("version", "specs", "fits"), VERSIONS)
def test_a_version_is_in_a_range(version, specs, fits):
    assert meets(version, specs) == fits


def test_a_range_is_what_packaging_says():
    """The witness is the package `packaging`, where it is installed."""
    specifiers = pytest.importorskip("packaging.specifiers")
    for version, specs, fits in VERSIONS:
        if version != "weird" and "post" not in version:
            known = specifiers.SpecifierSet(specs).contains(version, prereleases=True)
            assert known == fits, (version, specs)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("click>=8.1", ("click", ">=8.1", "")),
        ("ml_dtypes<1.0.0,>=0.5.1", ("ml-dtypes", "<1.0.0,>=0.5.1", "")),
        ("numpy<2,>=1.26; extra == 'mindspore'", ("numpy", "<2,>=1.26", "mindspore")),
        ('nvidia-nccl-cu12 (<3.0) ; extra == "and-cuda"', ("nvidia-nccl-cu12", "<3.0", "and-cuda")),
        ("packaging", ("packaging", "", "")),
        ("keras[all]>=3", ("keras", ">=3", "")),
        ("colorama; sys_platform == 'win32'", None),
        ("a>1; python_version < '3.13' and extra == 'b'", None),
        ("a @ https://somewhere", None),
    ],
)
def test_a_requirement_is_read(text, found):
    made = read_requirement(text)
    assert (made and (made.name, made.specs, made.extra)) == found


OWN = (
    "numpy>=1.26",
    "click>=8.1",
    "mindspore>=2.7; extra == 'mindspore'",
    "numpy<2,>=1.26; extra == 'mindspore'",
    "tensorflow>=2.18; extra == 'tensorflow'",
    "jinja2>=3.1; extra == 'report'",
    "matplotlib>=3.8; extra == 'report'",
    "pytest>=8; extra == 'test'",
    "mindspore>=2.7; extra == 'test'",
)
GOOD = {"python": "3.12.1", "dnnbridge": "0.1.0", "numpy": "1.26.4", "click": "8.1.7"}


def having(requires=(), **versions):
    """Return an installation of these packages beside dnnbridge; None takes one away."""
    there = GOOD | {normal(name): version for name, version in versions.items()}
    made = {"dnnbridge": OWN, **dict(requires)}
    return Installed(
        {name: version for name, version in there.items() if version},
        {name: tuple(map(read_requirement, texts)) for name, texts in made.items()},
    )


def found(here, **environment):
    return [(each.level, each.about, each.fix) for each in package_findings(here, environment)]


def test_what_is_not_there_is_a_note_with_the_command():
    assert found(having()) == [
        ("note", "extra mindspore", "pip install 'dnnbridge[mindspore]'"),
        ("note", "extra tensorflow", "pip install 'dnnbridge[tensorflow]'"),
        ("note", "extra report", "pip install 'dnnbridge[report]'"),
    ]


WRONG = {
    "own-missing": ({"click": None}, ("problem", "dnnbridge", "pip install 'click>=8.1'")),
    "own-old": ({"numpy": "1.24.0"}, ("problem", "dnnbridge", "pip install 'numpy>=1.26'")),
    "half": ({"jinja2": "3.1"}, ("warning", "matplotlib", "pip install 'matplotlib>=3.8'")),
    "old": (
        {"tensorflow": "2.15.0", "keras": "2.15.0"},
        ("problem", "tensorflow", "pip install 'tensorflow>=2.18'"),
    ),
    "numpy-of-an-extra": (
        {"mindspore": "2.9.0", "numpy": "2.1.0"},
        ("problem", "numpy", "pip install 'numpy<2,>=1.26'"),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_versions_out_of_range_are_found(name):
    versions, finding = WRONG[name]
    assert finding in found(having(**versions))


def test_what_packages_need_from_each_other():
    requires = {
        "tensorflow": ["h5py<3.15.0,>=3.11.0", "keras>=3.12"],
        "keras": ["h5py; extra=='x'"],
    }
    here = having(requires, tensorflow="2.21.0", keras="3.15.1", h5py="3.16.0")
    (finding,) = [each for each in package_findings(here, {}) if each.level == "problem"]
    assert finding.what == "tensorflow 2.21.0 needs h5py<3.15.0,>=3.11.0, and 3.16.0 is installed"
    assert finding.fix == "pip install 'h5py<3.15.0,>=3.11.0'"


def test_a_python_out_of_range():
    here = Installed({"python": "3.13.0", "dnnbridge": "0.1.0"}, {}, ">=3.11,<3.13")
    assert ("problem", "python", "python3.12 -m venv .venv") in found(here)
    assert not found(Installed({"python": "3.12.9", "dnnbridge": "1"}, {}, ">=3.11,<3.13"))


def test_without_metadata_of_dnnbridge():
    assert found(Installed({"python": "3.12"}, {})) == [("problem", "dnnbridge", "pip install .")]


EXAMPLES = {
    "mindspore-numpy-2": {"mindspore": "2.10.0", "numpy": "2.4.6"},
    "mindspore-two-packages": {"mindspore": "2.10.0", "mindspore_gpu": "1.10.0"},
    "mindspore-ascend-package": {"mindspore": "2.10.0", "mindspore_ascend": "1.10.0"},
    "mindspore-no-wheel": {"python": "3.13.1"},
    "keras-missing": {"tensorflow": "2.21.0"},
    "keras-2": {"tensorflow": "2.21.0", "keras": "2.15.0"},
    "keras-legacy": {"tensorflow": "2.21.0", "keras": "3.15.1"},
    "tensorflow-two-packages": {
        "tensorflow": "2.21.0",
        "tensorflow_cpu": "2.21.0",
        "keras": "3.15.1",
    },
    "tensorflow-gpu": {"tensorflow_gpu": "2.12.0"},
}
"""Versions that break each rule."""


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_row_of_the_table_is_found_once(rule):
    here = having(**EXAMPLES[rule.name])
    named = [each for each in package_findings(here, rule.environment) if each.fix == rule.fix]
    (finding,) = named
    assert (finding.level, finding.about) == (rule.level, rule.about)
    assert "{" not in finding.what
    assert rule.environment or not any(
        each.fix == rule.fix for each in package_findings(having(), {})
    )


def test_a_rule_explains_what_ranges_say_too():
    """NumPy 2 with MindSpore 2.10 is one finding, with the reason."""
    here = having({"mindspore": ["numpy<2"]}, mindspore="2.10.0", numpy="2.4.6")
    (finding,) = [each for each in package_findings(here, {}) if each.level == "problem"]
    assert "SystemError" in finding.what


def test_the_table_is_well_formed():
    assert set(EXAMPLES) == {rule.name for rule in RULES}
    for rule in RULES:
        assert rule.fix
        assert all(specs in (ANY, MISSING) or specs[0] in "<>=!~" for specs in rule.when.values())
        assert all(name == normal(name) for name in rule.when)
    assert all(each.versions and each.fix for each in TOOLKITS)


def test_metadata_are_read_without_an_import(tmp_path, monkeypatch):
    """NumPy 2 beside MindSpore 2.10 is found in their metadata; neither is there to import."""
    for name, version in (("numpy", "2.4.6"), ("mindspore", "2.10.0")):
        folder = tmp_path / f"{name}-{version}.dist-info"
        folder.mkdir()
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        (folder / "METADATA").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    named = [each for each in package_findings(installed(), {}) if "SystemError" in each.what]
    assert [(each.level, each.fix) for each in named] == [
        ("problem", "pip install 'numpy>=1.26,<2'")
    ]


def test_the_packages_of_this_python():
    here = installed("numpy", "no-such-package")
    assert here.python == ">=3.11,<3.13" or set(here.python.split(",")) == {">=3.11", "<3.13"}
    assert here.versions["python"] == platform.python_version()
    assert "no-such-package" not in here.versions
    rows = {(each.name, each.extra): each for each in packages(here)}
    assert rows["numpy", ""].version == here.versions["numpy"]
    assert rows["numpy", "mindspore"].wanted == "<2,>=1.26"
    assert not {extra for _, extra in rows} & {"test", "lint", "all"}
