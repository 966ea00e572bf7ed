from .assertions import assert_close, assert_near
from .suite import ConformanceSuite

__all__ = ["ConformanceSuite", "assert_close", "assert_near"]
