"""Strings with a grammar of their own: what is read, what is refused, and what is said to have been meant."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from fluxstead.core.age import Recipient
from fluxstead.core.cron import cron_problem, is_time_zone
from fluxstead.core.git_names import BranchName, RepositoryUrl, without_login
from fluxstead.core.network import Cidrs
from fluxstead.nodes.device import Device, contradiction
from fluxstead.systems.longhorn.settings import BackupTarget

KEY = "age1lzd99uklcjnc0e7d860axevet2cz99ce9pq6tzuzd05l5nr28ams36nvun"
"""The recipient of age's own specification of X25519 files (C2SP: age.md)."""


def refused(kind: Any, value: str) -> str:
    """What is said to write instead; empty where the value is read."""
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError as problem:
        return str(problem.errors()[0]["ctx"]["write"])
    return ""


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *((BranchName, name) for name in ("main", "feature/a-b", "release-1.2", "deploy@home", "ü")),
        *((RepositoryUrl, url) for url in ("ssh://git@github.com/a/b.git", "https://git.example.test:8443/a/b", "http://[::1]/a")),
        *((Recipient, key) for key in (KEY, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW somebody")),
        *((Cidrs, text) for text in ("10.42.0.0/16", "10.42.0.0/16,fd00:42::/56", "fd00:42::/56")),
        *(
            (Device, name)
            for name in (
                "/dev/sda",
                "/dev/nvme0n1",
                "/dev/mmcblk0",
                "/dev/disk/by-id/ata-A_B",
                "/dev/disk/by-path/pci-0000:00:1f.2-ata-1",
            )
        ),
    ],
)
def test_what_is_read(kind: Any, value: str) -> None:
    """As it is."""
    assert not refused(kind, value)


@pytest.mark.parametrize(
    ("kind", "value", "meant"),
    [
        *(
            (BranchName, name, "the branch's short name")
            for name in ("my branch", "a..b", "a~1", "-a", "a.lock", "a/", "@", "a:b", "HEAD")
        ),
        (BranchName, "refs/heads/main", "main"),
        (RepositoryUrl, "git@github.com:a/b.git", "ssh://git@github.com/a/b.git"),
        (RepositoryUrl, "github.com:a/b.git", "ssh://git@github.com/a/b.git"),
        *((RepositoryUrl, url, "a URL such as") for url in ("github.com/a/b", "git://github.com/a/b", "https://github.com", "a b")),
        (Recipient, KEY[:-1] + "q", "the public key"),
        (Recipient, KEY[:-1], "the public key"),
        (Recipient, "AGE-SECRET-KEY-1" + "Q" * 58, "the public key, age1"),
        (Recipient, "0123456789ABCDEF", "the public key"),
        (Cidrs, "10.42.0.0/16,10.44.0.0/16", "one of them"),
        (Cidrs, "10.42.0.1/16,fd00::/56", "10.42.0.0/16"),
        (Device, "/dev/sdf1", "/dev/sdf"),
        (Device, "/dev/nvme0n1p2", "/dev/nvme0n1"),
        (Device, "/dev/mmcblk0p1", "/dev/mmcblk0"),
        (Device, "/dev/disk/by-id/ata-A_B-part1", "/dev/disk/by-id/ata-A_B"),
        (Device, "/dev/disk/by-uuid/0a1b", "a stable link"),
        (Device, "sdf", "a stable link"),
    ],
)
def test_what_is_refused(kind: Any, value: str, meant: str) -> None:
    """With what to write instead."""
    assert refused(kind, value).startswith(meant)


def test_a_private_key_is_never_printed() -> None:
    """Whoever reads what was said would have it."""
    with pytest.raises(ValidationError) as problem:
        TypeAdapter(Recipient).validate_python("AGE-SECRET-KEY-1" + "Q" * 58)
    assert "QQQ" not in str(problem.value.errors()[0]["ctx"])


