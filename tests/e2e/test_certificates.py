"""Real cert-manager issues every certificate of the reference tree, by the authority that people keep in the repository."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fluxstead.secrets.makers import made
from fluxstead.secrets.vault import secret_object
from tests.e2e.cluster import api as asked
from tests.e2e.cluster import control_plane
from tests.e2e.cluster.api import Api, Json
from tests.e2e.cluster.control_plane import ControlPlane
from tests.e2e.cluster.crds import chart_crds
from tests.e2e.cluster.description import PROJECT, tree_objects
from tests.e2e.cluster.processes import Processes
from tests.e2e.isolation import scratch

Need = Callable[..., dict[str, Path]]
CONTROLLER = "cert-manager-controller"
OURS = "cert-manager.io/v1"
pytestmark = pytest.mark.flux


@contextmanager
def issuing(tools: dict[str, Path], authority: dict[str, str]) -> Iterator[tuple[Api, Path]]:
    """An API server with the tree's issuers and certificates, and cert-manager's controllers; and a folder for files."""
    with scratch() as folder:
        (folder / "logs").mkdir()
        processes = Processes(folder / "logs")
        plane = ControlPlane(folder, processes, tools)
        try:
            plane.start_api()
            objects = [one for one in tree_objects(PROJECT / "generated/k3s-flux") if one["apiVersion"] == OURS]
            for definition in chart_crds("cert-manager", "1.21.1"):
                plane.api.create(definition)
            spaces = {one["metadata"]["namespace"] for one in objects if one["kind"] == "Certificate"}
            for name in sorted({"cert-manager", *spaces}):
                plane.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
            plane.api.create(dict(secret_object("cert-manager", "own-ca", dict(authority), "kubernetes.io/tls")))
            asked.eventually("all kinds are served", 30, lambda: served(plane.api), str)
            for obj in objects:
                plane.api.apply(obj)
            processes.start(CONTROLLER, [tools[CONTROLLER], f"--kubeconfig={plane.kubeconfig}"])
            yield plane.api, folder
        finally:
            processes.stop()


def served(api: Api) -> bool:
    """Whether the API server answers for certificates and their issuers."""
    kinds = {one["kind"] for one in api.ask("GET", f"/apis/{OURS}")["resources"]}
    return {"Certificate", "CertificateRequest", "ClusterIssuer"} <= kinds


def _eventually(what: str, question: Callable[[], bool], folder: Path) -> None:
    asked.eventually(what, 90, question, lambda: (folder / f"logs/{CONTROLLER}.log").read_text()[-3000:])


def ready(api: Api) -> bool:
    """Whether every certificate is."""
    found = api.list(OURS, "Certificate")
    return bool(found) and all(is_ready(one) for one in found)


def is_ready(certificate: Json) -> bool:
    conditions = {one["type"]: one["status"] for one in certificate.get("status", {}).get("conditions", [])}
    return conditions.get("Ready") == "True" and conditions.get("Issuing", "False") == "False"


def held(api: Api, certificate: Json) -> dict[str, bytes]:
    """What is in its Secret."""
    metadata = certificate["metadata"]
    secret = api.get("v1", "Secret", certificate["spec"]["secretName"], metadata["namespace"])
    assert secret is not None
    return {key: base64.b64decode(value) for key, value in secret["data"].items()}


def verified(folder: Path, root: str, certificate: bytes, *more: str) -> subprocess.CompletedProcess[str]:
    """Whether a browser that trusts this root would accept it, for what `more` says."""
    (folder / "root.pem").write_text(root)
    (folder / "leaf.pem").write_bytes(certificate)
    command = ["openssl", "verify", "-CAfile", "root.pem", "-no-CApath", "-no-CAstore", "-purpose", "sslserver", *more, "leaf.pem"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_every_certificate_is_issued_for_its_names_and_by_nobody_else(need: Need) -> None:
    """And again by the same authority: when it is renewed, with another key, and in a cluster that is built anew."""
    tools = need(*control_plane.API_TOOLS, CONTROLLER)
    authority, another = made("ca", "tls.key", "own-ca"), made("ca", "tls.key", "own-ca")
    root = authority["tls.crt"]
    with issuing(tools, authority) as (api, folder):
        _eventually("every certificate is issued", lambda: ready(api), folder)
        certificates = api.list(OURS, "Certificate")
        assert len(certificates) >= 4
        for one in certificates:
            values = held(api, one)
            assert values["ca.crt"].decode() == root
            for name in one["spec"].get("dnsNames", []):
                assert verified(folder, root, values["tls.crt"], "-verify_hostname", name).returncode == 0, name
            for address in one["spec"].get("ipAddresses", []):
                assert verified(folder, root, values["tls.crt"], "-verify_ip", address).returncode == 0, address
            assert verified(folder, root, values["tls.crt"], "-verify_hostname", "other.example").returncode
            assert verified(folder, another["tls.crt"], values["tls.crt"]).returncode, "whoever trusts another root"
        first = certificates[0]
        before = held(api, first)
        # As `cmctl renew` does it.
        due = {
            "type": "Issuing",
            "status": "True",
            "reason": "Manually",
            "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
        conditions = [*first["status"]["conditions"], due]
        metadata = first["metadata"]
        change = {"status": {"conditions": conditions}}
        api.patch(OURS, "Certificate", metadata["name"], change, namespace=metadata["namespace"], part="/status")
        _eventually("it is renewed", lambda: ready(api) and held(api, first)["tls.crt"] != before["tls.crt"], folder)
        after = held(api, first)
        assert after["tls.key"] != before["tls.key"]
        assert after["ca.crt"].decode() == root
    with issuing(tools, authority) as (api, folder):
        _eventually("every certificate is issued again", lambda: ready(api), folder)
        for one in api.list(OURS, "Certificate"):
            assert verified(folder, root, held(api, one)["tls.crt"]).returncode == 0, "a device that trusted the former cluster"


def test_nothing_is_issued_without_the_authority(need: Need) -> None:
    """What the page on TLS shows: the issuer says which Secret it lacks."""
    tools = need(*control_plane.API_TOOLS, CONTROLLER)
    with issuing(tools, made("ca", "tls.key", "own-ca")) as (api, folder):
        _eventually("every certificate is issued", lambda: ready(api), folder)
        api.delete("v1", "Secret", "own-ca", "cert-manager")
        _eventually("the issuer says so", lambda: "not found" in _said(api, "own-ca"), folder)


def _said(api: Api, issuer: str) -> str:
    found = api.get(OURS, "ClusterIssuer", issuer) or {}
    return " ".join(one["message"] for one in found.get("status", {}).get("conditions", []) if one["status"] == "False")
