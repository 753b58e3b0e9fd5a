"""A host in a folder: the joined script with its places moved there, and stand-ins of k3s, systemctl and journalctl that record.

No k3s runs here: what is called k3s is a shell script of these tests.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
import types
from functools import cache
from pathlib import Path
from typing import Any

from fluxstead.hosts.build import python_source

VERSION = "v1.33.1+k3s1"
TOKEN = "K10" + "ab" * 32 + "::server:thesecretofthecluster"
BASE = "/usr/bin:/bin:/usr/sbin:/sbin"
PLACES = (
    *('"/usr/local/bin/', '"/var/lib/rancher', '"/etc/rancher', '"/etc/systemd/system"', '"/var/lib/fluxstead"'),
    *(
        '"/run/systemd/system"',
        '"/var/lib/kubelet/pods"',
        '"/etc/kubernetes/',
        '"/var/lib/k0s"',
        '"/var/snap/',
        '"/run/fluxstead.lock"',
    ),
    *('f"/etc/default/', 'f"/etc/sysconfig/'),
)
"""Where the script's paths begin."""
K3S = """#!/bin/sh
# A stand-in, not k3s.
S={state}
echo "k3s $*" >>$S/calls
case "$1" in
  --version) echo "k3s version {version} (stand-in)" ;;
  kubectl) [ -e $S/node.json ] && cat $S/node.json || {{ cat $S/kubectl-says >&2; exit 1; }} ;;
  token) cat $S/minted; exit $(cat $S/mint-ends) ;;
esac
"""
SYSTEMCTL = """#!/bin/sh
# A stand-in, not systemd.
S={state} U={units}
echo "systemctl $*" >>$S/calls
for last; do :; done
unit=${{last%.service}}
active() {{ cat $S/$1.active 2>/dev/null || echo inactive; }}
case "$1 $*" in
  show*NRestarts*) cat $S/restarts ;;
  show*)
    for unit in k3s k3s-agent; do
      [ -e $U/$unit.service ] || {{ printf 'Id=%s\\nLoadState=not-found\\nActiveState=inactive\\n\\n' $unit.service; continue; }}
      printf 'Id=%s\\nLoadState=loaded\\nActiveState=%s\\n' $unit.service "$(active $unit)"
      printf 'FragmentPath=%s\\nMainPID=0\\n' $U/$unit.service
      [ -e $S/$unit.enabled ] && echo UnitFileState=enabled || echo UnitFileState=disabled
      printf 'ExecStart={{ path=x ; argv[]=%s ; ignore_errors=no ; pid=0 }}\\n\\n' "$(sed -n s/^ExecStart=//p $U/$unit.service)"
    done ;;
  enable*) : >$S/$unit.enabled ;;
  start*|restart*) echo active >$S/$unit.active; sh $S/on-start ;;
esac
"""
JOURNALCTL = "#!/bin/sh\ncat {state}/journal\n"


