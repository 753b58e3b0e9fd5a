"""Who else may be Kubernetes on this host, and what a machine needs before k3s can start on it at all."""

from __future__ import annotations

import glob
import os
import re
from dataclasses import dataclass
from typing import Collection, Dict, Iterator, List, Optional

from fluxstead.hosts.script.k3s_files import K3S, K3S_CLUSTER_FILE, K3S_HOME, K3S_RECORD, K3S_SENT, K3S_TOKEN, unit_file
from fluxstead.hosts.script.k3s_model import K3S_ARCHITECTURES, ToldK3s
from fluxstead.hosts.script.preflight import ROOM, SYSTEMD, unwritable
from fluxstead.hosts.script.tools import text_of

OTHERS = ("kubelet", "kubelite", "rke2", "k0s", "kube-apiserver", "microshift", "openshift")
"""Programs of another Kubernetes."""
FOLDERS = {
    "/var/snap/microk8s/current": "MicroK8s; type: sudo snap remove --purge microk8s",
    "/etc/kubernetes/kubelet.conf": "kubeadm; type: sudo kubeadm reset",
    "/var/lib/rancher/rke2": "RKE2; type: sudo rke2-uninstall.sh",
    "/var/lib/k0s": "k0s; type: sudo k0s stop; sudo k0s reset",
}
"""What another Kubernetes leaves, and how it goes, by those who made it."""
PORTS = {"server": (6443, 6444, 10250, 10257, 10259), "agent": (6444, 10250)}
"""What k3s listens on (docs.k3s.io: requirements, networking; k3s: pkg/daemons)."""
ETCD_PORTS = (2379, 2380)
LISTENS = "0A"
"""TCP_LISTEN of <net/tcp_states.h>."""
BINARY_ROOM = 256 * 1024 * 1024
"""The binary takes 70 MiB, the new one beside it as much."""
DATA_ROOM = 1024 * 1024 * 1024
"""What it unpacks takes 300 MiB, its own images 600 MiB."""


@dataclass(frozen=True)
class Process:
    """A process in this host's own files, and not in a container's."""

    pid: int
    name: str
    group: str
    """Its control groups, in which systemd names its unit."""


def programs(names: Collection[str]) -> List[Process]:
    """The processes that are called by one of these names, by the word that they were started with."""
    found = []
    for folder in glob.glob("/proc/[0-9]*"):
        words = text_of_process(f"{folder}/cmdline").replace("\0", " ").split()
        name = os.path.basename(words[0]) if words else ""
        runs = name in names and (name != "k3s" or words[1:2] in (["server"], ["agent"]))
        if runs and _at_home(folder):
            found.append(Process(int(folder.rpartition("/")[2]), name, text_of_process(f"{folder}/cgroup")))
    return found


def text_of_process(path: str) -> str:
    """A file of a process, which may end meanwhile."""
    try:
        return text_of(path)
    except OSError:
        return ""


def _at_home(folder: str) -> bool:
    try:
        seen, own = os.stat(f"{folder}/root/"), os.stat("/")
    except OSError:
        return False
    return (seen.st_dev, seen.st_ino) == (own.st_dev, own.st_ino)


def _on_this_network(program: Process) -> bool:
    """Not in a network namespace of its own, as trials of an API server are run in."""
    try:
        return os.stat(f"/proc/{program.pid}/ns/net").st_ino == os.stat("/proc/self/ns/net").st_ino
    except OSError:
        return False


def machine_problems(told: ToldK3s, due: Collection[str]) -> Iterator[str]:
    """What of this machine, and of who else is on it, keeps k3s from beginning here; asked only while no k3s runs."""
    machine = os.uname().machine
    if machine not in K3S_ARCHITECTURES:
        yield f"this machine is {machine}; k3s is built for {', '.join(K3S_ARCHITECTURES)}"
    if not os.path.isdir(SYSTEMD):
        yield f"systemd does not run this host ({SYSTEMD} is not there), and k3s is kept by it"
    yield from _others()
    yield from _ports(told)
    if not _default_route():
        yield (
            "this host has no default route, without which k3s finds no address of its own (docs.k3s.io: air-gap); where there "
            "is no "
            "gateway, a dummy one will do; type: sudo ip link add dummy0 type dummy; sudo ip link set dummy0 up; "
            "sudo ip addr add 203.0.113.254/31 dev dummy0; sudo ip route add default via 203.0.113.255 dev dummy0 metric 1000; "
            "and write the same into the host's network configuration, as it has to be there after a boot"
        )
    if not _memory_group():
        yield (
            "the kernel accounts no memory by control group, without which k3s ends at once; write, at the end of the one line in "
            "/boot/firmware/cmdline.txt (a Raspberry Pi; older ones: /boot/cmdline.txt): cgroup_memory=1 cgroup_enable=memory; "
            "then type: sudo reboot"
        )
    yield from _places(told, due)


