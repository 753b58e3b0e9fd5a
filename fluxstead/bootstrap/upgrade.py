"""What `./run upgrade flux` writes: the described version's manifests, and only what is fluxstead's of files that others wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fluxstead.bootstrap.files import (
    COMPONENTS,
    LISTING,
    SYNC,
    Sync,
    components_in,
    listing_in,
    listing_text,
    sync_in,
    sync_text,
)
from fluxstead.catalog.flux_apis import GONE_SINCE, version_of
from fluxstead.core.git_names import without_login
from fluxstead.core.version import Version


@dataclass(frozen=True)
class FluxWanted:
    """What the description says of Flux. `said`: whether it names the controllers, or leaves them to the default."""

    version: Version
    components: Sequence[str]
    said: bool
    patches: Sequence[Mapping[str, Any]]
    sync: Sync


@dataclass
class FluxUpgrade:
    """What would be written, by the file's name, and what is said beside; nothing is written where something is refused."""

    writes: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def plan_upgrade(folder: Path, wanted: FluxWanted, export: Callable[[], str]) -> FluxUpgrade:
    """Compare the folder with the description. `export` gives the manifests, and is asked only where nothing is refused."""
    found, plan = {name: _text(folder / name) for name in (COMPONENTS, SYNC, LISTING)}, FluxUpgrade()
    plan.refused += _against(found[COMPONENTS] or "", wanted)
    _plan_listing(plan, found[LISTING], wanted)
    _plan_sync(plan, found[SYNC], wanted)
    if plan.refused:
        return plan
    made = export()
    if made != found[COMPONENTS]:
        plan.writes[COMPONENTS] = made
        plan.notes += _gone(version_of(found[COMPONENTS] or ""), wanted.version)
    return plan


def _text(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _against(there: str, wanted: FluxWanted) -> Iterator[str]:
    before = version_of(there)
    if there.strip() and before is None:
        yield f"{COMPONENTS} says no version of Flux: it is not what `flux` writes, and is left as it is"
    elif before and before.numbers > wanted.version.numbers:
        yield (
            f"{COMPONENTS} installs Flux {before}, and {wanted.version} is described: a downgrade takes fields and versions from"
            f" definitions that objects in the cluster use. Describe {before}"
        )
    dropped = sorted(components_in(there) - set(wanted.components))
    if dropped and not wanted.said:
        yield (
            f"{COMPONENTS} has {', '.join(dropped)}, which the description does not name, and Flux would delete:"
            f" flux: {{components: [{', '.join([*wanted.components, *dropped])}]}}, or without, to have it deleted"
        )


def _plan_listing(plan: FluxUpgrade, there: str | None, wanted: FluxWanted) -> None:
    text = listing_text(wanted.patches)
    listing = listing_in(there or "")
    if there == text or (there is not None and listing == listing_in(text)):
        return
    own = there is None or not listing or there.startswith(text.partition("\n")[0])
    bootstrapped = listing.keys() <= {"apiVersion", "kind", "resources"} and sorted(listing.get("resources", ())) == [
        COMPONENTS,
        SYNC,
    ]
    if own or bootstrapped:
        plan.writes[LISTING] = text
        return
    patches = listing.get("patches", [])
    lacking = [one for one in wanted.patches if one not in (patches if isinstance(patches, list) else [])]
    if lacking:
        plan.refused.append(f"{LISTING} was written by people, and lacks {len(lacking)} of the described patches: add them there")
    else:
        plan.notes.append(f"{LISTING} was written by people, and is left as it is")


def _plan_sync(plan: FluxUpgrade, there: str | None, wanted: FluxWanted) -> None:
    if there is None or not there.strip():
        plan.writes[SYNC] = sync_text(wanted.sync)
        return
    said = sync_in(there)
    if said is None:
        plan.notes.append(f"{SYNC} is not what `flux bootstrap` writes, and is left as it is")
        return
    for key, is_there, described in zip(Sync._fields, said, wanted.sync, strict=True):
        if is_there != described:
            one, other = (without_login(str(value)) if value else "none" for value in (is_there, described))
            plan.notes.append(f"{SYNC} is left as it is: its {key} is {one}, and the description's is {other}")


def _gone(before: Version | None, after: Version) -> Iterator[str]:
    gone = [api for api, since in GONE_SINCE.items() if before and before.minor < since <= after.minor]
    if gone:
        yield (
            f"Flux {after} no longer serves {', '.join(gone)}. Before you push: `flux migrate` converts what the cluster stores,"
            " and `./run check` names what in Git still uses them (F6)"
        )
