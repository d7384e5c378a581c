"""What a public function raises on purpose, its docstring names."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve()
while not (ROOT / "pyproject.toml").exists():
    ROOT = ROOT.parent

ROOMS = [
    "activities",
    "api",
    "cli",
    "erp",
    "matching",
    "models",
    "sandbox",
    "services",
    "temporal_gateway",
    "workflows",
]

READ_BY_USERS = ("cli/commands",)
"""Whose docstrings are the help that people read; `posync` exits, and says why in their words."""


def public_functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions of a module and of its public classes; not routes, whose docstrings are the API's documentation."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            decorators = " ".join(ast.unparse(decorator) for decorator in node.decorator_list)
            if "router." not in decorators:
                yield node


def raised(node: ast.AST, *, handled: bool = False) -> Iterator[str]:
    """What leaves the function by a `raise` of its own; not what it handles itself, or raises once more."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            continue
        if isinstance(child, ast.Raise) and isinstance(child.exc, ast.Call) and not handled:
            yield ast.unparse(child.exc.func)
        if isinstance(child, ast.Try) and child.handlers:
            for part in child.body:
                yield from raised(ast.Module([part], []), handled=True)
            for part in (*child.handlers, *child.orelse, *child.finalbody):
                yield from raised(ast.Module([part], []), handled=handled)
        else:
            yield from raised(child, handled=handled)


def not_named(source: str) -> list[str]:
    return [
        f"line {function.lineno}: {function.name} raises {', '.join(sorted(set(found)))}"
        for function in public_functions(ast.parse(source))
        if (found := list(raised(function))) and "aises" not in (ast.get_docstring(function) or "")
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_what_is_raised_on_purpose_is_named(room: str) -> None:
    """HOUSE 2."""
    files = [path for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts]
    assert len(files) > 3
    found = {
        name: faults
        for path in files
        if not (name := path.relative_to(ROOT).as_posix()).startswith(READ_BY_USERS)
        and (faults := not_named(path.read_text()))
    }
    assert found == {}


def test_what_is_not_named_is_found() -> None:
    """And what is named, handled, private, raised again or of a route is not."""
    source = '''
def silent(): raise ValueError("x")
class Door:
    async def shut(self):
        """Shut it."""
        if self.open: raise Stuck()
def named():
    """Do.

    Raises:
        ValueError: always.
    """
    raise ValueError("x")
def handled():
    try: raise ValueError("x")
    except ValueError: return
def again():
    try: silent()
    except ValueError: raise
def handler():
    try: silent()
    except ValueError: raise Stuck() from None
def _private(): raise ValueError("x")
@router.get("/")
def route(): raise Problem("NO")
'''
    assert not_named(source) == [
        "line 2: silent raises ValueError",
        "line 4: shut raises Stuck",
        "line 20: handler raises Stuck",
    ]
