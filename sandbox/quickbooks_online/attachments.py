"""Attachments (reference 3.10): a tolerant reader of multipart bodies, and addresses to fetch a file from."""

import base64
import binascii
import json
import re
from typing import NamedTuple

from sandbox.asked import Asked
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities import ENTITIES
from sandbox.quickbooks_online.errors import Refused, invalid_reference, missing, not_found
from sandbox.quickbooks_online.fault_bodies import fault_json
from sandbox.quickbooks_online.wire_out import record_json, written
from sandbox.quickbooks_online.writing import create

FILES_PATH = "/files/"
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_NAME = re.compile(rb'name="?file_(metadata|content)_(\w+?)"?(?:[;\r\n]|$)', re.IGNORECASE)
_TYPE = re.compile(rb"content-type:\s*([^\r\n;]+)", re.IGNORECASE)
_BLANK_LINE = re.compile(rb"(?<=\S)\r?\n\r?\n")
_FILE_NAME = re.compile(rb'filename="([^"]*)"', re.IGNORECASE)


class _Part(NamedTuple):
    kind: str
    number: str
    content: bytes
    content_type: str
    file_name: str


def upload(company: Company, asked: Asked) -> list[str]:
    """Each file of an upload as an answer's JSON text. Raises Refused when there is none."""
    parts = _parts(asked)
    files = [part for part in parts if part.kind == "content"]
    if not files:
        raise missing("file_content")
    described = {part.number: part for part in parts if part.kind == "metadata"}
    return [_kept(company, file, described.get(file.number), asked.base) for file in files]


def _kept(company: Company, file: _Part, described: _Part | None, base: str) -> str:
    try:
        given = json.loads(described.content) if described is not None else {}
        for one in given.get("AttachableRef") or ():
            _check_target(company, one["EntityRef"])
        named = {"FileName": file.file_name, "ContentType": file.content_type, **given}
        record = create(company, ENTITIES["Attachable"], named)
    except (ValueError, KeyError, TypeError, AttributeError):
        refused = Refused("6041", "Invalid attachment metadata", "The metadata of the file cannot be read")
        return f'{{"Fault":{written(fault_json(refused))}}}'
    except Refused as refused:
        return f'{{"Fault":{written(fault_json(refused))}}}'
    record.file = file.content
    record.values |= {"Size": len(file.content), "FileAccessUri": f"/v3/company/{company.realm}/download/{record.id}"}
    shown = {**record_json(company, record), "TempDownloadUri": f"{base}{FILES_PATH}{company.realm}/{record.id}"}
    return f'{{"Attachable":{written(shown)}}}'


def _check_target(company: Company, target: dict[str, object]) -> None:
    kind = ENTITIES.get(str(target.get("type")))
    identifier = str(target.get("value"))
    if kind is None or company.get(kind.name, identifier) is None:
        raise invalid_reference("Transactions", identifier, "AttachableRef")


def _parts(asked: Asked) -> list[_Part]:
    found = _BOUNDARY.search(asked.headers.get("content-type", ""))
    if found is None:
        raise Refused("1050", "Content type is not supported", "An upload is multipart/form-data", status=415)
    parts = []
    for piece in asked.body.split(b"--" + found[1].strip().encode()):
        # Some clients end lines with a bare line feed.
        split = _BLANK_LINE.search(piece)
        head = piece[: split.start()] if split is not None else b""
        name = _NAME.search(head)
        if name is None or split is None:
            continue
        content = piece[split.end() :]
        content = content.removesuffix(b"\n").removesuffix(b"\r")
        if b"base64" in head.lower():
            try:
                content = base64.b64decode(content.strip(), validate=False)
            except binascii.Error:
                raise Refused("6040", "Invalid attachment content", "The content is not base64") from None
        kind, file_name = _TYPE.search(head), _FILE_NAME.search(head)
        parts.append(
            _Part(
                name[1].decode().lower(),
                name[2].decode(),
                content,
                kind[1].decode().strip() if kind is not None else "",
                file_name[1].decode(errors="replace") if file_name is not None else "",
            )
        )
    return parts


def download_url(company: Company, identifier: str, base: str) -> str:
    """Where a file can be fetched. Raises Refused."""
    if company.get("Attachable", identifier) is None:
        raise not_found()
    return f"{base}{FILES_PATH}{company.realm}/{identifier}"
