"""Advice can be followed: each command, route, setting and action that a text names exists, with its options.

C4: whoever meets a refusal or an issue gets steps; a step that leads nowhere is worse than none.
"""

import ast
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer.main
from cryptography.fernet import Fernet

from api.app import create_app
from api.bills.editing import BillEdit, BillLineEdit
from api.http.problem_codes import PROBLEM_CODES
from cli.main import app as commands
from erp.registry import CREDENTIALS_SPECS, ISSUES
from models.domain.issues import ISSUE_CODES, NEW_PAYMENT, THEN_RETRY
from settings import Settings, known_variables

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

ROOMS = ("activities", "api", "cli", "erp", "matching", "models", "services", "temporal_gateway", "workflows")

COMMAND = re.compile(r"`(posync [^`]+)`")
BARE_COMMAND = re.compile(r"\bposync (\w+)")
ROUTE = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE)\s+(/v1/[\w{}/.-]+)")
VARIABLE = re.compile(r"\b(?:POSYNC|TEMPORAL)_[A-Z_]+\b")
PREFERENCE = re.compile(r"\b(bank_account|several_sources|subtotal\.\w+|charge_account\.\w+)\b")

ACTIONS: Mapping[str, str] = {
    r"\bretry the issue\b|\bretry\b": "retrySyncIssue",
    r"\babandon (the|this) issue\b|\babandon it only after\b": "abandonSyncIssue",
    r"\babandon (the|this) bill\b": "abandonBill",
    r"\babandon (the|this) payment\b": "abandonPayment",
    r"\backnowledge\b": "acknowledgeFindings",
    r"\brelease it\b|\brelease what\b": "releaseBill",
    r"\breassign\b": "reassignApproval",
    r"\bdelegate\b": "delegateApproval",
    r"\bapprove (it|the bill)\b": "approveBill",
    r"\brun a sync\b|\bsync the order\b|\bsync again\b": "syncNow",
    r"\bthe connection's preferences\b|\bsync preference\b": "replacePreferences",
    r"\bin the connection\b|\bcredentials\b": "replaceCredentials",
    r"\bpayment anew\b|\bschedule (the payment|a new one)\b": "schedulePayment",
    r"\benter it anew\b|\benter the bill\b|\bone bill per\b|\bnew bill\b": "createBill",
}
"""What a step asks for here, and the operation that does it."""


class Advice(NamedTuple):
    where: str
    text: str


def rows() -> Iterator[Advice]:
    """Every step of the two tables: what the API refuses, and what an ERP refuses."""
    for code, row in PROBLEM_CODES.items():
        yield from (Advice(f"problem {code}", step) for step in row.fix)
    for erp, table in ({"every ERP": ISSUE_CODES} | dict(ISSUES.items())).items():
        for code, issue in table.items():
            yield from (Advice(f"issue {code} of {erp}", step) for step in issue.steps(_Anything(), "payment"))


class _Anything(dict[str, str]):
    """Evidence that has every name."""

    def __missing__(self, name: str) -> str:
        return name


def texts() -> Iterator[Advice]:
    """Every text of the product's sources (values in braces), the tables among them."""
    for room in (*ROOMS, "worker.py", "settings.py"):
        path = ROOT / room
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            if "migrations" not in file.parts:
                yield from (Advice(str(file.relative_to(ROOT)), said) for said in _strings(ast.parse(file.read_text())))


