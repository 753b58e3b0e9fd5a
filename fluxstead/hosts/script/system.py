"""Everything of a prepared host but its disks: packages, modules, iSCSI, multipath, journald, k3s' configuration.

Each item says whether it is as it should be; doing it is allowed only where it is not. Files are whole files of our
own in the folders that each program reads additions from, so no line of anybody else's is touched.
"""

from __future__ import annotations

import base64
import json
import os
import re
from typing import Dict, Iterator, List

from fluxstead.hosts.script.item import Item, file_item, write_whole
from fluxstead.hosts.script.model import HEAD, DeclaredHost, human
from fluxstead.hosts.script.packages import begun_packages, install_packages, installed, missing_packages
from fluxstead.hosts.script.state_copies import state_item
from fluxstead.hosts.script.state_files import state_files
from fluxstead.hosts.script.tools import WORK_SECONDS, StepError, answer, run, text_of

MODULES = ("iscsi_tcp", "dm_crypt", "nfs")
MODULES_FILE = "/etc/modules-load.d/fluxstead.conf"
MULTIPATH_FILE = "/etc/multipath/conf.d/fluxstead.conf"
JOURNAL_FILE = "/etc/systemd/journald.conf.d/50-fluxstead.conf"
JOURNAL_MAX_USE = "500M"
"""What journald may keep of logs (F19)."""
K3S_FILE = "/etc/rancher/k3s/config.yaml.d/50-fluxstead.yaml"
K3S_MAIN = "/etc/rancher/k3s/config.yaml"
K3S_UNITS = ("k3s", "k3s-agent")
KUBELET_CERTIFICATE = "/var/lib/rancher/k3s/agent/client-kubelet.crt"
INITIATOR_FILE = "/etc/iscsi/initiatorname.iscsi"
FULL_BELOW = 10
"""Per cent free. Below 5, the kubelet that k3s starts reports DiskPressure and evicts pods (k3s: pkg/daemons/agent)."""
FILLED = ("/var/log", "/var/lib/kubelet", "/var/lib/rancher")
"""What logs, pods and images fill."""


def files(node: DeclaredHost) -> Dict[str, str]:
    """The files that a prepared host has, by path."""
    wanted = {
        **state_files(node),
        MODULES_FILE: HEAD + "".join(f"{module}\n" for module in MODULES),
        # By vendor and product, so that real SAN disks stay with multipathd (U4).
        MULTIPATH_FILE: HEAD + 'blacklist {\n    device {\n        vendor "IET"\n        product "VIRTUAL-DISK"\n    }\n}\n',
        JOURNAL_FILE: HEAD + f"[Journal]\nSystemMaxUse={JOURNAL_MAX_USE}\n",
    }
    if node.labels is not None:
        wanted[K3S_FILE] = HEAD + k3s_config(node)
    return wanted


def k3s_config(node: DeclaredHost) -> str:
    """k3s' configuration of this node; lists carry `+` so that they add to what other files say (F10)."""
    lines = [f"node-name: {json.dumps(node.name)}"]
    lines += [f"node-ip: {json.dumps(node.address)}"] if node.address else []
    for key, values in (("node-label+", node.labels or ()), ("node-taint+", node.taints)):
        lines += [f"{key}:", *(f"  - {json.dumps(value)}" for value in values)] if values else []
    return "\n".join(lines) + "\n"


def refusals(node: DeclaredHost) -> List[str]:
    """What stands against preparing this host at all: it already runs, or is set up, as another node."""
    if node.labels is None:
        return []
    running = node_name_of(text_of(KUBELET_CERTIFICATE))
    found = re.findall(r"^node-name\s*:\s*[\"']?([^\"'\s#]+)", text_of(K3S_MAIN), re.MULTILINE)
    problems = []
    if running and running != node.name:
        problems.append(f"k3s runs on this host as node {running}, declared is {node.name}")
    if found and found[-1] != node.name:
        problems.append(f"{K3S_MAIN} names this node {found[-1]}, declared is {node.name}")
    return problems


