"""The generated pages of docs/reference: `make docs` writes them.

PYTHONPATH=tools:tests python -m pages
"""

from __future__ import annotations

from collections.abc import Callable

from pages import api, ascend, coverage, drawing, keras_names, names, sabotage, support, witnesses

PAGES: dict[str, Callable[[], str]] = {
    "api.md": api.page,
    "support.md": support.page,
    "coverage.md": coverage.page,
    "ascend.md": ascend.page,
    "witnesses.md": witnesses.page,
    "sabotage.md": sabotage.page,
    "keras-names.md": keras_names.page,
    "names.md": names.page,
    "model.svg": drawing.page,
}
"""The function that writes each file."""
