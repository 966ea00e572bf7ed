"""The toy backend passes the conformance suite."""

from dnnbridge.testing import ConformanceSuite


class TestAutograd(ConformanceSuite):
    backend = "autograd"
