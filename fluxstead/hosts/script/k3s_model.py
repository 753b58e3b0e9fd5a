"""What is told of k3s, what is found of it, and what was decided: data, and its strict reading."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from typing import Any, Dict, Optional, Tuple

from fluxstead.hosts.script.model import WrongUseError

K3S_ROLES = ("server", "agent")
K3S_DATASTORES = ("sqlite", "etcd")
K3S_BEGINS = ("first", "join", "look")
K3S_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}
"""By the kernel's name, as k3s's own installer reads it (k3s: install.sh, `setup_verify_arch`)."""
K3S_BINARIES = {"amd64": "k3s", "arm64": "k3s-arm64", "arm": "k3s-armhf"}
"""The file of a release, by architecture."""
K3S_LONGEST = 1800
"""Seconds that a node may be waited for."""
ACTS_OWN = ("token", "token-file", "agent-token", "server", "cluster-init", "cluster-reset", "data-dir", "node-name")
"""Keys that the act writes itself, or that would make it look in the wrong place; nobody may tell them in `config`."""
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
LOADED = ("active", "activating", "reloading", "deactivating", "refreshing")
"""States of a unit whose program runs, or is started again and again."""


@dataclass(frozen=True)
class ToldK3s:
    """k3s as the description has it on one machine, and how it begins there."""

    version: str
    role: str
    datastore: str
    digests: Dict[str, str]
    """SHA-256 of the binary, by architecture."""
    url: str
    """The folder of the release; empty where the operator sent the binary."""
    config: Dict[str, Any]
    """Keys of k3s's configuration, in the order in which they are written."""
    registries: Dict[str, Tuple[str, ...]]
    begin: str
    """first: a cluster; join: one that runs; look: nothing is decided yet."""
    server: str
    token: str = field(repr=False)
    """Empty in a plan."""
    seconds: int
    """How long it may take until the node is Ready."""
    images: Dict[str, str]
    """SHA-256 of each air-gap archive that the operator sent, by its name in a release."""

    @property
    def unit(self) -> str:
        """The unit's name, without its type."""
        return "k3s" if self.role == "server" else "k3s-agent"

    @property
    def digest(self) -> str:
        """Of the binary for this machine; empty when none is told."""
        return self.digests.get(K3S_ARCHITECTURES.get(os.uname().machine, ""), "")


@dataclass(frozen=True)
class FoundUnit:
    """A systemd unit that starts k3s, or has a name under which k3s is started."""

    name: str
    """With its type."""
    active: str
    """systemd's ActiveState."""
    file: str
    """The unit file's path."""
    ours: bool
    """The file is one that this script wrote."""
    role: str
    """server, agent, or empty where its command says neither."""
    command: Tuple[str, ...] = ()
    """Its words."""
    enabled: bool = False
    pid: int = 0


@dataclass(frozen=True)
class Begun:
    """What this script began on this host and has not ended: the node was not seen Ready since."""

    role: str
    begin: str
    birth: Dict[str, str]
    """What is decided once in a cluster's life, as it was told then."""
    started: str = ""
    """Digest of the files with which k3s was started last; empty when it was not yet."""


@dataclass(frozen=True)
class Foreign:
    """One line of somebody else's configuration file of k3s."""

    path: str
    number: int
    key: str
    adds: bool
    """Its key ends with `+`."""
    value: Optional[Tuple[str, ...]]
    """None where it is not as simple as this script reads."""


@dataclass(frozen=True)
class FoundK3s:
    """Everything that the decision about k3s rests on."""

    running: bool = False
    """A program of k3s runs, or a unit starts one again and again."""
    units: Tuple[FoundUnit, ...] = ()
    role: str = ""
    """Of what runs; else of the data that lies there."""
    version: str = ""
    """Of the installed binary."""
    digest: str = ""
    """Of the installed binary; empty when there is none."""
    running_version: str = ""
    ready: bool = False
    answers: bool = False
    """The API server said something to this node, be it no."""
    used: bool = False
    """The node joined, and pods ran on it."""
    node_name: str = ""
    """By which its kubelet is known; empty when it never joined."""
    pod_cidrs: Tuple[str, ...] = ()
    """Those of this node, out of the cluster's."""
    datastore: str = ""
    """sqlite, etcd, external, or empty on an agent and where there is none."""
    data: Tuple[str, ...] = ()
    """What of a cluster lies on this host."""
    begun: Optional[Begun] = None
    effective: Dict[str, Optional[Tuple[str, ...]]] = field(default_factory=dict)
    """k3s's configuration as k3s merges it; None where it cannot be told."""
    unreadable: Tuple[str, ...] = ()
    """Files of it that could not be told at all."""
    foreign: Tuple[Foreign, ...] = ()
    """The lines of other files than ours."""
    environment: Tuple[str, ...] = ()
    """What would reach k3s past its configuration: variables, and changes of its unit."""
    token: str = "absent"  # noqa: S105 -- a state
    """right | other | absent: the file of it, compared with what is told."""
    due: Tuple[str, ...] = ()
    """Tasks whose files are not as they should be."""
    started: str = ""
    """Digest of the files with which k3s would start now."""
    sent: str = ""
    """Digest of the binary that the operator sent; empty when none lies there."""
    will_be: str = ""
    """The name under which it would register."""
    taken: Tuple[str, ...] = ()
    """Files in the places of ours that somebody else wrote."""
    problems: Tuple[str, ...] = ()
    """What of this machine stands against beginning anything."""


