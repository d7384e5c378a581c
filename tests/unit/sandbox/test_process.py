"""The sandbox as a process: `python -m sandbox.server`."""

import signal
import socket
import subprocess
import sys
import time

import httpx


def test_it_prints_its_credentials_serves_and_ends_on_a_signal() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "sandbox.server", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            url, deadline = f"http://127.0.0.1:{port}/sandbox/health", time.monotonic() + 90
            while True:
                try:
                    answer = httpx.get(url)
                    break
                except httpx.ConnectError:
                    assert time.monotonic() < deadline, "the sandbox did not start"
                    time.sleep(0.05)
            assert (answer.json()["service"], answer.json()["pid"]) == ("posync-sandbox", process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            printed, _ = process.communicate(timeout=60)
    assert f"http://127.0.0.1:{port}/ia/xml/xmlgw.phtml" in printed
    assert "xml_gateway/sandbox-user" in printed
    assert f"http://127.0.0.1:{port}/v3/company/9130350000000000001" in printed
    assert "ABsandboxClientId/sandbox-client-secret" in printed
