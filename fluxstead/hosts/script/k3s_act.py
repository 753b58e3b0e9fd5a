"""Doing one task of k3s. Nothing here decides, and nothing here takes anything away from a cluster's data."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any, Callable, Dict, List, Tuple

from fluxstead.hosts.script.files import write_safely, write_secret
from fluxstead.hosts.script.k3s_decide import decide_k3s, member
from fluxstead.hosts.script.k3s_fetch import download, take_file
from fluxstead.hosts.script.k3s_files import (
    K3S,
    K3S_CLUSTER_FILE,
    K3S_HOME,
    K3S_IMAGES,
    K3S_RECORD,
    K3S_REGISTRIES,
    K3S_SENT,
    K3S_TOKEN,
    birth_of,
    cluster_text,
    proxies_text,
    registries_text,
    sent_image,
    unit_file,
    unit_text,
)
from fluxstead.hosts.script.k3s_model import K3S_ARCHITECTURES, K3S_BINARIES, LOADED, Begun, FoundK3s, K3sVerdict, ToldK3s, begun_of
from fluxstead.hosts.script.k3s_read import digest_of, k3s_units, links_due, read_k3s, start_digest
from fluxstead.hosts.script.k3s_wait import until_ready
from fluxstead.hosts.script.model import DeclaredHost
from fluxstead.hosts.script.tools import WORK_SECONDS, RefusedError, StepError, answer, run, step, text_of

UP_SECONDS = 30
"""In which systemd says that it starts a unit."""


def begin_k3s(told: ToldK3s, node: DeclaredHost) -> List[str]:
    """Does what is to be done, deciding anew from the host's truth before each task; says which were done."""
    done: List[str] = []
    while True:
        found, verdict = look_at_k3s(told, node, prepared=True)
        if verdict.refused:
            raise RefusedError("; ".join(verdict.refused))
        if not verdict.tasks:
            return done
        task = verdict.tasks[0]
        if task in done:
            raise StepError(f"{task} was done and is still needed")
        _keep_begun(told, found, task)
        step(f"k3s {task}", lambda: K3S_TASKS[task](told, node), node=node.name)  # noqa: B023
        done.append(task)


def look_at_k3s(told: ToldK3s, node: DeclaredHost, prepared: bool) -> Tuple[FoundK3s, K3sVerdict]:
    """What there is of k3s now, and what is to be done with it."""
    found = read_k3s(told, node, prepared)
    return found, decide_k3s(told, node.name, found)


def _keep_begun(told: ToldK3s, found: FoundK3s, task: str) -> None:
    """What a later run has to know, before anything is done that it could find half done."""
    if task == "ready" or (found.begun and member(found)):
        return
    wanted = Begun(told.role, told.begin, birth_of(told), found.begun.started if found.begun else "")
    if found.begun != wanted:
        _write_begun(wanted)


def _write_begun(begun: Begun) -> None:
    os.makedirs(os.path.dirname(K3S_RECORD), mode=0o700, exist_ok=True)
    write_safely(K3S_RECORD, json.dumps(asdict(begun)) + "\n", 0o600)


def _binary(told: ToldK3s, _: DeclaredHost) -> None:
    if digest_of(K3S) == told.digest:
        return take_file(K3S, K3S, told.digest, 0o755)
    if told.url:
        download(told.url + K3S_BINARIES[K3S_ARCHITECTURES[os.uname().machine]], told.digest)
    return take_file(K3S_SENT, K3S, told.digest, 0o755)


def _links(_: ToldK3s, __: DeclaredHost) -> None:
    for name in links_due():
        with suppress(FileExistsError):
            os.symlink(os.path.basename(K3S), os.path.join(os.path.dirname(K3S), name))


def _images(told: ToldK3s, _: DeclaredHost) -> None:
    for name, digest in told.images.items():
        if digest_of(f"{K3S_IMAGES}/{name}") != digest:
            take_file(sent_image(name), f"{K3S_IMAGES}/{name}", digest, 0o644)


def _token_file(told: ToldK3s, _: DeclaredHost) -> None:
    _k3s_folder(K3S_TOKEN)
    write_secret(K3S_TOKEN, f"{told.token}\n")


def _configuration(told: ToldK3s, _: DeclaredHost) -> None:
    _k3s_folder(K3S_CLUSTER_FILE)
    write_safely(K3S_CLUSTER_FILE, cluster_text(told), 0o600)


def _registries_file(told: ToldK3s, _: DeclaredHost) -> None:
    _k3s_folder(K3S_REGISTRIES)
    write_safely(K3S_REGISTRIES, registries_text(told), 0o600)


def _k3s_folder(path: str) -> None:
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)


def _unit_file(told: ToldK3s, _: DeclaredHost) -> None:
    proxies = proxies_text()
    if proxies:
        write_safely(f"{unit_file(told)}.env", proxies, 0o600)
    write_safely(unit_file(told), unit_text(told), 0o644)


def _start(told: ToldK3s, _: DeclaredHost) -> None:
    """Without waiting for systemd, which waits for k3s as long as it takes."""
    name = f"{told.unit}.service"
    os.makedirs(K3S_HOME, mode=0o755, exist_ok=True)
    with_these = start_digest(told)
    run("systemctl", "daemon-reload", seconds=WORK_SECONDS)
    run("systemctl", "enable", name, seconds=WORK_SECONDS)
    answer(["systemctl", "reset-failed", name])
    going = any(unit.name == name and unit.active in LOADED for unit in k3s_units())
    run("systemctl", "restart" if going else "start", "--no-block", name, seconds=WORK_SECONDS)
    deadline = time.monotonic() + UP_SECONDS
    while not any(unit.name == name and unit.active in LOADED for unit in k3s_units()):
        if time.monotonic() > deadline:
            raise StepError(f"{name} was started, and systemd does not say so; type: sudo systemctl status {name}")
        time.sleep(0.2)
    begun = begun_of(text_of(K3S_RECORD))
    if begun:
        _write_begun(replace(begun, started=with_these))


def _ready(told: ToldK3s, node: DeclaredHost) -> None:
    until_ready(told, node.name)
    with suppress(FileNotFoundError):
        os.unlink(K3S_RECORD)


K3S_TASKS: Dict[str, Callable[[ToldK3s, DeclaredHost], Any]] = {
    "binary": _binary,
    "links": _links,
    "images": _images,
    "token": _token_file,
    "configuration": _configuration,
    "registries": _registries_file,
    "unit": _unit_file,
    "start": _start,
    "ready": _ready,
}