@pytest.mark.parametrize(
    "url",
    [
        *("s3://bucket@eu-1/", "s3://bucket@eu-1/store", "nfs://host:/path", "nfs://[fd00::5]:/path?nfsOptions=rw,nolock"),
        *("cifs://host/share", "azblob://container@core.windows.net/"),
    ],
)
def test_backup_targets(url: str) -> None:
    """The forms of Longhorn's own pages."""
    assert BackupTarget(url=url).url == url


@pytest.mark.parametrize(
    "url",
    [
        *("s3://bucket@eu-1", "s3://bucket/", "s3://bucket@/", "nfs://host/path", "nfs://host:path", "nfs://host:"),
        *("cifs://host", "azblob://container/", "https://host/", "s3://bucket@eu-1/a,b", "s3://bucket@eu-1/a b"),
    ],
)
def test_what_is_no_backup_target(url: str) -> None:
    """Without its region, slash or colon, Longhorn finds nothing."""
    assert refused(BackupTarget, {"url": url})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "schedule",
    [
        *(
            "0 3 * * *",
            "*/5 * * * *",
            "0 0-6/2 1,15 jan-mar mon-fri",
            "@daily",
            "@every 1h30m",
            "0 0 ? * 0",
            "5/15 * * * SUN",
            "0 3 * * 1,3",
        ),
    ],
)
def test_schedules(schedule: str) -> None:
    """As robfig/cron reads them."""
    assert cron_problem(schedule) is None


@pytest.mark.parametrize(
    "schedule",
    [
        *("0 25 * * *", "60 * * * *", "0 3 * *", "0 3 * * * *", "0 3 32 * *", "0 3 * 13 *", "0 3 * * 7", "0 3 * * */0"),
        *(
            "@reboot",
            "@every day",
            "TZ=UTC 0 3 * * *",
            "CRON_TZ=UTC 0 3 * * *",
            "a b c d e",
            "5-1 * * * *",
            "*-5 * * * *",
            "",
            "1- * * * *",
        ),
    ],
)
def test_what_is_no_schedule(schedule: str) -> None:
    """Seconds, a Sunday of 7, and what only a crontab knows."""
    assert cron_problem(schedule) is not None


def test_time_zones() -> None:
    """By their name in the IANA database."""
    assert is_time_zone("Europe/Berlin")
    assert is_time_zone("Etc/UTC")
    assert not is_time_zone("Europe/Belrin")


@pytest.mark.parametrize(
    ("link", "serial", "wwn", "wrong"),
    [
        ("ata-WDC_WD40_WD-ABC123", "WD-ABC123", None, None),
        ("ata-WDC_WD40_WD-ABC123", "WD-XYZ", None, "serial"),
        ("nvme-EXAMPLE_SSD_1TB_EX0001NV_1", "EX0001NV", None, None),
        ("nvme-EXAMPLE_SSD_1TB_EX0001NV", "EX0002NV", None, "serial"),
        ("nvme-eui.0025385b21404321", "S1", None, None),  # carries no serial
        ("nvme-eui.0025385b21404321", "S1", "eui.0025385b21404321", None),
        ("wwn-0x5000c500a1b2c3d4", None, "0x5000c500a1b2c3d4", None),
        ("wwn-0x5000c500a1b2c3d4", None, "0x5000c500ffffffff", "wwn"),
        ("scsi-SATA_A_B", "S1", None, None),
        ("ata-A B_S 1".replace(" ", "_"), "S 1", None, None),
    ],
)
def test_a_link_and_the_names_beside_it(link: str, serial: str | None, wwn: str | None, wrong: str | None) -> None:
    """Only where the link carries the name."""
    assert contradiction(f"/dev/disk/by-id/{link}", serial, wwn) == wrong
    assert contradiction("/dev/sda", serial, wwn) is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:secret@git.example.test/a.git", "https://git.example.test/a.git"),
        ("http://me:secret@git.example.test/a.git", "http://git.example.test/a.git"),
        ("ssh://bob:secret@git.example.test/a.git", "ssh://bob@git.example.test/a.git"),
        ("ssh://git@git.example.test:2222/a.git", "ssh://git@git.example.test:2222/a.git"),
    ],
)
def test_what_logs_in_is_taken_out_of_a_url(url: str, shown: str) -> None:
    assert without_login(url) == shown
