"""Measure how models of Keras move: see the package."""

from __future__ import annotations

import argparse
from pathlib import Path

from keras_models import parts, resources
from keras_models.families import FAMILIES
from keras_models.plain import without

PAGE = Path(__file__).parents[2] / "docs" / "measurements" / "keras-models.md"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="models; all if none is named")
    parser.add_argument("--out", type=Path, default=Path("out/keras-models"))
    parser.add_argument("--parts", default=",".join(parts.PARTS), help="what to measure")
    parser.add_argument("--page", type=Path, help="write the page of what is there, nothing else")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work == "resources":
        kind = given.names[0]
        parts.finish(given.out / f"{kind}.json", resources.measure(given.out, kind))
    elif given.work == "write-resnet":
        given.out.mkdir(parents=True, exist_ok=True)
        parts.finish(given.out / "keras.json", resources.write(given.out))
    elif given.work:
        without(*parts.WITHOUT.get(given.work, ()))
        parts.work(given.work, given.names, given.out)
    elif given.page:
        write_page(given.out, given.page)
    else:
        names = given.names or all_names()
        for part in given.parts.split(","):
            small = part in parts.OF_SMALL_MODELS and not given.names
            parts.run(part, [n for n in names if not small or n not in FAMILIES], given.out)
        if not given.names:
            parts.run_resources(given.out / parts.RESNET)
            write_page(given.out, PAGE)


def all_names() -> list[str]:
    """Return small models first, which take least time."""
    from keras_models.small import SMALL

    return [*SMALL, *FAMILIES]


def write_page(out: Path, path: Path) -> None:
    from keras_models.page import page

    path.write_text(page(out), encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