def _strings(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from _strings(child)


def pages() -> Iterator[Advice]:
    """The documentation: what it quotes as a command or a route, and the commands of its examples."""
    for page in PAGES:
        said, name = page.read_text(), str(page.relative_to(ROOT))
        yield Advice(name, said)
        for block in re.findall(r"^```(?:sh|bash|console|shell)?\n(.*?)^```", said, flags=re.DOTALL | re.MULTILINE):
            joined = block.replace("\\\n", " ")
            for line in re.findall(r"^\s*(?:\$ )?(?:\.venv/bin/)?(posync .*)$", joined, re.MULTILINE):
                yield Advice(name, f"`{line.split('|')[0].split(' #')[0].split(' >')[0].strip()}`")


POSYNC: Any = typer.main.get_command(commands)
"""Built once: it takes a tenth of a second, and hundreds of commands are named."""


def command_problem(text: str) -> str | None:
    """Say what is wrong with a command line as a text names it: words in capitals or braces stand for values."""
    words = shlex.split(text.replace("…", "").replace("...", ""))[1:]
    command = POSYNC
    context = command.make_context("posync", [], resilient_parsing=True)
    while hasattr(command, "get_command"):
        if not words or words[0] == "--help":
            return None
        name = words.pop(0)
        command = command.get_command(context, name)
        if command is None:
            return f"{text}: there is no {name!r}"
    options = {name: one for one in command.params for name in (*one.opts, *one.secondary_opts) if name[0] == "-"}
    takes = sum(1 if one.nargs == 1 else 100 for one in command.params if one.param_type_name == "argument")
    while words:
        word, equals, _ = words.pop(0).strip("[]").partition("=")
        if word[:1] != "-":
            takes -= 1
        elif word == "--help":
            continue
        elif word not in options:
            return f"{text}: there is no {word}"
        elif not equals and not options[word].is_flag and words:
            words.pop(0)
    return f"{text}: it takes fewer arguments" if takes < 0 else None


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    key = Fernet.generate_key().decode()
    settings = Settings(database_url="postgresql://nobody@127.0.0.1:1/nothing", credential_keys=(key,))
    return create_app(settings).openapi()


@pytest.fixture(scope="module")
def routes(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        (method.upper(), re.sub(r"{[^}]*}", "{}", path))
        for path, methods in document["paths"].items()
        for method in methods
    }


def test_the_check_of_commands_finds_what_is_wrong() -> None:
    assert command_problem("posync issues retry ISSUE --why TEXT") is None
    assert command_problem("posync sync CONNECTION --follow") is None
    assert command_problem("posync issues") is None
    assert command_problem("posync isues list") == "posync isues list: there is no 'isues'"
    assert command_problem("posync issues close X") == "posync issues close X: there is no 'close'"
    assert command_problem("posync issues retry X --because Y") == (
        "posync issues retry X --because Y: there is no --because"
    )
    assert command_problem("posync issues retry X Y") == "posync issues retry X Y: it takes fewer arguments"


def test_every_command_that_is_named_exists() -> None:
    """In texts, docstrings and documentation; quoted in backticks."""
    named = [(one.where, line) for one in (*texts(), *pages()) for line in COMMAND.findall(one.text)]
    assert len(named) > 100
    problems = [f"{where}: {problem}" for where, line in named if (problem := command_problem(" ".join(line.split())))]
    assert sorted(set(problems)) == []


def test_steps_quote_their_commands() -> None:
    """So that they are seen to be commands, and are checked."""
    top = set(POSYNC.commands)
    bare = [one for one in rows() for word in BARE_COMMAND.findall(COMMAND.sub("", one.text)) if word in top]
    assert bare == []


def test_every_route_that_is_named_exists(routes: set[tuple[str, str]]) -> None:
    named = {
        (one.where, method, re.sub(r"{[^}]*}", "{}", path.rstrip(".")))
        for one in (*texts(), *pages(), *rows())
        for method, path in ROUTE.findall(one.text)
    }
    assert len(named) > 40
    assert sorted(one for one in named if not any(_is_route(one[1:], route) for route in routes)) == []


def _is_route(named: tuple[str, str], route: tuple[str, str]) -> bool:
    """A name may give a parameter's value, as `/lists/entity` does."""
    ours, theirs = named[1].split("/"), route[1].split("/")
    fits = (one in (other, "{}") or other == "{}" for one, other in zip(ours, theirs, strict=False))
    return named[0] == route[0] and len(ours) == len(theirs) and all(fits)


def test_every_setting_and_preference_that_a_step_names_exists() -> None:
    preferences = {question.name for spec in CREDENTIALS_SPECS.values() for question in spec.preferences}
    for one in rows():
        assert set(VARIABLE.findall(one.text)) <= known_variables() | {"TEMPORAL_ADDRESS"}, one
        for name in PREFERENCE.findall(one.text):
            known = name in preferences or name.split(".")[0] in _preference_families()
            assert known, one


def _preference_families() -> set[str]:
    """Preferences whose name has the kind of a charge behind a point; the ERPs' own modules read them."""
    return {
        family
        for family in ("subtotal", "charge_account", "several_sources", "bank_account")
        if any(re.search(rf'"{family}\b', path.read_text()) for path in (ROOT / "erp").glob("*/preferences.py"))
    }


def test_every_action_that_a_step_asks_for_can_be_done(document: dict[str, Any]) -> None:
    """And each action of the table is asked for somewhere, else the table would rot."""
    operations = {one["operationId"] for methods in document["paths"].values() for one in methods.values()}
    steps = [one.text.lower() for one in rows()]
    for pattern, operation in ACTIONS.items():
        assert operation in operations, operation
        assert any(re.search(pattern, step) for step in steps), pattern


EDITED_HERE = {*BillEdit.model_fields, *BillLineEdit.model_fields}
"""What of a bill can be corrected here before it is in the ERP."""
NOT_EDITED_HERE = re.compile(
    r"\b(correct|change|enter|fix)\b[^.;]*?\b(number|numbers|quantity|quantities|amount|amounts|price|prices)\b", re.I
)
LEADS_ON = re.compile(r"\banew\b|\bnew bill\b|in the ERP|in Intacct|in NetSuite|in QuickBooks|\bthere\b", re.I)


def test_what_cannot_be_edited_is_not_asked_to_be_corrected_here() -> None:
    """A bill's number, quantities and amounts were matched, and a payment has no edit: such steps say the way round."""
    assert not EDITED_HERE & {"number", "quantity", "amount", "price"}
    issue_steps = [one for one in rows() if one.where.startswith("issue")]
    assert [one for one in issue_steps if NOT_EDITED_HERE.search(one.text) and not LEADS_ON.search(one.text)] == []


def test_nobody_is_asked_to_retry_what_a_correction_sends() -> None:
    """A refused bill goes out with what is corrected of it: its issue is closed by then, and a retry is refused."""
    corrected = [one for one in rows() if one.where.startswith("issue") and "`posync bills " in one.text]
    assert len(corrected) > 5
    assert [one for one in corrected if re.search(r"`\)?,? (then )?retry|`\), retry", one.text)] == []


def test_whatever_a_workflow_waits_behind_is_retried() -> None:
    """C4's brothers: what stopped a bill is put right as the issue says, and nothing said that it is to be retried."""
    tables = [ISSUE_CODES, *ISSUES.values()]
    lasts = {issue.steps(_Anything(), "bill", is_waited_for=True)[-1] for table in tables for issue in table.values()}
    silent = [
        code
        for table in tables
        for code, issue in table.items()
        if not any("retry" in step.lower() for step in issue.steps(_Anything(), "bill", is_waited_for=True))
    ]
    assert (silent, THEN_RETRY in lasts) == ([], True)
    assert ISSUE_CODES["CHARGES_NOT_TAKEN"].steps({}) == list(ISSUE_CODES["CHARGES_NOT_TAKEN"].fix), "told at once"


def test_the_issue_of_a_payment_says_the_way_round() -> None:
    """C4: "Correct the value" of a payment that cannot be edited."""
    refused = ISSUE_CODES["VALUE_REFUSED"]
    assert refused.steps({}, "payment") == [*refused.fix, NEW_PAYMENT]
    assert refused.steps({}, "bill") == list(refused.fix)
    held_there = ISSUE_CODES["PAYMENT_NOT_POSTED"]
    assert held_there.steps({}, "payment") == list(held_there.fix), "the ERP holds it: it is not abandoned"
