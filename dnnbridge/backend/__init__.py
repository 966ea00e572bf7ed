"""All that a backend takes from dnnbridge, and the protocol that it meets.

A backend imports this and the public names of `dnnbridge`, nothing else: whatever stands elsewhere
may move. The names stand in `__init__.pyi` and are loaded when they are first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
