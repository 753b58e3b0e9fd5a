"""Pass one: from the systems' plans to a checked tree. Pure; nothing is registered, dialled or written."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from fluxstead.catalog.k3s_releases import RELEASES
from fluxstead.checks.acceptance import accepted
from fluxstead.checks.context import CheckContext
from fluxstead.checks.entry import Entry
from fluxstead.checks.past import Past
from fluxstead.checks.reading.applied_tree import AppliedTree, read_applied_tree
from fluxstead.checks.reading.artifact import ArtifactStore
from fluxstead.checks.reading.committed import Committed, committed
from fluxstead.checks.reading.repository import History, history_ahead
from fluxstead.checks.reading.store import DiskStore, OverlaidStore, Store, TextStore, TreeStore
from fluxstead.checks.reading.uncommitted import not_committed
from fluxstead.checks.rule import Remark
from fluxstead.core.findings import Finding
from fluxstead.core.git_names import without_login
from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.core.requirement import secret
from fluxstead.description import kubernetes_checks, place
from fluxstead.description.committed import cluster_then, kept
from fluxstead.description.load import Description
from fluxstead.description.operator_secrets import operator_secrets
from fluxstead.hosts.k3s import Release, told
from fluxstead.hosts.k3s_config import configuration
from fluxstead.nodes import checks as nodes
from fluxstead.roster import SYSTEM_FACTS, all_checks, in_order, judged
from fluxstead.secrets import checks as secret_checks
from fluxstead.secrets.state import Scope
from fluxstead.tree import answered, unique
from fluxstead.tree.asks import HostSetting, Link, Route, SecretNeed, VolumeClaim
from fluxstead.tree.delivery import Desired
from fluxstead.tree.entry import entry_path
from fluxstead.tree.given import given
from fluxstead.tree.layer import Layer, Plan
from fluxstead.tree.left_behind import left_behind
from fluxstead.tree.look import unreadable
from fluxstead.tree.order import order
from fluxstead.tree.readme import readme
from fluxstead.tree.render import Tree, render
from fluxstead.tree.resolve import backed_up, certified, claims_of, guarded, layers_of, needs_of, resolved, settings_of
from fluxstead.tree.secret_files import lists_of, secret_path

README = "README.md"
_PLACES = ("version", "nodeCidr", "podCidr", "serviceCidr", "datastore", "secretsEncryption")


@dataclass(frozen=True)
class Assembled:
    """The tree of a description, and all findings on the way to it."""

    description: Description
    tree: Tree
    plans: Mapping[str, Plan]
    """What each system contributes, with its asks resolved, in the order of the list of systems."""
    findings: tuple[Finding, ...]
    remarks: tuple[Remark, ...]
    applied: AppliedTree
    """The tree among the files around it, as Flux sees it."""
    secrets: Scope
    """The secrets that its layers need, and where they lie."""
    lists: Mapping[str, str]
    """The lists of ciphertext beside the tree, by path from the project's folder."""

    @property
    def host_settings(self) -> tuple[HostSetting, ...]:
        """What the systems ask of k3s's configuration."""
        return settings_of(self.plans)

    @property
    def claims(self) -> tuple[VolumeClaim, ...]:
        """What the systems claim, as far as it is known before it is there."""
        return claims_of(self.plans)

    @property
    def ways(self) -> list[tuple[Route, Link]]:
        """Each route that something is to answer at, and where a person opens it."""
        pairs = (pair for plan in self.plans.values() for pair in zip(plan.routes, plan.links, strict=True))
        return [(route, link) for route, link in pairs if not route.asleep]

    @cached_property
    def k3s(self) -> dict[str, dict[str, Any]]:
        """What each machine is told about its k3s, by its name; empty where no binary is described, and k3s is not installed."""
        kubernetes = self.description.cluster.kubernetes
        if kubernetes.binaries is None:
            return {}
        release = Release(str(kubernetes.version), dict(kubernetes.binaries.digests()), kubernetes.binaries_from or RELEASES)
        mirrors = {registry: list(urls) for registry, urls in kubernetes.registry_mirrors.items()}
        of_hosts = kubernetes.for_hosts()
        return {
            node.name: told(node, release, kubernetes.datastore, configuration(of_hosts, node, self.host_settings), mirrors)
            for node in self.description.nodes
        }

    @cached_property
    def files(self) -> dict[str, str]:
        """Every generated file by its path below the tree's directory."""
        page = readme(
            self.tree.platform,
            self.tree.order,
            self.description.nodes,
            [link for plan in self.plans.values() for link in plan.links],
            self._bootstrap(),
        )
        return {README: page, **{file.path: file.text for file in self.tree}}

    def _bootstrap(self) -> str:
        """What is typed once, so that Flux follows the tree."""
        flux = self.description.cluster.flux
        if self.k3s:
            return "pulumi up"
        # The page is in Git: whatever logs in there does not belong into it.
        repository = without_login(flux.repository) if flux.repository else "<the URL of this repository>"
        return (
            f"flux bootstrap git --url {repository}"
            f" --branch {flux.branch} --path {posixpath.join(flux.place, 'clusters', self.description.name)}"
        )

    def desired(self, root: Path, *, overwrite: bool, say: Callable[[str], object]) -> Desired:
        """What should be on the disk below `root`; `say` takes a line of progress."""
        return Desired(
            root=root,
            cluster=self.description.name,
            directory=self.tree.directory,
            place=self.description.cluster.flux.place,
            files=self.files,
            lists=self.lists,
            overwrite=overwrite,
            say=say,
        )


