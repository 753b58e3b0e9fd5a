"""Stand-in for the admission webhooks of real charts, whose pods do not run here: it admits everything."""

from __future__ import annotations

import base64
import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from tests.e2e.cluster.api import Api

CONFIGURATION = ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration")


class Admitting(BaseHTTPRequestHandler):
    """Answers every review with yes."""

    def do_POST(self) -> None:
        """Allow what is asked."""
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        review["response"] = {"uid": review.pop("request")["uid"], "allowed": True}
        body = json.dumps(review).encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's word
        del format, args


def redirect(api: Api, port: int, certificate: Path) -> None:
    """Have the webhooks that pods would answer be answered at this port; the charts' own jobs hand out certificates so."""
    client = {"url": f"https://127.0.0.1:{port}/", "caBundle": base64.b64encode(certificate.read_bytes()).decode()}
    for configuration in api.list(*CONFIGURATION):
        webhooks = configuration.get("webhooks", [])
        moved = [{**webhook, "clientConfig": client} for webhook in webhooks]
        if moved != webhooks:
            api.patch(*CONFIGURATION, configuration["metadata"]["name"], {"webhooks": moved})
