"""The public names are those that the packages list."""

from __future__ import annotations

import importlib

import public_names as tool


def test_the_stub_is_fresh():
    assert tool.FACE.read_text(encoding="utf-8") == tool.face(), "run: make docs"


def test_what_is_kept_within_is_there():
    listed = {
        name
        for package in (*tool.PACKAGES, "optimizers")
        for name in importlib.import_module(f"dnnbridge.{package}").__all__
    }
    assert listed >= tool.WITHIN


def test_no_name_is_of_two_modules():
    names = [name for listed in tool.public_names().values() for name in listed]
    assert len(names) == len(set(names))