def assemble(description: Description, planned: Mapping[str, Plan], root: Path | None = None) -> Assembled:
    """Resolve what the systems' plans ask for, order all layers, render and check them.

    The result may carry errors, and must then not be used.
    Directories that people wrote, and the tree that was committed, are read below `root`.
    """
    cluster = description.cluster
    history = history_ahead(root, cluster.flux.branch) if root else None
    platform = cluster.platform(description.name)
    # Without a key, whoever needs a Secret has it made by hand.
    asking = certified(guarded(backed_up(in_order(planned))))
    needs = needs_of(asking) if cluster.flux.sops_secret else ()
    plans = resolved(asking, [need for need in needs if not cluster.secrets.accepted(need)])
    layers = layers_of(plans)
    lists = lists_of(root, description.name, layers)
    findings = [finding for plan in plans.values() for finding in plan.findings]
    of_machines = list(nodes.findings_of(description.nodes, cluster.kubernetes.node_cidr, description.elsewhere))
    findings += of_machines
    findings += answered.findings_of(in_order(planned))
    findings += kubernetes_checks.findings_of(cluster.kubernetes, description.nodes, settings_of(plans))
    findings += unique.findings_of(layers, description.name)
    if root:
        findings += left_behind(root, f"generated/{description.name}")
        findings += place.findings_of(cluster.flux.directory, cluster.flux.source_of("directory"), root, description.name)
    written = _written(description, layers, root) if root else frozenset[str]()
    ordered = order(layers, given(platform, sops_secret=cluster.flux.sops_secret), SYSTEM_FACTS.charts, written)
    tree = render(
        f"generated/{description.name}",
        platform,
        ordered,
        stack_file=description.stack_file,
        sops_secret=cluster.flux.sops_secret,
        place=cluster.flux.place,
    )
    past = evidence_of(description, plans, tree, root, history, lists=lists, needs=needs)
    secrets = scope_of(description, past.context, root)
    findings += secret_checks.findings_of(secrets)
    said = judged(past)
    findings += [*ordered.findings, *(one for one in said if isinstance(one, Finding))]
    # Classes and copies come from the machines' disks: without a machine, everything else would seem to be wrong.
    alone = bool(of_machines) and not any(node.joined for node in description.nodes)
    kept = of_machines if alone else accepted(set(findings), cluster.accept, all_checks() if cluster.accept else ())
    remarks = tuple(one for one in said if isinstance(one, Remark))
    return Assembled(description, tree, plans, tuple(sorted(kept)), remarks, past.context.tree, secrets, lists)


