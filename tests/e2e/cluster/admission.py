"""Stand-ins for admission webhooks, whose pods do not run here: Longhorn's judges its Nodes as the real one does.

Those of real charts admit everything. They listen where each chart's Service is, which is on loopback too, and the stand-in hands
out its certificate as the charts' own jobs do.
"""

from __future__ import annotations

import base64
import json
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.e2e.cluster.api import Api, Json
from tests.e2e.cluster.control_plane import ControlPlane
from tests.e2e.cluster.longhorn import WEBHOOK, configuration, refusal
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
        self._longhorn = Answering()

    def longhorn(self, *, serves: bool) -> None:
        """A manager of Longhorn registers its webhook when it serves; without managers nobody answers it."""
        self._longhorn.serves = serves
        if serves and self._api.get(*CONFIGURATION, WEBHOOK) is None:
            port = self._servers.enter_context(serving(partial(_Judging, self._longhorn), tls=self._tls))
            self._api.create(configuration(f"https://127.0.0.1:{port}/v1/webhook/validation", self._authority))

    def answer(self) -> None:
        """Begin to answer the webhooks that came since."""
        for found in self._api.list(*CONFIGURATION):
            webhooks = found.get("webhooks", [])
            trusted = [self._trusted(webhook) for webhook in webhooks]
            if trusted != webhooks:
                self._api.patch(*CONFIGURATION, found["metadata"]["name"], {"webhooks": trusted})

    def stop(self) -> None:
        """Answer no more."""
        self._servers.close()

    def _trusted(self, webhook: Json) -> Json:
        named = webhook["clientConfig"].get("service")
        if named is None:
            return webhook
        service = self._api.get("v1", "Service", named["name"], named["namespace"])
        if service is None:
            return webhook
        place = (service["spec"]["clusterIP"], named.get("port", 443))
        if place not in self._answered:
            self._servers.enter_context(serving(_Admitting, place, self._tls))
            self._answered.add(place)
        return {**webhook, "clientConfig": {"service": named, "caBundle": self._authority}}


@dataclass
class Answering:
    """Whether anybody answers a webhook."""

    serves: bool = False


class _Admitting(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        request = review.pop("request")
        said = self.refusal(request)
        review["response"] = {"uid": request["uid"], "allowed": said is None}
        if said is not None:
            review["response"]["status"] = {"code": HTTPStatus.FORBIDDEN, "message": said}
        body = json.dumps(review).encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refusal(self, request: Json) -> str | None:
        """Why it is refused; None where it is admitted."""
        del request
        return None

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's word
        del format, args


class _Judging(_Admitting):
    def __init__(self, answering: Answering, *arguments: Any) -> None:
        self._answering = answering
        super().__init__(*arguments)

    def do_POST(self) -> None:
        if self._answering.serves:
            super().do_POST()
        else:
            self.send_error(HTTPStatus.SERVICE_UNAVAILABLE, "no manager is ready")

    def refusal(self, request: Json) -> str | None:
        return refusal(request)
