"""Pass two: what the program does with Pulumi's engine. Imported only when the engine runs the program."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import pulumi

from components.system import SystemArgs, Wiring
from fluxstead.assembly import Assembled
from fluxstead.core.findings import Finding, errors, report
from fluxstead.tree.entry import missing_entry, write_entry
from fluxstead.tree.layer import Plan
from fluxstead.tree.owned import Difference, compare, write


def project() -> tuple[Path, str]:
    """The folder of Pulumi.yaml, which `main: ../..` makes another one than the program's, and the stack.

    Pulumi says the folder since 2025 (pulumi/pulumi#18595); an older language host is helped by FLUXSTEAD_PROJECT.
    """
    folder = pulumi.get_root_directory() or os.environ.get("FLUXSTEAD_PROJECT") or Path.cwd()
    return Path(folder), pulumi.get_stack()


def stop(findings: Sequence[Finding]) -> NoReturn:
    """End the program with these findings; Pulumi prints a RunError without a traceback."""
    raise pulumi.RunError("nothing was dialled and nothing was written\n" + report(findings))


def carry_out(root: Path, assembled: Assembled, plans: Sequence[tuple[str, Plan]]) -> None:
    """Stop on an error; else register every system with its layers, and then, in `up` only, write the tree."""
    difference = compare(root, assembled.tree.directory, assembled.files)
    edited = [] if os.environ.get("FLUXSTEAD_OVERWRITE") else difference.findings
    findings = [*assembled.findings, *edited]
    if errors(findings):
        stop(findings)
    if findings:
        pulumi.log.warn(report(findings))
    wiring = Wiring(assembled.tree)
    for system, plan in plans:
        module = import_module(f"components.{system}")
        getattr(module, class_name(system))(system, SystemArgs(plan, wiring))
    _write(root, assembled, difference)


def class_name(system: str) -> str:
    """The component of a system: `node_labels` has `NodeLabels` in `components/node_labels.py`."""
    return "".join(word.capitalize() for word in system.split("_"))


def _write(root: Path, assembled: Assembled, difference: Difference) -> None:
    directory, name = assembled.tree.directory, assembled.description.name
    changes = [f"{change.verb} {directory}/{change.path}" for change in difference.changes]
    if pulumi.runtime.is_dry_run():
        pulumi.log.info("\n".join(["`up` would", *changes]) if changes else f"{directory} is up to date")
    else:
        write(root, directory, difference)
        if missing_entry(root, name):
            write_entry(root, name, directory)
        pulumi.log.info("\n".join(["wrote the tree:", *changes]) if changes else f"{directory} is up to date")
    pulumi.export("tree", directory)
