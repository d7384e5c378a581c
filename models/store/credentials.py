"""Credentials at rest: encrypted, and sealed anew when the key changes.

The keys are Fernet keys. The first one encrypts; the others only open what they sealed before, so that a new key can
be put in front, everything rotated, and the old key dropped.
"""

import json
from collections.abc import Mapping, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables import ConnectionRow

VARIABLE = "POSYNC_CREDENTIAL_KEYS"


class CredentialKeysMissing(Exception):
    """No usable key is configured. Whoever runs the process sets the environment variable."""

    code = "CREDENTIAL_KEYS_MISSING"


class CredentialsUnreadable(Exception):
    """None of the configured keys sealed these credentials. Bring the old key back, or enter them again."""

    code = "CREDENTIALS_UNREADABLE"


class CredentialVault:
    """Seals and opens what connections sign in with. Opened values never go into a log, a row or a message."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise CredentialKeysMissing(f"set {VARIABLE} to one or more Fernet keys, separated by commas")
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise CredentialKeysMissing(f"{VARIABLE} holds something that is no Fernet key") from error

    def __repr__(self) -> str:
        return "CredentialVault()"

    def seal(self, values: Mapping[str, str]) -> bytes:
        """Encrypt with the first key."""
        return self._fernet.encrypt(json.dumps(dict(values), sort_keys=True).encode())

    def open(self, sealed: bytes) -> dict[str, str]:
        """Decrypt with whichever key fits. Raises CredentialsUnreadable."""
        try:
            values = json.loads(self._fernet.decrypt(sealed))
        except InvalidToken as error:
            raise CredentialsUnreadable("none of the configured keys opens these credentials") from error
        return {str(name): str(value) for name, value in values.items()}

    def rotate(self, sealed: bytes) -> bytes:
        """The same credentials under the first key. Raises CredentialsUnreadable."""
        try:
            return self._fernet.rotate(sealed)
        except InvalidToken as error:
            raise CredentialsUnreadable("none of the configured keys opens these credentials") from error

    async def rotate_all(self, s: AsyncSession) -> int:
        """Seal every connection's credentials with the first key; gives how many. They stay the same, so sessions
        with the ERP go on: `credentials_version` is not raised."""
        rows = (await s.exec(select(ConnectionRow).order_by(col(ConnectionRow.id)).with_for_update())).all()
        for row in rows:
            row.credentials = self.rotate(row.credentials)
            s.add(row)
        await s.flush()
        return len(rows)
