"""The TensorFlow backend meets the float64 reference."""

import importlib.util

import pytest

from dnnbridge.testing import ConformanceSuite

if importlib.util.find_spec("tensorflow") is None:  # not imported: the backend decides how
    pytest.skip("TensorFlow is not installed", allow_module_level=True)


class TestTensorFlow(ConformanceSuite):
    backend = "tensorflow"
