"""Reading what there is of k3s on this host. Nothing here writes, starts or stops anything."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import re
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from fluxstead.hosts.script.k3s_files import (
    K3S,
    K3S_CLUSTER_FILE,
    K3S_HOME,
    K3S_IMAGES,
    K3S_KUBECONFIG,
    K3S_LINKS,
    K3S_RECORD,
    K3S_REGISTRIES,
    K3S_SENT,
    K3S_TOKEN,
    cluster_text,
    registries_text,
    unit_file,
    unit_text,
)
from fluxstead.hosts.script.k3s_model import LOADED, Begun, Foreign, FoundK3s, FoundUnit, ToldK3s, begun_of
from fluxstead.hosts.script.k3s_others import machine_problems, programs
from fluxstead.hosts.script.k3s_settings import configuration_files, lines_of, merged
from fluxstead.hosts.script.model import MARK, DeclaredHost
from fluxstead.hosts.script.system import K3S_FILE, K3S_MAIN, files, node_name_of
from fluxstead.hosts.script.tools import StepError, answer, text_of

K3S_SECONDS = 30
"""For a question to k3s or to the API server."""
OF_A_CLUSTER = (
    *("server/db", "server/cred", "server/token", "agent/client-kubelet.crt", "agent/kubelet.kubeconfig", "agent/containerd"),
)
"""What k3s leaves where it once ran; images, manifests and an authority of one's own may lie there before."""
PODS = "/var/lib/kubelet/pods"
SHOWN_OF_UNITS = "Id,LoadState,ActiveState,UnitFileState,FragmentPath,MainPID,ExecStart"
DIGESTS: Dict[Tuple[int, ...], str] = {}
"""Of files that did not change since they were read."""


def read_k3s(told: ToldK3s, node: DeclaredHost, prepared: bool) -> FoundK3s:
    """What there is; `prepared`: the node's own configuration is written by now, and not only planned."""
    units = k3s_units()
    going = [unit for unit in units if unit.active in LOADED]
    loose = programs(("k3s", "k3s-server", "k3s-agent"))
    running = bool(going or loose)
    pid = next((unit.pid for unit in going if unit.pid), next((program.pid for program in loose), 0))
    commands = [unit.command for unit in going if unit.command and os.path.basename(unit.command[0]).startswith("k3s")]
    binary = commands[0][0] if commands else K3S
    begun = begun_of(text_of(K3S_RECORD))
    own = {} if prepared else {path: text for path, text in files(node).items() if path == K3S_FILE}
    read = configuration_files(K3S_MAIN, own)
    effective, unread = merged(read, commands[0][2:] if commands else ())
    home = (effective.get("data-dir") or (K3S_HOME,))[-1]
    data = tuple(path for path in OF_A_CLUSTER if _something(f"{home}/{path}"))
    role = next((unit.role for unit in going if unit.role), "") or _role_of_data(data)
    name = node_name_of(text_of(f"{home}/agent/client-kubelet.crt"))
    seen = _node(_kubectl(pid, binary), name, role, home) if running else {}
    status = seen.get("status", {})
    ready = [one.get("status") for one in status.get("conditions", []) if one.get("type") == "Ready"]
    due = _due(told, units, begun)
    return FoundK3s(
        running=running,
        units=tuple(units),
        role=role,
        version=k3s_version(K3S),
        digest=digest_of(K3S),
        running_version=(status.get("nodeInfo", {}).get("kubeletVersion") or k3s_version(f"/proc/{pid}/exe")) if running else "",
        ready=ready == ["True"],
        answers="answers" in seen,
        used=bool(name) and _something(PODS),
        node_name=name,
        pod_cidrs=tuple(seen.get("spec", {}).get("podCIDRs", [])),
        datastore=_datastore(effective, home),
        data=data,
        begun=begun,
        effective=effective,
        unreadable=unread,
        foreign=_foreign(read),
        environment=tuple(_environment(told)),
        token=_token_state(told),
        due=due,
        started=start_digest(told),
        sent=digest_of(K3S_SENT),
        will_be=(effective.get("node-name") or (os.uname().nodename.lower(),))[-1],
        taken=_taken(told),
        problems=() if running else tuple(machine_problems(told, due)),
    )


