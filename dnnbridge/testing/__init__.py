"""The conformance suite: subclass `ConformanceSuite` and run pytest."""

from dnnbridge.testing.assertions import assert_close, assert_near
from dnnbridge.testing.suite import ConformanceSuite

__all__ = ["ConformanceSuite", "assert_close", "assert_near"]
