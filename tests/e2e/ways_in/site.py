"""An API server that holds a generated tree with its certificates issued, and what is behind its routes on loopback.

The tests' API server gives Services addresses of loopback, at which the tests answer themselves.
"""

from __future__ import annotations

import base64
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Any, NamedTuple

import yaml

from fluxstead.assembly import Assembled
from fluxstead.embedded import run_program
from fluxstead.secrets.makers import made
from fluxstead.secrets.vault import secret_object
from tests.e2e.cluster import api as asked
from tests.e2e.cluster.api import Api, Json
from tests.e2e.cluster.control_plane import ControlPlane, answers
from tests.e2e.cluster.crds import chart_crds
from tests.e2e.cluster.processes import Processes
from tests.e2e.cluster.web import Handler, serving

CONTROLLER, PROXY = "cert-manager-controller", "oauth2-proxy"
TOOLS = (CONTROLLER, PROXY)
_OF_WAYS_IN = {"Ingress", "Middleware", "IngressRoute", "TLSStore", "Certificate", "ClusterIssuer"}
_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEplZVhZ0yMtr0yZp1c4m9nM0eO7uY1cQ0n6w1w3kq2H"
ADDRESS = "192.168.86.71"
_MACHINE = f"""\
cluster: ways
address: {ADDRESS}
role: server
state: live
ssh: {{hostKey: {_KEY}}}
disks: [{{name: a, serial: S1, size: 465Gi, mountPath: /mnt/longhorn/a}}]
"""


def described(folder: Path, stack: str) -> Assembled:
    """The tree of a description with one machine; nothing stands against it."""
    (folder / "nodes").mkdir(parents=True, exist_ok=True)
    (folder / "Pulumi.yaml").write_text("name: fluxstead\nruntime: python\n")
    (folder / "Pulumi.ways.yaml").write_text(stack)
    (folder / "nodes/k3s1.yaml").write_text(_MACHINE)
    run = run_program(folder, "ways")
    wrong = [one.text() for one in run.findings if str(one.severity) == "error" and not one.id.startswith("secrets/")]
    assert not wrong, wrong
    assert run.assembled is not None
    return run.assembled


class Given(NamedTuple):
    """What people keep: the authority, and the passwords by the Secret's name and key."""

    authority: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]]

    @property
    def root(self) -> str:
        """What devices are told to trust."""
        return self.authority["tls.crt"]


def given() -> Given:
    """As `./run secrets set --generate` makes them."""
    return Given(
        made("ca", "tls.key", "own-ca"),
        {
            "web-login": made("htpasswd", "auth", "web-login"),
            "oidc-client": {"client-id": "cluster", "client-secret": "s3cret", **made("cookie", "cookie-secret", "oidc-client")},
        },
    )


@contextmanager
def applied(
    folder: Path, tools: Mapping[str, Path], assembled: Assembled, people: Given
) -> Iterator[tuple[ControlPlane, Processes]]:
    """An API server with the tree's ways in, their Secrets, and cert-manager's controllers, which have issued all certificates."""
    (folder / "logs").mkdir()
    processes = Processes(folder / "logs")
    plane = ControlPlane(folder, processes, tools)
    try:
        plane.start_api()
        objects = [one for one in objects_of(assembled) if one["kind"] in _OF_WAYS_IN]
        for chart, version in (("cert-manager", "1.21.1"), ("traefik", "41.3.0")):
            for definition in chart_crds(chart, version):
                plane.api.create(definition)
        spaces = {one["metadata"]["namespace"] for one in objects if "namespace" in one["metadata"]}
        for name in sorted({"cert-manager", *spaces} - {"kube-system"}):
            plane.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        plane.api.create(_CLASS)
        for need in assembled.secrets.needs:
            values = people.authority if need.name == "own-ca" else people.values.get(need.name)
            if values:
                keys = {key: value for key, value in values.items() if not key.endswith(".password")}
                plane.api.create(dict(secret_object(need.namespace, need.name, keys, need.type)))
        asked.eventually("all kinds are served", 30, lambda: _served(plane.api), str)
        for obj in objects:
            plane.api.apply(obj)
        processes.start(CONTROLLER, [tools[CONTROLLER], f"--kubeconfig={plane.kubeconfig}"])
        asked.eventually("all certificates", 90, lambda: _ready(plane.api), lambda: processes.tail(CONTROLLER, 20))
        yield plane, processes
    finally:
        processes.stop()


