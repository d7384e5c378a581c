"""Encrypt stored credentials, and encrypt them again when the key changes.

The keys are Fernet keys. The first one encrypts; the others only decrypt what they encrypted before. So a new key can
be put in front, everything rotated, and the old key removed.
"""

import json
from collections.abc import Mapping, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables import ConnectionRow, ConnectionTokensRow

VARIABLE = "POSYNC_CREDENTIAL_KEYS"


class CredentialKeysMissing(Exception):
    """No usable key is configured. The person who runs the process sets the environment variable."""

    code = "CREDENTIAL_KEYS_MISSING"


class CredentialsUnreadable(Exception):
    """None of the configured keys encrypted these credentials. Put the old key back, or enter the credentials again."""

    code = "CREDENTIALS_UNREADABLE"


class CredentialVault:
    """Encrypts and decrypts the credentials of connections. Decrypted values never go into a log, a row or a message.

    Raises:
        CredentialKeysMissing: There is no key, or one is no Fernet key.
    """

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
        """Encrypt the values with the first key."""
        return self._fernet.encrypt(json.dumps(dict(values), sort_keys=True).encode())

    def open(self, sealed: bytes) -> dict[str, str]:
        """Decrypt with the key that fits.

        Raises:
            CredentialsUnreadable: None of the keys fits.
        """
        try:
            values = json.loads(self._fernet.decrypt(sealed))
        except InvalidToken as error:
            raise CredentialsUnreadable("none of the configured keys opens these credentials") from error
        return {str(name): str(value) for name, value in values.items()}

    def rotate(self, sealed: bytes) -> bytes:
        """Return the same credentials encrypted with the first key.

        Raises:
            CredentialsUnreadable: None of the keys fits.
        """
        try:
            return self._fernet.rotate(sealed)
        except InvalidToken as error:
            raise CredentialsUnreadable("none of the configured keys opens these credentials") from error

    async def rotate_all(self, s: AsyncSession) -> int:
        """Encrypt every connection's credentials and tokens with the first key; return how many connections.

        The values stay the same, so sessions with the ERP go on: `credentials_version` is not raised.

        Raises:
            CredentialsUnreadable: None of the keys fits one of them.
        """
        rows = (await s.exec(select(ConnectionRow).order_by(col(ConnectionRow.id)).with_for_update())).all()
        for row in rows:
            row.credentials = self.rotate(row.credentials)
            s.add(row)
        by_id = select(ConnectionTokensRow).order_by(col(ConnectionTokensRow.connection_id))
        for tokens in (await s.exec(by_id.with_for_update())).all():
            if tokens.sealed is not None:
                tokens.sealed = self.rotate(tokens.sealed)
                s.add(tokens)
        await s.flush()
        return len(rows)
