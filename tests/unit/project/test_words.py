"""Retired words stay retired: `docs/glossary.md` says which, and the product does not use them."""

import io
import keyword
import re
import tokenize
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("activities", "api", "cli", "erp", "matching", "models", "services", "temporal_gateway", "workflows")
"""The product, without its tests, its benches and the sandbox."""
PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


class Retired(NamedTuple):
    word: str
    how: str
    exceptions: frozenset[str]


def retired_words() -> list[Retired]:
    page = (ROOT / "docs" / "glossary.md").read_text()
    table = page[page.index("## Words we retired") :]
    rows = re.findall(r"^\| ([^|]+) \| (identifier|anywhere) \| [^|]+ \| ?([^|]*)\|$", table, flags=re.MULTILINE)
    return [Retired(word, how, frozenset(names.replace(",", " ").split())) for word, how, names in rows]


def product_files() -> list[Path]:
    files = [ROOT / "worker.py", ROOT / "settings.py"]
    for room in ROOMS:
        files += [path for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts]
    return files


def as_written(words: str) -> str:
    """Return a pattern for some words as prose, in a snake_case name and in a CamelCase one."""
    return "[ _]?".join(re.escape(word) for word in re.split("[ _]", words))


def uses(source: str, words: list[Retired]) -> list[str]:
    """Name every use of a retired word in one file's source."""
    parts = {retired.word: retired.exceptions for retired in words if retired.how == "identifier"}
    problems = [
        f"{retired.word!r} (anywhere)"
        for retired in words
        if retired.how == "anywhere" and re.search(rf"\b{as_written(retired.word)}\b", source, flags=re.IGNORECASE)
    ]
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.NAME or keyword.iskeyword(token.string):
            continue
        for part in {part.lower() for piece in token.string.split("_") for part in PARTS.findall(piece)}:
            if token.string not in parts.get(part, {token.string}):
                problems.append(f"{token.string} (line {token.start[0]})")
    return problems


def test_the_table_is_read() -> None:
    words = {retired.word: retired for retired in retired_words()}
    assert len(words) > 30
    assert words["found"].exceptions >= {"NotFound", "not_found"}


@pytest.mark.parametrize("room", [*ROOMS, "worker.py", "settings.py"])
def test_no_retired_word_in_the_product(room: str) -> None:
    words = retired_words()
    problems = {
        str(path.relative_to(ROOT)): found
        for path in product_files()
        if path.relative_to(ROOT).parts[0] == room and (found := uses(path.read_text(), words))
    }
    assert problems == {}


def test_a_retired_word_is_noticed() -> None:
    words = retired_words()
    assert uses("def judge_twice(x): ...", words) == ["judge_twice (line 1)"]
    assert uses("class NotFound: ...\nnot_found = HELD = timestamp = wording = 1", words) == []
    assert uses('"""Rings the doorbell."""', words) == ["'doorbell' (anywhere)"]
    assert uses("class KeptBack: ...", words) == ["'kept back' (anywhere)", "'kept_back' (anywhere)"]
