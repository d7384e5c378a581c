"""What QuickBooks answers when it does not do what was asked: a status of one request, or an HRESULT of a document."""

from typing import Any

PARSE_ERROR = "0x80040400"
PARSE_MESSAGE = "QuickBooks found an error when parsing the provided XML text stream."


class Refused(Exception):
    """One request is refused with a status; `current` is the object that the answer shows (3200)."""

    def __init__(self, code: int, message: str, *, severity: str = "Error", current: Any = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.severity = severity
        self.current = current


class HResult(Exception):
    """The whole document, or the session, fails with a COM error: there is no answer in XML."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class BadRow(ValueError):
    """A row of the neutral format that does not fit."""


def parse_error(detail: str) -> HResult:
    """QuickBooks gives no hint which element it was; `detail` is for the sandbox's log alone."""
    error = HResult(PARSE_ERROR, PARSE_MESSAGE)
    error.add_note(detail)
    return error


def not_found(identifier: str) -> Refused:
    """An id that names nothing."""
    return Refused(3120, f'Object "{identifier}" specified in the request cannot be found. ')


def bad_reference(kind: str, name: str, document: str) -> Refused:
    """A reference to an entry that is not there."""
    return Refused(
        3140,
        f'There is an invalid reference to QuickBooks {kind} "{name}" in the {document}. QuickBooks error message: '
        "Invalid argument.  The specified record does not exist in the list.",
    )


def inactive(kind: str, name: str, document: str) -> Refused:
    """A reference to an entry that was made inactive."""
    return Refused(
        3140,
        f'There is an invalid reference to QuickBooks {kind} "{name}" in the {document}. QuickBooks error message: '
        "The specified record is inactive.",
    )


def missing_element(name: str) -> Refused:
    """What a document cannot do without."""
    return Refused(3150, f'There is a missing element: "{name}".')


def bad_value(field: str, value: str, why: str = "") -> Refused:
    """A value that QuickBooks does not take there."""
    return Refused(
        3210, f'The "{field}" field has an invalid value "{value}".  QuickBooks error message: {why}'.rstrip()
    )


def out_of_date(sequence: str, current: Any) -> Refused:
    """Somebody else changed the object; the answer holds it as it is now."""
    return Refused(3200, f'The provided edit sequence "{sequence}" is out-of-date. ', current=current)


def feature_off() -> Refused:
    """The company does without it, or its edition lacks it."""
    return Refused(3250, "This feature is not enabled or not available in this version of QuickBooks. ")


def books_closed(kind: str, *, deleting: bool) -> Refused:
    """The document's date is on or before the closing date."""
    if deleting:
        return Refused(
            3161,
            "Cannot delete the object because it would change a transaction dated on or before the closing date.",
        )
    return Refused(
        3171,
        f"An attempt was made to modify a {kind} with a date that is on or before the closing date of the company. "
        "If you are certain you would like to do this, please modify it in QuickBooks.",
    )


def locked(kind: str) -> Refused:
    """Somebody has the object open."""
    return Refused(
        3175,
        f"There was an error when adding, modifying or deleting {kind} because it is already in use. QuickBooks "
        "error message: The transaction could not be locked. It is in use by another user.",
    )


def related_locked(kind: str) -> Refused:
    """Somebody has an object open that this one belongs to."""
    return Refused(
        3176,
        f"There was an error when adding, modifying or deleting {kind} because a related object is in use by "
        "another user.",
    )
