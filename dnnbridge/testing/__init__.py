"""The conformance suite: subclass `ConformanceSuite` for pytest, or call `run_checks`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
