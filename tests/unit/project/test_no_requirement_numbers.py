"""No text that users read names a requirement, a ruling or an internal document: the numbers mean nothing to them
(fault F7)."""

import re
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from api.app import create_app
from api.http.problem_codes import PROBLEM_CODES
from cli.main import app
from erp.registry import ISSUES
from models.domain.issues import ISSUE_CODES, IssueCode
from settings import Settings

ROOT = Path(__file__).parents[3]

REQUIREMENT = re.compile(
    r"""
    \bS\d-\d+                                # S4-66
    | \b(?:property|ruling|seeds?|fault|field\snotes?)\s\(?[A-Z]?-?\d  # ruling G12, field note U-8
    | \b[GQU]-\d{1,2}\b                      # U-8
    | [(,;]\s*[A-Z]\d{1,2}(?:\.\.[A-Z]?\d+)?\s*[),;]  # (H07), (P01..P08)
    | \b(?:rules|reference|section)\s\d
    | \bDESIGN\b | \bspec/ | \bHOUSE\b
    """,
    re.VERBOSE,
)


def texts(document: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text of a JSON document with the path to it."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from texts(value, f"{path}/{key}")
    elif isinstance(document, list):
        for position, value in enumerate(document):
            yield from texts(value, f"{path}/{position}")
    elif isinstance(document, str):
        yield path, document


def commands(command: TyperCommand | TyperGroup, name: str) -> Iterator[tuple[str, TyperCommand | TyperGroup]]:
    """Yield a command and all commands below it, with their names as a person types them."""
    yield name, command
    if isinstance(command, TyperGroup):
        for part, below in command.commands.items():
            assert isinstance(below, TyperCommand | TyperGroup)
            yield from commands(below, f"{name} {part}")


def help_texts(command: TyperCommand | TyperGroup) -> Iterator[str]:
    """Yield the command's own help as `--help` shows it, up to a form feed; its line in the list of the commands, which
    ends at an empty line; and the help of its options and arguments."""
    yield (command.help or "").partition("\f")[0]
    yield cleandoc(command.help or "").partition("\n\n")[0]
    for parameter in command.params:
        yield str(getattr(parameter, "help", None) or "")


def naming(named: Iterator[tuple[str, str]]) -> list[str]:
    """Return the places whose text names a requirement, each with what it names."""
    return [f"{place}: {result.group()}" for place, text in named if (result := REQUIREMENT.search(text))]


def issue_codes() -> Iterator[tuple[str, IssueCode]]:
    """Yield the shared issue codes and those of each ERP."""
    for code, row in ISSUE_CODES.items():
        yield code, row
    for erp, rows in ISSUES.items():
        for code, row in rows.items():
            yield f"{erp} {code}", row


@pytest.mark.parametrize(
    "text",
    [
        "Pay a bill (S4-25).",
        "Two rules (S4-22..24)",
        "ruling G12",
        "A bill is held (H07).",
        "(P01..P08)",
        "field note U-8",
        "DESIGN section 5",
        "matching rules 3.4",
        "spec/matching.md",
    ],
)
def test_what_counts_as_a_requirement_number(text: str) -> None:
    assert REQUIREMENT.search(text)


@pytest.mark.parametrize("text", ["P.O.#1007", "PO 1007", "INV-2041", "1234567_SB1", "V-100", "RFC 9457", "2-way"])
def test_what_does_not(text: str) -> None:
    assert not REQUIREMENT.search(text)


def test_the_api_documentation_names_none() -> None:
    settings = Settings(database_url="postgresql://unused/unused", credential_keys=(Fernet.generate_key().decode(),))
    named = list(texts(create_app(settings).openapi()))
    assert len(named) > 1_000
    assert naming(iter(named)) == []


def test_the_command_line_help_names_none() -> None:
    whole = get_command(app)
    assert isinstance(whole, TyperGroup)
    everything = list(commands(whole, "posync"))
    assert len(everything) > 30
    assert naming((name, text) for name, command in everything for text in help_texts(command)) == []


def test_no_text_of_the_api_or_the_command_line_lists_exceptions() -> None:
    """Those are for whoever calls the function from Python."""
    settings = Settings(database_url="postgresql://unused/unused", credential_keys=(Fernet.generate_key().decode(),))
    whole = get_command(app)
    assert isinstance(whole, TyperGroup)
    helps = [(name, text) for name, command in commands(whole, "posync") for text in help_texts(command)]
    assert [place for place, text in [*texts(create_app(settings).openapi()), *helps] if "Raises:" in text] == []


def test_pages_for_users_name_none() -> None:
    """The decisions are written for whoever changes posync; all other pages are for those who use it."""
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md"]
    for folder in ("how-to", "tutorial", "explanation", "reference"):
        pages += sorted((ROOT / "docs" / folder).glob("*.md"))
    pages.remove(ROOT / "docs" / "reference" / "coverage.md")  # it is about them
    assert len(pages) > 20
    lines = [(f"{page.name}:{number}", line) for page in pages for number, line in enumerate(_prose(page), start=1)]
    assert naming(iter(lines)) == []


def _prose(page: Path) -> Iterator[str]:
    """Yield the page's lines without what stands in back ticks: that is code, such as a document's number."""
    yield from (re.sub(r"`[^`]*`", "", line) for line in page.read_text().splitlines())


def test_problem_codes_name_none() -> None:
    assert PROBLEM_CODES
    assert naming((code, text) for code, row in PROBLEM_CODES.items() for text in (row.title, *row.fix)) == []


def test_issue_codes_name_none() -> None:
    rows = list(issue_codes())
    assert len(rows) > 50
    assert naming((code, text) for code, row in rows for text in (row.title, row.cause, *row.fix)) == []
