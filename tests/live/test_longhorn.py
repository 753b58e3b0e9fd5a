"""What the doctor says of Longhorn, case by case: what passes is no error, and nothing is advised that loses data."""

from __future__ import annotations

from typing import Any

import pytest

from fluxstead.assembly import Assembled
from fluxstead.catalog.defects import defects_of
from fluxstead.core.version import Version
from fluxstead.live.trouble import LiveTrouble
from fluxstead.systems.longhorn.live import programs
from fluxstead.systems.longhorn.live.schedules import days_between
from tests.live.around import thing
from tests.live.spoilt import changed, gone, more, together
from tests.live.spoilt_longhorn import OF_LONGHORN, lasting, left_over, undescribed
from tests.live.world import LONGHORN, World, attachment, backup, condition, engine, image_of, roots_of, volume

pytestmark = pytest.mark.reference
_JUST_NOW = "2026-11-27T23:59:00Z"
_OLD = image_of("engine", "v1.8.2")


def only(assembled: Assembled, *spoil: Any) -> LiveTrouble:
    """The one thing that is wrong."""
    [root] = roots_of(assembled, *spoil)
    return root.trouble


@pytest.mark.parametrize(
    ("limit", "words"),
    [("0", "concurrentAutomaticEngineUpgradePerNodeLimit: 3"), ("3", "nothing, while they change"), ("odd", "Limit: 3")],
)
def test_engines_that_never_change_are_told_with_what_to_write(assembled: Assembled, limit: str, words: str) -> None:
    """F9: an upgrade leaves them as they are, unless a setting says how many may change at once."""
    name = "concurrent-automatic-engine-upgrade-per-node-limit"
    told = only(
        assembled,
        changed("settings", name, "value", to=limit),
        *(more("volumes", volume(f"pvc-{number}", "healthy", currentImage=_OLD)) for number in range(10, 17)),
    )
    assert words in told.do
    assert "7 volumes (pvc-10, pvc-11, pvc-12, pvc-13, pvc-14 and 2 more)" in told.says


def test_engines_of_the_second_kind_have_another_image_and_are_well(assembled: Assembled) -> None:
    """Theirs is the instance manager's."""
    other = volume("pvc-9", "healthy", currentImage=image_of("instance-manager"))
    other["spec"]["dataEngine"] = "v2"
    assert roots_of(assembled, more("volumes", other)) == []


def test_an_upgrade_that_ended_well_leaves_an_image_that_nobody_uses(assembled: Assembled) -> None:
    """Longhorn deletes it after an hour."""
    unused = {"state": "deploying", "incompatible": True, "refCount": 0}
    assert roots_of(assembled, more("engineimages", thing("ei-0", LONGHORN, spec={"image": _OLD}, status=unused))) == []


def test_a_hotfix_of_the_described_release_is_the_described_release(assembled: Assembled) -> None:
    """Longhorn's managers had one for 1.9.0; an image may also be named by its digest."""
    for image in (image_of("manager", "v1.9.2-hotfix-1"), f"{image_of('manager')}@sha256:0a", "registry.example:5000/manager"):
        spec = {"template": {"spec": {"containers": [{"name": "longhorn-manager", "image": image}]}}}
        assert roots_of(assembled, changed("daemonsets", "longhorn-manager", "spec", to=spec)) == []


