"""dnnbridge: one spec of a training experiment, the same numbers on MindSpore and TensorFlow.

The public names stand in `__init__.pyi` and are loaded when they are first used, so that
`import dnnbridge` costs nothing; no framework is imported before `compile`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

__version__ = "0.1.0"