def node_name_of(certificate: str) -> str:
    """The node's name out of the certificate by which its kubelet is known (CN `system:node:<name>`)."""
    encoded = re.search(r"-----BEGIN CERTIFICATE-----(.+?)-----END", certificate, re.DOTALL)
    data = base64.b64decode("".join(encoded.group(1).split())) if encoded else b""
    at = data.find(b"system:node:")
    if at < 1:
        return ""
    return data[at : at + data[at - 1]].decode("utf-8", "replace").split(":", 2)[2]


def items(node: DeclaredHost) -> List[Item]:
    """Everything beside the disks, in the order in which it is done; k3s' configuration comes last of all."""
    found = [_packages(node)]
    texts = files(node)
    found += [_modules(texts[MODULES_FILE]), _initiator(), _iscsid()]
    found.append(_multipath(texts[MULTIPATH_FILE]))
    found.append(file_item("journald", JOURNAL_FILE, texts[JOURNAL_FILE], _restart_journal, _journal_problem))
    found.append(state_item(node))
    if K3S_FILE in texts:
        found.append(file_item("k3s", K3S_FILE, texts[K3S_FILE], lambda: None, mode=0o600))
    return found


def _packages(node: DeclaredHost) -> Item:
    missing, begun = missing_packages(node), begun_packages()
    unfinished = [f"begun and not finished: {', '.join(begun)}"] if begun else []
    why = "; ".join(([f"missing: {', '.join(missing)}"] if missing else []) + unfinished)
    return Item("packages", not why, why or "installed", lambda: install_packages(node))


def absent_modules() -> List[str]:
    """The kernel's modules that are neither loaded nor built in."""
    builtin = _listed("modules.builtin")
    return [name for name in MODULES if not os.path.isdir(f"/sys/module/{name}") and name not in builtin]


def module_problems() -> List[str]:
    """Modules that the running kernel cannot load, and what to do."""
    release = os.uname().release
    loadable = _listed("modules.dep")
    lacking = [name for name in absent_modules() if name not in loadable]
    if lacking and not loadable:
        return [
            f"the running kernel {release} has no modules on this host: it was probably upgraded since the last boot; reboot it"
        ]
    if lacking:
        why = f"the running kernel {release} has no module {', '.join(lacking)}, without which Longhorn attaches no volume"
        return [
            f"{why}; type: sudo apt-get install linux-modules-extra-{release} (Ubuntu), or linux-image-amd64 (Debian) and reboot"
        ]
    return []


def _listed(index: str) -> List[str]:
    """Names of modules in an index of the running kernel's, as the kernel itself writes them."""
    text = text_of(f"/lib/modules/{os.uname().release}/{index}")
    return [name.replace("-", "_") for name in re.findall(r"([^/\s]+)\.ko(?:\.\w+)?(?::|$)", text, re.MULTILINE)]


def _modules(text: str) -> Item:
    absent = absent_modules()
    kept = text_of(MODULES_FILE) == text

    def load() -> None:
        write_whole(MODULES_FILE, text)
        for name in absent:
            run("modprobe", name)

    why = f"not loaded: {', '.join(absent)}" if absent else "loaded" if kept else "not loaded at boot"
    return Item("modules", kept and not absent, why, load)


def initiator() -> str:
    """The host's iSCSI name, empty when it has none yet."""
    found = re.search(r"^InitiatorName=(\S+)", text_of(INITIATOR_FILE), re.MULTILINE)
    return found.group(1) if found else ""


def _initiator() -> Item:
    def make() -> None:
        if not initiator():
            name = run("iscsi-iname").strip()
            write_whole(INITIATOR_FILE, f"InitiatorName={name}\n", 0o600)
            answer(["systemctl", "try-restart", "iscsid.service"], WORK_SECONDS)

    return Item("initiator name", bool(initiator()), initiator() or "none", make)


