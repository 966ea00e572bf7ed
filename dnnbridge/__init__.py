"""dnnbridge: one spec of a training experiment, the same numbers on MindSpore and TensorFlow.

The public names stand in `__init__.pyi` and are loaded when they are first used, so that
`import dnnbridge` costs nothing; no framework is imported before `compile`.
"""

from typing import Any

import lazy_loader

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    try:
        return _load(name)
    except AttributeError:
        if name.startswith("_"):
            raise
    from dnnbridge.specs.former_names import forwarding

    return forwarding(__name__, _load)(name)
