"""What must be true before Flux is brought into a cluster, and what it means that one is there already."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from fluxstead.catalog.flux_apis import oldest_kubernetes
from fluxstead.core.git_names import without_login
from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.core.shape import mapping
from fluxstead.core.version import Version
from fluxstead.live.flux import SOURCES
from fluxstead.live.resources import DEFINITIONS, DEPLOYMENTS

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi

_DEFINITION = "kustomizations.kustomize.toolkit.fluxcd.io"


class Found(NamedTuple):
    """What a cluster holds. `flux`: the versions of its controllers, by name. `remains`: definitions without controllers.

    `follows`: the repository that its Flux starts from; empty without one.
    """

    kubernetes: Version
    flux: dict[str, str]
    remains: bool
    follows: str = ""


def look_for_flux(api: LiveApi) -> Found:
    """Ask a cluster. Raises Unanswered."""
    controllers = {}
    for one in api.list(DEPLOYMENTS, FLUX_NAMESPACE, "app.kubernetes.io/part-of=flux"):
        metadata = mapping(one, "metadata")
        controllers[str(metadata["name"])] = str(mapping(metadata, "labels").get("app.kubernetes.io/version", ""))
    remains = not controllers and api.get(DEFINITIONS, _DEFINITION) is not None
    source = api.get(SOURCES, FLUX_NAMESPACE, FLUX_NAMESPACE) if controllers else None
    return Found(api.kubernetes(), controllers, remains, str(mapping(source or {}, "spec").get("url", "")))


def refusals(found: Found, version: Version, missing: Sequence[str], served: str | None, repository: str = "") -> Iterator[str]:
    """Why Flux is not brought in now. `missing`: secrets that Flux or layers need. `served`: why Git does not serve the tree.

    `repository`: the described one. A Flux that follows another is somebody else's, and is handed no key and no login.
    """
    oldest = oldest_kubernetes(version)
    if oldest and found.kubernetes.minor < oldest:
        yield (
            f"the cluster runs Kubernetes {found.kubernetes}, and Flux {version} needs {'.'.join(map(str, oldest))} or newer"
            " (`flux check --pre`): upgrade k3s, or describe an older Flux"
        )
    other = sorted({one for one in found.flux.values() if Version.read(one) is None or Version(one).numbers != version.numbers})
    if other:
        yield (
            f"the cluster's Flux is {', '.join(other)}, and clusters/…/flux-system installs {version}: `git pull`, if somebody else"
            " changed it; else `./run upgrade flux`, commit and push: Flux changes its own version"
        )
    if found.follows and repository and _plain(found.follows) != _plain(repository):
        yield (
            f"the cluster's Flux follows {without_login(found.follows)}, and {without_login(repository)} is described: it would get"
            " the login and the key of another tree. Is the kubeconfig another cluster's (./run kubeconfig)? Else describe what it"
            " follows, or change that first, by a commit to where it follows it now"
        )
    if found.flux:
        return
    if found.remains:
        yield (
            "the cluster has Flux's definitions and none of its controllers: a former Flux was taken out halfway."
            " `flux uninstall` ends that, or `flux install` brings it back"
        )
    if missing:
        yield f"Flux and its layers need secrets that are not there: {', '.join(missing)}; ./run secrets says what to type"
    if served:
        yield served


def _plain(url: str) -> str:
    """The repository of a URL, however one logs in and writes its end."""
    return re.sub(r"(?<=//)[^/@]*@", "", url).rstrip("/").removesuffix(".git").lower()
