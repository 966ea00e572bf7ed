"""Names and texts of a spec never become code in source that is written or generated."""

from __future__ import annotations

import ast
import importlib
import json

import pytest

import dnnbridge as db
from dnnbridge.errors import SpecError

TEXTS = {
    "quotes": '"""; import os; os.system("true") #',
    "single-quotes": "'''\n__import__('os').system('true')\n'''",
    "line": "a\n    import os\nb",
    "backslash": 'end\\"\\',
    "braces": "{0.__class__}{os}{{}}%s%(x)s${x}",
    "separators": "a\u2028import os\u2029\r\x0bb\0",
    "markup": '</script><img src=x onerror="alert(1)">',
    "surrogates": "\ud800x",
    "wide": "import os;" * 50,
}
"""Texts that would be code if they were put into source as they are."""

NAMES = {**TEXTS, "dot": "os.system", "call": "f()", "slash": "../x", "space": "a b", "empty": " "}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_is_no_text(name):
    layers = [db.Input((4,)), db.Dense(3, name=name), db.Dense(2)]
    with pytest.raises(SpecError, match="name"):
        db.Sequential(layers)
    with pytest.raises(SpecError, match="name"):
        db.Model(x := db.Input((4,), name=name), db.Dense(2)(x))
    model = db.Sequential([db.Input((4,)), db.Dense(2)])
    with pytest.raises(SpecError):
        db.Experiment(model, [db.Head(name, "mse")], "sgd")


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_node_is_no_text(name):
    x = db.Input((4,), name="x")
    model = db.Model(x, db.Dense(2, name="node")(x))
    data = json.loads(db.Experiment(model, "mse", "sgd").to_json())
    text = json.dumps(data).replace('"node"', json.dumps(name))
    with pytest.raises(SpecError):
        db.Experiment.from_json(text)


def spec(text: str) -> db.Experiment:
    """Return an experiment with a text in a vocabulary, as a token and in a pattern."""
    kinds = "".join(c for c in text if c not in "]!")
    lookup = db.StringLookup(
        vocabulary=["a", text], mask_token=f"m{text}", oov_token=f"o{text}", output_mode="multi_hot"
    )
    model = db.Sequential([db.Input((2,), "string"), lookup, db.Dense(2, name="dense")])
    return db.Experiment(model, "mse", "sgd", frozen=(f"[{kinds}d]ense/*", "!dense/bias"))


def blank(source: str) -> str:
    """Return the tree of source with all texts left out."""

    class Blank(ast.NodeTransformer):
        def visit_Constant(self, node):
            return ast.Constant("") if isinstance(node.value, str) else node

    return ast.dump(Blank().visit(ast.parse(source)))


def texts_of(source: str) -> list[str]:
    return [n.value for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Constant)]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_what_repr_writes(text):
    try:
        made, plain = repr(spec(text)), repr(spec("plain"))
    except SpecError:
        assert "\ud800" in text  # has no bytes, so no digest
        return
    assert blank(made) == blank(plain)
    assert text in texts_of(made)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    path = tmp_path_factory.mktemp("plain") / "net.py"
    exporting(spec("plain")).export(path, "python-tensorflow")
    return path.read_text("utf-8")


def exporting(experiment: db.Experiment) -> db.Run:
    return db.compile(experiment.replace(frozen=()), "reference")


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_source_for_tensorflow(text, plain, tmp_path):
    path = tmp_path / "net.py"
    try:
        exporting(spec(text)).export(path, "python-tensorflow")
    except SpecError:
        assert "\ud800" in text
        return
    source = path.read_text("utf-8")
    assert blank(source) == blank(plain)
    assert text in texts_of(source)


@pytest.mark.parametrize("format", ["python-tensorflow", "python-mindspore"])
@pytest.mark.parametrize("name", ['a"b', "a'b", "{x}", "a\nb", "a\\", '"""', "é", "1", "class"])
def test_the_name_of_the_file(name, format, tmp_path):
    model = db.Sequential([db.Input((3,)), db.Dense(2)])
    run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
    plain, made = tmp_path / "plain.py", tmp_path / f"{name}.py"
    run.export(plain, format)
    run.export(made, format)
    source = made.read_text("utf-8")
    assert blank(source) == blank(plain.read_text("utf-8"))
    assert any(name in str(text) for text in texts_of(source))


def test_source_that_mindspore_compiles():
    pytest.importorskip("mindspore")
    generator = importlib.import_module("dnnbridge_mindspore.generator")
    plain = spec("plain").program().functions["train"]
    for text in (each for name, each in TEXTS.items() if name != "surrogates"):
        function = spec(text).program().functions["train"]
        assert generator.generate(function)[0] == generator.generate(plain)[0]


@pytest.mark.parametrize("name", ["é", "ﬁ", "µ", "class", "None", "self", "print", "construct"])
def test_names_are_identifiers(name):
    pytest.importorskip("mindspore")
    generator = importlib.import_module("dnnbridge_mindspore.generator")
    model = db.Sequential([db.Input((3,)), db.Dense(2, name=name), db.Dense(2, name="fi")])
    function = db.Experiment(model, "mse", "adam").program().functions["train"]
    source = generator.generate(function)[0]
    assert blank(source)
    names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    assert all(each.isascii() for each in names)


def test_the_check_notices():
    source = 'x = f("{}")'
    assert blank(source.format("a")) == blank(source.format("b"))
    assert blank(source.format("a")) != blank(source.format('"); f("'))
