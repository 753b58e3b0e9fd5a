"""One data disk of a machine as a Pulumi component."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from fluxstead.hosts.answer import DiskAnswer


@dataclass(frozen=True)
class DiskArgs:
    """What the host is told about the disk, and what it answered."""

    declared: Mapping[str, Any]
    answer: pulumi.Output[DiskAnswer]


class DiskResource(pulumi.ComponentResource):
    """A prepared disk. Outputs: `filesystem_uuid`, and `done`: what the last run of the script did to it."""

    def __init__(self, name: str, args: DiskArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstead:nodes:Disk", name, dict(args.declared), opts)
        self.filesystem_uuid: pulumi.Output[str] = args.answer.apply(lambda disk: disk.filesystem_uuid)
        self.done: pulumi.Output[str] = args.answer.apply(lambda disk: disk.action)
        self.register_outputs({"filesystemUuid": self.filesystem_uuid, "done": self.done})
