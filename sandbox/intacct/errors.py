"""The ways the pretend Intacct says no: its error numbers, and where in an answer each appears (reference 1.4, 6)."""

import secrets
from html import escape
from typing import NamedTuple


class ErrorLine(NamedTuple):
    """One `<error>`. Intacct usually answers with several: the specific one first, a generic one last."""

    errorno: str
    description2: str
    correction: str = ""
    description: str = ""


class FunctionError(Exception):
    """One function failed; the others of a request without `transaction` go on."""

    def __init__(self, *lines: ErrorLine, data: str = "") -> None:
        super().__init__(lines[0].description2)
        self.lines = lines
        self.data = data
        """What a failed create still answers: `<data listtype="objects" count="0"/>`."""


class AuthenticationError(Exception):
    """Login or session refused: the answer has an operation but no result."""

    def __init__(self, line: ErrorLine) -> None:
        super().__init__(line.description2)
        self.line = line


class ControlError(Exception):
    """The request was not executed at all: bad XML, bad order of elements, bad sender."""

    def __init__(self, line: ErrorLine, http_status: int = 200) -> None:
        super().__init__(line.description2)
        self.line = line
        self.http_status = http_status


def schema_violation(text: str) -> ControlError:
    """XML that does not parse or breaks the schema."""
    return ControlError(ErrorLine("XL03000003", text, "Correct the XML request so that it follows the schema."))


def invalid(text: str, correction: str = "", errorno: str = "BL03000018") -> FunctionError:
    """A missing or illegal value."""
    return FunctionError(ErrorLine(errorno, text, correction))


def could_not(action: str, cause: FunctionError) -> FunctionError:
    """The specific error with Intacct's generic tail behind it."""
    tail = ErrorLine(
        "BL01001973", f"Could not {action} record!", "Check the transaction for errors or inconsistencies."
    )
    return FunctionError(*cause.lines, tail, data=cause.data)


ROLLED_BACK = ErrorLine(
    "XL03000009", "The entire transaction in this operation has been rolled back due to an error.", ""
)


def render_errors(lines: tuple[ErrorLine, ...] | list[ErrorLine], *, additional: bool) -> str:
    """`<errormessage>` with every line; `additional` adds the machine-readable ids (reference 6.1)."""
    return f"<errormessage>{''.join(_render(line, additional) for line in lines)}</errormessage>"


def _render(line: ErrorLine, additional: bool) -> str:
    # The bracketed support id, percent-escaped, is what real answers end with; clients must be able to strip it.
    support = f" [Support ID: {secrets.token_hex(4)}%7E{secrets.token_hex(6)}]" if line.description2 else ""
    more = ""
    if additional:
        message_id = f"IA.{line.errorno.replace('-', '_')}"
        placeholders = "<placeholders/>"
        described = f"<messageId>{message_id}</messageId><target/>{placeholders}"
        more = (
            f"<additionalinfo><errorid>{line.errorno}</errorid><category/><target/>"
            f"<description>{described}</description><cdescription>{described}</cdescription>"
            f"<correction>{described}</correction></additionalinfo>"
        )
    return (
        f"<error><errorno>{escape(line.errorno)}</errorno><description>{escape(line.description)}</description>"
        f"<description2>{escape(line.description2)}{support}</description2>"
        f"<correction>{escape(line.correction)}</correction>{more}</error>"
    )
