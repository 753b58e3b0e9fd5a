"""Longhorn's admission webhooks, served to an API server (webhook/server/server.go)."""

from __future__ import annotations

import base64
import json
from contextlib import ExitStack
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.e2e.cluster.api import Json
from tests.e2e.cluster.web import serving
from tests.e2e.nodes.releases import own_tls
from tests.e2e.nodes.root import MachineRoot

from .objects import Objects
from .rules import DeniedError, Rules

NAMES = {"MutatingWebhookConfiguration": "longhorn-webhook-mutator", "ValidatingWebhookConfiguration": "longhorn-webhook-validator"}
GROUP = "admissionregistration.k8s.io/v1"
_MUTATED = ["volumes", "backups", "snapshots", "backupvolumes"]
_JUDGED = ["volumes", "backups", "backuptargets"]


class Webhooks:
    """Both, served to one API server, until `stop`."""

    def __init__(self, objects: Objects, address: str, base: MachineRoot, folder: Path, engine_image: str) -> None:
        self._objects = objects
        self._ends = ExitStack()
        rules = Rules(objects, engine_image)
        folder.mkdir(parents=True)
        port = self._ends.enter_context(serving(partial(_Answer, rules), (address, 0), own_tls(folder, address, base)))
        trusted = base64.b64encode(base.authority.read_bytes()).decode()
        for kind, path, plurals, operations in (
            ("MutatingWebhookConfiguration", "mutation", _MUTATED, ["CREATE", "UPDATE"]),
            ("ValidatingWebhookConfiguration", "validation", _JUDGED, ["CREATE", "UPDATE", "DELETE"]),
        ):
            one = {"apiGroups": ["longhorn.io"], "apiVersions": ["v1beta2"], "operations": operations, "resources": plurals}
            hook = {
                "name": f"{'mutator' if path == 'mutation' else 'validator'}.longhorn.io",
                "clientConfig": {"url": f"https://{address}:{port}/v1/webhook/{path}", "caBundle": trusted},
                "rules": [{**one, "scope": "Namespaced"}],
                "failurePolicy": "Fail",
                "matchPolicy": "Exact",
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
            }
            objects.api.apply({"apiVersion": GROUP, "kind": kind, "metadata": {"name": NAMES[kind]}, "webhooks": [hook]})

    def stop(self) -> None:
        """Answer no more. What is registered stays, as it does where the managers are down."""
        self._ends.close()


class _Answer(BaseHTTPRequestHandler):
    def __init__(self, rules: Rules, *arguments: Any) -> None:
        self._rules = rules
        super().__init__(*arguments)

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        request = review.pop("request")
        response: Json = {"uid": request["uid"], "allowed": True}
        said = ""
        try:
            if urlsplit(self.path).path.endswith("/mutation"):
                response |= _patch(self._rules.mutated(request))
            else:
                said = self._rules.refusal(request) or ""
        except DeniedError as denied:
            said = str(denied)
        if said:
            status = {"code": HTTPStatus.UNPROCESSABLE_ENTITY, "reason": "Invalid", "message": said}
            response |= {"allowed": False, "status": status}
        body = json.dumps({**review, "response": response}).encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's word
        del format, args


def _patch(obj: Json) -> Json:
    metadata = {key: obj["metadata"].get(key) for key in ("labels", "finalizers", "ownerReferences")}
    parts = {"/spec": obj["spec"], **{f"/metadata/{key}": value for key, value in metadata.items() if value}}
    patch = [{"op": "add", "path": path, "value": value} for path, value in parts.items()]
    return {"patchType": "JSONPatch", "patch": base64.b64encode(json.dumps(patch).encode()).decode()}