def k3s_units() -> List[FoundUnit]:
    """The units by which k3s is started here, be they whose they may."""
    names = ("k3s.service", "k3s-agent.service", "k3s-*.service")
    status, out, err = answer(["systemctl", "show", f"--property={SHOWN_OF_UNITS}", "--", *names], looks=True)
    if status or not out.strip():
        # Nobody's k3s may be overlooked because nobody could be asked about it.
        raise StepError(f"systemd does not say whether k3s is here: {' '.join(err.split()) or 'no answer'}; type: systemctl status")
    found: Dict[str, FoundUnit] = {}
    for block in out.split("\n\n"):
        shown = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        words = tuple(re.sub(r"^.*?argv\[\]=(.*?) ; .*$", r"\1", shown.get("ExecStart", ""), flags=re.DOTALL).split())
        role = next((word for word in words[1:2] if word in ("server", "agent")), "")
        name = shown.get("Id", "")
        if shown.get("LoadState") not in (None, "not-found") and (role or name in names):
            found[name] = FoundUnit(
                name,
                "masked" if shown.get("LoadState") == "masked" else shown.get("ActiveState", ""),
                shown.get("FragmentPath", ""),
                text_of(shown.get("FragmentPath") or "/").startswith(MARK) if shown.get("FragmentPath") else False,
                role,
                words,
                shown.get("UnitFileState") in ("enabled", "enabled-runtime"),
                int(shown.get("MainPID") or 0),
            )
    return list(found.values())


def k3s_version(binary: str) -> str:
    """What a binary of k3s says that it is; empty where it says nothing."""
    if not os.path.isfile(binary) or not os.access(binary, os.X_OK):
        return ""
    try:
        found = re.search(r"^k3s version (\S+)", answer([binary, "--version"], K3S_SECONDS, looks=True)[1], re.MULTILINE)
    except (StepError, OSError):
        return ""
    return found[1] if found else ""


def digest_of(path: str) -> str:
    """SHA-256 of a file; empty when there is none. A link is followed."""
    try:
        with open(path, "rb") as file:
            seen = os.fstat(file.fileno())
            key = (seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)
            if key not in DIGESTS:
                total = hashlib.sha256()
                for piece in iter(lambda: file.read(1 << 20), b""):
                    total.update(piece)
                DIGESTS[key] = total.hexdigest()
            return DIGESTS[key]
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return ""


def start_digest(told: ToldK3s) -> str:
    """Of all that k3s reads when it starts."""
    paths = [K3S, unit_file(told), K3S_TOKEN, K3S_REGISTRIES, *(path for path, _ in configuration_files(K3S_MAIN, {}))]
    return hashlib.sha256("\0".join(f"{path} {digest_of(path)}" for path in paths).encode()).hexdigest()


def _something(path: str) -> bool:
    """A file that is not empty, or a folder with something in it."""
    if os.path.isdir(path):
        return bool(os.listdir(path))
    return os.path.isfile(path) and os.path.getsize(path) > 0


def _role_of_data(data: Tuple[str, ...]) -> str:
    return "server" if "server/db" in data else "agent" if data else ""


def _datastore(effective: Mapping[str, Optional[Tuple[str, ...]]], home: str) -> str:
    """Where the cluster is kept; etcd's data count more than any configuration (docs.k3s.io: datastore)."""
    if _something(f"{home}/server/db/etcd"):
        return "etcd"
    if "datastore-endpoint" in effective:
        return "external"
    return "sqlite" if _something(f"{home}/server/db/state.db") else ""


def _kubectl(pid: int, binary: str) -> List[str]:
    """kubectl of the k3s that runs: that of a binary which was replaced meanwhile would unpack itself into the data folder."""
    try:
        runs = os.readlink(f"/proc/{pid}/exe") if pid else ""
    except OSError:
        runs = ""
    beside = os.path.join(os.path.dirname(runs), "kubectl")
    return [beside] if os.path.basename(runs).startswith("k3s") and os.path.lexists(beside) else [binary, "kubectl"]


def _node(kubectl: List[str], name: str, role: str, home: str) -> Dict[str, Any]:
    """The node as the API server has it, with `answers` where the server said anything.

    By a path, as kubectl would keep what it discovers of the API in the folder that it is started in.
    """
    asked = f"/api/v1/nodes/{name}"
    for config in (f"{home}/agent/kubelet.kubeconfig", *([K3S_KUBECONFIG] if role == "server" else [])):
        if not os.path.isfile(config):
            continue
        words = [*kubectl, "--kubeconfig", config, "--request-timeout=10s", "get", "--raw", asked if name else "/readyz"]
        try:
            status, out, err = answer(words, K3S_SECONDS, looks=True)
            found = json.loads(out) if not status and name else {}
        except (StepError, OSError, ValueError):
            continue
        if not status or "Error from server" in err:
            return {**(found if isinstance(found, dict) else {}), "answers": True}
    return {}


