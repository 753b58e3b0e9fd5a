"""Engine images: where they are missing, and volumes that still run on the one of a former Longhorn (failure F9).

Sources: longhorn/longhorn-manager k8s/pkg/apis/longhorn/v1beta2/engineimage.go; controller/engine_image_controller.go: `state`, on
which machines an image has to be, and which volumes change to the default one by themselves; types/setting.go: the setting
concurrent-automatic-engine-upgrade-per-node-limit, which is 0 by default; upgrade/util/util.go: what an upgrade refuses.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from fluxstead.core.shape import mapping, named
from fluxstead.live.conditions import UNSAID, conditions_of
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.resources import Resource
from fluxstead.live.rule import LiveRule
from fluxstead.live.rules.machines import subject_of
from fluxstead.live.trouble import LiveTrouble, Subject, pods_in
from fluxstead.systems.longhorn.live.kinds import SETTING, changed_at, number_of, shown, value_of, whole
from fluxstead.systems.longhorn.live.node import manager_of
from fluxstead.systems.longhorn.live.since import lasts
from fluxstead.systems.longhorn.live.volume import VOLUME, LiveVolume
from fluxstead.systems.longhorn.names import API

_DEFAULT = "default-engine-image"
_LIMIT = "concurrent-automatic-engine-upgrade-per-node-limit"


class LiveImage(NamedTuple):
    """An engine image. `users`: how many volumes and engines have it. `lacking`: the machines where it is not."""

    namespace: str
    image: str
    deployed: bool
    incompatible: bool
    users: int
    says: str
    since: str
    lacking: tuple[str, ...]


def _image(obj: Mapping[str, Any]) -> LiveImage:
    status = mapping(obj, "status")
    state = status.get("state")
    return LiveImage(
        named(obj).namespace,
        str(mapping(obj, "spec").get("image", "")),
        state == "deployed",
        # 1.5 says it by the state.
        status.get("incompatible") is True or state == "incompatible",
        whole(status.get("refCount")),
        conditions_of(status).get("ready", UNSAID).says,
        changed_at(status, "ready"),
        tuple(str(name) for name, there in mapping(status, "nodeDeploymentMap").items() if there is not True),
    )


IMAGE = Kind(Resource(API, "engineimages"), _image)


def image_subject(image: str) -> Subject:
    """An engine image, as it is named everywhere."""
    return Subject("engine image", image)


def images(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Images that are used, or are to be, and are not everywhere, or no longer understood."""
    del expected
    default = value_of(facts, _DEFAULT)
    for one in facts.of(IMAGE):
        if one.image != default and not one.users:
            continue
        if one.incompatible:
            yield _incompatible(one)
        elif not one.deployed:
            yield _not_everywhere(one, facts)


def _incompatible(one: LiveImage) -> LiveTrouble:
    listed = "volumes.longhorn.io -o custom-columns=NAME:.metadata.name,IMAGE:.status.currentImage"
    return LiveTrouble(
        image_subject(one.image),
        f"is not understood by the Longhorn that runs, and {one.users} engines have it",
        "their volumes are not attached before they have another engine (F9)",
        f"kubectl -n {one.namespace} get {listed}; stop what uses them, and upgrade their engines in Longhorn's UI",
    )


def _not_everywhere(one: LiveImage, facts: ClusterFacts) -> LiveTrouble:
    where = shown(one.lacking)
    above = (subject for name in one.lacking for subject in (subject_of(name), manager_of(name)))
    return LiveTrouble(
        image_subject(one.image),
        f"is not on every machine: {one.says or where or 'nothing says why'}",
        "volumes are not attached where it is missing, and no copy is placed there",
        f"kubectl -n {one.namespace} get pods -l longhorn.io/component=engine-image -o wide",
        waits_for=(*above, pods_in(one.namespace)),
        gravity="error" if lasts(facts, one.since) else "warning",
    )


def engines(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """The volumes of each former image, once; engines of the second kind are no images of their own."""
    del expected
    default = value_of(facts, _DEFAULT)
    former: dict[str, list[LiveVolume]] = defaultdict(list)
    for one in facts.of(VOLUME):
        if default and one.image not in {"", default} and one.data_engine == "v1":
            former[one.image].append(one)
    for image, volumes in sorted(former.items()):
        yield _former(image, volumes, default, number_of(facts, _LIMIT, 0))


def _former(image: str, volumes: Sequence[LiveVolume], default: str, limit: int) -> LiveTrouble:
    wait = "nothing, while they change one after another; what is not healthy, or strict-local, changes once it is detached"
    never = "longhorn.values.defaultSettings.concurrentAutomaticEngineUpgradePerNodeLimit: 3; it is 0, and they never change"
    return LiveTrouble(
        image_subject(image),
        f"still runs {len(volumes)} volumes ({shown(one.name for one in volumes)}); {default} is the one of this Longhorn",
        "an upgrade of Longhorn changes no engine that runs, and a later one is refused for engines that are too old (F9)",
        wait if limit else never,
        waits_for=(image_subject(image), image_subject(default)),
        gravity="warning",
    )


RULES = (LiveRule(images, (IMAGE, SETTING)), LiveRule(engines, (VOLUME, SETTING)))
