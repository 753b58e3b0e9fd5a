"""Which Longhorn runs, against the described one: a release may be ready and its programs the former ones (failure F9).

Sources: longhorn/longhorn-manager upgrade/util/util.go: the setting current-longhorn-version, written once a manager runs.
longhorn/longhorn: chart/templates/daemonset-sa.yaml. Kubernetes: staging/src/k8s.io/api/apps/v1/types.go, DaemonSetStatus.
"""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.catalog.defects import Defect, defects_of
from fluxstead.core.version import Version
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts
from fluxstead.live.rule import LiveRule
from fluxstead.live.rules.missing_pods import DAEMON_SET
from fluxstead.live.trouble import LiveTrouble, Subject, layer_subject, pods_in
from fluxstead.systems.longhorn.live.kinds import PRODUCT, SETTING, value_of
from fluxstead.systems.longhorn.live.node import NODE, below

_CURRENT = "current-longhorn-version"
_MANAGERS = "longhorn-manager"


def version(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """The release that runs, and what is known to be wrong with it that `check` does not say of the described one."""
    described = expected.products.get(PRODUCT)
    for one in facts.of(SETTING):
        running = Version.read(one.value) if one.name == _CURRENT else None
        if not described or not running or running.numbers == described.numbers:
            continue
        defects = [defect for defect in defects_of(PRODUCT, running) if defect not in defects_of(PRODUCT, described)]
        yield LiveTrouble(
            _runs(str(running)),
            f"runs, and {described} is described{''.join(map(_known, defects))}",
            "an upgrade did not arrive, or nobody described it",
            f"flux get helmreleases -n {one.namespace}; the release that runs in longhorn.version, if it is the right one",
            waits_for=(layer_subject(PRODUCT), Subject("release", f"{one.namespace}/{PRODUCT}")),
            gravity="warning",
        )


def _known(defect: Defect) -> str:
    return f"; it has a known defect: {defect.what} ({defect.source})"


def _runs(running: str) -> Subject:
    return Subject("Longhorn", running)


def managers(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Managers of another release than the described one, and those that stayed on the former."""
    described = expected.products.get(PRODUCT)
    for one in (daemons for daemons in facts.of(DAEMON_SET) if daemons.name == _MANAGERS):
        image, (late, wanted) = dict(one.images).get(_MANAGERS, ""), one.behind
        subject, tag = Subject("managers in", one.namespace), Version.read(_tag(image))
        above = (_runs(value_of(facts, _CURRENT)), layer_subject(PRODUCT), Subject("release", f"{one.namespace}/{PRODUCT}"))
        if described and tag and tag.numbers != described.numbers:
            yield LiveTrouble(
                subject,
                f"run {image}, and {described} is described",
                "what is checked is checked for another release than the one that runs (F9)",
                f"image.longhorn.manager.tag in longhorn.values, if it is there; flux get helmreleases -n {one.namespace}",
                waits_for=above,
                gravity="warning",
            )
        elif late:
            yield LiveTrouble(
                subject,
                f"are of the former release on {late} of {wanted} machines",
                "an upgrade is under way, or stands still (F9)",
                f"kubectl -n {one.namespace} rollout status daemonset {_MANAGERS}",
                waits_for=(*above, *below(facts), pods_in(one.namespace)),
                gravity="warning",
            )


def _tag(image: str) -> str:
    """Of an image that may be named by its digest as well."""
    return image.partition("@")[0].rpartition(":")[2]


RULES = (LiveRule(version, (SETTING,)), LiveRule(managers, (DAEMON_SET, SETTING, NODE)))
