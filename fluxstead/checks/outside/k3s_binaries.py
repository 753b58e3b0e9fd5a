"""The digests of k3s's binaries as they are described, against those that are published. Only on request, and never written."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.checks.outside.evidence import Outside
from fluxstead.checks.rule import Remark, Rule, not_checked
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding

OTHER_DIGEST = refuses(
    "online/k3s-digest", "F4", "k3s v1.33.1+k3s1 for amd64 is published with another SHA-256", "repositories and registries"
)


def findings(outside: Outside) -> Iterator[Finding | Remark]:
    """Digests that no machine would find."""
    k3s = outside.k3s
    if k3s is None:
        return
    if not outside.session.online:
        yield not_checked("whether k3s's digests are the published ones: ./run check --online asks its release")
        return
    from fluxstead.checks.outside.k3s_release import NoDigest, digest_of  # noqa: PLC0415 -- HTTP takes longer to load than a tree

    for architecture, (digest, place) in k3s.digests.items():
        try:
            published = digest_of(architecture, k3s.version, k3s.origin, outside.root)
        except NoDigest as problem:
            if not problem.answered:
                yield not_checked(f"whether the digest of k3s for {architecture} is the published one: {problem}")
                continue
            yield OTHER_DIGEST(
                place,
                what=f"k3s {k3s.version} for {architecture} is not published there: {problem}",
                why="no machine can fetch it",
                fix="a version that exists, or another binariesFrom",
            )
            continue
        if published != digest:
            yield OTHER_DIGEST(
                place,
                what=f"k3s {k3s.version} for {architecture} is published with another SHA-256, {published}",
                why="every machine refuses what it gets, and none joins; or somebody changed the release",
                fix="`./run upgrade kubernetes --lock`, and a look at why it was another",
            )


RULES = (Rule(findings, (OTHER_DIGEST,)),)
