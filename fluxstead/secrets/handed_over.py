"""Whether the cluster can do without one of its keys: by what Git says that Flux has, and by the Secret that is live."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.core.repository import git_environment, repositories_around
from fluxstead.core.shape import mapping
from fluxstead.secrets.ciphertext import ciphertext_in
from fluxstead.secrets.state import Scope, files_in
from fluxstead.secrets.tools import ToolTrouble, recipients_of

_SECONDS = 30
_OR_SAY = "; or, if you know that it is so: --handed-over"


def still_decrypts(scope: Scope, machines: tuple[str, ...], *, sure: bool) -> None:
    """Raises ToolTrouble unless the cluster decrypts with `machines` alone. `sure`: where nothing can be asked, a person knows."""
    if not machines:
        raise ToolTrouble("the cluster would have no key: ./run secrets recipients add --cluster, first")
    for commit in ("HEAD", "@{upstream}"):
        if git_says(scope, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}") is None:
            if sure:
                continue
            raise ToolTrouble(
                f"Git does not say what is in {commit}, and so not whether the cluster decrypts what it has: commit and push"
                f" what `recipients add --cluster` wrote, and wait until Flux has applied it{_OR_SAY}"
            )
        for path in files_in(scope):
            text = git_says(scope, "show", f"{commit}:./{path}")
            found = ciphertext_in(text, path) if text else None
            if found and found.sops and not found.sops.recipients & set(machines):
                raise ToolTrouble(
                    f"in {commit}, {path} is for none of the keys that stay: commit and push what"
                    " `recipients add --cluster` wrote, and wait until Flux has applied it"
                )
    if not sure:
        _has_one_of(scope, machines)


def _has_one_of(scope: Scope, machines: tuple[str, ...]) -> None:
    """Whether the live Secret, which Flux decrypts with, has one of the keys."""
    name = scope.sops_secret
    if name is None:
        return
    try:
        data = mapping(live_secret(FLUX_NAMESPACE, name), "data")
    except ToolTrouble as trouble:
        raise ToolTrouble(f"whether the cluster has the key that stays cannot be asked: {trouble}{_OR_SAY}") from None
    held = {one for key in _private(data) for one in recipients_of(key)}
    if not held & set(machines):
        raise ToolTrouble(
            f"the cluster that kubectl reaches has none of the keys that stay in its Secret {FLUX_NAMESPACE}/{name}: give it to"
            f" the cluster, as `recipients add --cluster` said{_OR_SAY}"
        )


def _private(data: Mapping[str, Any]) -> Iterator[str]:
    for name, value in data.items():
        if str(name).endswith(".agekey"):
            try:
                yield base64.b64decode(str(value)).decode()
            except ValueError:
                continue


def live_secret(namespace: str, name: str) -> Mapping[str, Any]:
    """A Secret of the running cluster, by the operator's kubectl. Raises ToolTrouble."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        raise ToolTrouble("kubectl is needed, and is not on the PATH")
    command = [kubectl, "-n", namespace, "get", "secret", name, "-o", "json"]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_SECONDS)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise ToolTrouble(f"kubectl had no answer for {_SECONDS} s") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise ToolTrouble(f"kubectl: {said[-1] if said else done.returncode}")
    try:
        found = json.loads(done.stdout)
    except ValueError:
        found = None
    if not isinstance(found, Mapping):
        raise ToolTrouble("kubectl answered something that is no Secret")
    return found


def git_says(scope: Scope, *words: str) -> str | None:
    """What Git answers; None where it refuses, or is not there."""
    environment = git_environment(known=any(repositories_around(scope.root)))
    command = ["git", "-C", str(scope.root), *words]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, check=False)  # noqa: S603
    except OSError:
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
