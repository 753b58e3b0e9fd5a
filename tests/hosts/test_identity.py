"""The kernel's identifiers compared with udev's database, for each kind of disk."""

from __future__ import annotations

import pytest

from fluxstead.hosts.script.identity import compare

NAA = "naa.50014ee2b1234567"
PAGE_83 = "0083000c" + "01030008" + "50014ee2b1234567"
ATA = {"ID_BUS": "ata", "ID_SERIAL": "WDC_WD5000AAKX_WD-WCC2E0123456", "ID_SERIAL_SHORT": "WD-WCC2E0123456"}


@pytest.mark.parametrize(
    ("kernel", "udev"),
    [
        ({"serial": "WD-WCC2E0123456"}, ATA),
        ({"serial": "WD-WCC2E0123456", "designators": PAGE_83}, {**ATA, "ID_WWN": "0x50014ee2b1234567"}),
        ({"serial": "drive 1"}, {"ID_BUS": "scsi", "ID_SCSI_SERIAL": "drive_1", "ID_SERIAL": "0QEMU_drive_1"}),
        ({"designators": PAGE_83, "wwn": NAA}, {"ID_BUS": "scsi", "ID_WWN_WITH_EXTENSION": "0x50014ee2b1234567"}),
        ({"serial": "S4EVNX0R", "wwn": "eui.0025385b9150f5a4"}, {"ID_SERIAL_SHORT": "S4EVNX0R", "ID_WWN": "eui.0025385b9150f5a4"}),
        ({"serial": "vol-0a1b"}, {"ID_SERIAL": "vol-0a1b"}),
        ({"serial": "0x4c1d2e3f"}, {"ID_SERIAL": "0x4c1d2e3f", "ID_NAME": "SD32G"}),
        ({"usb": "575834314132", "serial": "junk of the bridge"}, {"ID_BUS": "usb", "ID_SERIAL_SHORT": "575834314132"}),
        # An adapter that makes up WWNs.
        ({"serial": "WD-WCC2E0123456", "designators": PAGE_83}, {**ATA, "ID_WWN": "0x5000c500a1b2c3d4"}),
        # A bridge through which udev asks the disk itself.
        ({"usb": "575834314132"}, {**ATA, "ID_USB_SERIAL_SHORT": "575834314132"}),
    ],
)
def test_what_is_the_same_disk_is_confirmed(kernel: dict[str, str], udev: dict[str, str]) -> None:
    assert compare(kernel, {**udev, "links": ""}, "7") == ("", True)
    assert compare(kernel, {**udev, "links": "disk/by-id/x disk/by-diskseq/7"}, "7") == ("", True)


@pytest.mark.parametrize(
    ("kernel", "udev"),
    [
        ({"serial": "WD-OTHER"}, ATA),
        ({"designators": PAGE_83}, {"ID_BUS": "scsi", "ID_WWN": "0x50014ee2b7654321"}),
        ({"serial": "S4EVNX0R"}, {"ID_SERIAL_SHORT": "S4EVNX0S"}),
        ({"usb": "1111"}, {"ID_BUS": "usb", "ID_SERIAL_SHORT": "2222"}),
        ({"serial": "vol-0a1b"}, {"ID_SERIAL": "vol-0a1c"}),
        # An enclosure with one WWN for whatever lies in it.
        ({"serial": "OTHER", "designators": PAGE_83}, {"ID_BUS": "scsi", "ID_SCSI_SERIAL": "WD-1", "ID_WWN": "0x50014ee2b1234567"}),
    ],
)
def test_another_disk_than_udev_knows_is_doubted(kernel: dict[str, str], udev: dict[str, str]) -> None:
    doubt, confirmed = compare(kernel, {**udev, "links": ""}, "7")
    assert "udev's database" in doubt
    assert not confirmed


def test_an_earlier_appearance_is_doubted_even_with_the_same_serial() -> None:
    """Enclosures of one make share a serial; the kernel's number of the appearance is not shared."""
    doubt, confirmed = compare({"usb": "0000"}, {"ID_BUS": "usb", "ID_SERIAL_SHORT": "0000", "links": "disk/by-diskseq/6"}, "7")
    assert "of an earlier disk" in doubt
    assert not confirmed


@pytest.mark.parametrize("kernel", [{}, {"serial": "X"}])
def test_what_only_one_side_knows_confirms_nothing(kernel: dict[str, str]) -> None:
    assert compare(kernel, {"links": ""}, "7") == ("", False)
    assert compare({}, {**ATA, "links": ""}, "") == ("", False)
