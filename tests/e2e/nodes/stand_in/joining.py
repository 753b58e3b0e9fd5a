"""Tokens in all the forms that k3s takes, and joining a cluster by one (pkg/clientaccess)."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .api import Api, Refused
from .certificates import hash_of, request
from .children import say
from .config import Trouble
from .places import AGENT, write

BOOTSTRAP = re.compile(r"[a-z0-9]{6}\.[a-z0-9]{16}")
CLUSTER_INFO = "/api/v1/namespaces/kube-public/configmaps/cluster-info"
FOR_NODES = "/api/v1/namespaces/kube-system/secrets/k3s-stand-in-proxy"
REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
FORM = "K10"
HASH_LETTERS = 64
RETRY_SECONDS = 2
SIGNED_SECONDS = 30
UNAUTHORIZED = 401


def parse(token: str) -> tuple[str, str]:
    """The hash of the authority, empty where the token has none, and what proves who one is: a bootstrap token or a password."""
    if not token:
        raise Trouble("--token is required")
    digest, credential = "", token
    if token.startswith(FORM):
        digest, separator, credential = token[len(FORM) :].partition("::")
        if not separator:
            raise Trouble("invalid token format")
        if digest and len(digest) != HASH_LETTERS:
            raise Trouble("invalid token CA hash length")
    if not BOOTSTRAP.fullmatch(credential):
        credential = credential.rpartition(":")[2]
    if not credential:
        raise Trouble("invalid token format")
    return digest, credential


def trusted(server: str, token: str) -> tuple[Api, str]:
    """The server as the token's holder sees it, and its authority's certificate, once it is the one that the token names.

    Raises Trouble where it is not, OSError where nobody answers, Refused where the token is not taken.
    """
    digest, credential = parse(token)
    kept = AGENT / "server-ca.crt"
    info = Api(server, None).ask(CLUSTER_INFO)
    cluster = json.loads(info["data"]["kubeconfig"])["clusters"][0]["cluster"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    if digest and digest != hash_of(authority):
        raise Trouble(f"token CA hash does not match the Cluster CA certificate hash: {digest} != {hash_of(authority)}")
    write(kept, authority, 0o644)
    return Api(server, kept, token=credential), authority


def joined(server: str, token: str, name: str) -> dict[str, Any]:
    """Get the node's certificate and what it is told, again and again until that works, as k3s's agent does."""
    while True:
        try:
            return _join(server, token, name)
        except Refused as refused:
            what = "401 Unauthorized" if refused.status == UNAUTHORIZED else str(refused)
            said = f"failed to retrieve configuration from server: {server}/v1-k3s/config: {what}"
        except Trouble as trouble:
            said = str(trouble)
        except OSError as problem:
            said = f"failed to get CA certs: {server}/cacerts: {problem}"
        say(f'level=error msg="{said}"')
        time.sleep(RETRY_SECONDS)


def _join(server: str, token: str, name: str) -> dict[str, Any]:
    """A machine that joined before shows its certificate: its token may have expired since."""
    certificate = AGENT / "client-kubelet.crt"
    if certificate.exists():
        return _told(Api(server, AGENT / "server-ca.crt", certificate=certificate))
    api, _ = trusted(server, token)
    told = _told(api)
    _certify(api, certificate, name)
    return told


def _told(api: Api) -> dict[str, Any]:
    """What the servers keep for nodes: kube-proxy's token and the cluster's networks. Writes what nodes keep of it."""
    secret = {key: base64.b64decode(value).decode() for key, value in api.ask(FOR_NODES)["data"].items()}
    write(AGENT / "client-ca.crt", secret["client-ca.crt"], 0o644)
    return secret


def _certify(api: Api, certificate: Path, name: str) -> None:
    """Have the node's certificate signed by the cluster's own signer; it approves whom the token lets in."""
    asked = certificate.with_suffix(".csr")
    request(certificate.with_suffix(".key"), f"/O=system:nodes/CN=system:node:{name}", asked)
    body = {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"generateName": "node-csr-"},
        "spec": {
            "request": base64.b64encode(asked.read_bytes()).decode(),
            "signerName": "kubernetes.io/kube-apiserver-client-kubelet",
            "usages": ["digital signature", "client auth"],
        },
    }
    path = f"{REQUESTS}/{api.ask(REQUESTS, body)['metadata']['name']}"
    signed = _await(lambda: str(api.ask(path)["status"].get("certificate", "")))
    write(certificate, base64.b64decode(signed).decode(), 0o644)
    asked.unlink()


def _await(answer: Callable[[], str]) -> str:
    end = time.monotonic() + SIGNED_SECONDS
    while not (found := answer()):
        if time.monotonic() > end:
            raise Trouble("the request for the node's certificate was not signed")
        time.sleep(0.2)
    return found
