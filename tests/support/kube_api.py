"""A made-up Kubernetes API: lists in pages over TLS, with the troubles that a real one has; and a kubectl that leads to it."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ekstui.sources import kubectl
from tests.support.patience import PATIENCE

TOKEN = "seeded-bearer-token"


class KubeApi:
    """What the API has, what goes wrong, and what was asked."""

    def __init__(self, *items: dict[str, Any]) -> None:
        self.items = list(items)
        self.asked: list[str] = []
        self.trouble: dict[str, list[int]] = {}
        """Statuses of the next answers, by path."""
        self.hangs = threading.Event()
        self.released = threading.Event()

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        """Return the status and the body of what a path answers."""
        if statuses := self.trouble.get(path):
            status = statuses.pop(0)
            if status:
                return status, {"kind": "Status", "message": f'User "ana" cannot do it {TOKEN * 3}', "code": status}
        parts = path.split("/")
        if path.endswith("/configmaps/aws-auth"):
            maps = [item for item in self.items if item["kind"] == "ConfigMap"]
            return (200, maps[0]) if maps else (404, {"kind": "Status", "message": "not found"})
        kind = {"pods": "Pod", "serviceaccounts": "ServiceAccount"}[parts[-1]]
        own = [item for item in self.items if item["kind"] == kind]
        if "namespaces" in parts:
            own = [item for item in own if item["metadata"]["namespace"] == parts[parts.index("namespaces") + 1]]
        begin, size = int(query.get("continue", ["0"])[0]), int(query["limit"][0])
        metadata = {"continue": str(begin + size)} if begin + size < len(own) else {}
        bare_items = [
            {name: part for name, part in item.items() if name != "kind"} for item in own[begin : begin + size]
        ]
        return 200, {"kind": f"{kind}List", "metadata": metadata, "items": bare_items}


def _handler(api: KubeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            api.asked.append(f"{self.headers.get('Authorization', '')} {self.path}".strip())
            if api.hangs.is_set():
                api.released.wait(PATIENCE)
            status, value = api.answer(url.path, parse_qs(url.query))
            content = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def serving(api: KubeApi, folder: Path) -> Iterator[str]:
    """Serve the API over TLS on loopback; yields its URL, and leaves its certificate in the folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(api))
    server.daemon_threads = True
    certificate = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    # Each connection shakes hands in its own thread: one that is slow holds up no other.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        with pytest.MonkeyPatch.context() as patch:
            # They answer at last, however busy the machine is.
            patch.setattr(kubectl, "PATIENCE", PATIENCE)
            patch.setattr(kubectl, "_START", PATIENCE)
            yield f"https://127.0.0.1:{server.server_address[1]}"
    finally:
        api.released.set()
        server.shutdown()
        server.server_close()


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    command = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = folder / "tls.pem"
    path.write_bytes(
        command.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


def kubeconfig(folder: Path, servers: dict[str, str], plugin: Path | None = None) -> Path:
    """Write a configuration with a context for each server; a plugin gives the token if there is one."""
    user: dict[str, Any] = {"token": TOKEN}
    if plugin is not None:
        user = {"exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin), "interactiveMode": "Never",
        }}  # fmt: skip
    value = {
        "apiVersion": "v1", "kind": "Config", "current-context": next(iter(servers), ""),
        "users": [{"name": "ana", "user": user}],
        "clusters": [{"name": name, "cluster": {"server": url, "certificate-authority": str(folder / "tls.pem")}}
                     for name, url in servers.items()],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "ana"}} for name in servers],
    }  # fmt: skip
    path = folder / "kubeconfig"
    path.write_text(json.dumps(value))
    return path


def free_port() -> int:
    """A port of loopback on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
