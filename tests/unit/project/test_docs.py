"""The documentation leads somewhere: every link, every path in it, and every page from the index."""

import re
from pathlib import Path

import pytest

from models.domain.outbox import MessageKind, WhenNotRunning
from services.outbox.kinds import DELIVERIES

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
LARGEST_PICTURE = 200_000
"""Bytes; pictures are fetched with every clone."""


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchor(heading: str) -> str:
    """The address of a heading, as the usual renderers make it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def prose(page: Path) -> str:
    """The page without its code blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_to_a_page_and_a_heading_that_exist(page: Path) -> None:
    broken = []
    for link in LINK.findall(prose(page)):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, fragment = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        headings = {anchor(one) for one in re.findall(r"^#+ (.+)$", prose(target), re.MULTILINE)} if fragment else set()
        if not target.exists() or (fragment and fragment not in headings):
            broken.append(link)
    assert broken == []


def test_every_page_is_reached_from_the_index() -> None:
    linked = {
        (index.parent / link.partition("#")[0]).resolve()
        for index in (DOCS / "README.md", DOCS / "decisions" / "README.md")
        for link in LINK.findall(index.read_text())
    }
    assert [name(page) for page in DOCS.rglob("*.md") if page not in linked and page != DOCS / "README.md"] == []


def test_files_name_only_pages_that_exist() -> None:
    """In comments and docstrings, too: a page that moves takes them along."""
    sources = [*PAGES, *(path for path in ROOT.rglob("*.py") if ".venv" not in path.parts)]
    lost = [
        f"{name(path)}: {mentioned}"
        for path in sources
        for mentioned in re.findall(r"\bdocs/[\w/-]+\.md\b", path.read_text())
        if not (ROOT / mentioned).exists()
    ]
    assert lost == []


def test_decisions_are_numbered_in_order_and_dated() -> None:
    pages = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    for page in pages:
        first, _, second, *_ = page.read_text().splitlines()
        assert first.startswith(f"# {page.name[:4]}. ")
        assert re.fullmatch(r"Date: \d{4}-\d{2}-\d{2} · Status: (accepted|superseded by \d{4})", second), name(page)


def test_the_pictures_are_small_and_all_shown() -> None:
    pictures = list((DOCS / "images").iterdir())
    shown = {(page.parent / link).resolve() for page in PAGES for link in LINK.findall(page.read_text())}
    assert pictures
    assert [name(picture) for picture in pictures if picture not in shown] == []
    assert [name(picture) for picture in pictures if picture.stat().st_size > LARGEST_PICTURE] == []


def test_every_setting_is_documented() -> None:
    from settings import known_variables

    page = (DOCS / "reference" / "settings.md").read_text()
    assert [variable for variable in sorted(known_variables() - {"POSYNC_SHARED"}) if f"`{variable}`" not in page] == []


WHERE_NOT_RUNNING = {
    WhenNotRunning.START: ("it is started", "the schedule is made"),
    WhenNotRunning.CLOSE_ISSUE: ("the issue is closed",),
    WhenNotRunning.DROP: ("nothing",),
}


def test_the_table_of_messages_says_what_is_delivered_and_where_nobody_runs() -> None:
    """Issue 10: a table says for each message what happens when its workflow does not run; the code is that table."""
    table = (DOCS / "explanation" / "accepted-is-sent.md").read_text()
    said = dict(re.findall(r"(?m)^\| `(\w+)` \|.*\| ([^|]+) \|$", table))
    assert said.keys() == {str(kind) for kind in MessageKind} == {str(kind) for kind in DELIVERIES}
    wrong = {
        str(kind): said[kind]
        for kind, delivery in DELIVERIES.items()
        if not said[kind].startswith(WHERE_NOT_RUNNING[delivery.when_not_running])
    }
    assert wrong == {}


MAY_SKIP = re.compile(r"pytest\.skip\(|\bskipif\(|importorskip\(|\bneeds_\w+_schemas\b|\bof_qbxml_schemas\b")


def test_each_test_that_may_be_skipped_is_listed_with_what_it_needs() -> None:
    """F12: the tests of 115 groups were skipped, and nothing said how to get them."""
    page = (ROOT / "tests" / "README.md").read_text()
    modules = [
        name(path)
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if path != Path(__file__) and MAY_SKIP.search(path.read_text())
    ]
    assert len(modules) > 5
    assert [module for module in modules if module not in page] == []


@pytest.mark.parametrize("row", ["installing, once", "`make demo`", "`make test`"])
def test_the_first_page_says_how_long_the_first_commands_take(row: str) -> None:
    """F12: nobody knew whether to wait."""
    readme = (ROOT / "README.md").read_text()
    (takes,) = re.findall(rf"(?m)^\| {re.escape(row)} \| (.+) \|$", readme)
    assert re.search(r"\b(minutes?|hour)\b", takes)
    assert "(tests/README.md#tests-that-are-skipped)" in readme
