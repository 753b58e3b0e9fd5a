"""Flux, brought into an empty cluster once, as the fields of its own kustomize-controller; from then on Flux owns itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import Resource
from pulumi.output import Unknown

from components.flux_acts import FirstSyncWait, FluxGuard, HandedSecret
from fluxstead.assembly import Assembled
from fluxstead.bootstrap.files import NAMESPACE_PHASE, SYNC_PHASE, FluxManifest, flux_folder, manifests_of
from fluxstead.bootstrap.tools import NotMade, built
from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.secrets.operator import digests_of
from fluxstead.secrets.operator_needs import CLUSTER_KEY, FLUX_GIT
from fluxstead.secrets.state import look

PLUGIN = "4.34.2"
"""pulumi-kubernetes' plugin. Its Python package is not needed: objects are registered by their API version and kind."""
_OWNER = {"pulumi.com/patchFieldManager": "kustomize-controller"}


class Guard(Resource, module="fluxstead", name="FluxGuard"):
    """What must be true before Flux comes in; `brings`: the objects that this stack brought."""

    brings: pulumi.Output[list[str]]


class Handed(Resource, module="fluxstead", name="HandedSecret"):
    """A Secret that Flux is handed."""


class Wait(Resource, module="fluxstead", name="FirstSync"):
    """The first sync."""


