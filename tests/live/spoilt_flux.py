"""What can be wrong with Flux while its objects are Ready, or wait for ever, beside what the catalogue of everything has of it."""

from __future__ import annotations

from tests.live.around import thing
from tests.live.spoilt import Spoil, changed, more, one_of, says, together
from tests.live.world import LONGHORN, World, condition, ready

_NO_CHART = "no 'cert-manager' chart with version matching 'v1.21.99' found"


def held_in(layer: str, *ids: str) -> Spoil:
    """A layer that applied these as well."""

    def change(world: World) -> None:
        kept = one_of(world, "kustomizations", layer)["status"].setdefault("inventory", {"entries": []})
        kept["entries"] += [{"id": one} for one in ids]

    return change


def second(name: str, chart: str) -> Spoil:
    """Another release of a chart, beside the described one, by a layer of somebody's own."""
    kept = f"{LONGHORN}_{name}_helm.toolkit.fluxcd.io_HelmRelease"
    return together(
        changed("helmreleases", "longhorn", "spec", "chart", to={"spec": {"chart": "longhorn"}}),
        more("helmreleases", ready(name, LONGHORN, {"chart": {"spec": {"chart": chart}}})),
        held_in("dns", kept),
    )


OF_FLUX: dict[str, tuple[Spoil, str, str]] = {
    "F2 a dependency that nobody has": (
        together(
            says(
                "kustomizations",
                "monitoring-scrapes",
                "False",
                "DependencyNotReady",
                "dependency 'flux-system/infra' not found: kustomizations.kustomize.toolkit.fluxcd.io \"infra\" not found",
            ),
            changed("kustomizations", "monitoring-scrapes", "spec", "dependsOn", to=[{"name": "infra"}]),
        ),
        "layer monitoring-scrapes",
        "waits for a Kustomization that neither is there nor is described: infra",
    ),
    "F4 a chart that was never published": (
        says("helmreleases", "cert-manager", "False", "SourceNotReady", f"HelmChart 'cert-manager/x' is not ready: {_NO_CHART}"),
        "release cert-manager/cert-manager",
        _NO_CHART,
    ),
    "F5 a second release of Longhorn": (
        second("again", "longhorn"),
        f"release {LONGHORN}/again",
        f"installs longhorn, which a cluster can have only once, as {LONGHORN}/longhorn does",
    ),
    "F5 a second release that no layer has": (
        together(
            changed("helmreleases", "longhorn", "spec", "chart", to={"spec": {"chart": "longhorn"}}),
            more("helmreleases", ready("by-hand", LONGHORN, {"chart": {"spec": {"chart": "longhorn"}}})),
        ),
        f"release {LONGHORN}/by-hand",
        "which a cluster can have only once",
    ),
    "F8 an object of two layers": (
        together(
            held_in("node-k3s1-labels", "kube-system_coredns-custom__ConfigMap"),
            held_in("node-labels-access", "kube-system_coredns-custom__ConfigMap"),
        ),
        "layers node-k3s1-labels and node-labels-access",
        "both apply ConfigMap kube-system/coredns-custom",
    ),
    "F8 an object of two layers, with a colon in its name": (
        together(
            held_in("cert-manager", "_system__node_rbac.authorization.k8s.io_ClusterRole"),
            held_in("certificate-issuers", "_system__node_rbac.authorization.k8s.io_ClusterRole"),
        ),
        "layers cert-manager and certificate-issuers",
        "both apply ClusterRole system:node",
    ),
    "a claim that holds up a layer": (
        together(
            says("kustomizations", "example-app-dev", "Unknown", "Progressing", "Reconciliation in progress"),
            held_in("example-app-dev", "example-app-dev_uploads__PersistentVolumeClaim"),
            more(
                "persistentvolumeclaims",
                thing("uploads", "example-app-dev", spec={"storageClassName": "fast"}, status={"phase": "Pending"}),
            ),
        ),
        "claim example-app-dev/uploads",
        "there is no StorageClass fast",
    ),
}


def again(reason: str, says: str, since: str, revision: str = "main@sha1:1") -> Spoil:
    """What dns says of itself, and since when."""

    def change(world: World) -> None:
        status = one_of(world, "kustomizations", "dns")["status"]
        status["lastAppliedRevision"] = revision
        status["conditions"] = [condition("Ready", "Unknown", reason=reason, message=says, lastTransitionTime=since)]

    return change
