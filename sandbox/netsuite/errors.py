"""How NetSuite refuses: an operation with a status detail, or a whole request with a SOAP fault (reference 6)."""


class Refused(Exception):
    """An operation fails; the HTTP status stays 200 and the answer says isSuccess="false"."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class SoapFault(Exception):
    """The request is refused as a whole and nothing of it was done; HTTP status 500."""

    def __init__(self, element: str, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.element = element
        self.code = code
        self.message = message


class BadRow(Exception):
    """A row of the neutral format names something that is not there, or says what cannot be."""


def missing(*labels: str) -> Refused:
    """Fields without a value, by the names the screen gives them."""
    return Refused("USER_ERROR", f"Please enter value(s) for: {', '.join(labels)}")


def bad_reference(what: str, key: object) -> Refused:
    """A reference to something that does not exist or cannot be used here."""
    return Refused("INVALID_KEY_OR_REF", f"Invalid {what} reference key {key}.")


def unreadable(message: str) -> SoapFault:
    """The request could not be read: Axis answers before NetSuite does, so nothing but the text says why."""
    return SoapFault("", "", message)


def unexpected(message: str) -> SoapFault:
    """The service stumbled."""
    return SoapFault("unexpectedErrorFault", "UNEXPECTED_ERROR", message)
