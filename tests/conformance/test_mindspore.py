"""The MindSpore backend meets the float64 reference."""

import pytest

from dnnbridge.testing import ConformanceSuite

pytest.importorskip("mindspore")


class TestMindSpore(ConformanceSuite):
    backend = "mindspore"
