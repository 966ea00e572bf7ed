"""The table of versions that are known not to work together. A new case is a new row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dnnbridge.installation.finding import Level

MISSING = "missing"
"""In place of a range: the package is not installed."""

ANY = ""
"""In place of a range: the package is installed, in any version."""


@dataclass(frozen=True)
class Rule:
    """Versions that do not work together.

    Attributes:
        name: its name, for tests and JSON.
        about: the package that does not work.
        when: a range of versions for each package that must be met, or `MISSING`, or `ANY`.
        what: what happens, without a full stop. "{numpy}" stands for the version of NumPy.
        fix: one command.
        level: how bad it is.
        environment: variables that must have these values too.
    """

    name: str
    about: str
    when: Mapping[str, str]
    what: str
    fix: str
    level: Level = "problem"
    environment: Mapping[str, str] = field(default_factory=dict)


RULES = (
    Rule(
        "mindspore-numpy-2",
        "mindspore",
        {"mindspore": ">=2.10", "numpy": ">=2"},
        "MindSpore {mindspore} is built for NumPy 1: with NumPy {numpy} its first operation raises "
        "SystemError, and it does not know NumPy's numbers",
        "pip install 'numpy>=1.26,<2'",
    ),
    Rule(
        "mindspore-two-packages",
        "mindspore",
        {"mindspore": ANY, "mindspore-gpu": ANY},
        "mindspore-gpu {mindspore-gpu} is an old package with the same modules as mindspore",
        "pip uninstall -y mindspore-gpu && pip install --force-reinstall --no-deps mindspore",
    ),
    Rule(
        "mindspore-ascend-package",
        "mindspore",
        {"mindspore": ANY, "mindspore-ascend": ANY},
        "mindspore-ascend {mindspore-ascend} is an old package with the same modules as mindspore",
        "pip uninstall -y mindspore-ascend && pip install --force-reinstall --no-deps mindspore",
    ),
    Rule(
        "mindspore-no-wheel",
        "mindspore",
        {"mindspore": MISSING, "python": ">=3.13"},
        "there is no MindSpore for Python {python}",
        "python3.12 -m venv .venv",
        "note",
    ),
    Rule(
        "keras-missing",
        "tensorflow",
        {"tensorflow": ">=2.16", "keras": MISSING},
        "TensorFlow {tensorflow} has no Keras: models cannot go to Keras or come from it",
        "pip install 'keras>=3'",
        "warning",
    ),
    Rule(
        "keras-2",
        "tensorflow",
        {"tensorflow": ">=2.16", "keras": "<3"},
        "TensorFlow {tensorflow} needs Keras 3, and Keras {keras} is installed",
        "pip install 'keras>=3'",
    ),
    Rule(
        "keras-legacy",
        "tensorflow",
        {"tensorflow": ANY},
        "TF_USE_LEGACY_KERAS=1 puts Keras 2 in place of tf.keras",
        "unset TF_USE_LEGACY_KERAS",
        "warning",
        {"TF_USE_LEGACY_KERAS": "1"},
    ),
    Rule(
        "tensorflow-two-packages",
        "tensorflow",
        {"tensorflow": ANY, "tensorflow-cpu": ANY},
        "tensorflow {tensorflow} and tensorflow-cpu {tensorflow-cpu} have the same modules; the "
        "one installed last is used, in parts",
        "pip uninstall -y tensorflow-cpu && pip install --force-reinstall --no-deps tensorflow",
        "warning",
    ),
    Rule(
        "tensorflow-gpu",
        "tensorflow",
        {"tensorflow-gpu": ">=2.12"},
        "tensorflow-gpu {tensorflow-gpu} is an empty package; tensorflow has the GPU kernels",
        "pip uninstall -y tensorflow-gpu && pip install 'tensorflow[and-cuda]'",
        "warning",
    ),
)


@dataclass(frozen=True)
class Toolkit:
    """The CUDA that a package wants, if its files do not say it.

    Attributes:
        package: its name.
        versions: beginnings of the versions of CUDA that fit.
        what: what it wants, in words.
        fix: one command.
    """

    package: str
    versions: tuple[str, ...]
    what: str
    fix: str


TOOLKITS = (
    Toolkit(
        "mindspore",
        ("11.1", "11.6"),
        "the GPU plugins of MindSpore want CUDA 11.1 or 11.6 with cuDNN 8, found by CUDA_HOME",
        "export CUDA_HOME=/usr/local/cuda-11.6",
    ),
)
