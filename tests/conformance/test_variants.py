"""Backends agree with the reference in every variant: other kernels, one thread.

By default only the operations that depend on the variant are checked; `-m slow` runs every check
of windows and sums in every variant.
"""

import importlib.util

import pytest
from click.testing import CliRunner

from dnnbridge.backend.plugins import available_backends, require_backend
from dnnbridge.cli import main

SHORT = {
    ("tensorflow", "no-onednn"): "Conv-,MaxPool-3d",
    ("tensorflow", "xla"): "ReduceMax-axis0,ReduceSum-axis0,MaxPool-3d-ties,Conv-1x1-all",
    ("mindspore", "one-thread"): "ReduceSum-axis0,AvgPool-3d,Conv-valid",
}
"""Words of `--select` for the checks that run by default."""

EVERY = "Conv,Pool,Reduce"

SLOW = [
    (backend.name, variant.name)
    for backend in available_backends()
    for variant in (require_backend(backend.name).variants if backend.installed else ())
    if "cpu" in variant.devices
]


def ask(backend: str, variant: str, words: str) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    options = ["--backend", backend, "--device", "cpu", "--variant", variant, "--select", words]
    done = CliRunner().invoke(main, ["conformance", *options])
    assert done.exit_code == 0, done.output
    assert f"{backend} {variant} on cpu conforms" in done.output


@pytest.mark.parametrize(("backend", "variant"), SHORT, ids=map("-".join, SHORT))
def test_a_variant_meets_the_reference(backend: str, variant: str) -> None:
    ask(backend, variant, SHORT[backend, variant])


@pytest.mark.slow
@pytest.mark.parametrize(("backend", "variant"), SLOW, ids=map("-".join, SLOW))
def test_every_variant_meets_the_reference(backend: str, variant: str) -> None:
    ask(backend, variant, EVERY)
