"""The conformance suite: subclass `ConformanceSuite` and run pytest, or `run_checks` without."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
