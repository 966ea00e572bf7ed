"""The Reference backend meets the float64 reference."""

from dnnbridge.testing import ConformanceSuite


class TestReference(ConformanceSuite):
    backend = "reference"