def _written(description: Description, layers: Sequence[Layer], root: Path) -> frozenset[str]:
    """The Kustomizations around the tree that people wrote; looked for only where a layer waits for something that is no layer."""
    names = {layer.name for layer in layers}
    if all(name in names for layer in layers for name in layer.depends_on):
        return frozenset()
    directory = f"generated/{description.name}"
    store = ArtifactStore(DiskStore(root), None)
    around = read_applied_tree(store, _entries(description.name, directory, store), description.cluster.flux.place)
    return frozenset(
        one.name
        for one in around.kustomizations.values()
        if one.document and one.namespace == FLUX_NAMESPACE and not one.document.path.startswith(f"{directory}/")
    )


def scope_of(description: Description, context: CheckContext, root: Path | None) -> Scope:
    """The secrets that layers need, without those that people already apply from a directory of their own."""
    cluster, known = description.cluster, context.tree.by_ref
    needs = tuple(
        need
        for path, need in context.ciphertexts.items()
        if context.tree.store.is_file(path) or secret(need.namespace, need.name) not in known
    )
    own = tuple(operator_secrets(cluster))
    return Scope(root or Path(os.devnull), description.name, needs, cluster.secrets, cluster.flux.sops_secret, own)


def evidence_of(
    description: Description,
    plans: Mapping[str, Plan],
    tree: Tree,
    root: Path | None = None,
    history: Callable[[], History] | None = None,
    *,
    lists: Mapping[str, str] | None = None,
    needs: Sequence[SecretNeed] = (),
) -> Past:
    """What the rules look at: the tree's files and what people wrote around them, now and in commits, which `history` gives.

    `lists`: those of ciphertext, as they will be written. `needs`: the Secrets that systems need.
    """
    cluster = description.cluster
    around = DiskStore(root) if root else TextStore({})
    entry = Entry(around, description.name, posixpath.join(cluster.flux.place, tree.directory))
    wrong = list(entry.findings())
    asked = history() if history else None
    index = asked.git.index() if asked else None
    files = OverlaidStore(lists or {}, ArtifactStore(around, index))
    store = TreeStore(tree.directory, tree, files, {entry.path: entry.as_written()} if wrong else {})
    begins = partial(_entries, description.name, tree.directory)
    applied = read_applied_tree(store, begins(store), cluster.flux.place)
    before = committed(asked, applied, begins, partial(cluster_then, description.name)) if asked else Committed()
    unread = around.unreadable if isinstance(around, DiskStore) else {}
    applied.findings += [finding for finding in wrong if entry.path not in unread]
    applied.findings += [
        *entry.around(applied),
        *entry.renamed(applied, before.before),
        *(unreadable(*one) for one in unread.items()),
        *(not_committed(applied, asked, index) if asked else ()),
    ]
    context = CheckContext(
        tree=applied,
        facts=SYSTEM_FACTS,
        platform=tree.platform,
        nodes=description.nodes,
        products={product: version for plan in plans.values() for product, version in plan.products.items()},
        recipients=cluster.secrets.recipients,
        ciphertexts={secret_path(description.name, need): need for need in needs},
        sops_secret=(FLUX_NAMESPACE, cluster.flux.sops_secret) if cluster.flux.sops_secret else None,
        networks={
            "nodeCidr": cluster.kubernetes.node_cidr,
            "podCidr": cluster.kubernetes.pod_cidr,
            "serviceCidr": cluster.kubernetes.service_cidr,
        },
        kept=kept(cluster.kubernetes),
        installs_k3s=cluster.kubernetes.binaries is not None,
        places={
            "flux": cluster.flux.source_of("version"),
            **{key: cluster.kubernetes.source_of(key) for key in _PLACES},
        },
        unmet=tree.order.unmet,
        blocked=tree.order.blocked,
        earlier=before.before,
        description={path: around.text(path) for path in files_of(description)},
    )
    return Past(context, before)


def files_of(description: Description) -> list[str]:
    """The paths of what the operator wrote, from the project's folder."""
    return [description.stack_file, *(f"nodes/{node.name}.yaml" for node in description.nodes)]


def _entries(cluster: str, directory: str, store: Store) -> list[str]:
    """The directories that the cluster's Flux starts from: its own, and the tree's if nothing there leads to it yet."""
    own = f"clusters/{cluster}"
    entries = [own] if store.is_folder(own) else []
    return entries if store.is_file(entry_path(cluster)) or not store.is_folder(directory) else [*entries, directory]
