"""What tests share lies in modules for it, never in a test module or a conftest, and says by its name what it is."""

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = next(folder for folder in Path(__file__).resolve().parents if folder.name == "tests")


def _imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield module and name of each import, also of those inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)


def _shared_wrongly(module: str, name: str) -> bool:
    if module.partition(".")[0] != "tests":
        return False
    return any(part == "conftest" or part.startswith(("test_", "_")) for part in (*module.split("."), name))


def test_no_test_imports_from_a_test_module() -> None:
    wrong = [
        f"{file.relative_to(TESTS)}: {module} {name}"
        for file in sorted(TESTS.rglob("*.py"))
        for module, name in _imports(ast.parse(file.read_text()))
        if _shared_wrongly(module, name)
    ]
    assert wrong == []


def test_such_an_import_is_found() -> None:
    source = (
        "def late():\n    from tests.unit.store.test_grni import report\nfrom tests.api import conftest\nimport tests.x"
    )
    found = [pair for pair in _imports(ast.parse(source)) if _shared_wrongly(*pair)]
    assert sorted(found) == [("tests.api", "conftest"), ("tests.unit.store.test_grni", "report")]


RETIRED = frozenset({"bell", "desk", "given", "made", "office", "world"})
"""Names that said nothing of what a thing is; hypothesis's own `given` stays."""


def _retired_names(tree: ast.AST) -> Iterator[str]:
    """Yield the variables, parameters and functions with such a part in their name; a test's name is a sentence."""
    borrowed = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "hypothesis"
        for alias in node.names
    }
    for node in ast.walk(tree):
        name = getattr(node, "id", None) or getattr(node, "arg", None) or getattr(node, "name", None)
        named = isinstance(name, str) and name not in borrowed and not name.startswith("test_")
        if named and RETIRED & set(str(name).lower().split("_")):
            yield str(name)


def test_names_in_tests_say_what_a_thing_is() -> None:
    wrong = {
        str(file.relative_to(TESTS)): names
        for file in sorted(TESTS.rglob("*.py"))
        if (names := sorted(set(_retired_names(ast.parse(file.read_text())))))
    }
    assert wrong == {}


def test_such_a_name_is_found() -> None:
    tree = ast.parse("from hypothesis import given\n@given(1)\ndef test_made(world): other_office = given")
    assert sorted(_retired_names(tree)) == ["other_office", "world"]