def node_now(name: str, role: str, pid: int) -> Dict[str, Any]:
    """This node as its kubelet sees it; empty where nobody answers."""
    return _node(_kubectl(pid, K3S), name, role, K3S_HOME)


def _foreign(read: List[Tuple[str, str]]) -> Tuple[Foreign, ...]:
    return tuple(line for path, text in read if path not in (K3S_CLUSTER_FILE, K3S_FILE) for line in lines_of(path, text) or ())


def _taken(told: ToldK3s) -> Tuple[str, ...]:
    # Also a unit file that systemd has not read yet.
    wanted = {
        K3S_CLUSTER_FILE: cluster_text(told),
        unit_file(told): unit_text(told),
        **({K3S_REGISTRIES: registries_text(told)} if told.registries else {}),
    }
    return tuple(
        path
        for path, text in wanted.items()
        if os.path.lexists(path) and text_of(path) != text and not text_of(path).startswith(MARK)
    )


def _environment(told: ToldK3s) -> Iterator[str]:
    """Lines by which our own unit would be told more than it says, as an earlier k3s leaves them (k3s: install.sh, the unit)."""
    changes = sorted(glob.glob(f"{unit_file(told)}.d/*.conf"))
    for path in (f"{unit_file(told)}.env", f"/etc/default/{told.unit}", f"/etc/sysconfig/{told.unit}", *changes):
        for number, line in enumerate(text_of(path).splitlines(), 1):
            found = re.match(r"\s*(?:export\s+)?((?:K3S|CONTAINERD)_\w+)\s*=|\s*(ExecStart\w*|Environment\w*|Type|User)\s*=", line)
            if found and (found[1] or path in changes):
                yield f"{path}:{number} sets {found[1] or found[2]}"


def _token_state(told: ToldK3s) -> str:
    if not os.path.lexists(K3S_TOKEN):
        return "absent"
    seen = os.lstat(K3S_TOKEN)
    private = (
        os.path.isfile(K3S_TOKEN) and not os.path.islink(K3S_TOKEN) and not seen.st_mode & 0o077 and seen.st_uid == os.geteuid()
    )
    # Without one to compare with, any that is there may be the one.
    return "right" if private and (not told.token or text_of(K3S_TOKEN).strip() == told.token) else "other"


def _due(told: ToldK3s, units: List[FoundUnit], begun: Optional[Begun]) -> Tuple[str, ...]:
    """Tasks whose result is not there."""
    ours = text_of(K3S_REGISTRIES).startswith(MARK)
    due = {
        "binary": not told.digest or digest_of(K3S) != told.digest or not os.access(K3S, os.X_OK),
        "links": bool(links_due()),
        "images": any(digest_of(f"{K3S_IMAGES}/{name}") != digest for name, digest in told.images.items()),
        "token": _token_state(told) != "right",
        "configuration": text_of(K3S_CLUSTER_FILE) != cluster_text(told),
        "registries": (bool(told.registries) or ours) and text_of(K3S_REGISTRIES) != registries_text(told),
        "unit": text_of(unit_file(told)) != unit_text(told),
        "start": not _started(told, units, begun),
    }
    return tuple(task for task, is_due in due.items() if is_due)


def links_due() -> List[str]:
    """Tools of k3s that nothing on this host is called by."""
    folder = os.path.dirname(K3S)
    places = [folder, *(path for path in ("/usr/sbin", "/usr/bin", "/sbin", "/bin", "/snap/bin") if path != folder)]
    return [name for name in K3S_LINKS if not any(os.path.lexists(os.path.join(place, name)) for place in places)]


def _started(told: ToldK3s, units: List[FoundUnit], begun: Optional[Begun]) -> bool:
    going = any(unit.name == f"{told.unit}.service" and unit.active in LOADED and unit.enabled for unit in units)
    return going and begun is not None and begun.started == start_digest(told)


def kubeconfig_text() -> str:
    """The administrator's kubeconfig as k3s wrote it."""
    return text_of(K3S_KUBECONFIG)
