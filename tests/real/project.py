"""A project of its own, made from this repository as a person makes one: a small cluster, described, locked, committed, pushed."""

from __future__ import annotations

import re
from pathlib import Path

from tests.e2e.cluster.web import copy_tracked
from tests.real.person import NotDone, Person

REPOSITORY = Path(__file__).parents[2]
STACK = "real"
BARE = "cluster.git"
_LEFT_OUT = ("generated", "clusters", "secrets", "nodes", "examples", "Pulumi.*.yaml")
"""The reference cluster, which is described in the same places."""
DESCRIPTION = """\
config:
  fluxstead:flux: {{version: 2.9.5, repository: "{repository}"}}
  fluxstead:kubernetes: {{version: v1.36.3+k3s1, disable: [local-storage]}}
  fluxstead:longhorn: {{version: 1.12.1, replicas: 1, nodeDrainPolicy: allow-if-replica-is-stopped, ui: null}}
  fluxstead:ingress: {{controller: traefik}}
  fluxstead:monitoring:
    version: 88.5.3
    prometheus: {{size: 2Gi, retention: 1d, retentionSize: 1GB}}
    grafana: {{size: 1Gi, adminSecret: grafana-admin}}
"""
"""The newest releases that the catalog knows."""


def made(person: Person, served: Path, url: str) -> None:
    """The program's files, the description, and a Git remote that `url` serves."""
    copy_tracked(REPOSITORY, person.project, [".", *(f":!{name}" for name in _LEFT_OUT)])
    (person.project / f"Pulumi.{STACK}.yaml").write_text(DESCRIPTION.format(repository=f"{url}/{BARE}"))
    person.asks("git", "init", "--quiet", "--bare", "--initial-branch=main", str(served / BARE))
    person.asks("git", "init", "--quiet", "--initial-branch=main")
    person.asks("git", "remote", "add", "origin", str(served / BARE))


def described(person: Person, name: str, role: str, destination: str, port: int | None) -> None:
    """`nodes/<name>.yaml`, as `discover` prints it for a machine, with what a person decides. Raises NotDone."""
    at = ("--port", str(port)) if port else ()
    text = node_file(person.asks("./run", "hosts", "discover", destination, *at), role)
    (person.project / "nodes").mkdir(exist_ok=True)
    (person.project / "nodes" / f"{name}.yaml").write_text(text)
    print(text)
    if "\n  hostKey: " not in text:
        raise NotDone(f"{destination} says no ed25519 host key, without which `pulumi up` does not dial it: ssh-keygen -A, there")
    if "\n  - name:" not in text:
        raise NotDone(f"{destination} has no blank disk: `sudo blkdiscard --zeroout DISK`, there, makes one of a disk that may go")


def node_file(printed: str, role: str) -> str:
    """What `discover` prints, with the two words that it leaves to people. Raises NotDone."""
    text, roles = re.subn(r"^role: agent.*$", f"role: {role}", printed, flags=re.MULTILINE)
    text, states = re.subn(r"^state: planned.*$", "state: live", text, flags=re.MULTILINE)
    if (roles, states) != (1, 1):
        raise NotDone(f"`./run hosts discover` printed no machine's file:\n{printed}")
    return text


def given_its_secrets(person: Person) -> None:
    """All that the description asks for."""
    person.types("./run", "secrets", "init")
    person.types("./run", "secrets", "set", "operator/k3s-token", "--generate")
    person.types("./run", "secrets", "set", "monitoring/grafana-admin", "admin-user", "--stdin", given="admin")
    person.types("./run", "secrets", "set", "monitoring/grafana-admin", "admin-password", "--generate")
    person.types("./run", "secrets")


def pushed(person: Person, message: str) -> str:
    """Commit all that is there, and push it; gives the commit as Flux names it."""
    person.types("git", "add", "--all")
    person.types("git", "commit", "--quiet", "--message", message)
    person.types("git", "push", "--quiet", "--set-upstream", "origin", "main")
    return f"main@sha1:{person.asks('git', 'rev-parse', 'HEAD').strip()}"
