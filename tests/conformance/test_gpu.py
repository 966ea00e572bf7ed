"""TensorFlow on a GPU meets the float64 reference, wherever there is a GPU.

TF32 is off there, so the tolerances are those of a CPU. With TF32, which a user may ask for, a
product has the error that `tolerances.tf32` names.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dnnbridge.testing import ConformanceSuite
from dnnbridge.testing.tolerances import elementwise, tf32

if importlib.util.find_spec("tensorflow") is None:  # not imported: the backend decides how
    pytest.skip("TensorFlow is not installed", allow_module_level=True)
if not (shutil.which("nvidia-smi") or Path("/dev/kfd").exists()):
    pytest.skip("there is no GPU", allow_module_level=True)


@pytest.fixture(autouse=True)
def _gpu():
    import dnnbridge as db

    if "gpu" not in db.list_devices("tensorflow"):
        pytest.skip("TensorFlow sees no GPU")


class TestTensorFlowOnGPU(ConformanceSuite):
    backend = "tensorflow"
    device = "gpu"


PRODUCT = """
import numpy as np
from dnnbridge.backend.plugins import load_backend
from dnnbridge.testing.cases.op_case import OpCase, normal
from dnnbridge.testing.harness import build_case
from dnnbridge import ops
case = OpCase("large", ops.MatMul(), (normal(256, 256), normal(256, 256, key=1)), False, 256)
built = build_case(case)
expected = built.run(load_backend("reference"))["value"]
made = built.run(load_backend("tensorflow"), "gpu")["value"]
print("ERROR", np.max(np.abs(made - expected) / (1 + np.abs(expected))))
"""


@pytest.mark.parametrize("choice", ["", "0", "1"])
def test_a_product_has_the_error_of_its_numbers(choice):
    """The setting is global to the process, so each choice has one of its own."""
    environment = os.environ | {"DNNBRIDGE_TENSORFLOW_TF32": choice}
    done = subprocess.run(
        [sys.executable, "-c", PRODUCT], env=environment, capture_output=True, text=True
    )
    assert not done.returncode, done.stderr[-2000:]
    error = float(re.search(r"ERROR (\S+)", done.stdout)[1])
    assert np.isfinite(error)
    assert error <= (tf32(256) if choice == "1" else elementwise(256))
