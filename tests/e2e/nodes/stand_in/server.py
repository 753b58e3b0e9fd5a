"""`k3s server`: the control plane of one server, then its node."""

from __future__ import annotations

import base64
import json
import secrets
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from . import agent
from .api import Api, Refused, by_certificate, kubeconfig
from .certificates import authority, hash_of, service_key, signed
from .children import Children, say
from .config import Settings, Trouble
from .datastore import Datastore
from .joining import parse, trusted
from .node import addresses, node_name, start_containerd
from .objects import FOR_SERVERS, PROXY, for_servers, objects
from .places import ADMIN, AGENT, API_PORT, SERVER, TLS, write
from .tokens import administrator

NAMES = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "localhost")
COMMON_FILES = ("server-ca", "client-ca", "request-header-ca", "etcd/server-ca")
CREDENTIALS = SERVER / "cred"
ENCRYPTION = CREDENTIALS / "encryption-config.json"
SECRETS = "/api/v1/namespaces/kube-system/secrets"
OWN_URL = f"https://127.0.0.1:{API_PORT}"


class Server:
    """One server of a cluster."""

    def __init__(self, settings: Settings, children: Children) -> None:
        self._settings = settings
        self._children = children
        self._datastore = Datastore(settings)
        self._address = addresses(settings)[0]
        self._pods = ",".join(settings.listed("cluster-cidr", "10.42.0.0/16"))
        self._services = ",".join(settings.listed("service-cidr", "10.43.0.0/16"))

    def start(self) -> Api:
        """All of it, until the API answers and this machine is a node; gives the API as kube-proxy sees it."""
        others = ""
        if self._settings.text("server") and not (TLS / "server-ca.crt").exists():
            others = self._join(self._settings.text("server").rstrip("/"))
        password = self._password()
        self._certify()
        self._write_credentials(password)
        self._datastore.start(self._children, others)
        self._start_api()
        api = administrator()
        self._children.wait("the API server", api.ready)
        self._create_objects(api)
        self._start_controllers()
        self._children.wait("kube-proxy's token", lambda: "token" in api.ask(f"{SECRETS}/{PROXY}")["data"])
        start_containerd(self._children)
        return self._become_node(api)

    def _join(self, server: str) -> str:
        """Take over the authorities and keys of the cluster, and become a member of its etcd."""
        try:
            api, _ = trusted(server, self._settings.secret("token"))
            held = api.ask(f"{SECRETS}/{FOR_SERVERS}")["data"]
        except Refused as refused:
            raise Trouble(f"failed to validate token: {server}/v1-k3s/server-bootstrap: {refused}") from refused
        except OSError as problem:
            raise Trouble(f"failed to get CA certs: {server}/cacerts: {problem}") from problem
        files = {name: base64.b64decode(data).decode() for name, data in held.items()}
        if (files.pop("pods"), files.pop("services")) != (self._pods, self._services):
            raise Trouble("failed to validate server configuration: critical configuration value mismatch between servers")
        for name, text in files.items():
            write(SERVER / name.replace("--", "/"), text)
        return self._datastore.join(str(urlsplit(server).hostname))

    def _password(self) -> str:
        """The server token's secret half: as configured, else as it was, else made up. It may not change."""
        kept = SERVER / "token"
        before = parse(kept.read_text().strip())[1] if kept.exists() else ""
        configured = self._settings.secret("token")
        wanted = parse(configured)[1] if configured else before or secrets.token_hex(16)
        if before and wanted != before:
            raise Trouble("starting kubernetes: preparing server: bootstrap data already found and encrypted with different token")
        return wanted

    def _certify(self) -> None:
        for name in COMMON_FILES:
            authority(name)
        service_key()
        first_service = [str(ip_network(network)[1]) for network in self._services.split(",")]
        names = [*NAMES, "127.0.0.1", *addresses(self._settings), *first_service, node_name(self._settings)]
        signed(TLS / "serving-kube-apiserver.crt", "server-ca", "/CN=kube-apiserver", [*names, *self._settings.listed("tls-san")])
        subjects = {
            "admin": "/O=system:masters/CN=system:admin",
            "kube-apiserver": "/O=system:masters/CN=system:apiserver",
            "controller": "/CN=system:kube-controller-manager",
            "scheduler": "/CN=system:kube-scheduler",
        }
        for name, subject in subjects.items():
            signed(TLS / f"client-{name}.crt", "client-ca", subject)
        signed(TLS / "client-auth-proxy.crt", "request-header-ca", "/CN=system:auth-proxy")

    def _write_credentials(self, password: str) -> None:
        digest = hash_of((TLS / "server-ca.crt").read_text())
        token = write(SERVER / "token", f"K10{digest}::server:{password}\n")
        own = self._settings.secret("agent-token")
        agents = parse(own)[1] if own else password
        agent_token = write(SERVER / "agent-token", f"K10{digest}::node:{agents}\n") if own else token
        link = SERVER / "node-token"
        link.unlink(missing_ok=True)
        link.symlink_to(agent_token)
        known = [f'{password},server,server,"system:masters,system:bootstrappers"']
        known += [f'{agents},node,node,"system:bootstrappers,system:bootstrappers:k3s:default-node-token"'] if own else []
        write(CREDENTIALS / "tokens.csv", "\n".join(known) + "\n")
        for name in ("controller", "scheduler"):
            self._write_kubeconfig(CREDENTIALS / f"{name}.kubeconfig", TLS / f"client-{name}.crt")
        mode = int(self._settings.text("write-kubeconfig-mode", "600"), 8)
        encoded = {
            "client-certificate-data": _encoded(TLS / "client-admin.crt"),
            "client-key-data": _encoded(TLS / "client-admin.key"),
        }
        trust = {"certificate-authority-data": _encoded(TLS / "server-ca.crt")}
        write(Path(self._settings.text("write-kubeconfig", str(ADMIN))), kubeconfig(OWN_URL, trust, encoded), mode)

    def _write_kubeconfig(self, file: Path, certificate: Path) -> None:
        write(file, kubeconfig(OWN_URL, {"certificate-authority": str(TLS / "server-ca.crt")}, by_certificate(certificate)))

    def _start_api(self) -> None:
        arguments = [
            f"--advertise-address={self._address}",
            f"--secure-port={API_PORT}",
            *_key_pair("tls-cert-file", "tls-private-key-file", "serving-kube-apiserver"),
            f"--client-ca-file={TLS / 'client-ca.crt'}",
            *_key_pair("kubelet-client-certificate", "kubelet-client-key", "client-kube-apiserver"),
            "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname",
            *_key_pair("proxy-client-cert-file", "proxy-client-key-file", "client-auth-proxy"),
            f"--requestheader-client-ca-file={TLS / 'request-header-ca.crt'}",
            "--requestheader-allowed-names=system:auth-proxy",
            *("--requestheader-extra-headers-prefix=X-Remote-Extra-", "--requestheader-group-headers=X-Remote-Group"),
            "--requestheader-username-headers=X-Remote-User",
            "--enable-bootstrap-token-auth=true",
            f"--token-auth-file={CREDENTIALS / 'tokens.csv'}",
            *("--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged=true"),
            f"--service-cluster-ip-range={self._services}",
            f"--service-node-port-range={self._settings.text('service-node-port-range', '30000-32767')}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            *(f"--service-account-{use}={service_key()}" for use in ("key-file", "signing-key-file")),
            *self._encryption(),
            *self._datastore.flags,
            *(f"--{argument}" for argument in self._settings.listed("kube-apiserver-arg")),
        ]
        self._children.start("kube-apiserver", arguments)

    def _encryption(self) -> list[str]:
        """As configured at the birth of the cluster."""
        if self._settings.flag("secrets-encryption") and not ENCRYPTION.exists():
            key = {"name": "aescbckey", "secret": base64.b64encode(secrets.token_bytes(32)).decode()}
            providers = [{"aescbc": {"keys": [key]}}, {"identity": {}}]
            body = {"kind": "EncryptionConfiguration", "apiVersion": "apiserver.config.k8s.io/v1"}
            write(ENCRYPTION, json.dumps({**body, "resources": [{"resources": ["secrets"], "providers": providers}]}))
        return [f"--encryption-provider-config={ENCRYPTION}"] if ENCRYPTION.exists() else []

    def _create_objects(self, api: Api) -> None:
        told = {
            "client-ca.crt": (TLS / "client-ca.crt").read_text(),
            "cluster-cidr": self._pods,
            "cluster-dns": self._cluster_dns,
        }
        for path, body in objects(f"https://{self._address}:{API_PORT}", told):
            self._children.wait(path.split("/")[4], lambda path=path: _has_namespace(api, path))  # type: ignore[misc]
            api.create(path, body)
        if self._datastore.is_etcd:
            files = [*(f"tls/{name}{end}" for name in COMMON_FILES for end in (".crt", ".key")), "tls/service.key"]
            files += ["cred/encryption-config.json"] if ENCRYPTION.exists() else []
            held = {name.replace("/", "--"): (SERVER / name).read_text() for name in files}
            api.create(*for_servers({**held, "pods": self._pods, "services": self._services}))

    def _start_controllers(self) -> None:
        elected = f"--leader-elect={str(self._datastore.is_etcd).lower()}"
        signer = TLS / "client-ca.crt"
        arguments = [
            f"--kubeconfig={CREDENTIALS / 'controller.kubeconfig'}",
            "--bind-address=127.0.0.1",
            elected,
            "--controllers=*,bootstrapsigner,tokencleaner",
            *("--use-service-account-credentials=true", "--allocate-node-cidrs=true", f"--cluster-cidr={self._pods}"),
            f"--service-cluster-ip-range={self._services}",
            f"--root-ca-file={TLS / 'server-ca.crt'}",
            f"--service-account-private-key-file={service_key()}",
            *(f"--cluster-signing-cert-file={signer}", f"--cluster-signing-key-file={signer.with_suffix('.key')}"),
            *(f"--{argument}" for argument in self._settings.listed("kube-controller-manager-arg")),
        ]
        self._children.start("kube-controller-manager", arguments)
        if not self._settings.flag("disable-scheduler"):
            kubeconfig_file = f"--kubeconfig={CREDENTIALS / 'scheduler.kubeconfig'}"
            more = [f"--{argument}" for argument in self._settings.listed("kube-scheduler-arg")]
            self._children.start("kube-scheduler", [kubeconfig_file, "--bind-address=127.0.0.1", elected, *more])

    def _become_node(self, api: Api) -> Api:
        name = node_name(self._settings)
        for trust in ("server-ca.crt", "client-ca.crt"):
            write(AGENT / trust, (TLS / trust).read_text(), 0o644)
        signed(AGENT / "client-kubelet.crt", "client-ca", f"/O=system:nodes/CN=system:node:{name}")
        held: dict[str, str] = api.ask(f"{SECRETS}/{PROXY}")["data"]
        told = {key: base64.b64decode(value).decode() for key, value in held.items()}
        network = agent.start_node(self._children, self._settings, OWN_URL, told)
        roles = ["control-plane", "master", *(["etcd"] if self._datastore.is_etcd else [])]
        labels = {f"node-role.kubernetes.io/{role}": "true" for role in roles}
        self._children.wait(f"node {name}", lambda: _labelled(api, name, labels))
        return network

    @property
    def _cluster_dns(self) -> str:
        return self._settings.text("cluster-dns") or str(ip_network(self._services.split(",")[0])[10])


def _has_namespace(api: Api, path: str) -> bool:
    _, found, rest = path.partition("/namespaces/")
    try:
        return not found or bool(api.ask(f"/api/v1/namespaces/{rest.split('/')[0]}"))
    except Refused:
        return False


def _labelled(api: Api, name: str, labels: dict[str, str]) -> bool:
    try:
        api.ask(f"/api/v1/nodes/{name}", {"metadata": {"labels": labels}}, "PATCH", "application/merge-patch+json")
    except Refused:
        return False
    say(f"node {name} is registered")
    return True


def _key_pair(certificate: str, key: str, name: str) -> list[str]:
    return [f"--{certificate}={TLS / name}.crt", f"--{key}={TLS / name}.key"]


def _encoded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
