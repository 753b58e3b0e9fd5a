"""etcd, the API server with its controllers, and kwok in the kubelets' place: a Kubernetes that only reaches loopback."""

from __future__ import annotations

import secrets
import shlex
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import yaml

from tests.e2e.cluster.api import Api
from tests.e2e.cluster.processes import Processes
from tests.e2e.isolation import free_port

NAMES = "IP:127.0.0.1,DNS:*.ingress-nginx.svc,DNS:*.monitoring.svc"
"""What the certificate is good for: the API server, and the Services of charts that have admission webhooks."""
API_TOOLS = ("etcd", "kube-apiserver")
TOOLS = (*API_TOOLS, "kube-controller-manager", "kube-scheduler", "kubectl", "kwok")
# Loopback too: a call to a Service's address is refused at once instead of leaving the machine.
SERVICES = "127.96.0.0/16"


MACHINE = {"cpu": "16", "memory": "64Gi", "ephemeral-storage": "100Gi", "pods": "110"}
"""What each machine has."""


class ControlPlane:
    """Kubernetes as processes of the tests. Pods run nowhere: kwok says that they do."""

    def __init__(self, folder: Path, processes: Processes, tools: Mapping[str, Path]) -> None:
        self._folder = folder
        self._processes = processes
        self._tools = tools
        self.certificate, self._key = folder / "tls.crt", folder / "tls.key"
        self.kubeconfig = folder / "kubeconfig"
        self.port = free_port()
        self._token = secrets.token_hex(16)
        self._certify()
        self.api = Api(self.port, self.certificate, self._token)

    def tls(self) -> ssl.SSLContext:
        """What a server with the API server's certificate speaks."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self._key)
        return context

    def start(self) -> None:
        """Start all parts; returns when the API answers."""
        self.start_api()
        self._processes.start(
            "kube-controller-manager",
            [
                self._tools["kube-controller-manager"],
                f"--kubeconfig={self.kubeconfig}",
                f"--root-ca-file={self.certificate}",
                f"--service-account-private-key-file={self._key}",
                "--leader-elect=false",
                "--bind-address=127.0.0.1",
                f"--secure-port={free_port()}",
            ],
        )
        self._processes.start(
            "kube-scheduler",
            [
                self._tools["kube-scheduler"],
                f"--kubeconfig={self.kubeconfig}",
                "--leader-elect=false",
                "--bind-address=127.0.0.1",
                f"--secure-port={free_port()}",
                # Without a pause before it is tried again, a pod can be tried before this scheduler's cache knows that its claim
                # is bound, and then waits 5 minutes: kubernetes/kubernetes#133929, mended in 1.35 only.
                "--feature-gates=SchedulerPopFromBackoffQ=false",
            ],
        )
        self._start_kwok()

    def _certify(self) -> None:
        """One certificate, its own authority; the key also signs the service accounts' tokens."""
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "60", "-subj", "/CN=127.0.0.1"]
        command += ["-addext", f"subjectAltName={NAMES}", "-keyout", str(self._key), "-out", str(self.certificate)]
        subprocess.run(command, check=True, capture_output=True)

    def _write_access(self) -> None:
        (self._folder / "tokens.csv").write_text(f"{self._token},tests,tests,system:masters\n")
        access = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "tests",
            "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
            "users": [{"name": "tests", "user": {"token": self._token}}],
            "clusters": [
                {
                    "name": "tests",
                    "cluster": {
                        "server": f"https://127.0.0.1:{self.port}",
                        "certificate-authority": str(self.certificate),
                    },
                }
            ],
        }
        self.kubeconfig.write_text(yaml.safe_dump(access))

    def start_api(self, store: str = "") -> None:
        """Start what answers requests; nothing acts on them. `store`: where it keeps them, if not in an etcd of its own."""
        self._write_access()
        self._start_api(store or self.start_etcd(self._folder / "etcd"))

    def start_etcd(self, data: Path) -> str:
        """Start etcd on this folder; gives its URL."""
        client, peer = free_port(), free_port()
        self._processes.start(
            "etcd",
            [
                self._tools["etcd"],
                f"--data-dir={data}",
                f"--listen-client-urls=http://127.0.0.1:{client}",
                f"--advertise-client-urls=http://127.0.0.1:{client}",
                f"--listen-peer-urls=http://127.0.0.1:{peer}",
                f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
                f"--initial-cluster=default=http://127.0.0.1:{peer}",
                "--unsafe-no-fsync",
                "--log-level=warn",
            ],
        )
        self._processes.wait("etcd", lambda: answers(f"http://127.0.0.1:{client}/health"))
        return f"http://127.0.0.1:{client}"

    def _start_api(self, store: str) -> None:
        self._processes.start(
            "kube-apiserver",
            [
                self._tools["kube-apiserver"],
                f"--etcd-servers={store}",
                "--bind-address=127.0.0.1",
                f"--secure-port={self.port}",
                f"--tls-cert-file={self.certificate}",
                f"--tls-private-key-file={self._key}",
                f"--token-auth-file={self._folder / 'tokens.csv'}",
                "--authorization-mode=RBAC",
                "--allow-privileged=true",  # Longhorn's pods
                "--endpoint-reconciler-type=none",  # loopback is no valid endpoint
                f"--service-cluster-ip-range={SERVICES}",
                "--service-account-issuer=https://tests",
                f"--service-account-key-file={self._key}",
                f"--service-account-signing-key-file={self._key}",
                # Takes the trees' URLs to the local servers; see flux.py.
                "--feature-gates=MutatingAdmissionPolicy=true",
                "--runtime-config=admissionregistration.k8s.io/v1beta1=true",
            ],
        )
        self._processes.wait("kube-apiserver", self.api.ready)

    def _start_kwok(self) -> None:
        binary = self._tools["kwok"]
        stages = self._folder / "stages.yaml"
        texts = [file.read_text().strip() for file in sorted(binary.parent.glob("*.yaml"))]
        stages.write_text("\n---\n".join([*texts, LOAD_BALANCER.strip()]) + "\n")
        port = free_port()
        self._processes.start(
            "kwok",
            [
                binary,
                f"--kubeconfig={self.kubeconfig}",
                f"--config={stages}",
                "--manage-all-nodes",
                "--node-lease-duration-seconds=40",
                "--cidr=10.42.0.1/16",
                f"--server-address=127.0.0.1:{port}",
            ],
        )

    def add_node(self, name: str) -> None:
        """A machine joins, as k3s would make its Node."""
        self.api.create(
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {
                    "name": name,
                    "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"},
                },
                # kwok gives a node neither a disk nor a bound; what is here, it keeps.
                "status": {"capacity": MACHINE, "allocatable": MACHINE},
            }
        )

    def kubectl_words(self) -> str:
        """The beginning of a shell command that asks this cluster."""
        return shlex.join([str(self._tools["kubectl"]), f"--kubeconfig={self.kubeconfig}"])


def answers(url: str) -> bool:
    """Whether a program says that it is well."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 -- loopback
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


LOAD_BALANCER = """
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata:
  name: load-balancer
spec:
  resourceRef:
    apiGroup: v1
    kind: Service
  selector:
    matchExpressions:
    - key: .spec.type
      operator: In
      values: [LoadBalancer]
    - key: .status.loadBalancer.ingress
      operator: DoesNotExist
  next:
    statusTemplate: |
      loadBalancer:
        ingress:
        - ip: 192.0.2.1
"""
