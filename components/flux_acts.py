"""What the engine's Python plugin does for Flux, in a process of its own: each class acts when its resource is made.

An input is never a value of a Secret, only where its ciphertext lies and which it is. The classes stay in this module under their
names: states refer to them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from pulumi.dynamic import CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from components.acting import described_at, say
from fluxstead.bootstrap.first_sync import NotSynced, wait_for_sync
from fluxstead.bootstrap.guard import look_for_flux, refusals
from fluxstead.bootstrap.served import ask_git, not_served
from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.core.version import Version
from fluxstead.live.flux import flux_facts
from fluxstead.live.pods import pods_in_trouble
from fluxstead.live.resources import NAMESPACES, SECRETS, Unanswered
from fluxstead.secrets.operator import values_of
from fluxstead.secrets.tools import ToolTrouble

MANAGER = "fluxstead"
"""The field manager of the Secrets that Flux is handed."""
Inputs = dict[str, Any]


class RefusedByGuard(Exception):  # noqa: N818 -- said to people as it is
    """Why Flux is not brought in."""


class InFlux(ResourceProvider):
    """What is there for as long as a cluster has Flux's namespace: `pulumi refresh` on a cluster built anew forgets it."""

    serialize_as_secret_always = False

    def read(self, id_: str, props: Inputs) -> ReadResult:
        """Ask the cluster; one that gives no answer is taken to be as it was."""
        from fluxstead.live.api import LiveApi  # noqa: PLC0415 -- only who asks a cluster needs lightkube

        try:
            with LiveApi(props["kubeconfig"]) as api:
                gone = api.get(NAMESPACES, FLUX_NAMESPACE) is None
        except Unanswered as silence:
            say(f"taken to be as it was: {silence}")
            gone = False
        return ReadResult("", {}) if gone else ReadResult(id_, props)


class Once(InFlux):
    """Acts when it is made, and has nothing to do when what it was told changes."""

    def diff(self, _id: str, _olds: Inputs, _news: Inputs) -> DiffResult:
        """Nothing that is done again."""
        return DiffResult(changes=False)


class FluxGuard(Once):
    """Looks before anything of Flux is applied. Output `brings`: the objects that this stack brings; none where Flux is there."""

    def create(self, props: Inputs) -> CreateResult:
        """Ask the cluster and Git; every reason against it at once."""
        from fluxstead.live.api import LiveApi  # noqa: PLC0415 -- only who asks a cluster needs lightkube

        with _in_words(), LiveApi(props["kubeconfig"]) as api:
            # One that somebody made by hand is as good.
            lacking = [name for secret, name in props["lacking"].items() if api.get(SECRETS, secret, FLUX_NAMESPACE) is None]
            found = look_for_flux(api)
            served = ask_git(Path(props["root"]), props["repository"], props["branch"]) if not found.flux else None
            why_not = not_served(served, props["repository"], props["branch"], props["cluster"]) if served else None
            missing = [*props["missing"], *lacking]
            refused = list(refusals(found, Version(props["version"]), missing, why_not, props["repository"]))
        if refused:
            raise RefusedByGuard("Flux was not touched:\n" + "\n".join(f"- {one}" for one in refused))
        brings = [] if found.flux else list(props["objects"])
        say(f"Flux {props['version']} {'runs here already, and is left as it is' if found.flux else 'is brought in'}")
        return CreateResult(f"flux-of-{props['cluster']}", {**props, "brings": brings})


class HandedSecret(InFlux):
    """A Secret in flux-system that Flux needs before it can read anything: decrypted and applied in one breath, kept nowhere."""

    def diff(self, _id: str, olds: Inputs, news: Inputs) -> DiffResult:
        """Another ciphertext is another Secret."""
        return DiffResult(changes=any(olds.get(key) != news.get(key) for key in ("digest", "secret", "knownHosts")))

    def create(self, props: Inputs) -> CreateResult:
        """Apply it."""
        _hand_over(props)
        return CreateResult(f"{FLUX_NAMESPACE}/{props['secret']}", props)

    def update(self, _id: str, _olds: Inputs, news: Inputs) -> UpdateResult:
        """Apply it again."""
        _hand_over(news)
        return UpdateResult(news)


class FirstSyncWait(Once):
    """Waits until every layer is Ready; made once, so that a second `up` has nothing to wait for."""

    def create(self, props: Inputs) -> CreateResult:
        """Watch, with a line for every change. A Flux that was there before has had its first sync.

        What this `up` writes is then not in Git yet, and would be waited for in vain.
        """
        from fluxstead.live.api import LiveApi  # noqa: PLC0415 -- only who asks a cluster needs lightkube

        if not props["brings"]:
            return CreateResult(f"first-sync-of-{props['cluster']}", {**props, "seconds": 0})
        with _in_words(), LiveApi(props["kubeconfig"]) as api:
            pods = partial(pods_in_trouble, api)
            took = wait_for_sync(props["layers"], lambda: flux_facts(api), say, time.monotonic, time.sleep, pods=pods)
        say(f"every layer is Ready after {took:.0f} s")
        return CreateResult(f"first-sync-of-{props['cluster']}", {**props, "seconds": round(took)})


def _hand_over(props: Inputs) -> None:
    from fluxstead.live.api import LiveApi  # noqa: PLC0415

    _, _, scope = described_at(props["root"], props["cluster"])
    with _in_words(), LiveApi(props["kubeconfig"]) as api:
        values = values_of(scope, props["name"])
        if props["knownHosts"]:
            values["known_hosts"] = "".join(f"{line}\n" for line in props["knownHosts"])
        metadata = {"name": props["secret"], "namespace": FLUX_NAMESPACE}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "stringData": values}
        api.apply(SECRETS, secret, MANAGER)


@contextmanager
def _in_words() -> Iterator[None]:
    """Whatever ends here is told as it is, without where in the code it happened."""
    try:
        yield
    except (Unanswered, NotSynced, ToolTrouble) as trouble:
        raise RefusedByGuard(str(trouble)) from None
