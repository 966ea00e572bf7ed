"""The toy backend meets the reference."""

from dnnbridge.testing import ConformanceSuite


class TestAutograd(ConformanceSuite):
    backend = "autograd"