def test_a_defect_of_the_described_release_is_told_by_check_alone(assembled: Assembled, monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs has it as well, and nothing would be cured by what is described."""
    [known] = defects_of("longhorn", Version("1.9.1"))
    monkeypatch.setattr(programs, "defects_of", lambda *_: [known])
    told = only(assembled, changed("settings", "current-longhorn-version", "value", to="v1.9.1"))
    assert "defect" not in told.says


@pytest.mark.parametrize(
    "young",
    [
        together(
            changed("engineimages", "ei-1", "status", "state", to="deploying"),
            changed("engineimages", "ei-1", "status", "conditions", to=[lasting("ready", "False", "1 of 2", since=_JUST_NOW)]),
        ),
        together(
            changed("backuptargets", "default", "status", "available", to=False),
            changed("backuptargets", "default", "status", "conditions", to=[lasting("Unavailable", "True", "no", since=_JUST_NOW)]),
        ),
        more(
            "volumes",
            volume("pvc-9", "unknown", "detached", conditions=[lasting("Scheduled", "False", "no disk", since=_JUST_NOW)]),
        ),
    ],
)
def test_what_has_just_begun_is_no_error(assembled: Assembled, young: Any) -> None:
    assert only(assembled, young).gravity == "warning"


def test_attaching_for_a_minute_is_not_told(assembled: Assembled) -> None:
    """And a ticket that says no moment may be a minute old."""
    for since in (_JUST_NOW, "", "odd"):
        asked = attachment("pvc-9", csi=False)
        asked["status"]["attachmentTicketStatuses"]["csi"]["conditions"] = [lasting("Satisfied", "False", "", since=since)]
        assert roots_of(assembled, more("volumeattachments of Longhorn", asked)) == []


@pytest.mark.parametrize(
    ("kind", "ticket", "words"),
    [
        ("longhorn-api", "longhorn-ui", "remove that ticket: kubectl -n longhorn-system edit volumeattachments.longhorn.io pvc-9"),
        ("backup-controller", "backup-controller-b-7", "delete backups.longhorn.io b-7"),
        ("csi-attacher", "csi-2", "the pod on k3s2 that still uses it has to end"),
    ],
)
def test_who_holds_a_volume_decides_what_to_do(assembled: Assembled, kind: str, ticket: str, words: str) -> None:
    """Longhorn issues 8339 and 10090: a ticket of the UI may go, one of a backup never."""
    asked = attachment("pvc-9", csi=False)
    asked["spec"]["attachmentTickets"][ticket] = {"type": kind, "nodeID": "k3s2"}
    asked["status"]["attachmentTicketStatuses"][ticket] = {"satisfied": True}
    told = only(assembled, more("volumeattachments of Longhorn", asked))
    assert f"k3s2 holds it, by the ticket {ticket}" in told.says
    assert words in told.do
    assert ("edit" in told.do) == (kind == "longhorn-api")


def test_what_is_to_be_read_only_is(assembled: Assembled) -> None:
    """Its PersistentVolume says so."""
    read_only = more("engines", engine("pvc-9", condition("FilesystemReadOnly")))
    meant = more("persistentvolumes", thing("pvc-9", spec={"mountOptions": ["ro"]}))
    assert roots_of(assembled, read_only, meant, more("volumes", volume("pvc-9", "healthy"))) == []


def test_a_claim_that_is_history_is_not_named(assembled: Assembled) -> None:
    """Another may have its name by now."""
    found = volume("pvc-9", "faulted", claim="uploads")
    found["status"]["kubernetesStatus"]["lastPVCRefAt"] = "2026-11-01T00:00:00Z"
    assert "uploads" not in only(assembled, more("volumes", found)).says


def test_a_machine_that_nobody_described_holds_copies(assembled: Assembled) -> None:
    """F18: what the machine's own trouble says to type would take them away."""
    said = {str(one.trouble.subject): one.trouble for one in roots_of(assembled, undescribed(2))}
    assert "holds 2 copies of volumes" in said["node of Longhorn guest"].says
    assert "state: leaving" in said["node of Longhorn guest"].do
    assert [str(one.trouble.subject) for one in roots_of(assembled, undescribed(0))] == ["machine guest"]


def test_a_machine_that_is_down_is_no_machine_that_is_gone(assembled: Assembled) -> None:
    """It is described as live: nobody is told to delete its Node."""
    told = only(assembled, gone("nodes of Kubernetes", "k3s1"))
    assert str(told.subject) == "machine k3s1"


def test_what_a_machine_leaves_behind_goes_when_its_volumes_are_healthy(assembled: Assembled) -> None:
    """Since 1.10 Longhorn refuses it before, and while it may be scheduled to."""
    told = only(assembled, more("nodes of Longhorn", left_over("k3s9", 1)))
    assert "kubectl -n longhorn-system delete nodes.longhorn.io k3s9" in told.do
    assert told.do.index("allowScheduling") < told.do.index("once their volumes are healthy") < told.do.index("delete nodes")


@pytest.mark.parametrize(
    ("cron", "days"),
    [
        ("0 2 * * *", 1),
        ("*/5 * * * *", 1),
        ("0 2 * * 0", 7),
        ("0 2 * * mon-fri", 7),
        ("0 2 1 * *", 31),
        ("0 2 1 1 *", 366),
        ("0 2 ? * ?", 1),
        ("@hourly", 1),
        ("@weekly", 7),
        ("@monthly", 31),
        ("@every 1h", 1),
        ("@every 720h", 30),
    ],
)
def test_days_between_two_backups(cron: str, days: int) -> None:
    assert days_between(cron) == days


@pytest.mark.parametrize(
    "spoil",
    [
        changed("volumes", "pvc-1", "status", "lastBackupAt", to="2026-11-26T02:00:00Z"),
        changed("volumes", "pvc-2", "status", "lastBackupAt", to="2026-10-01T02:00:00Z"),
        together(
            changed("volumes", "pvc-1", "status", "lastBackupAt", to=""),
            changed("volumes", "pvc-1", "metadata", "creationTimestamp", to="2026-11-27T00:00:00Z"),
        ),
        together(
            changed("volumes", "pvc-1", "status", "lastBackupAt", to="2026-10-01T02:00:00Z"),
            changed("recurringjobs", "nightly", "metadata", "creationTimestamp", to="2026-11-27T00:00:00Z"),
        ),
        together(
            changed("volumes", "pvc-1", "status", "lastBackupAt", to="2026-11-10T02:00:00Z"),
            changed("recurringjobs", "nightly", "spec", "cron", to="@weekly"),
        ),
        together(
            changed("volumes", "pvc-1", "status", "lastBackupAt", to="2026-10-01T02:00:00Z"),
            changed("volumes", "pvc-1", "metadata", "labels", to={"recurring-job.longhorn.io/trim": "enabled"}),
        ),
        changed("recurringjobs", "nightly", "spec", "task", to=["backup"]),
    ],
)
def test_backups_that_are_not_late_are_not_told(assembled: Assembled, spoil: Any) -> None:
    """A day without new data, a volume that nobody uses, a new volume, a new job, a weekly job, a volume without the job."""
    assert roots_of(assembled, spoil) == []


def test_a_volume_that_was_never_backed_up_is_late(assembled: Assembled) -> None:
    told = only(
        assembled,
        changed("volumes", "pvc-1", "status", "lastBackupAt", to=""),
        changed("volumes", "pvc-1", "metadata", "creationTimestamp", to="2026-11-01T00:00:00Z"),
    )
    assert "pvc-1" in told.says


@pytest.mark.parametrize(
    "backups",
    [
        [backup("b-1", "pvc-1", "Error", "2026-11-26T02:00:00Z", "no space left")],
        [backup("b-1", "pvc-gone", "Error", "2026-11-27T23:00:00Z", "no space left")],
        [backup("b-1", "pvc-1", "InProgress", "2026-11-27T23:00:00Z")],
    ],
)
def test_a_backup_that_failed_is_told_while_it_is_the_newest_of_its_volume(assembled: Assembled, backups: Any) -> None:
    assert roots_of(assembled, *(more("backups", one) for one in backups)) == []


def test_no_backup_target_is_no_trouble(assembled: Assembled) -> None:
    """The one that Longhorn makes is empty, and says that it is unavailable."""
    empty = {"available": False, "conditions": [lasting("Unavailable", "True", "backup target URL is empty")]}
    assert (
        roots_of(
            assembled,
            changed("backuptargets", "default", "spec", to={"backupTargetURL": ""}),
            changed("backuptargets", "default", "status", to=empty),
        )
        == []
    )


def test_nobody_is_told_to_let_orphans_be_deleted_by_themselves(assembled: Assembled) -> None:
    """After a restore that is still to come, they are all there is."""
    told = only(assembled, OF_LONGHORN["data that no volume has"][0])
    assert "auto" not in told.do
    assert told.do.index("healthy, or in a backup") < told.do.index("delete")


def test_of_a_machine_that_is_down_all_of_longhorn_there_follows(assembled: Assembled) -> None:
    [root] = roots_of(assembled, OF_LONGHORN["a machine that is down, and all of Longhorn there"][0])
    said = {one.subject.kind for one in root.explains}
    assert {"engine image", "instance manager of", "volume", "attachment of"} <= said


def test_a_cluster_without_longhorn_says_nothing_of_it(assembled: Assembled) -> None:
    """Before it is installed, its kinds are not there."""
    kept = {"gitrepositories", "kustomizations", "helmreleases", "nodes of Kubernetes", "secrets", "services", "endpointslices"}
    kept |= {"helmcharts"}

    def without(world: World) -> None:
        for name in list(world):
            if name not in kept:
                world[name] = []

    assert roots_of(assembled, without) == []
