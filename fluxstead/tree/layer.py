"""Layers: what one Flux Kustomization reconciles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from fluxstead.core.duration import Duration
from fluxstead.core.findings import Finding, Source
from fluxstead.core.manifest import Manifest
from fluxstead.core.requirement import Requirement
from fluxstead.core.version import Version
from fluxstead.tree.asks import (
    AlertRules,
    ControllerPods,
    Dashboard,
    Gate,
    HostSetting,
    Link,
    Route,
    Router,
    Scrape,
    SecretNeed,
    VolumeClaim,
)

GROUPS = ("infrastructure", "monitoring", "apps")
"""The top-level Flux Kustomizations that the tree lists first, in this order; others come after them, by name."""
APPLIED_AFTER: Mapping[str, tuple[str, ...]] = {"monitoring": ("infrastructure",)}
"""The groups that Flux starts on only once others are applied; none of them waits for layers."""


class Timing(NamedTuple):
    """How often Flux reconciles (`interval`), how soon it retries, and how long it waits for health."""

    interval: Duration = Duration("10m")
    retry_interval: Duration = Duration("1m")
    timeout: Duration = Duration("5m")


DEFAULT_TIMING = Timing()


def groups_of(layers: Iterable[Layer]) -> list[str]:
    """The groups of some layers, in the order in which the tree lists them."""
    found = {layer.group for layer in layers}
    return [*(group for group in GROUPS if group in found), *sorted(found.difference(GROUPS))]


class Layer(NamedTuple):
    """One directory and the Flux Kustomization that reconciles it.

    Needs and offers are read from the objects (`tree.needs`); `offers` and `needs` add what objects cannot show, such as a
    StorageClass that becomes usable only when the disks are registered. `depends_on` adds edges by name. A layer with a
    `path` reconciles a directory that people wrote and has no manifests of its own.
    """

    name: str
    group: str
    source: Source
    manifests: tuple[Manifest, ...] = ()
    path: str | None = None
    folder: str | None = None
    """The directory of its manifests, below its group's; by default, its name."""
    timing: Timing = DEFAULT_TIMING
    needs: frozenset[Requirement] = frozenset()
    offers: frozenset[Requirement] = frozenset()
    depends_on: tuple[str, ...] = ()
    health_checks: tuple[Mapping[str, str], ...] = ()
    """Objects, as Flux's `healthChecks` names them, that make it ready; it then waits for nothing that it applies itself."""
    health_check_exprs: tuple[Mapping[str, str], ...] = ()
    waits: bool = True
    """Whether it is ready only once everything it applied is. False where nothing depends on it, so that it keeps none of the few
    workers of kustomize-controller (`--concurrent`, 4) waiting."""
    first_start_only: bool = False
    """Whether those that depend on it wait until it was ready once, and not again at each revision (since Flux 2.7, which has
    `readyExpr`): what happens to it later holds none of them back."""
    service_account_name: str | None = None
    secrets: tuple[SecretNeed, ...] = ()
    """The Secrets that it applies: ciphertext in a folder of its own outside the tree (`tree.secret_files`)."""
    keeps_data: bool = False
    """It stays, with everything it applied, when its file is removed: what volumes themselves need to run."""


class Certified(NamedTuple):
    """The layers with the certificates of routes, the Secrets that people have to give for them, and what is wrong with it."""

    layers: tuple[Layer, ...] = ()
    secrets: tuple[SecretNeed, ...] = ()
    findings: tuple[Finding, ...] = ()


Certify = Callable[[Sequence[Route], Sequence[ControllerPods]], Certified]
"""What the owner of certificates makes of all systems' routes, and for the controllers that answer them."""


class Guarded(NamedTuple):
    """The Secrets that people have to give for who may come in, and what is wrong with it."""

    secrets: tuple[SecretNeed, ...] = ()
    findings: tuple[Finding, ...] = ()


Admit = Callable[[Sequence[Route], Router], Guarded]
"""What the owner of who may come in makes of all systems' routes, and of what answers them."""

Observe = Callable[[Sequence[Scrape], Sequence[AlertRules], Sequence[Dashboard]], tuple[Layer, ...]]
"""What the owner of scrapes, alert rules and dashboards makes of all systems' ones.

A cluster without monitoring has none, and then they have no effect.
"""


Keep = Callable[[Sequence[VolumeClaim]], tuple[Finding, ...]]
"""What the owner of backups finds in what all systems claim."""


class Plan(NamedTuple):
    """What a system contributes: its layers, what it asks of others, what it does for others, and what it warns about."""

    layers: tuple[Layer, ...] = ()
    routes: tuple[Route, ...] = ()
    scrapes: tuple[Scrape, ...] = ()
    alerts: tuple[AlertRules, ...] = ()
    dashboards: tuple[Dashboard, ...] = ()
    secrets: tuple[SecretNeed, ...] = ()
    host_settings: tuple[HostSetting, ...] = ()
    claims: tuple[VolumeClaim, ...] = ()
    router: Router | None = None
    """What turns all systems' routes into objects, if this system does it."""
    gate: Gate | None = None
    """What says who may come in by all systems' routes, if this system does it."""
    admit: Admit | None = None
    """What looks at all systems' routes, if this system does it."""
    certify: Certify | None = None
    """What makes certificates for all systems' routes, if this system does it."""
    keep: Keep | None = None
    """What looks at all systems' claims, if this system backs volumes up."""
    observe: Observe | None = None
    """What turns everything to be watched into layers, if this system does it."""
    links: tuple[Link, ...] = ()
    outputs: Mapping[str, Sequence[str]] = MappingProxyType({})
    """What other programs may build on, besides the addresses: outputs of the system's Pulumi component."""
    products: Mapping[str, Version] = MappingProxyType({})
    """The versions of what it installs in the cluster, by the names of the catalog's schemas."""
    findings: tuple[Finding, ...] = ()
