"""Backup policies as people write them: what they become, and what is refused with what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from fluxstead.core.backup import Backup
from fluxstead.description.load import load
from fluxstead.systems.longhorn.keeping import DescribedKeeper, layers_of, policies_of
from fluxstead.systems.longhorn.settings import LonghornSettings

_TARGET = {"url": "nfs://nas.example:/backups"}
_DEFAULT, _SOURCE = "recurring-job-group.longhorn.io/default", "recurring-job.longhorn.io/source"


def described(version: str = "1.12.1", **more: object) -> LonghornSettings:
    return LonghornSettings.model_validate({"version": version, "backupTarget": _TARGET, **more})


def jobs(settings: LonghornSettings) -> dict[str, dict[str, object]]:
    """The specs of the RecurringJobs, by name."""
    layers = list(layers_of(settings))
    return {one.ref.name: one.object["spec"] for layer in layers for one in layer.manifests if one.ref.kind == "RecurringJob"}


@pytest.mark.parametrize(
    ("version", "system", "parameters"), [("1.6.4", False, False), ("1.8.2", False, True), ("1.9.2", True, True)]
)
def test_with_a_target_every_volume_is_backed_up_from_the_first_day(version: str, system: bool, parameters: bool) -> None:
    """By what the release's CRD has: parameters since 1.7, the cluster's own state since 1.9."""
    found = jobs(described(version))
    assert set(found) == {"daily-snapshot", "daily", "weekly-trim", *(["weekly-system"] if system else [])}
    assert (found["daily"]["task"], found["daily"]["groups"], found["daily"]["retain"]) == ("backup", ["default"], 14)
    assert found["weekly-trim"]["retain"] == 0, "what Longhorn's webhook makes of any other number"
    assert all(("parameters" in spec) is parameters for spec in found.values())
    if system:
        assert (found["weekly-system"]["groups"], found["weekly-system"]["parameters"]) == (
            [],
            {"volume-backup-policy": "if-not-present"},
        )


def test_without_a_target_there_is_nothing_and_no_layer() -> None:
    settings = LonghornSettings.model_validate({"version": "1.12.1"})
    assert (policies_of(settings), list(layers_of(settings))) == ({}, [])
    assert DescribedKeeper(settings).labels("longhorn", None) == {}


@pytest.mark.parametrize(
    ("chosen", "labels"),
    [
        (None, {_SOURCE, _DEFAULT}),
        ({"also": ["hourly"]}, {_SOURCE, _DEFAULT, "recurring-job.longhorn.io/hourly"}),
        ({"only": ["hourly"]}, {_SOURCE, "recurring-job.longhorn.io/hourly", "recurring-job.longhorn.io/trim"}),
        ({"none": "can be made again"}, {_SOURCE, "recurring-job-group.longhorn.io/none", "recurring-job.longhorn.io/trim"}),
    ],
)
def test_what_a_claim_carries_is_all_that_its_volume_has(chosen: dict[str, object] | None, labels: set[str]) -> None:
    """Without any label that counts, a volume gets the default group: also one that was to be in no backup."""
    policies = {
        "daily": {"cron": "0 2 * * *", "retain": 7},
        "hourly": {"cron": "0 * * * *", "retain": 24, "default": False},
        "trim": {"task": "filesystem-trim", "cron": "0 4 * * 6"},
    }
    keeper = DescribedKeeper(described(backups=policies))
    assert set(keeper.labels("longhorn", Backup.model_validate(chosen) if chosen else None)) == labels
    assert keeper.labels("local-path", None) == {}


@pytest.mark.parametrize(
    ("written", "what", "write"),
    [
        ("backups: {daily: {cron: 0 3 30 2 *, retain: 7}}", "it never comes", "0 3 * * *"),
        ("backups: {daily: {cron: '*/٢ * * * *', retain: 7}}", "is no minute", "0 3 * * *"),
        ("backups: {daily: {cron: 0 3 * * *}}", "nothing about how many are kept", "retain: 14"),
        ("backups: {source: {cron: 0 3 * * *, retain: 7}}", "'source' is no name for a policy", "daily"),
        ("backups: {d: {cron: 0 3 * * *, retain: 7}}", "'d' is no name for a policy", "daily"),
        ("backups: {daily: {cron: 0 3 * * *, retain: 7, groups: [a]}}", "groups", "default"),
        ("backups: {trim: {task: filesystem-trim, cron: 0 3 * * *, retain: 7}}", "keeps nothing", "no retain"),
        ("backupTargets: {default: {url: 'nfs://a:/b'}}", "the target `default` is said twice", "backupTarget"),
        ("backupTargets: {nas: {url: 'nfs://a:/b,c'}}", "not the URL of a backup target", "nfs://host:/path"),
        ("backupTargets: {more: {url: 's3://key:secret@a/'}}", "not the URL of a backup target", "s3://bucket@region/"),
    ],
)
def test_what_longhorn_would_refuse_is_refused_where_it_is_written(written: str, what: str, write: str, tmp_path: Path) -> None:
    head = "config:\n  fluxstead:flux: {version: 2.9.5}\n  fluxstead:kubernetes: {version: v1.36.3+k3s1}\n  fluxstead:longhorn:\n"
    (tmp_path / "Pulumi.home.yaml").write_text(f"{head}    version: 1.12.1\n    {written}\n")
    said = [one for one in load(tmp_path, "home").findings if one.source.line == 6]
    assert any(what in one.what and write in one.fix for one in said), [one.text() for one in said]


@pytest.mark.parametrize("written", ["none", "false", "[]", "{}", "{none: ' '}", "{also: [a], only: [b]}", "daily"])
def test_a_choice_that_says_not_one_thing_is_refused(written: str, tmp_path: Path) -> None:
    head = "config:\n  fluxstead:flux: {version: 2.9.5}\n  fluxstead:kubernetes: {version: v1.36.3+k3s1}\n"
    app = "{name: a, image: b, environments: [{name: c, tag: 1.0.0}], volume: {size: 1Gi, mountPath: /d, backup: %s}}"
    (tmp_path / "Pulumi.home.yaml").write_text(
        f"{head}  fluxstead:longhorn: {{version: 1.12.1}}\n  fluxstead:apps:\n    - {app % written}\n"
    )
    assert [one for one in load(tmp_path, "home").findings if one.source.line == 6]
