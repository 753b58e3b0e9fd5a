"""`./run upgrade kubernetes --lock`: the SHA-256 of k3s's binaries, from their release into the description, to be reviewed."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from fluxstead.cli.project import add_stack_arguments, choose_stack, print_findings, tell
from fluxstead.description.kubernetes import KubernetesSettings
from fluxstead.description.load import Description
from fluxstead.embedded import run_program

_WHERE_NONE_SAYS = ("amd64", "arm64")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_stack_arguments(parser)
    parser.add_argument(
        "--lock", action="store_true", help="write the digests of the described version's binaries into the description"
    )


def run(options: argparse.Namespace) -> int:
    """Do it, and give the exit status: 1 where a digest could not be had, and nothing was written."""
    if not options.lock:
        tell("there is no procedure yet that upgrades a running k3s; ./run upgrade kubernetes --lock only writes its digests")
        return 2
    root, stack = choose_stack(options)
    read = run_program(root, stack)
    if read.assembled is None:
        print_findings(read.findings, "text")
        return 1
    description = read.assembled.description
    kubernetes = description.cluster.kubernetes
    found = _found(kubernetes, architectures_of(description), root)
    if found is None:
        tell("nothing was written")
        return 1
    if found == _described(kubernetes):
        print(f"the digests of k3s {kubernetes.version} are as described")
        return 0
    return _write(root, description.stack_file, kubernetes, found)


def architectures_of(description: Description) -> tuple[str, ...]:
    """Those of the machines, and those whose digest is described."""
    said: set[str] = {node.architecture for node in description.nodes if node.architecture}
    return tuple(sorted((said or set(_WHERE_NONE_SAYS)) | _described(description.cluster.kubernetes).keys()))


def _described(kubernetes: KubernetesSettings) -> dict[str, str]:
    return kubernetes.binaries.digests() if kubernetes.binaries else {}


def _found(kubernetes: KubernetesSettings, architectures: tuple[str, ...], root: Path) -> dict[str, str] | None:
    """The digest of each, or none of them: every reason is said."""
    from fluxstead.checks.outside.k3s_release import NoDigest, digest_of  # noqa: PLC0415 -- HTTP, which nothing else here takes

    found: dict[str, str] = {}
    for architecture in architectures:
        try:
            found[architecture] = digest_of(architecture, str(kubernetes.version), kubernetes.binaries_from, root)
        except NoDigest as problem:
            tell(f"k3s {kubernetes.version} for {architecture}: {problem}")
    return found if len(found) == len(architectures) else None


def _write(root: Path, stack_file: str, kubernetes: KubernetesSettings, found: Mapping[str, str]) -> int:
    from fluxstead.cli.writing import change_files  # noqa: PLC0415 -- only who writes
    from fluxstead.description.edit import with_values  # noqa: PLC0415
    from fluxstead.secrets.files import NotRead, text_of  # noqa: PLC0415

    def texts() -> dict[str, str]:
        return {stack_file: with_values(text_of(root, stack_file) or "", "kubernetes", {"binaries": found})}

    try:
        if not change_files(root, texts):
            return 1
    except NotRead as trouble:
        tell(f"{stack_file} is left as it is: {trouble}")
        return 1
    print(f"k3s {kubernetes.version}, from {kubernetes.binaries_from or 'its release on GitHub'}, in {stack_file}:")
    before = _described(kubernetes)
    for architecture, digest in found.items():
        print(f"  {architecture}: {_change(before.get(architecture), digest)}")
    tell("next: review the change (git diff), and commit it; from then on `pulumi up` installs k3s where there is none")
    return 0


def _change(before: str | None, now: str) -> str:
    if before == now:
        return f"{now} (as before)"
    return f"{before} -> {now}" if before else f"{now} (new)"
