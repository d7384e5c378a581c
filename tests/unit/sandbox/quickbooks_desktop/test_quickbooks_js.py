"""quickbooks-js, a service for Web Connectors written for Node, runs unchanged against the pretend Web Connector.

It is no part of this repository. With it in DIR (`npm install --prefix DIR quickbooks-js`) run:
POSYNC_QUICKBOOKS_JS=DIR pytest -k quickbooks_js
"""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.quickbooks_desktop.computer import PATH
from tests.unit.sandbox.quickbooks_desktop.pc import FILE, OWNER, QWC, Pc, document

PACKAGE = Path(os.environ.get("POSYNC_QUICKBOOKS_JS", "/nowhere")) / "node_modules" / "quickbooks-js"
HANDLER = """
const Server = require(%(package)s);
const server = new Server();
server.setQBXMLHandler({
  fetchRequests: (callback) => callback(null, %(documents)s),
  handleResponse: (response) => console.log('RESPONSE ' + JSON.stringify(response)),
  didReceiveError: (error) => console.log('ERROR ' + JSON.stringify(error)),
});
server.run();
"""
DOCUMENTS = [
    document("<VendorQueryRq/>"),
    document("<PurchaseOrderQueryRq><RefNumber>PO-1007</RefNumber></PurchaseOrderQueryRq>"),
    document("<NobodyKnowsRq/>"),
]

pytestmark = pytest.mark.skipif(
    not PACKAGE.is_dir() or shutil.which("node") is None,
    reason="quickbooks-js is not on this machine; the file says how to run it",
)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    """Its server on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    script = tmp_path / "serve.js"
    script.write_text(HANDLER % {"package": json.dumps(str(PACKAGE)), "documents": json.dumps(DOCUMENTS)})
    wanted = {"QB_SOAP_PORT": str(port), "QB_USERNAME": "acme-main", "QB_PASSWORD": "s3cret", "QB_COMPANY_FILE": PATH}
    process = subprocess.Popen(["node", str(script)], stdout=subprocess.PIPE, text=True, env={**os.environ, **wanted})
    try:
        yield port, process
    finally:
        process.kill()
        process.wait()


async def test_quickbooks_js_gets_what_it_asks_for(pc: Pc, served: tuple[int, "subprocess.Popen[str]"]) -> None:
    port, process = served
    assert process.stdout is not None
    assert "listening" in process.stdout.readline()
    pc.computer.transport = None
    await pc.room("/companies/quickbooks_desktop/sample")
    qwc = QWC.format(owner=OWNER, file=FILE, style="Document", read_only="false")
    await pc.does(
        "add_application", qwc=qwc.replace("localhost:8000/qbwc", f"localhost:{port}/wsdl"), password="s3cret"
    )
    done = await pc.update()
    assert done["rounds"] == 2, done
    process.kill()
    said = process.stdout.read()
    assert said.count("RESPONSE") == 2
    assert "Brightline IT Distribution" in said
    assert "0x80040400" in said
