"""The TensorFlow backend meets the float64 reference."""

import pytest

from dnnbridge.testing import ConformanceSuite

pytest.importorskip("tensorflow")


class TestTensorFlow(ConformanceSuite):
    backend = "tensorflow"
