"""`docs/reference/coverage.md` says of each requirement what holds: a test through a door that names it, or why not."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "reference" / "coverage.md"
LINES = {"S1": 33, "S2": 89, "S3": 23, "S4": 74, "S5": 164}
"""How many lines each document has."""
ROW = re.compile(r"^\| (S\d-\d+) \| ([a-zA-Z ]+) \| (.+) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
DOORS = ("tests/api/", "tests/end_to_end/", "tests/unit/cli/")
"""Where tests go through the API or the command line."""
NAMED = re.compile(r"\bS(\d)-(\d{2,3})((?:\.\.\d{2,3}|, ?\d{2,3}\b)*)")
MORE = re.compile(r"(\.\.|, ?)(\d{2,3})")


def lines_named(docstring: str) -> set[str]:
    """Return the lines that a docstring names: `S1-02`, `S2-15..23`, `S5-43, 48`."""
    named: set[str] = set()
    for seed, first, rest in NAMED.findall(docstring):
        last = int(first)
        named.add(f"S{seed}-{last:02d}")
        for sign, number in MORE.findall(rest):
            numbers = range(last + 1, int(number) + 1) if sign == ".." else [int(number)]
            named |= {f"S{seed}-{each:02d}" for each in numbers}
            last = int(number)
    return named


def goes_through_a_door(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether a test asks something: it awaits, takes a fixture, or runs a command. One that only compares
    constants does not."""
    if function.args.args:
        return True
    return any(
        isinstance(node, ast.Await) or (isinstance(node, ast.Call) and "run" in ast.unparse(node.func).casefold())
        for node in ast.walk(function)
    )


@cache
def functions_of(file: str) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    path = ROOT / file
    tree = ast.parse(path.read_text()) if path.is_file() else ast.Module([], [])
    return {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def problem_of(line: str, state: str, said: str) -> str | None:
    """Return what is wrong with a row; None: nothing."""
    if state in ("not built", "nothing to build"):
        return None if len(said) > 5 and not TEST.search(said) else f"{line}: no reason is given"
    if state not in ("done", "partly", "below the API"):
        return f"{line}: there is no state {state!r}"
    named = TEST.search(said)
    if named is None:
        return f"{line}: no test is named"
    file, name = named.groups()
    function = functions_of(file).get(name)
    if function is None:
        return f"{line}: there is no test {file}::{name}"
    if line not in lines_named(ast.get_docstring(function) or ""):
        return f"{line}: {name} does not name it"
    if state != "below the API" and not (file.startswith(DOORS) and goes_through_a_door(function)):
        return f"{line}: {name} goes through no door"
    return None


def test_every_line_is_there_once() -> None:
    rows = [line for line, _, _ in ROW.findall(PAGE.read_text())]
    expected = [f"{seed}-{number:02d}" for seed, count in LINES.items() for number in range(1, count + 1)]
    assert rows == expected


def test_each_line_has_a_test_that_names_it_or_a_reason() -> None:
    problems = [problem for row in ROW.findall(PAGE.read_text()) if (problem := problem_of(*row))]
    assert problems == []


def test_what_is_called_not_built_is_named_by_no_test_through_a_door() -> None:
    """A line whose test came later does not stay on the list of what is missing."""
    missing = {line for line, state, _ in ROW.findall(PAGE.read_text()) if state == "not built"}
    named = {
        f"{line}: {path.name}::{function.name}"
        for door in DOORS
        for path in (ROOT / door).rglob("test_*.py")
        for function in functions_of(str(path.relative_to(ROOT))).values()
        if goes_through_a_door(function)
        for line in lines_named(ast.get_docstring(function) or "") & missing
    }
    assert named == set()


def test_the_counts_are_those_of_the_rows() -> None:
    page = PAGE.read_text()
    states = [state for _, state, _ in ROW.findall(page)]
    for state in set(states):
        assert f"| {state} | {states.count(state)} |" in page


def test_a_row_that_claims_too_much_is_reported() -> None:
    assert problem_of("S1-01", "done", "`tests/api/test_nothing.py::test_x`") is not None
    here = "`tests/unit/project/test_coverage_page.py::test_lines_are_read_with_ranges`"
    assert problem_of("S2-15", "done", here) == "S2-15: test_lines_are_read_with_ranges goes through no door"
    assert problem_of("S2-15", "below the API", here) is None
    assert problem_of("S1-01", "below the API", here) == "S1-01: test_lines_are_read_with_ranges does not name it"
    assert problem_of("S1-01", "not built", "no") is not None


def test_lines_are_read_with_ranges() -> None:
    """S2-15..17: a range, and S5-43, 48 a list."""
    assert lines_named("S2-15..17, S5-43, 48: x") == {"S2-15", "S2-16", "S2-17", "S5-43", "S5-48"}
