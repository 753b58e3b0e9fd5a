"""The rules for what both an application and its environments may say: variables, resources, peers."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.core.secrecy import is_password, may_be_secret, named_in
from fluxstead.core.secret_forms import is_random, sightings
from fluxstead.systems.applications.settings import EPHEMERAL, Application, Environment

NAMED_SECRET = warns(
    "applications/named-secret",
    "F22",
    "the variable API_TOKEN sounds like a secret, and its value is here in plain text",
    "the description",
)
UNKNOWN_PEER = refuses("applications/peer", "U7", "a peer has to be either cidr or namespace", "the description")
PLAIN_SECRET = refuses(
    "applications/plain-secret",
    "F22",
    "the variable API_TOKEN looks like a secret, and its value is here in plain text",
    "the description",
)
REQUEST_ABOVE_LIMIT = refuses(
    "applications/request-above-limit", "U7", "512Mi of memory requested, above the limit of 256Mi", "the description"
)
CHECKS = (NAMED_SECRET, UNKNOWN_PEER, PLAIN_SECRET, REQUEST_ABOVE_LIMIT)


def findings_of(owner: Application | Environment) -> Iterator[Finding]:
    """What is wrong with what `owner` itself says."""
    yield from _variables(owner)
    yield from _files(owner)
    yield from _resources(owner)
    yield from _peers(owner)


def _variables(owner: Application | Environment) -> Iterator[Finding]:
    """By their names, and how values look beside them; what a value shows by itself is found in the file (secrets/in-text)."""
    why = "anyone who can read the repository, now or later, has it (F22)"
    for name, value in owner.env.items():
        source, fix = owner.source_of("env", name), f"a SOPS-encrypted Secret with the key {name}, and secrets: [its name]"
        if not may_be_secret(name, value) or any(sightings(value)):
            continue
        if is_random(value) or is_password(name, value):
            what = f"the variable {name} looks like a secret, and its value is here in plain text"
            yield PLAIN_SECRET(source, what=what, why=why, fix=fix)
        else:
            what = f"the variable {name} sounds like a secret, and its value is here in plain text ({len(value)} characters)"
            yield NAMED_SECRET(source, what=what, why=why, fix=fix)


def _files(owner: Application | Environment) -> Iterator[Finding]:
    """By the names of settings in config files."""
    for path, text in owner.files.items():
        found = list(named_in(text))
        if found:
            more = f", and {len(found) - 1} more" if len(found) > 1 else ""
            yield NAMED_SECRET(
                owner.source_of("files", path),
                what=f"the setting {found[0][1]} in {path} sounds like a secret, and its value is here in plain text{more}",
                why="anyone who can read the repository, now or later, has it (F22)",
                fix="a SOPS-encrypted Secret with a variable that the application reads in its place, and secrets: [its name]",
            )


def _resources(owner: Application | Environment) -> Iterator[Finding]:
    resources = owner.resources
    if resources is None:
        return
    bounds = resources.most
    for name, request in resources.asked.items():
        limit = bounds.get(name)
        if limit is not None and request.amount > limit.amount:
            yield REQUEST_ABOVE_LIMIT(
                resources.source_of("requests", "ephemeralStorage" if name == EPHEMERAL else name),
                what=f"{request} of {name} requested, above the limit of {limit}",
                why="the API server refuses every pod",
                fix=f"a request of {limit} or less, or a higher limit",
            )


def _peers(owner: Application | Environment) -> Iterator[Finding]:
    for peer in (*owner.allow.egress, *owner.allow.ingress):
        if (peer.cidr is None) == (peer.namespace is None):
            yield UNKNOWN_PEER(
                peer.source,
                what="a peer has to be either cidr or namespace",
                why="no rule can be both, and one that is neither would let everyone through",
                fix="cidr: 0.0.0.0/0 if everyone is meant" if peer.cidr is None else "two entries",
            )
