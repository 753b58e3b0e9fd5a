"""The operator's own `flux` and `kustomize`, which make Flux's manifests; fluxstead makes none."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fluxstead.bootstrap.files import COMPONENTS, LISTING, SYNC, listing_in, objects_in
from fluxstead.catalog.flux_apis import version_of
from fluxstead.core.version import Version

_SECONDS = 180
"""`flux install --export` downloads the manifests of any version but its own."""


class NotMade(Exception):  # noqa: N818 -- said to people as it is
    """Flux's manifests cannot be had; the text says why and what to do."""


def exported(version: Version, components: Sequence[str]) -> str:
    """`gotk-components.yaml` as the operator's `flux` writes it. Raises NotMade.

    The program has to be of the same minor version: it builds the manifests with patches of its own, for those that it knows.
    """
    number = ".".join(map(str, version.numbers))
    get_it = f"curl -s https://fluxcd.io/install.sh | FLUX_VERSION={number} bash -s ~/.local/bin"
    program = shutil.which("flux")
    if program is None:
        raise NotMade(f"`flux` is needed, and is not on the PATH: {get_it}")
    said = _run([program, "--version"])
    found = re.search(r"(\d+\.\d+\.\d+)", said)
    own = Version(found[1]) if found else None
    if own is None or own.minor != version.minor:
        raise NotMade(f"`flux` is {own or 'of an unknown version'}, and Flux {number} is described: {get_it}")
    text = _run([program, "install", "--export", f"--version=v{number}", f"--components={','.join(components)}"])
    made = version_of(text)
    if made is None or made.numbers != version.numbers:
        raise NotMade(f"`flux install --export --version=v{number}` wrote the manifests of {made or 'no version'}")
    return text


def built(folder: Path) -> list[dict[str, Any]]:
    """The objects of Flux's folder as Flux itself builds them. Raises NotMade.

    Without patches that is what the files hold; with any, the operator's kustomize or kubectl is asked.
    """
    listing = listing_in(_text(folder / LISTING))
    if set(listing) <= {"apiVersion", "kind", "resources"} and sorted(listing.get("resources", ())) == [COMPONENTS, SYNC]:
        return [one for name in (COMPONENTS, SYNC) for one in objects_in(_text(folder / name))]
    for program, words in (("kustomize", ["build"]), ("kubectl", ["kustomize"])):
        path = shutil.which(program)
        if path:
            return objects_in(_run([path, *words, str(folder)]))
    raise NotMade(
        f"{folder / LISTING} has patches, and neither `kustomize` nor `kubectl` is on the PATH to make them:"
        " https://kubectl.docs.kubernetes.io/installation/kustomize/"
    )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise NotMade(f"{file} cannot be read ({problem}): ./run upgrade flux writes it") from None


def _run(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)  # noqa: S603 -- the operator's own
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise NotMade(f"`{' '.join(command[1:])}` of {command[0]} gave no answer: {problem}") from None
    if done.returncode:
        raise NotMade(f"{command[0]} {' '.join(command[1:])}: {' '.join(done.stderr.split()) or done.returncode}")
    return done.stdout
