"""What an operator may say about Longhorn; the only place of its defaults."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from fluxstead.core.access import Access
from fluxstead.core.compute import Compute
from fluxstead.core.described import Described
from fluxstead.core.names import HostName, Name
from fluxstead.core.network import UrlPath
from fluxstead.core.refusal import refuse
from fluxstead.core.version import Version
from fluxstead.systems.longhorn import footprint
from fluxstead.systems.longhorn.policies import BackupPolicy, PolicyName

BLOCKS_WITH_LAST_COPY = "block-if-contains-last-replica"
DRAINS_STOPPED = "allow-if-replica-is-stopped"


_TARGETS = {
    "s3": (re.compile(r"s3://[^/@:\s]+@[^/@\s]+/[^\s$,]*"), "s3://bucket@region/, with the region's name and a slash after it"),
    "nfs": (
        re.compile(r"nfs://(?:[\w.-]+|\[[0-9a-fA-F:]+\]):/[^\s$,?]*(?:\?[^\s$]*)?"),
        "nfs://host:/path, with a colon after the host",
    ),
    "cifs": (re.compile(r"cifs://[^/\s]+/[^\s$,]+"), "cifs://host/share"),
    "azblob": (re.compile(r"azblob://[^/@:\s]+@[^/@\s]+/[^\s$,]*"), "azblob://container@core.windows.net/"),
}
"""What Longhorn reads (longhorn/backupstore: s3, nfs, cifs and azblob; longhorn-manager: webhook/resources/backuptarget)."""


def _target(value: str) -> str:
    form, example = _TARGETS.get(value.partition("://")[0], (None, "s3://bucket@region/, nfs://host:/path, cifs:// or azblob://"))
    if form and form.fullmatch(value):
        return value
    raise refuse(
        "this is not the URL of a backup target",
        why="Longhorn finds no store there, and backs nothing up",
        fix=example,
    )


def _target_name(value: str) -> str:
    if value == "default":
        raise refuse(
            "the target `default` is said twice",
            why="Longhorn makes it by the chart's values, and nobody may delete it",
            fix="backupTarget, and other names here",
        )
    if len(value) == 1:
        raise refuse(f"{value!r} is no name for a target", why="Longhorn takes two characters at least", fix="a name such as nas")
    return value


TargetName = Annotated[Name, AfterValidator(_target_name)]
"""Of any target but the one that Longhorn has by itself."""


class BackupTarget(Described):
    """Where Longhorn keeps backups."""

    url: Annotated[str, AfterValidator(_target)] = Field(
        description="s3://bucket@region/path, nfs://host:/path, cifs:// or azblob://."
    )
    credential_secret: Name | None = Field(
        default=None, description="The Secret in Longhorn's namespace with the credentials; NFS needs none."
    )


class Ui(Described):
    """Where Longhorn's UI is reached, through the ingress controller."""

    host: HostName | None = Field(default=None, description="The host name of the route; without it, any host.")
    path: UrlPath = Field(default="/longhorn", description="The path of the route.")
    access: Access | None = Field(default=None, description="Who may come in; by default, what `access` of the cluster says.")


class LonghornSettings(Described):
    """Longhorn, the storage of the cluster."""

    version: Version = Field(description="The chart's version, which is Longhorn's: one minor step at a time (F9).")
    namespace: Name = Field(default="longhorn-system", description="The namespace of the release.")
    release_name: Name = Field(
        default="longhorn", description="The Helm release; another name would install a second Longhorn (F5)."
    )
    replicas: int = Field(default=2, ge=1, le=20, description="How many copies a volume has, by default.")
    data_path: str = Field(
        default="/var/lib/longhorn/", pattern=r"^/.+", description="Longhorn's default data path. Declared disks do not use it."
    )
    replica_soft_anti_affinity: bool = Field(
        default=False, description="Whether two copies of a volume may share a node; needed where nodes are fewer than replicas."
    )
    replica_zone_soft_anti_affinity: bool = Field(default=True, description="Whether two copies of a volume may share a zone.")
    data_locality: Literal["disabled", "best-effort"] = Field(
        default="disabled", description="best-effort keeps a copy on the node that uses the volume."
    )
    filesystem: Literal["ext4", "xfs"] = Field(default="ext4", description="The filesystem inside new volumes.")
    default_class: bool = Field(default=True, description="Whether StorageClass `longhorn` is the cluster's default.")
    reclaim_policy: Literal["Delete", "Retain"] = Field(
        default="Delete", description="What happens to a volume whose claim is deleted."
    )
    node_drain_policy: (
        Literal[
            "block-if-contains-last-replica",
            "allow-if-replica-is-stopped",
            "always-allow",
            "block-for-eviction",
            "block-for-eviction-if-contains-last-replica",
        ]
        | None
    ) = Field(default=None, description="When a node may be drained; Longhorn's own default blocks those with a last copy.")
    manager_requests: Compute = Field(
        default_factory=footprint.manager,
        description="What is set aside for Longhorn's manager on each machine, 100m and 400Mi by default. It has no limits.",
    )
    backup_target: BackupTarget | None = Field(default=None, description="Where backups go; none by default.")
    backup_targets: dict[TargetName, BackupTarget] = Field(
        default_factory=dict, description="Further targets by name, such as one that was in use before; since Longhorn 1.8."
    )
    backups_to: Name | None = Field(
        default=None,
        description="Which of `backupTargets` volumes are backed up to; by default `backupTarget`. `./run rotate backup-target`"
        " changes it for volumes that are there.",
    )
    backups: dict[PolicyName, BackupPolicy] | None = Field(
        default=None,
        description="What is done again and again with volumes, by name; with a target, by default: a snapshot and a backup each"
        " day, the cluster's own state and a trim each week.",
    )
    wait_for_restore: bool = Field(
        default=False,
        description="Nothing that needs volumes starts in a new cluster before `./run backup restore --all` has given them back.",
    )
    ui: Ui | None = Field(
        default_factory=Ui, description="The route to the UI; null for none. By default there is one where `access` guards it."
    )
    values: dict[str, Any] = Field(default_factory=dict, description="More chart values, merged over what fluxstead sets.")
