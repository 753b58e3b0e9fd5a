"""Small inputs from real clusters' troubles, as data: each folder is a tree, or a change of the reference cluster's description.

A folder with `change.patch` is a change of the reference cluster; `before.patch`, where it is there, was committed first. Any other
folder is a hand-written tree; `before/`, where it is there, holds the files as they were committed first, and `after/` those that
are written after everything else is committed.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from fluxstead.checks.hand_written import clusters_in
from fluxstead.core.findings import Finding, Severity
from fluxstead.roster import SYSTEM_FACTS, judged
from tests.checks.repository import commit, git, render
from tests.conftest import Project

HERE = Path(__file__).parent
PATCH = "change.patch"
BEFORE, AFTER = "before", "after"
ANY_ERROR = "*"
"""Stands for the id of every error."""


@dataclass(frozen=True)
class Case:
    """A folder; what is found in it, by id and a part of the text; and ids that must not be found."""

    folder: str
    why: str
    """What happens to whoever has it."""
    found: dict[str, str]
    never: tuple[str, ...] = ()


BAD, MISSING = "references/bad-kustomization", "references/missing-file"

CASES = (
    Case(
        "one-release-name-twice",
        "Helm keeps one history under the name: each upgrade of the one undoes the other.",
        {"ownership/two-releases": "installs the Helm release web/site"},
    ),
    Case("folder-that-reconciles-itself", "applied by hand once, its own Kustomization is its only owner", {}, (ANY_ERROR,)),
    Case("instance-inside-what-reconciles-itself", "what is applied beside the instance's folder is there", {}, (ANY_ERROR,)),
    Case("instance-patches-decryption", "the operator gives it to the first Kustomization, which is in no file", {}, (ANY_ERROR,)),
    Case("artifact-of-a-subfolder", "paths begin in the folder that was pushed", {}, (ANY_ERROR,)),
    Case("archived-folder", "no source, no cluster: Flux never reads it", {}, (ANY_ERROR, "versions/deprecated-api")),
    Case("ingresses-with-a-name-each", "Tailscale's operator gives each Ingress a name of its own", {}, (ANY_ERROR,)),
    Case("ingresses-without-a-host", "one of the two gets every request", {"ownership/same-route": "both answer */"}),
    Case("exact-path-beside-a-prefix", "the exact path is more specific", {}, (ANY_ERROR,)),
    Case("component-in-two-kustomizations", "each brings back what the other prunes", {"tree/in-common": "by 2"}, (ANY_ERROR,)),
    Case(
        "folder-that-its-parent-applies-too",
        "the parent prunes what the child still wants",
        {"tree/two-owners": "is applied by Kustomization flux-system/clusters/home and by Kustomization flux-system/site"},
    ),
    Case("variables-from-generated-configuration", "kustomize reads them from a file", {}, (ANY_ERROR,)),
    Case("version-is-a-number", "the API server wants text", {"versions/number": "the version 1.10"}, ("versions/range",)),
    Case("version-from-a-patch", "the base has none, what is applied has one", {}, (ANY_ERROR,)),
    Case("version-beside-a-patch", "the patch changes something else", {"versions/range": "takes version `*`"}),
    Case(
        "release-that-waits-for-a-kustomization",
        "dependsOn of a HelmRelease only knows HelmReleases",
        {"references/dangling-dependency": "HelmRelease web/site depends on flux-system/infra, which is a Kustomization"},
    ),
    Case("name-that-library-charts-read", "no values.yaml lists it", {}, (ANY_ERROR, "tree/chart-value-unsure")),
    Case("encrypted-variables-in-a-component", "Flux decrypts them since 2.5", {}, (ANY_ERROR,)),
    Case("encrypted-variables-in-another-base", "Flux decrypts them", {}, (ANY_ERROR,)),
    Case(
        "job-image-changes",
        "A Job's template never changes: the layer never becomes ready again.",
        {"moves/immutable": "Job web/migrate in HEAD differs in `spec.template`"},
    ),
    Case(
        "job-image-changes-in-a-tree",
        "The same in a tree that people wrote.",
        {"moves/immutable": "Job web/migrate in HEAD differs in `spec.template`"},
    ),
    Case(
        "claim-shrinks",
        "No volume becomes smaller: the API server refuses the claim.",
        {"moves/claim-shrinks": "PersistentVolumeClaim web/data in HEAD asks for 5Gi, and now for 2Gi"},
    ),
    Case(
        "described-volume-shrinks",
        "The claim that is generated from the description is refused as well.",
        {"moves/claim-shrinks": "example-app in HEAD asks for 5Gi, and now for 2Gi"},
    ),
    Case(
        "longhorn-release-name-changes",
        "Flux does not rename: the first release stays, and a second Longhorn would start next to it.",
        {"moves/second-release": "HelmRelease longhorn-system/longhorn in HEAD becomes HelmRelease longhorn-system/lh"},
        ("moves/orphaned",),
    ),
    Case(
        "monitoring-release-name-changes",
        "The first release is not pruned: two stacks would run, on the same custom resources.",
        {"moves/second-release": "monitoring-kube-prometheus-stack in HEAD becomes HelmRelease monitoring/kps"},
        ("moves/orphaned",),
    ),
    Case(
        "target-namespace-changes",
        "Flux uninstalls the release, and installs another one.",
        {"moves/release-anew": "HelmRelease web/db in HEAD is the Helm release web/db, and now default/database"},
    ),
    Case(
        "k3s-skips-minors",
        "No minor release of Kubernetes may be skipped.",
        {"moves/kubernetes-version": "Kubernetes v1.33.1+k3s1 in HEAD becomes v1.36.3+k3s1, more than one minor release at once"},
    ),
    Case(
        "k3s-skips-minors-with-flux",
        "The same with a Flux that fits the newer one; and Flux's own stored objects have to be migrated first.",
        {"moves/kubernetes-version": "becomes v1.36.3+k3s1", "moves/flux-stored-versions": "Flux 2.6.1 in HEAD becomes 2.9.5"},
    ),
    Case(
        "k3s-goes-back",
        "An older API server does not read what a newer one stored.",
        {"moves/kubernetes-version": "Kubernetes v1.33.1+k3s1 in HEAD becomes v1.31.1+k3s1"},
    ),
    Case(
        "old-k3s-with-longhorn",
        "The way back is refused; that the two do not fit is another thing.",
        {"moves/kubernetes-version": "becomes v1.24.1+k3s1", "versions/compatibility": ""},
    ),
    Case(
        "flux-skips-minors",
        "Flux 2.9's CRDs are refused while objects are stored in versions that it dropped.",
        {"moves/flux-stored-versions": "Flux 2.6.1 in HEAD becomes 2.9.5"},
        ("moves/kubernetes-version",),
    ),
    Case(
        "copies-become-one",
        "The class is made anew, which it is annotated for, and volumes keep their copies: fine, but new ones have one.",
        {"longhorn/one-copy-left": "asks for 2 copies, and now for 1"},
        (ANY_ERROR,),
    ),
    Case(
        "longhorn-skips-minors-in-a-tree",
        "Longhorn refuses the step; what was committed is known of trees that people wrote, too.",
        {"moves/longhorn-version": "Longhorn 1.6.2 in HEAD becomes 1.9.0, more than one minor release at once"},
    ),
    Case(
        "one-copy-undrainable",
        "Longhorn's default policy blocks a drain for as long as the node holds a volume's last copy: for ever with one copy.",
        {"longhorn/never-drained": "volumes have one copy"},
    ),
    Case(
        "role-label",
        "The kubelet and Flux write over each other's hostname, by which volumes are placed; a role is Flux's to give.",
        {"nodes/reserved-label": "kubernetes.io/hostname: other", "nodes/kubelet-label": "beta.kubernetes.io/arch"},
    ),
    Case("taints", "kubectl's form is a habit.", {"description/value": "is written as kubectl has it"}),
    Case(
        "taint-without-toleration",
        "Longhorn gets a toleration; applications have none, and the one live machine keeps them away until the other joins.",
        {"placement/nowhere-yet": "until k3s2 joins, every machine keeps"},
        never=(ANY_ERROR,),
    ),
    Case(
        "rwo-rolling-update",
        "On another node the new pod waits for the volume, and the old one for the new.",
        {"scaling/rolling-claim": "PersistentVolumeClaim data"},
    ),
    Case(
        "hpa-and-budget",
        "Each apply undoes the autoscaler, and no node that runs a pod drains.",
        {"scaling/two-numbers": "has replicas: 1", "scaling/budget-blocks-drains": "lets none of its 2 pods"},
    ),
    Case(
        "schema-of-own-manifests",
        "Own manifests under a description: a budget over one pod blocks every drain.",
        {"scaling/budget-blocks-drains": "PodDisruptionBudget web/site"},
    ),
    Case(
        "number-into-label",
        "Flux writes the object as YAML, without quotes, and substitutes then: the API server gets a number and refuses it.",
        {"tree/no-text": "has the number 5 at data.vlan"},
    ),
    Case(
        "longhorn-flags",
        "Nothing in the tree says that it is k3s, so the kubelet is a warning. Network policies matter where something collects.",
        {"longhorn/kubelet-root-unsure": "agent/kubelet", "longhorn/deletion-confirmed": "confirmed"},
        (ANY_ERROR, "longhorn/not-collected"),
    ),
    Case(
        "described-longhorn-flags",
        "The same in a description of k3s, which has had its kubelet in /var/lib/kubelet since 0.10.",
        {"longhorn/kubelet-root": "agent/kubelet", "longhorn/deletion-confirmed": "confirmed"},
        ("longhorn/not-collected",),
    ),
    Case(
        "regex-path-with-prefix",
        "The webhook of ingress-nginx 1.12 refuses patterns in paths of type Prefix, and snippets.",
        {"ingress/pattern-in-prefix": "of type Prefix", "ingress/snippet": "configuration-snippet"},
    ),
    Case(
        "coredns-hosts-override",
        "k3s's block has `hosts` already. AKS reads the same ConfigMap, and its block has none: so it is a warning here.",
        {"dns/hosts-twice-unsure": "home.override", "dns/unread-key": "ignored.conf"},
        (ANY_ERROR,),
    ),
    Case(
        "coredns-own-key",
        "Two Kustomizations would write the same ConfigMap, and CoreDNS would refuse one of the two.",
        {"tree/two-owners": "kube-system/coredns-custom"},
    ),
    Case(
        "monitor-not-selected",
        "The chart's Prometheus takes only what carries the name of its release, and no Service has the labels.",
        {"monitoring/not-selected": "release: kps", "monitoring/finds-nothing": "app=nothing-has-this"},
        (ANY_ERROR,),
    ),
    Case(
        "control-plane-alerts",
        "They fire on k3s, and wherever these listen on localhost only; that its operator may have changed.",
        {"monitoring/always-firing": "KubeProxyDown"},
        (ANY_ERROR,),
    ),
    Case(
        "chart-without-ref",
        "Flux takes the tag latest, which few charts have, and which moves where one has it.",
        {"versions/moving-chart": "has no ref"},
        (ANY_ERROR,),
    ),
    Case(
        "crds-not-upgraded",
        "Helm installs what is in crds/ once; whoever updates it by hand is not seen, so a warning.",
        {"releases/crds-not-upgraded": "kube-prometheus-stack"},
        (ANY_ERROR,),
    ),
    Case(
        "values-of-any-release",
        "Longhorn moved its backup target in 1.8; the values of every release are known, not only of the newest of a line.",
        {"tree/chart-value": "`defaultSettings.backupTarget` (1.7.3 still has it)", "tree/chart-value-unsure": "zebra"},
    ),
    Case("folder-in-sourceignore", "it is not in the artifact", {MISSING: "apps/secret-things is left out by .sourceignore"}),
    Case("file-taken-back-in-by-sourceignore", "the last pattern that matches counts", {}, (ANY_ERROR,)),
    Case("path-that-the-source-ignores", "it is not in the artifact", {"references/missing-path": "left out by"}),
    Case("file-ignored-by-git", "it is never committed", {MISSING: "apps/settings.local.yaml is ignored by Git"}),
    Case("picture-in-a-generator", "source-controller leaves pictures out", {MISSING: "apps/logo.png is left out by source-con"}),
    Case("link-out-of-the-repository", "what it leads to is on one machine", {MISSING: "apps/settings.yaml is a link"}),
    Case("link-inside-the-repository", "source-controller does not archive links", {MISSING: "apps/settings.yaml is a link"}),
    Case("path-out-of-the-repository", "Flux reads nothing outside the artifact", {MISSING: "is outside the repository"}),
    Case("empty-kustomization", "kustomize refuses one", {BAD: "apps/site/kustomization.yaml is empty"}),
    Case("empty-kustomization-of-a-flux-kustomization", "Flux adds to it, so that it may be empty", {}, (ANY_ERROR,)),
    Case("kustomization-that-is-a-list", "kustomize reads mappings", {BAD: "apps/kustomization.yaml is a list"}),
    Case("resources-that-are-no-list", "kustomize wants a list", {BAD: "something else than a list of paths under `resources`"}),
    Case("folder-that-lists-itself", "a circle", {BAD: "apps/kustomization.yaml lists its own folder: `.`"}),
    Case("folders-that-list-each-other", "a circle", {BAD: "leads back to itself, by `../../apps`"}),
    Case("component-among-the-resources", "kustomize refuses it there", {BAD: "which is a Component, under `resources`"}),
    Case("folder-among-the-components", "kustomize refuses it there", {BAD: "which is no Component, under `components`"}),
    Case("file-that-is-no-object", "Flux lists every file of the folder", {"references/no-object": "apps/values.yaml"}),
    Case("listed-file-that-is-a-scalar", "kustomize wants objects", {"references/no-object": "it is a single value"}),
    Case("listed-file-that-is-json", "kustomize reads it", {"tree/two-owners": "ConfigMap web/settings"}, (MISSING,)),
    Case("list-in-a-list", "kustomize takes both apart", {"tree/two-owners": "ConfigMap web/settings"}),
    Case("local-configuration", "kustomize drops it", {}, (ANY_ERROR,)),
    Case("new-file-that-is-not-added", "the commit will miss it", {"references/not-added": "lists `settings.yaml`"}, (ANY_ERROR,)),
    Case("committed-list-of-a-file-that-is-not", "Flux fails on it now", {MISSING: "apps/settings.yaml is not committed"}),
    Case("namespace-from-a-child", "the child is never applied", {"coldstart/stuck": "which this one applies first"}),
    Case("namespace-from-a-neighbour", "it comes, and Flux tries again", {"coldstart/retried": "web/early"}, (ANY_ERROR,)),
    Case("kind-from-a-child", "operators are often there before Flux", {"coldstart/from-outside": "applies first"}, (ANY_ERROR,)),
    Case(
        "kustomization-moved-from-its-source",
        "`namespace: kube-system` moves it to where there is no GitRepository",
        {"references/missing-source": "takes its content from GitRepository kube-system/flux-system"},
    ),
    Case(
        "namespace-renamed-by-kustomize",
        "`namespace: kube-system` makes the Namespace in it another one",
        {"ownership/system-namespace": "Flux may prune Namespace kube-system"},
        (ANY_ERROR,),
    ),
    Case(
        "labels-that-kustomize-adds",
        "the pods have them, though no file says so",
        {},
        (ANY_ERROR, "references/selects-nothing", "references/policy-selects-nothing"),
    ),
)


@pytest.mark.usefixtures("somebody")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.folder)
def test_what_is_said_of_a_case(case: Case, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if (HERE / case.folder / PATCH).exists():
        found = _of_description(HERE / case.folder, request.getfixturevalue("reference"))
    else:
        found = _of_tree(HERE / case.folder, tmp_path / "tree")
    told = [f"{one.id}: {one.what}" for one in found]
    for check, part in case.found.items():
        assert any(one.startswith(f"{check}: ") and part in one for one in told), told
    for check in case.never:
        assert not [one for one in found if check == one.id or (check == ANY_ERROR and one.severity is Severity.ERROR)], told


def _of_description(case: Path, project: Project) -> list[Finding]:
    before = case / f"{BEFORE}.patch"
    git(project.root, "init", "-q")
    if before.exists():
        git(project.root, "apply", "-C1", str(before))
    render(project)
    commit(project.root)
    git(project.root, "apply", "-C1", str(case / PATCH))
    return list(project.run().findings)


def _of_tree(case: Path, root: Path) -> list[Finding]:
    shutil.copytree(case, root, ignore=shutil.ignore_patterns(BEFORE, AFTER), symlinks=True)
    git(root, "init", "-q")
    if (case / BEFORE).exists():
        shutil.copytree(case / BEFORE, root, dirs_exist_ok=True)
        commit(root)
        shutil.copytree(case, root, dirs_exist_ok=True, ignore=shutil.ignore_patterns(BEFORE, AFTER), symlinks=True)
    else:
        commit(root)
    if (case / AFTER).exists():
        shutil.copytree(case / AFTER, root, dirs_exist_ok=True)
    clusters = clusters_in(root, SYSTEM_FACTS)
    assert clusters, "nothing was read"
    said = (one for past in clusters.values() for one in judged(past))
    return [one for one in said if isinstance(one, Finding)]


def test_every_folder_has_a_row() -> None:
    """Without one, it would never be looked at."""
    assert {case.folder for case in CASES} == {folder.name for folder in HERE.iterdir() if is_case(folder)}


def is_case(folder: Path) -> bool:
    """Not what Python leaves."""
    return folder.is_dir() and not folder.name.startswith("__")