class K3sHost:
    """What lies on the host, and the script that looks at it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.state = root / "state"
        self.programs = root / "programs"
        self.units = root / "etc/systemd/system"
        for folder in (self.state, self.programs, self.units, root / "usr/local/bin", root / "run/systemd/system"):
            folder.mkdir(parents=True)
        self.program("systemctl", SYSTEMCTL)
        self.program("journalctl", JOURNALCTL)
        for name, text in {"kubectl-says": "connection refused", "restarts": "0", "journal": "", "mint-ends": "0"}.items():
            (self.state / name).write_text(f"{text}\n")
        (self.state / "calls").touch()
        self.binary = self.k3s()
        self.when_started(self.joins())
        self.script = self._script()

    def k3s(self, version: str = VERSION) -> bytes:
        """What stands for the binary of k3s."""
        return K3S.format(state=self.state, version=version).encode()

    def program(self, name: str, text: str) -> None:
        (self.programs / name).write_text(text.format(state=self.state, units=self.units))
        (self.programs / name).chmod(0o755)

    def place(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def write(self, path: str, text: str | bytes, mode: int = 0o644) -> Path:
        file = self.place(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        file.chmod(mode)
        return file

    def send(self, binary: bytes | None = None) -> None:
        """As the operator's machine sends the binary."""
        self.write("/usr/local/bin/.k3s.fluxstead", self.binary if binary is None else binary, 0o600)

    def when_started(self, script: str) -> None:
        (self.state / "on-start").write_text(script)

    def joins(self, name: str = "k3s1", ready: str = "True", version: str = VERSION, pods: str = "10.42.0.0/24") -> str:
        """Shell in which k3s starts, and its node becomes what it is."""
        status = {"conditions": [{"type": "Ready", "status": ready}], "nodeInfo": {"kubeletVersion": version}}
        node = json.dumps({"spec": {"podCIDRs": [pods]}, "status": status})
        home = self.place("/var/lib/rancher/k3s")
        return (
            f"mkdir -p {home}/agent {home}/server/db\n"
            f"cat >{home}/agent/client-kubelet.crt <<END\n{certificate(name)}END\n"
            f"echo x >{home}/agent/kubelet.kubeconfig; echo x >{home}/server/db/state.db\n"
            f"cat >{self.state}/node.json <<'END'\n{node}\nEND\n"
        )

    def runs(self, unit: str = "k3s", ours: bool = False, arguments: str = "", **node: Any) -> None:
        """Somebody's k3s runs here."""
        head = "# fluxstead: written by fluxstead\n" if ours else ""
        role = "server" if unit == "k3s" else "agent"
        self.write("/usr/local/bin/k3s", self.binary, 0o755)
        text = f"{head}[Service]\nExecStart={self.place('/usr/local/bin/k3s')} {role} {arguments}\n"
        self.write(f"/etc/systemd/system/{unit}.service", text)
        (self.state / f"{unit}.enabled").touch()
        (self.state / f"{unit}.active").write_text("active\n")
        os.system(self.joins(**node))  # noqa: S605 -- the tests' own text

    def stops(self, unit: str = "k3s") -> None:
        (self.state / f"{unit}.active").write_text("inactive\n")
        (self.state / "node.json").unlink(missing_ok=True)

    def says(self, *lines: str) -> None:
        (self.state / "journal").write_text("\n".join(lines) + "\n")

    @property
    def calls(self) -> list[str]:
        """What the stand-ins were called with, without what only looks."""
        looks = ("systemctl show", "k3s --version", "k3s kubectl")
        return [line for line in (self.state / "calls").read_text().splitlines() if not line.startswith(looks)]

    def files(self) -> dict[str, tuple[int, bytes]]:
        """Every file of the host with its mode, but what the stand-ins and the lock keep."""
        found = {}
        for path in sorted(self.root.rglob("*")):
            inside = path.relative_to(self.root)
            if inside.parts[0] not in {"state", "programs", "run"} and not path.is_dir():
                found[str(inside)] = (
                    path.lstat().st_mode & 0o777,
                    str(path.readlink()).encode() if path.is_symlink() else path.read_bytes(),
                )
        return found

    def told(self, **changes: Any) -> dict[str, Any]:
        """What is told of a first server whose binary was sent."""
        digest = hashlib.sha256(self.binary).hexdigest()
        plain = {
            "version": VERSION,
            "role": "server",
            "datastore": "sqlite",
            "digests": {"amd64": digest, "arm64": digest, "arm": digest},
            "url": "",
            "config": {"cluster-cidr": "10.42.0.0/16", "disable": ["traefik", "servicelb"], "secrets-encryption": True},
            "registries": {},
            "begin": "first",
            "server": "",
            "token": TOKEN,
            "seconds": 3,
        }
        return {**plain, **changes}

    def node(self, name: str = "k3s1") -> dict[str, Any]:
        return {"node": name, "address": "192.0.2.1", "disks": [], "k3s": {"nodeLabels": [], "nodeTaints": []}}

    def prepared(self, name: str = "k3s1") -> None:
        """The host part of a preparation was done."""
        self.write("/etc/rancher/k3s/config.yaml.d/50-fluxstead.yaml", f'# fluxstead: x\nnode-name: "{name}"\n', 0o600)

    def look(self, name: str = "k3s1", **changes: Any) -> dict[str, Any]:
        """The plan of k3s alone."""
        told = self.script.read_told(self.told(**{"token": "", **changes}), "plan")
        planned = {"status": "fine", "why": []}
        found: dict[str, Any] = self.script.with_k3s(planned, told, self.script.read_node(self.node(name)))
        return found

    def apply(self, name: str = "k3s1", **changes: Any) -> dict[str, Any]:
        told = self.script.read_told(self.told(**changes), "apply")
        found: dict[str, Any] = self.script.applied_k3s(told, self.script.read_node(self.node(name)))
        return found

    def _script(self) -> types.ModuleType:
        module = types.ModuleType("k3s_host_script")
        sys.modules[module.__name__] = module
        source = python_source()
        for place in PLACES:
            start = place.index('"') + 1
            assert place in source, place
            source = source.replace(place, f"{place[:start]}{self.root}{place[start:]}")
        exec(compile(source, "k3s_host_script", "exec"), module.__dict__)  # noqa: S102 -- the project's own
        module.__dict__["ENVIRONMENT"] = {"PATH": f"{self.programs}:{BASE}", "LC_ALL": "C"}
        module.__dict__["machine_problems"] = lambda *_: iter(())
        module.__dict__.update(POLL_SECONDS=0.05, LOOK_SECONDS_APART=0.2, UP_SECONDS=2)
        return module


@cache
def certificate(name: str) -> str:
    """As much of a kubelet's certificate as names its node."""
    text = f"system:node:{name}".encode()
    body = base64.encodebytes(b"\x30\x0c\x13" + bytes([len(text)]) + text + b"\x30\x00").decode()
    return f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"