def _iscsid() -> Item:
    states = {what: answer(["systemctl", f"is-{what}", "iscsid.service"])[1].strip() for what in ("enabled", "active")}

    def start() -> None:
        run("systemctl", "enable", "--now", "iscsid.service", seconds=WORK_SECONDS)
        state = answer(["systemctl", "is-active", "iscsid.service"])[1].strip()
        if state != "active":
            raise StepError(f"iscsid.service is {state or 'unknown'} after it was started (F11)")

    why = f"{states['enabled'] or 'unknown'}, {states['active'] or 'unknown'}"
    return Item("iscsid", states == {"enabled": "enabled", "active": "active"}, why, start)


def _multipath(text: str) -> Item:
    def reload() -> None:
        if answer(["systemctl", "is-active", "multipathd.service"])[1].strip() == "active":
            run("multipathd", "reconfigure")

    def problem() -> str:
        if not installed("multipath"):
            return ""
        status, out, _ = answer(["multipath", "-t"])
        unread = not status and "VIRTUAL-DISK" not in out
        return f"not read by multipath: the config_dir of its configuration is not that of {MULTIPATH_FILE}" * unread

    return file_item("multipath", MULTIPATH_FILE, text, reload, problem)


def _restart_journal() -> None:
    answer(["systemctl", "restart", "systemd-journald.service"], WORK_SECONDS)


def _journal_problem() -> str:
    """A later file that bounds journald otherwise."""
    status, out, _ = answer(["systemd-analyze", "cat-config", "systemd/journald.conf"])
    limits = re.findall(r"^SystemMaxUse=(.*)$", out, re.MULTILINE)
    ours = re.findall(r"^SystemMaxUse=(.*)$", text_of(JOURNAL_FILE), re.MULTILINE)
    if status or not ours or limits[-1:] == ours:
        return ""
    return f"overruled: another file says SystemMaxUse={limits[-1]} (systemd-analyze cat-config shows which)"


def pressure() -> List[str]:
    """The filesystems under logs, pods and images that are nearly full, or nearly without inodes (F19)."""
    told: Dict[int, List[str]] = {}
    for wanted in FILLED:
        path = wanted
        while not os.path.isdir(path):
            path = os.path.dirname(path)
        told.setdefault(os.stat(path).st_dev, list(_nearly_full(wanted, os.statvfs(path))))
    return [line for lines in told.values() for line in lines]


def _nearly_full(name: str, usage: os.statvfs_result) -> Iterator[str]:
    free = 100 * usage.f_bavail // max(1, usage.f_blocks)
    if free < FULL_BELOW:
        room = human(usage.f_bavail * usage.f_frsize)
        yield f"the filesystem of {name} has {free} % free ({room}): DiskPressure below 5 %"
    # btrfs makes inodes as they are needed, and says that it has none.
    left = 100 * usage.f_favail // usage.f_files if usage.f_files else 100
    if left < FULL_BELOW:
        yield f"the filesystem of {name} has {left} % of its inodes left ({usage.f_favail}): no new file without one"


def restart_due() -> str:
    """Why k3s has to be restarted: it runs with an older configuration than the files hold. Empty where it does not."""
    ticks = os.sysconf("SC_CLK_TCK")
    booted = re.search(r"^btime (\d+)", text_of("/proc/stat"), re.MULTILINE)
    for unit in K3S_UNITS:
        pid = answer(["systemctl", "show", "--property=MainPID", "--value", f"{unit}.service"])[1].strip()
        stat = text_of(f"/proc/{pid}/stat") if pid not in ("", "0") else ""
        if stat and booted and os.path.exists(K3S_FILE):
            started = int(booted.group(1)) + int(stat.rpartition(")")[2].split()[19]) / ticks
            if os.stat(K3S_FILE).st_mtime > started:
                return f"{K3S_FILE} is newer than the running {unit}: systemctl restart {unit}"
    return ""
