"""`./run upgrade flux`: the manifests from which Flux installs itself, by the operator's own `flux`."""

from __future__ import annotations

import argparse
import sys

from fluxstead.bootstrap.files import flux_folder, sync_of
from fluxstead.bootstrap.tools import NotMade, exported
from fluxstead.bootstrap.upgrade import FluxWanted, plan_upgrade
from fluxstead.cli.project import add_stack_arguments, choose_stack, print_findings, tell
from fluxstead.cli.writing import change_files
from fluxstead.description.cluster import FluxSettings
from fluxstead.description.load import load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_stack_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Write what is missing or older, and give the exit status."""
    root, stack = choose_stack(options)
    loaded = load(root, stack)
    if loaded.description is None:
        print_findings(loaded.findings, "text")
        return 1
    flux = loaded.description.cluster.flux
    if flux.repository is None:
        tell(f"{flux.source}: Flux needs to know what to follow: flux: {{repository: ssh://git@…}}")
        return 1
    wanted = _wanted(flux, stack)
    folder = root / flux_folder(stack)
    try:
        plan = plan_upgrade(folder, wanted, lambda: exported(wanted.version, wanted.components))
    except (NotMade, OSError, UnicodeDecodeError) as problem:
        tell(str(problem))
        return 1
    for line in (*plan.refused, *plan.notes):
        tell(line)
    if plan.refused:
        tell("nothing was written")
        return 1
    if plan.writes and not change_files(root, lambda: {f"{flux_folder(stack)}/{name}": text for name, text in plan.writes.items()}):
        return 1
    for name in plan.writes:
        print(f"wrote {flux_folder(stack)}/{name}")
    if plan.writes:
        print(f"look at it, then: git add {flux_folder(stack)} && git commit && git push", file=sys.stderr)
    else:
        print(f"Flux {wanted.version} is what {flux_folder(stack)} installs")
    return 0


def _wanted(flux: FluxSettings, cluster: str) -> FluxWanted:
    return FluxWanted(
        version=flux.version,
        components=flux.components,
        said="components" in flux.model_fields_set,
        patches=[one.as_kustomize() for one in flux.patches],
        sync=sync_of(cluster, flux.place, flux.repository or "", flux.branch, flux.login),
    )