@dataclass(frozen=True)
class K3sVerdict:
    """What happens to k3s on this host, and why."""

    state: str
    """absent | stopped | running"""
    tasks: Tuple[str, ...] = ()
    """What is still to be done, in order; names of functions in `k3s_act`."""
    differs: Tuple[str, ...] = ()
    refused: Tuple[str, ...] = ()


def read_told(data: Any, mode: str) -> ToldK3s:
    """What is told of k3s out of its JSON; WrongUseError says which key is wrong, and never a value of `token`."""
    if not isinstance(data, dict):
        raise WrongUseError("k3s is no object")
    told = ToldK3s(
        version=_matching(data, "version", r"v\d+\.\d+\.\d+[\w.+-]*"),
        role=_one_in(data, "role", K3S_ROLES),
        datastore=_one_in(data, "datastore", K3S_DATASTORES),
        digests=_digests(data, "digests"),
        url=_url(data),
        config=_settings(data.get("config", {})),
        registries=_registries(data.get("registries", {})),
        begin=_one_in(data, "begin", K3S_BEGINS),
        server=_matching(data, "server", r"(https://[\w.:\[\]-]+)?"),
        token=_token(data.get("token", "")),
        seconds=_seconds(data.get("seconds")),
        images=_digests(data, "images"),
    )
    if told.begin == "join" and not told.server:
        raise WrongUseError("k3s.server is empty; who joins is told where")
    if told.begin == "first" and (told.server or told.role == "agent"):
        raise WrongUseError("k3s.begin is first; a first server joins nobody, and an agent is none")
    if mode == "apply" and (told.begin == "look" or not told.token):
        raise WrongUseError("k3s.begin is look, or k3s.token is empty; apply is told how to begin, and the token")
    wrong = [name for name in told.images if not re.fullmatch(r"k3s-airgap-images-\w+\.tar(\.zst|\.gz)?", name)]
    if wrong:
        raise WrongUseError(f"k3s.images: {wrong[0]!r} is not the name of an air-gap archive")
    return told


def _one_in(data: Any, key: str, known: Tuple[str, ...]) -> str:
    value = data.get(key)
    if value not in known:
        raise WrongUseError(f"k3s.{key} is {value!r}; it is {' or '.join(known)}")
    return str(value)


def _matching(data: Any, key: str, pattern: str) -> str:
    value = data.get(key, "")
    if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
        raise WrongUseError(f"k3s.{key} is {value!r}")
    return value


def _digests(data: Any, key: str) -> Dict[str, str]:
    found = data.get(key, {})
    if not isinstance(found, dict) or not all(isinstance(one, str) and re.fullmatch("[0-9a-f]{64}", one) for one in found.values()):
        raise WrongUseError(f"k3s.{key} is {found!r}; it is SHA-256 by name")
    return {str(name): digest for name, digest in found.items()}


def _url(data: Any) -> str:
    url = _matching(data, "url", r"(https?://[^\s/@]+/[^\s?#]*)?")
    host = re.sub(r":\d+$", "", url.partition("//")[2].partition("/")[0])
    if url.startswith("http://") and host not in LOOPBACK:
        raise WrongUseError(f"k3s.url is {url!r}; it begins with https://")
    return url if not url or url.endswith("/") else f"{url}/"


def _settings(found: Any) -> Dict[str, Any]:
    if not isinstance(found, dict):
        raise WrongUseError("k3s.config is no object")
    for key, value in found.items():
        values = value if isinstance(value, list) else [value]
        if not re.fullmatch(r"[a-z][a-z0-9-]*", key, re.ASCII) or key in ACTS_OWN:
            raise WrongUseError(f"k3s.config: {key!r} is no key that may be told here")
        if not all(isinstance(one, (str, int, float)) and (not isinstance(one, str) or one.isprintable()) for one in values):
            raise WrongUseError(
                f"k3s.config: {key} is {value!r}; it is one line of text, a number, true or false, or a list of these"
            )
    return found


def _registries(found: Any) -> Dict[str, Tuple[str, ...]]:
    if not isinstance(found, dict):
        raise WrongUseError("k3s.registries is no object")
    for name, ends in found.items():
        if not isinstance(ends, list) or not all(isinstance(one, str) and one.isprintable() for one in [name, *ends]):
            raise WrongUseError(f"k3s.registries: {name!r} is {ends!r}; it is a list of endpoints")
    return {name: tuple(ends) for name, ends in found.items()}


def _token(found: Any) -> str:
    # Never shown, not even where it is wrong.
    if not isinstance(found, str) or not (found.isascii() and found.isprintable()) or " " in found:
        raise WrongUseError("k3s.token is not one word")
    return found


def _seconds(found: Any) -> int:
    if isinstance(found, bool) or not isinstance(found, int) or not 0 < found <= K3S_LONGEST:
        raise WrongUseError(f"k3s.seconds is {found!r}; it is a number up to {K3S_LONGEST}")
    return found


def begun_of(text: str) -> Optional[Begun]:
    """The record of what was begun; None where there is none, or a torn one."""
    try:
        data = json.loads(text)
        return Begun(
            str(data["role"]), str(data["begin"]), {str(k): str(v) for k, v in data["birth"].items()}, str(data["started"])
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