_CLASS = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "IngressClass",
    "metadata": {"name": "traefik"},
    "spec": {"controller": "traefik.io/ingress-controller"},
}


def objects_of(assembled: Assembled) -> list[Json]:
    """The objects of a tree."""
    return [
        yaml.safe_load(text)
        for path, text in assembled.files.items()
        if path.endswith(".yaml") and not path.endswith("kustomization.yaml")
    ]


def release_of(assembled: Assembled, name: str) -> Json:
    """The values of a release."""
    [release] = [one for one in objects_of(assembled) if one["kind"] == "HelmRelease" and one["metadata"]["name"] == name]
    values: Json = release["spec"]["values"]
    return values


def _served(api: Api) -> bool:
    groups = ("cert-manager.io/v1", "traefik.io/v1alpha1")
    kinds = {one["kind"] for group in groups for one in api.ask("GET", f"/apis/{group}")["resources"]}
    return {"Certificate", "ClusterIssuer", "Middleware", "IngressRoute", "TLSStore"} <= kinds


def _ready(api: Api) -> bool:
    found = api.list("cert-manager.io/v1", "Certificate")
    return bool(found) and all(
        any(one["type"] == "Ready" and one["status"] == "True" for one in each.get("status", {}).get("conditions", []))
        for each in found
    )


def start_proxy(processes: Processes, program: Path, values: Json, people: Given, *, folder: Path, address: str) -> None:
    """oauth2-proxy with the arguments, the file and the variables that its chart makes of the release's values."""
    (folder / "oauth2_proxy.cfg").write_text(values["config"]["configFile"])
    flags = [f"--{key}={str(value).lower() if isinstance(value, bool) else value}" for key, value in values["extraArgs"].items()]
    command = [str(program), f"--http-address={address}:80", f"--config={folder / 'oauth2_proxy.cfg'}", *flags]
    secret = people.values["oidc-client"]
    variables = {f"OAUTH2_PROXY_{key.upper().replace('-', '_')}": value for key, value in secret.items()}
    # Its trust: the chart mounts a file where one's own authority is the provider's.
    variables["SSL_CERT_FILE"] = str(folder / "root.pem")
    processes.start(PROXY, in_names_of_its_own(folder / "hosts", command), variables)
    processes.wait(PROXY, lambda: answers(f"http://{address}/ready"))


@contextmanager
def behind(api: Api, answering: Callable[[str], Handler | None]) -> Iterator[dict[str, str]]:
    """A Service for each that a route leads to, and what answers at its address; gives their addresses by namespace and name."""
    wanted = {
        (one["metadata"]["namespace"], service["name"], service["port"]["number"])
        for one in api.list("networking.k8s.io/v1", "Ingress")
        for path in one["spec"]["rules"][0]["http"]["paths"]
        for service in [path["backend"]["service"]]
    }
    addresses: dict[str, str] = {}
    with ExitStack() as running:
        for number, (namespace, name, port) in enumerate(sorted(wanted), 20):
            address = f"127.96.7.{number}"
            ports = [{"port": port, "targetPort": port, "name": "http"}]
            spec: dict[str, Any] = {"clusterIP": address, "ports": ports, "selector": {"app": name}}
            metadata = {"name": name, "namespace": namespace}
            api.create({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
            handler = answering(name)
            if handler:
                running.enter_context(serving(handler, (address, port)))
            addresses[f"{namespace}/{name}"] = address
        yield addresses


def certified(plane: ControlPlane, folder: Path, host: str) -> SSLContext:
    """What a server of this name speaks, by the same authority, as one in somebody's cluster does."""
    metadata = {"name": "id", "namespace": "cert-manager"}
    issuer = {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": "own-ca"}
    spec = {"secretName": "id-tls", "dnsNames": [host], "issuerRef": issuer}
    plane.api.create({"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": metadata, "spec": spec})
    secret = asked.eventually("a certificate", 60, lambda: plane.api.get("v1", "Secret", "id-tls", "cert-manager"), str)
    for key in ("tls.crt", "tls.key"):
        (folder / f"id-{key}").write_bytes(base64.b64decode(secret["data"][key]))
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "id-tls.crt", folder / "id-tls.key")
    return context


def in_names_of_its_own(hosts: Path, command: list[str]) -> list[str | Path]:
    """The command, which finds in /etc/hosts what this file says: in a mount namespace of its own."""
    script = f"mount --bind {shlex.quote(str(hosts))} /etc/hosts && exec {shlex.join(command)}"
    return ["unshare", "--mount", "sh", "-c", script]