def _others() -> Iterator[str]:
    found = [program for program in programs(OTHERS) if _on_this_network(program)]
    running = {program.name: program for program in found if not re.search(r"k3s(-agent)?\.service", program.group)}
    for name, program in running.items():
        yield (
            f"another Kubernetes runs here: {name} (process {program.pid}); one host is one node, so end that first, or take "
            "another host"
        )
    for path, words in FOLDERS.items():
        if os.path.lexists(path):
            yield f"another Kubernetes is or was here ({path}): {words}"


def _ports(told: ToldK3s) -> Iterator[str]:
    wanted = {*PORTS[told.role], *(ETCD_PORTS if told.role == "server" and told.datastore == "etcd" else ())}
    for port, socket in sorted(_listening().items()):
        if port in wanted:
            holder = _holder_of(socket)
            if not re.search(r"k3s(-agent)?\.service", holder.group if holder else ""):
                who = f"{holder.name} (process {holder.pid})" if holder else "somebody (sudo ss -tlnp says who)"
                yield f"port {port} is taken by {who}, and k3s listens there; end that first"


def _listening() -> Dict[int, str]:
    """The sockets that listen, by port."""
    found = {}
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        for fields in (line.split() for line in text_of(path).splitlines()[1:]):
            if len(fields) > 9 and fields[3] == LISTENS:
                found[int(fields[1].rpartition(":")[2], 16)] = fields[9]
    return found


def _holder_of(socket: str) -> Optional[Process]:
    for path in glob.glob("/proc/[0-9]*/fd/*"):
        try:
            if os.readlink(path) != f"socket:[{socket}]":
                continue
        except OSError:
            continue
        folder = "/".join(path.split("/")[:3])
        name = text_of_process(f"{folder}/comm").strip()
        return Process(int(folder.rpartition("/")[2]), name, text_of_process(f"{folder}/cgroup"))
    return None


def _default_route() -> bool:
    """As Kubernetes looks for one (k8s.io/apimachinery: pkg/util/net/interface.go)."""
    four = [line.split() for line in text_of("/proc/net/route").splitlines()[1:]]
    six = [line.split() for line in text_of("/proc/net/ipv6_route").splitlines()]
    return any(row[1] == row[7] == "0" * 8 for row in four if len(row) > 7) or any(
        row[0] == "0" * 32 and row[1] == "00" and row[9] != "lo" for row in six if len(row) > 9
    )


def _memory_group() -> bool:
    """As k3s's own installer looks for it (`service_enable_and_start`)."""
    if "memory" in text_of("/sys/fs/cgroup/cgroup.controllers").split():
        return True
    return any(row[0] == "memory" and row[3:] == ["1"] for row in (line.split() for line in text_of("/proc/cgroups").splitlines()))


def _places(told: ToldK3s, due: Collection[str]) -> Iterator[str]:
    unpacked = os.path.isdir(f"{K3S_HOME}/data")
    wanted = {f"{K3S_HOME}/x": ROOM if unpacked else DATA_ROOM, K3S_RECORD: ROOM, unit_file(told): ROOM}
    wanted.update(dict.fromkeys((K3S_CLUSTER_FILE, K3S_TOKEN), ROOM))
    if "binary" in due:
        wanted[K3S_SENT] = BINARY_ROOM
    cannot = {path: unwritable(path, room) for path, room in wanted.items()}
    for why in filter(None, dict.fromkeys(cannot.values())):
        yield f"{', '.join(path for path, one in cannot.items() if one == why)} cannot be written: {why}"
    for path in (os.path.dirname(K3S), f"{K3S_HOME}/data"):
        where = path
        while not os.path.isdir(where):
            where = os.path.dirname(where)
        if os.statvfs(where).f_flag & os.ST_NOEXEC:
            yield (
                f"{where} is mounted noexec, and programs of k3s are started from {path}; type: sudo mount -o remount,exec {where}"
            )
