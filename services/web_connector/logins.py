"""Make what a Web Connector signs in with: its user name, its password, and the file that sets it up."""

import hashlib
import secrets
import uuid
from typing import NamedTuple
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from sqlmodel.ext.asyncio.session import AsyncSession

from erp.quickbooks_desktop.auth import OWNER_ID
from models.domain.ids import ConnectionId
from models.store.connections import web_connector
from models.tables import ConnectionRow, WebConnectorLoginRow

PASSWORD_BYTES = 20
"""160 random bits, as a person types them once."""

USUAL_MINUTES = 15

PATH = "/qbwc"
"""Where the Web Connector calls, below the public address."""


class NewLogin(NamedTuple):
    """A login with its password, which is shown once."""

    login: WebConnectorLoginRow
    password: str


def hashed(secret: str) -> str:
    """Return what is stored of a secret. It is made here from enough random bits, so one round of SHA-256 hides it."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


async def new_password(session: AsyncSession, row: ConnectionRow, every_minutes: int | None) -> NewLogin:
    """Store a new password for a connection's Web Connector; the one before is good no more."""
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    known = await web_connector.login_of(session, ConnectionId(row.id))
    minutes = every_minutes or (known.every_minutes if known is not None else USUAL_MINUTES)
    login = await web_connector.save_login(
        session,
        ConnectionId(row.id),
        user_name=row.id,
        password_hash=hashed(password),
        file_id=f"{{{uuid.uuid4()}}}",
        every_minutes=minutes,
    )
    return NewLogin(login, password)


def setup_file(login: WebConnectorLoginRow, row: ConnectionRow, public_url: str) -> str:
    """Return the .qwc file of a connection, in XML. It holds no secret."""
    name = f"posync {row.id}"
    values = {
        "AppName": name,
        "AppID": "",
        "AppURL": f"{public_url}{PATH}",
        "AppDescription": f"Purchase orders, bills and payments of {row.name}"[:80],
        "AppSupport": f"{public_url}{PATH}/support",
        "UserName": login.user_name,
        "OwnerID": OWNER_ID,
        "FileID": login.file_id,
        "QBType": "QBFS",
        "Style": "Document",
        "IsReadOnly": "false",
        "Notify": "false",
        "PersonalDataPref": "pdpNotNeeded",
        "UnattendedModePref": "umpOptional",
        "AuthFlags": "0xF",
    }
    inner = "".join(f"  <{key}>{escape(value)}</{key}>\n" for key, value in values.items())
    schedule = f"  <Scheduler><RunEveryNMinutes>{login.every_minutes}</RunEveryNMinutes></Scheduler>\n"
    return f'<?xml version="1.0"?>\n<QBWCXML>\n{inner}{schedule}</QBWCXML>\n'


def is_usable(public_url: str) -> bool:
    """Return whether the Web Connector takes the address: HTTPS and a host's name, or this machine as localhost."""
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    if host == "localhost":
        return True
    return parts.scheme == "https" and not host.replace(".", "").isdigit() and ":" not in host
