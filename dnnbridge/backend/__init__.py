"""The names of dnnbridge that a backend may import, and the protocol that it implements.

A backend imports only this package and the public names of `dnnbridge`; other modules may move.
`__init__.pyi` lists the names. Each is loaded on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
