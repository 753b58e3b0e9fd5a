"""What each mode does about k3s, and what it answers."""

from __future__ import annotations

import os
import re
from typing import Any, Dict, List, Optional

from fluxstead.hosts.script.k3s_act import begin_k3s, look_at_k3s
from fluxstead.hosts.script.k3s_files import K3S, K3S_KUBECONFIG
from fluxstead.hosts.script.k3s_model import K3S_ARCHITECTURES, LOADED, FoundK3s, K3sVerdict, ToldK3s
from fluxstead.hosts.script.k3s_others import programs
from fluxstead.hosts.script.k3s_read import k3s_units
from fluxstead.hosts.script.model import DeclaredHost
from fluxstead.hosts.script.tools import RefusedError, StepError, answer, text_of

MINT_SECONDS = 60
JOIN_TTL = "2h"
"""How long a token that was made for a machine joins one."""


def with_k3s(planned: Dict[str, Any], told: ToldK3s, node: DeclaredHost) -> Dict[str, Any]:
    """A plan of the host together with that of k3s."""
    try:
        found, verdict = look_at_k3s(told, node, prepared=False)
    except (StepError, OSError) as error:
        # What was planned of the rest is still worth reading.
        return {**planned, "status": "failed", "why": [*planned["why"], f"k3s: {error}"]}
    why = [*planned["why"], *verdict.refused]
    return {**planned, "status": "refused" if why else planned["status"], "why": why, "k3s": _told_k3s(found, verdict)}


def k3s_looked_at(told: Optional[ToldK3s], node: DeclaredHost) -> Dict[str, Any]:
    """How k3s stands; whatever is wrong with it is told by who acts."""
    if told is None:
        raise StepError("nothing is told of k3s")
    found, verdict = look_at_k3s(told, node, prepared=False)
    return {"status": "fine", "why": [], "k3s": _told_k3s(found, verdict)}


def applied_k3s(told: ToldK3s, node: DeclaredHost) -> Dict[str, Any]:
    """k3s begun, carried on with, or left as it is."""
    try:
        done = begin_k3s(told, node)
    except RefusedError:
        found, verdict = look_at_k3s(told, node, prepared=True)
        return {"status": "refused", "why": list(verdict.refused), "k3s": _told_k3s(found, verdict)}
    found, verdict = look_at_k3s(told, node, prepared=True)
    return {"status": "fine", "changed": bool(done), "why": [], "k3s": _told_k3s(found, verdict, done)}


def _told_k3s(found: FoundK3s, verdict: K3sVerdict, done: Optional[List[str]] = None) -> Dict[str, Any]:
    return {
        "state": verdict.state,
        "version": found.version,
        "digest": found.digest,
        "architecture": K3S_ARCHITECTURES.get(os.uname().machine, ""),
        "running": found.running_version,
        "role": found.role,
        "datastore": found.datastore,
        "nodeName": found.node_name,
        "ready": found.ready,
        "data": bool(found.data),
        "begun": found.begun.begin if found.begun else "",
        "tasks": list(verdict.tasks) if done is None else done,
        "differs": list(verdict.differs),
        "refused": list(verdict.refused),
    }


def minted() -> Dict[str, Any]:
    """A token that joins one machine, as an agent, for a while."""
    why = _no_server()
    if why:
        return {"status": "refused", "why": [why]}
    words = [K3S, "token", "create", "--ttl", JOIN_TTL, "--description", "fluxstead: a machine that joins"]
    status, out, err = answer(words, MINT_SECONDS)
    lines = out.split()
    if status or not lines or not re.fullmatch(r"K10\w+::[a-z0-9]{6}\.[a-z0-9]{16}", lines[-1]):
        # Not what it said on standard output, which may be a token of another form.
        said = " ".join(err.split())[-300:] or f"it ended with {status}, and said nothing that is a token"
        raise StepError(f"k3s makes no token: {re.sub('K10[^ ]*', 'K10…', said)}; type, on the server: sudo k3s token list")
    return {"status": "fine", "why": [], "token": lines[-1]}


def kubeconfig() -> Dict[str, Any]:
    """The administrator's kubeconfig, as k3s wrote it."""
    why = _no_server()
    text = text_of(K3S_KUBECONFIG)
    if not why and not text.strip():
        why = (
            f"{K3S_KUBECONFIG} is not there: k3s writes it when its API answers, or elsewhere (write-kubeconfig); a later run "
            "has it"
        )
    return {"status": "refused", "why": [why]} if why else {"status": "fine", "why": [], "kubeconfig": text}


def _no_server() -> str:
    runs = [unit.role for unit in k3s_units() if unit.active in LOADED]
    if "server" in runs or any(program.name != "k3s-agent" for program in programs(("k3s", "k3s-server"))):
        return ""
    return "k3s runs as an agent here, which has neither" if "agent" in runs else "no server of k3s runs on this host"
