"""Write docs/licences.md: the packages that this project needs, and their licences."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "licences.md"

HEAD = """# Licences of the packages

dnnbridge is under the licence in [LICENSE](../LICENSE). It contains no code of other packages, but
needs some of these; `pyproject.toml` says which for what. The versions are those of
`constraints.txt`, the licences what each package says of itself. All may be used in closed
products; those under the MPL 2.0 ask that changes of their own files are published. `namex` names
none in what it installs; its source has the Apache licence 2.0.

`python tools/licences.py` writes this page.

| package | version | licence |
|---|---|---|
"""

NAMES = (
    (r"apache", "Apache-2.0"),
    (r"mozilla|mpl", "MPL-2.0"),
    (r"psf|python software", "PSF-2.0"),
    (r"mit-cmu", "MIT-CMU"),
    (r"bsd", "BSD"),
    (r"mit\b", "MIT"),
)
"""What a text of a package's metadata means, the first that fits."""


def constraints() -> dict[str, str]:
    """Return the pinned version of each package."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pairs = [line.split("==") for line in lines if "==" in line and not line.startswith("#")]
    return {name.strip(): version.strip() for name, version in pairs}


def licence_of(name: str) -> str:
    """Return the licence that an installed package names; "" if it names none."""
    found = metadata.metadata(name)
    if expression := found.get("License-Expression"):
        return str(expression)
    classifiers = found.get_all("Classifier") or ()
    texts = [each.split("::")[-1] for each in classifiers if "License" in each]
    texts.append((found.get("License") or "").partition("\n")[0])
    for text in texts:
        for pattern, short in NAMES:
            if re.search(pattern, text, re.IGNORECASE):
                return short
    return ""


def page() -> str:
    """Return the page for the packages that are installed."""
    rows = [
        f"| {name} | {version} | {licence_of(name) or 'see above'} |"
        for name, version in sorted(constraints().items())
    ]
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
