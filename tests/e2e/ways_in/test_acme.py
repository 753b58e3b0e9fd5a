"""Certificates by ACME: the tree's issuer, real cert-manager, a name server that takes updates, and an authority for tests."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from fluxstead.secrets.vault import secret_object
from tests.e2e.cluster import api as asked
from tests.e2e.cluster import control_plane
from tests.e2e.cluster.api import Api
from tests.e2e.cluster.control_plane import ControlPlane
from tests.e2e.cluster.crds import chart_crds
from tests.e2e.cluster.processes import Processes
from tests.e2e.isolation import free_port, scratch
from tests.e2e.ways_in import site

Need = Callable[..., dict[str, Path]]
OURS = "cert-manager.io/v1"
NAME_SERVER, KEY = "127.0.0.1", "cert-manager.example.test"
pytestmark = pytest.mark.flux

STACK = f"""\
config:
  fluxstead:flux: {{version: 2.9.5, sopsSecret: sops-age}}
  fluxstead:kubernetes: {{version: v1.36.3+k3s1, nodeCidr: 192.168.86.0/24}}
  fluxstead:longhorn: {{version: 1.12.1, replicas: 1, nodeDrainPolicy: allow-if-replica-is-stopped, ui: null}}
  fluxstead:ingress: {{controller: traefik}}
  fluxstead:access: {{by: open, reason: it is about certificates}}
  fluxstead:certificates:
    issuer: acme
    version: 1.21.1
    acme:
      email: admin@example.test
      rfc2136: {{nameserver: {NAME_SERVER}, keyName: {KEY}}}
      nameservers: [{NAME_SERVER}]
      domain: example.test
  fluxstead:apps:
    - name: wiki
      image: registry.example.test/wiki
      port: 3000
      environments:
        - {{name: live, tag: 1.0.0, route: {{host: wiki.example.test}}}}
"""
ZONE = """\
$TTL 1
@ IN SOA ns.example.test. admin.example.test. 1 60 60 600 1
@ IN NS ns.example.test.
ns IN A 127.0.0.1
"""


class Authority(NamedTuple):
    """What issues, and the API server of who asks it."""

    api: Api
    folder: Path
    processes: Processes
    management: int
    roots: Path


@pytest.fixture
def authority(need: Need) -> Iterator[Authority]:
    """The zone, the authority, and cert-manager with the tree's issuer, which is told of another address than Let's Encrypt's."""
    tools = need(*control_plane.API_TOOLS, site.CONTROLLER, "pebble")
    with scratch() as folder:
        folder.chmod(0o777)
        (folder / "logs").mkdir()
        processes = Processes(folder / "logs")
        plane = ControlPlane(folder, processes, tools)
        try:
            plane.start_api()
            key = base64.b64encode(secrets.token_bytes(32)).decode()
            _start_names(processes, folder, key)
            listening, management = _start_pebble(plane, processes, tools["pebble"], folder)
            _apply(plane.api, folder, f"https://127.0.0.1:{listening}/dir", key)
            command = [str(tools[site.CONTROLLER]), f"--kubeconfig={plane.kubeconfig}", f"--nameservers={NAME_SERVER}:53"]
            # It trusts the authority's own server by the certificate that the tests' API server has.
            processes.start(site.CONTROLLER, command, {"SSL_CERT_FILE": str(plane.certificate)})
            yield Authority(plane.api, folder, processes, management, plane.certificate)
        finally:
            processes.stop()


def _start_names(processes: Processes, folder: Path, key: str) -> None:
    """A name server for one zone, which whoever has the key may change."""
    program = shutil.which("named")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("a name server is missing: apt-get install bind9")
        pytest.skip("there is no named")
    zone = folder / "zone"
    zone.mkdir()
    (zone / "db").write_text(ZONE)
    (folder / "named.conf").write_text(f"""
options {{
  directory "{zone}"; pid-file none; session-keyfile none; listen-on port 53 {{ {NAME_SERVER}; }}; listen-on-v6 {{ none; }};
  recursion no; dnssec-validation no; managed-keys-directory "{zone}";
}};
controls {{ }};
key "{KEY}" {{ algorithm hmac-sha256; secret "{key}"; }};
zone "example.test" {{ type primary; file "{zone}/db"; update-policy {{ grant {KEY} subdomain example.test TXT; }}; }};
""")
    processes.start("named", [program, "-g", "-c", str(folder / "named.conf")])
    processes.wait("named", lambda: "running" in processes.tail("named", 5))


