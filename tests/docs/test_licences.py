"""The page of licences has each package that is pinned."""

from __future__ import annotations

import importlib

licences = importlib.import_module("licences")


def test_the_page_has_each_package_with_its_version():
    text = licences.PAGE.read_text("utf-8")
    for name, version in licences.constraints().items():
        assert f"| {name} | {version} | " in text, "Run: python tools/licences.py"


def test_each_licence_is_known():
    rows = [line.split("|") for line in licences.PAGE.read_text("utf-8").splitlines()]
    found = {row[3].strip() for row in rows if len(row) == 5 and row[1].strip() != "package"}
    known = ("MIT", "BSD", "Apache", "MPL", "PSF", "see above", "---")
    assert all(licence.startswith(known) for licence in found), found
