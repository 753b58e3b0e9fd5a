"""Pass two: what the program does with Pulumi's engine. Imported only when the engine runs the program."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pulumi

from components.cluster import register_k3s, register_logins
from components.flux import flux_objects, register_flux
from components.layer import register_layers
from components.node import register_nodes
from components.system import register_systems
from fluxstead.assembly import Assembled
from fluxstead.bootstrap.files import flux_folder
from fluxstead.core.findings import Finding, errors, report
from fluxstead.hosts.joining import servers_of
from fluxstead.secrets.state import digests, lacking
from fluxstead.tree.delivery import Desired, deliver, look


def project() -> tuple[Path, str]:
    """The folder of Pulumi.yaml, which `main: ../..` makes different from the program's, and the stack.

    Pulumi tells the folder since 2025 (pulumi/pulumi#18595); for older language hosts there is FLUXSTEAD_PROJECT.
    """
    folder = pulumi.get_root_directory() or os.environ.get("FLUXSTEAD_PROJECT") or Path.cwd()
    return Path(folder), pulumi.get_stack()


def stop(findings: Sequence[Finding]) -> NoReturn:
    """End the program with these findings; Pulumi prints a RunError without a traceback."""
    raise pulumi.RunError("nothing was dialled and nothing was written\n" + report(findings))


def carry_out(root: Path, assembled: Assembled) -> None:
    """Stop on an error; otherwise register the hosts and every system with its layers, then, in `up` only, write the tree."""
    delivery = look(_desired(root, assembled))
    findings = [*assembled.findings, *delivery.findings]
    if errors(findings):
        stop(findings)
    _need_what_a_cluster_begins_with(root, assembled)
    if findings:
        pulumi.log.warn(report(findings))
    quiet_interrupt()
    nodes = register_nodes(assembled, root)
    register_logins(assembled, root, nodes)
    installed = register_k3s(assembled, root, nodes)
    hosts = [*nodes.values(), *(installed.after if installed else ())]
    systems = register_systems(assembled.plans)
    parents = {layer.name: systems[name] for name, plan in assembled.plans.items() for layer in plan.layers}
    register_layers(assembled.tree, parents, hosts, digests(assembled.secrets))
    disks = {name: node.filesystem_uuids for name, node in nodes.items()}
    # Joined first: Longhorn deletes the Node object of a machine that is not in the cluster (F18).
    ready = pulumi.Output.all(*disks.values(), *([one.running for one in installed.machines.values()] if installed else []))
    if pulumi.runtime.is_dry_run():
        pulumi.log.info("\n".join(["`up` would", *delivery.summary()] if delivery.changes else ["the tree is up to date"]))
    else:
        ready = ready.apply(partial(_write, root, assembled))
    if installed:
        # After the tree, of which Flux's guard asks whether Git has it.
        register_flux(assembled, root, pulumi.Output.all(installed.kubeconfig, ready).apply(lambda both: both[0]), hosts)
    pulumi.export("tree", assembled.tree.directory)
    pulumi.export("addresses", {name: system.addresses for name, system in systems.items() if system.addresses})
    pulumi.export("disks", disks)


def _need_what_a_cluster_begins_with(root: Path, assembled: Assembled) -> None:
    """Where k3s is installed, all that is brought in after it has to be here: nobody wants half a cluster."""
    if not assembled.k3s or not servers_of(assembled.description.nodes):
        return
    lacks, folder = lacking(assembled.secrets), flux_folder(assembled.description.name)
    if not assembled.description.cluster.flux.repository:
        lacks.append("what Flux follows: flux: {repository: ssh://git@…}, and then ./run upgrade flux")
    if not (root / folder).is_dir():
        lacks.append(f"Flux's own manifests, {folder}: ./run upgrade flux")
    if lacks:
        raise pulumi.RunError("\n".join(["nothing was dialled: a cluster is not begun without", *(f"  {one}" for one in lacks)]))
    flux_objects(root / folder)


def _desired(root: Path, assembled: Assembled) -> Desired:
    return assembled.desired(root, overwrite=bool(os.environ.get("FLUXSTEAD_OVERWRITE")), say=pulumi.log.info)


def _write(root: Path, assembled: Assembled, answers: list[Any]) -> list[Any]:
    """Write what the disk lacks by now: preparing the hosts, which answered, may have taken an hour since we looked."""
    delivery = deliver(_desired(root, assembled))
    if errors(delivery.findings):
        raise pulumi.RunError("the tree was not written\n" + report(delivery.findings))
    written = ["wrote the tree:", *delivery.summary(), "next, as Flux applies what is pushed: git add --all; git commit; git push"]
    pulumi.log.info("\n".join(written if delivery.changes else ["the tree is up to date"]))
    return answers


def quiet_interrupt() -> None:
    """End without a traceback when the operator interrupts, or the engine because a host failed; it says which and why.

    A tree that was being written is completed by the next run.
    """
    signal.signal(signal.SIGINT, lambda *_: os._exit(1))
