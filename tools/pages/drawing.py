"""The picture of the model that the README builds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dnnbridge as db

README = Path(__file__).parents[2] / "README.md"


def page() -> str:
    """Return the picture of the model that the README builds."""
    readme = README.read_text(encoding="utf-8")
    code = readme.split("```python\nimage = ")[1].split("\nprint(")[0]
    names: dict[str, Any] = {"db": db}
    exec(compile("image = " + code, "README.md", "exec"), names)
    svg: str = names["model"].plot().svg
    return svg
