"""Files attached to documents (reference 3.10)."""

import base64

import httpx

from tests.harness.quickbooks_xml import vendor_schema
from tests.unit.sandbox.quickbooks_online.books import Books, bill_of, code_of


async def upload(books: Books, content: bytes) -> httpx.Response:
    headers = {"authorization": f"Bearer {books.token}", "content-type": 'multipart/form-data; boundary="b1"'}
    answer = await books.http.post(f"/v3/company/{books.realm}/upload", content=content, headers=headers)
    schema = vendor_schema()
    if schema is not None:
        schema.check(answer.json())
    return answer


def part(name: str, content_type: str, content: bytes, more: bytes = b"") -> bytes:
    head = f'--b1\r\nContent-Disposition: form-data; name="{name}"; filename="a.pdf"\r\nContent-Type: {content_type}'
    return head.encode() + more + b"\r\n\r\n" + content + b"\r\n"


async def test_files_come_in_pairs_each_with_an_answer(books: Books) -> None:
    """One that cannot be attached has a fault of its own."""
    bill = await books.save("Bill", bill_of(await books.order(), (1, "1")))
    good = b'{"AttachableRef":[{"EntityRef":{"type":"Bill","value":"%s"}}],"FileName":"i.pdf"}' % bill["Id"].encode()
    bad = b'{"AttachableRef":[{"EntityRef":{"type":"Bill","value":"99"}}]}'
    base64_ = b"\r\nContent-Transfer-Encoding: base64"
    content = (
        part("file_metadata_01", "application/json", good)
        + part("file_content_01", "application/pdf", b"%PDF\r\n\r\nx")
        + part("file_metadata_02", "application/json", bad)
        + part("file_content_02", "application/pdf", b"y")
        + part("file_content_03", "image/png", base64.b64encode(b"png"), base64_)
        + part("file_metadata_04", "application/json", b"{")
        + part("file_content_04", "application/pdf", b"z")
        + b"--b1--\r\n"
    )
    first, second, third, fourth = (await upload(books, content)).json()["AttachableResponse"]
    assert (first["Attachable"]["FileName"], first["Attachable"]["Size"]) == ("i.pdf", 9)
    assert second["Fault"]["Error"][0]["code"] == "2500"
    assert (third["Attachable"]["FileName"], third["Attachable"]["ContentType"]) == ("a.pdf", "image/png")
    assert fourth["Fault"]["Error"][0]["code"] == "6041"
    files = [await books.http.get(one["Attachable"]["TempDownloadUri"]) for one in (first, third)]
    assert [file.content for file in files] == [b"%PDF\r\n\r\nx", b"png"]
    held = await books.query("select * from Attachable where FileName = 'i.pdf'")
    assert held[0]["AttachableRef"][0]["EntityRef"] == {"type": "Bill", "value": bill["Id"]}


async def test_addresses_notes_and_deletion(books: Books) -> None:
    await upload(books, part("file_content_01", "text/plain", b"x") + b"--b1--")
    url = (await books.call("GET", "download/1")).text
    assert (await books.http.get(url)).content == b"x"
    note = await books.save("Attachable", {"Note": "Call them"})
    assert (await books.read("Attachable", note["Id"]))["Note"] == "Call them"
    changed = {"Id": "1", "SyncToken": "0", "sparse": True, "Note": "scan"}
    assert (await books.save("Attachable", changed))["Size"] == 1
    await books.call("POST", "attachable", {"Id": "1", "SyncToken": "1"}, operation="delete")
    assert (await books.http.get(url)).status_code == 404
    assert code_of(await books.call("GET", "download/1")) == "610"


async def test_an_upload_without_files_is_refused(books: Books) -> None:
    assert code_of(await upload(books, b"--b1--")) == "2020"
    assert code_of(await books.call("POST", "upload", {})) == "1050"
