"""U4: multipathd grabbed devices; iscsi_tcp not loaded; nfs client missing."""

from __future__ import annotations

import pytest

from fluxstead.hosts.build import stdin_for
from tests.e2e.hosts.support import apply, disk, node
from tests.e2e.hosts.vm import Machine

VOLUME = "/dev/disk/by-id/wwn-0x6000000000000001"
EAGER = "defaults {\nfind_multipaths no\n}"
"""Takes every SCSI disk that nothing excludes, as the configuration of many installers does."""


@pytest.mark.machine
def test_multipathd_takes_a_volume_of_a_bare_host_and_leaves_those_of_a_prepared_one(bare: Machine) -> None:
    """The host's disk is one of the vendor and product that Longhorn gives its volumes."""
    bare.root(
        f"apt-get -q -y install multipath-tools >/dev/null; echo '{EAGER}' >/etc/multipath.conf; systemctl restart multipathd"
    )
    modules = "lsmod | grep -c iscsi_tcp || true; command -v mount.nfs || echo none"
    assert bare.root(modules).split() == ["0", "none"]
    taken = f"udevadm settle; multipath -r >/dev/null; sleep 3; lsblk -no TYPE $(readlink -f {VOLUME})"
    assert "mpath" in bare.root(taken), "the failure: nothing else can open the volume now"

    bare.root("systemctl stop multipathd.socket multipathd; multipath -F")
    done = bare.script(stdin_for("apply", node(disk(1))), seconds=900)
    assert done.status == 0, (done.out, done.err)
    bare.root("systemctl start multipathd")
    assert bare.root(taken).split() == ["disk"]
    loaded, nfs = bare.root(modules).split()
    assert int(loaded) > 0
    assert nfs.endswith("mount.nfs")
    assert not apply(bare, disk(1))["changed"]