class FluxResource(pulumi.ComponentResource):
    """Flux's objects, Secrets and first sync. Output: `brings`, the objects that this stack brought; none if Flux was there."""

    def __init__(
        self, assembled: Assembled, root: Path, kubeconfig: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        self._cluster = assembled.description.name
        super().__init__("fluxstead:flux:Flux", self._cluster, {}, opts)
        self._assembled, self._settings, self._kubeconfig = assembled, assembled.description.cluster.flux, kubeconfig
        self._targets = _targets(assembled)
        self._digests = digests_of(assembled.secrets, self._targets)
        # From the folder in which the engine starts the program and its plugins, so that no state holds a machine's path.
        self._root = os.path.relpath(root)
        manifests = list(manifests_of(flux_objects(root / flux_folder(self._cluster))))
        guard = self._guard(manifests)
        self.brings = guard.brings
        provider = pulumi.ProviderResource(
            "kubernetes",
            self._cluster,
            {
                "kubeconfig": kubeconfig,
                # Another path or address is the same cluster: nothing is replaced, which would bring the first manifests back.
                "clusterIdentifier": self._cluster,
                # An object that a cut-off `up` applied without noting it is applied again, instead of refused.
                "upsertExistingObjects": "true",
            },
            self._child(depends_on=[guard], version=PLUGIN),
        )
        last = guard.brings.apply(lambda brings: self._bring(manifests, brings, guard, provider), run_with_unknowns=True)
        if self._settings.wait_for_first_sync:
            self._wait(last, guard.brings)
        self.register_outputs({"brings": guard.brings})

    def _child(self, **options: Any) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, **options)

    def _guard(self, manifests: Sequence[FluxManifest]) -> Guard:
        flux = self._settings
        return Guard(
            FluxGuard(),
            f"{self._cluster}-flux",
            {
                "kubeconfig": self._kubeconfig,
                "cluster": self._cluster,
                "root": self._root,
                "version": str(flux.version),
                "repository": flux.repository,
                "branch": flux.branch,
                "missing": [row.name for row in look(self._assembled.secrets) if row.state == "missing"],
                "lacking": {secret: name for name, secret in self._targets.items() if name not in self._digests},
                "objects": [one.key for one in manifests],
                "brings": None,
            },
            self._child(),
        )

    def _bring(
        self, manifests: Sequence[FluxManifest], brings: Any, guard: Guard, provider: pulumi.ProviderResource
    ) -> list[pulumi.Resource]:
        """Phase after phase; gives those on which the wait depends. What is not known yet, in a first preview, is all of it."""
        wanted = [one for one in manifests if isinstance(brings, Unknown) or one.key in brings]
        before: list[pulumi.Resource] = [guard]
        handed: list[pulumi.Resource] = []
        for phase in range(SYNC_PHASE + 1):
            if phase == SYNC_PHASE:
                before = [*before, *handed]
            made = [_object(one, self._child(depends_on=before, provider=provider)) for one in wanted if one.phase == phase]
            before = made or before
            if phase == NAMESPACE_PHASE:
                handed = self._hand_over(before)
        return [*before, *handed]

    def _hand_over(self, after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        targets = self._targets
        return [
            Handed(
                HandedSecret(),
                f"{self._cluster}-{name}",
                {
                    "kubeconfig": self._kubeconfig,
                    "cluster": self._cluster,
                    "root": self._root,
                    "name": name,
                    "secret": targets[name],
                    "digest": digest,
                    "knownHosts": list(self._settings.known_hosts) if name == FLUX_GIT else [],
                },
                self._child(depends_on=list(after), retain_on_delete=True),
            )
            for name, digest in self._digests.items()
        ]

    def _wait(self, after: pulumi.Output[list[pulumi.Resource]], brings: pulumi.Output[list[str]]) -> Wait:
        told = {
            "kubeconfig": self._kubeconfig,
            "cluster": self._cluster,
            "layers": self._layers(),
            "brings": brings,
            "seconds": None,
        }
        return Wait(FirstSyncWait(), f"{self._cluster}-first-sync", told, self._child(depends_on=after))

    def _layers(self) -> list[str]:
        """All that Flux is to reconcile: its own, what people wrote around the tree, and the tree's in its order."""
        layers = [layer.name for layer in self._assembled.tree.order.layers]
        found = self._assembled.applied.kustomizations.values()
        around = [one.name for one in found if one.document and one.namespace == FLUX_NAMESPACE and not one.spec.get("suspend")]
        return list(dict.fromkeys([FLUX_NAMESPACE, *(name for name in around if name not in layers), *layers]))


def _targets(assembled: Assembled) -> dict[str, str]:
    """Which Secrets Flux is handed, by the name of their ciphertext; or has to have by then, where there is none."""
    flux, secrets = assembled.description.cluster.flux, assembled.secrets
    by_hand = {CLUSTER_KEY: flux.sops_secret} if flux.sops_secret and secrets.needs else {}
    return {**by_hand, **{one.need.name: one.need.live[1] for one in secrets.operators if one.need.live}}


def _object(one: FluxManifest, opts: pulumi.ResourceOptions) -> pulumi.Resource:
    metadata = {**one.data["metadata"], "annotations": {**one.data["metadata"].get("annotations", {}), **_OWNER}}
    # Frozen as it was brought, and left there when it goes from the program: Flux owns it.
    frozen = pulumi.ResourceOptions(ignore_changes=["*"], retain_on_delete=True, version=PLUGIN)
    version = one.data["apiVersion"] if "/" in one.data["apiVersion"] else f"core/{one.data['apiVersion']}"
    return pulumi.CustomResource(
        f"kubernetes:{version}:{one.data['kind']}",
        one.key.replace(" ", "/"),
        {**one.data, "metadata": metadata},
        pulumi.ResourceOptions.merge(opts, frozen),
    )


@cache
def flux_objects(folder: Path) -> list[dict[str, Any]]:
    """What the folder of Flux's own manifests holds; ends the program where it cannot be told."""
    try:
        return built(folder)
    except NotMade as problem:
        raise pulumi.RunError(f"Flux could not be brought in, so nothing was dialled: {problem}") from None


def register_flux(
    assembled: Assembled, root: Path, kubeconfig: pulumi.Input[str], depends_on: Sequence[pulumi.Resource] = ()
) -> FluxResource:
    """Bring Flux into the cluster of this kubeconfig, a path; once, after `depends_on`."""
    return FluxResource(assembled, root, kubeconfig, pulumi.ResourceOptions(depends_on=list(depends_on)))