def _start_pebble(plane: ControlPlane, processes: Processes, program: Path, folder: Path) -> tuple[int, int]:
    """An authority for tests, by the makers of Let's Encrypt's; gives its port, and that of its management."""
    ports = {name: free_port() for name in ("listen", "management", "http", "tls")}
    config = {
        "listenAddress": f"127.0.0.1:{ports['listen']}",
        "managementListenAddress": f"127.0.0.1:{ports['management']}",
        "certificate": str(plane.certificate),
        "privateKey": str(folder / "tls.key"),
        "httpPort": ports["http"],
        "tlsPort": ports["tls"],
        "profiles": {"default": {"description": "as usual", "validityPeriod": 7776000}},
    }
    (folder / "pebble.json").write_text(json.dumps({"pebble": config}))
    command = [str(program), f"-config={folder / 'pebble.json'}", f"-dnsserver={NAME_SERVER}:53", "-strict"]
    processes.start("pebble", command, {"PEBBLE_VA_NOSLEEP": "1"})
    processes.wait("pebble", lambda: "ACME directory available" in processes.tail("pebble", 20))
    return ports["listen"], ports["management"]


def _apply(api: Api, folder: Path, server: str, key: str) -> None:
    assembled = site.described(folder / "described", STACK)
    for definition in chart_crds("cert-manager", "1.21.1"):
        api.create(definition)
    objects = [one for one in site.objects_of(assembled) if one["apiVersion"] == OURS]
    spaces = {one["metadata"]["namespace"] for one in objects if "namespace" in one["metadata"]}
    for name in sorted({"cert-manager", *spaces} - {"kube-system"}):
        api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    [need] = [one for one in assembled.secrets.needs if one.layer == "certificate-issuers"]
    api.create(dict(secret_object(need.namespace, need.name, {need.keys[0].name: key})))
    asked.eventually("its kinds", 30, lambda: len(api.ask("GET", f"/apis/{OURS}")["resources"]) > 3, str)
    for obj in objects:
        if obj["kind"] == "ClusterIssuer":
            assert obj["spec"]["acme"]["server"].startswith("https://acme-staging-v02.api.letsencrypt.org/")
            obj["spec"]["acme"]["server"] = server
        api.apply(obj)


def test_every_certificate_of_the_tree_is_issued_by_records_in_the_zone(authority: Authority) -> None:
    """For its name and for the wildcard that answers for all others; the authority saw each record, and none of them stays."""

    def ready() -> bool:
        found = authority.api.list(OURS, "Certificate")
        conditions = [{one["type"]: one["status"] for one in each.get("status", {}).get("conditions", [])} for each in found]
        return len(found) == 2 and all(one.get("Ready") == "True" for one in conditions)

    asked.eventually("all of them", 150, ready, lambda: authority.processes.tail(site.CONTROLLER, 30))
    root = _root(authority)
    for certificate, name in (("wiki-live-tls", "wiki.example.test"), ("default-certificate", "anything.example.test")):
        [found] = [one for one in authority.api.list(OURS, "Certificate") if one["metadata"]["name"] == certificate]
        secret = authority.api.get("v1", "Secret", found["spec"]["secretName"], found["metadata"]["namespace"])
        assert secret is not None
        chain = authority.folder / f"{certificate}.pem"
        chain.write_bytes(base64.b64decode(secret["data"]["tls.crt"]))
        command = ["openssl", "verify", "-CAfile", str(root), "-untrusted", str(chain), "-purpose", "sslserver"]
        done = subprocess.run([*command, "-verify_hostname", name, str(chain)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    asked.eventually("no record is left", 60, lambda: not _records(authority), lambda: _records(authority))


def _root(authority: Authority) -> Path:
    root = authority.folder / "pebble-root.pem"
    url = f"https://127.0.0.1:{authority.management}/roots/0"
    command = ["curl", "--silent", "--fail", "--cacert", str(authority.roots), "--output", str(root), url]
    subprocess.run(command, check=True)
    return root


def _records(authority: Authority) -> str:
    """What the name server was told to add and not to take out again, by its own log."""
    log = (authority.folder / "logs/named.log").read_text()
    added = log.count("adding an RR at '_acme-challenge.")
    taken = log.count("deleting an RR at _acme-challenge.") + log.count("deleting rrset at '_acme-challenge.")
    assert added, log[-3000:]
    return "" if taken >= added else f"{added} added, {taken} taken out"
