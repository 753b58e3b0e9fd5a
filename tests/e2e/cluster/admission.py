"""Stand-in for the admission webhooks of real charts, whose pods do not run here: it admits everything.

It listens where each chart's Service is, which is on loopback too, and hands out its certificate as the charts' own jobs do.
"""

from __future__ import annotations

import base64
import json
from contextlib import ExitStack
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler

from tests.e2e.cluster.api import Api, Json
from tests.e2e.cluster.control_plane import ControlPlane
from tests.e2e.cluster.web import serving

CONFIGURATION = ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration")


class Admission:
    """All webhooks of a cluster."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._api: Api = control_plane.api
        self._tls = control_plane.tls()
        self._authority = base64.b64encode(control_plane.certificate.read_bytes()).decode()
        self._servers = ExitStack()
        self._answered: set[tuple[str, int]] = set()

    def answer(self) -> None:
        """Begin to answer the webhooks that came since."""
        for configuration in self._api.list(*CONFIGURATION):
            webhooks = configuration.get("webhooks", [])
            trusted = [self._trusted(webhook) for webhook in webhooks]
            if trusted != webhooks:
                self._api.patch(*CONFIGURATION, configuration["metadata"]["name"], {"webhooks": trusted})

    def stop(self) -> None:
        """Answer no more."""
        self._servers.close()

    def _trusted(self, webhook: Json) -> Json:
        named = webhook["clientConfig"]["service"]
        service = self._api.get("v1", "Service", named["name"], named["namespace"])
        if service is None:
            return webhook
        place = (service["spec"]["clusterIP"], named.get("port", 443))
        if place not in self._answered:
            self._servers.enter_context(serving(_Admitting, place, self._tls))
            self._answered.add(place)
        return {**webhook, "clientConfig": {"service": named, "caBundle": self._authority}}


class _Admitting(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
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
