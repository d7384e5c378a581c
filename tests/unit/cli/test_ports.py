"""The ports of one stack, and who answers there."""

import http.server
import threading

from cli.local.embedded import OUR_PORTS, free_port
from cli.local.stack import _says


def test_one_process_is_never_given_a_port_twice() -> None:
    """F13: the ports of a stack are chosen before its servers listen; two were the same now and then."""
    ports = [free_port() for _ in range(100)]
    assert len(set(ports)) == 100
    assert set(ports) <= set(OUR_PORTS), "the system hands these out to nobody by itself"


def test_who_answers_is_asked_before_a_part_is_called_ready() -> None:
    """F13: once a stack came up with the sandbox's address answered by Temporal's UI."""

    class SomebodyElse(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b'{"service": "posync-sandbox"}' if self.path == "/ours" else b"missing csrf token"
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", free_port()), SomebodyElse) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        assert _says(f"{url}/ours", service="posync-sandbox")
        assert not _says(f"{url}/theirs", service="posync-sandbox")
        assert not _says(f"{url}/ours", service="posync-api")
        server.shutdown()
    assert not _says(url, service="posync-sandbox")
