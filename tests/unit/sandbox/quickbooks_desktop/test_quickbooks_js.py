"""quickbooks-js, a service for Web Connectors written for Node, runs unchanged against the pretend Web Connector.

It is no part of this repository: the test has npm install it into a directory of its own, once per run. To save that,
or without npm's registry, name a directory that holds it: POSYNC_QUICKBOOKS_JS=DIR pytest -k quickbooks_js
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

PACKAGE = "quickbooks-js@1.0.0"
INSTALL_SECONDS = 90
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


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the package is: the directory that is named, or one it is installed into."""
    node, npm, named = shutil.which("node"), shutil.which("npm"), os.environ.get("POSYNC_QUICKBOOKS_JS")
    if node is None or (named is None and npm is None):
        pytest.skip("Node is not on this machine; with node and npm this test installs quickbooks-js by itself")
    if named is None:
        directory = tmp_path_factory.mktemp("quickbooks-js")
        command = [str(npm), "install", "--prefix", str(directory), "--no-audit", "--no-fund", PACKAGE]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            done = subprocess.CompletedProcess(command, 1, "", f"no answer within {INSTALL_SECONDS} seconds")
        if done.returncode:
            pytest.skip(
                f"npm could not install {PACKAGE}: {done.stderr.strip()[:200]}. Where it can: npm install --prefix DIR"
                f" {PACKAGE}, then POSYNC_QUICKBOOKS_JS=DIR pytest -k quickbooks_js"
            )
    else:
        directory = Path(named)
    return directory / "node_modules" / "quickbooks-js"


@pytest.fixture
def served(tmp_path: Path, package: Path) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    """Its server on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    script = tmp_path / "serve.js"
    script.write_text(HANDLER % {"package": json.dumps(str(package)), "documents": json.dumps(DOCUMENTS)})
    wanted = {"QB_SOAP_PORT": str(port), "QB_USERNAME": "acme-main", "QB_PASSWORD": "s3cret", "QB_COMPANY_FILE": PATH}
    environment = {**os.environ, **wanted}
    with subprocess.Popen(["node", str(script)], stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield port, process
        finally:
            process.kill()


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
