"""What an operator may say about copies of the cluster's own state; the only place of its defaults.

Both stand below `kubernetes`, whose datastore they copy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, ClassVar, NamedTuple

from pydantic import AfterValidator, Field

from fluxstead.core.described import Described
from fluxstead.core.findings import Source
from fluxstead.core.names import Name
from fluxstead.core.refusal import refuse
from fluxstead.core.schedule import calendars, schedule_problem
from fluxstead.core.url import is_safe, split
from fluxstead.core.version import Version

_EXAMPLE = "minute, hour, day, month and day of the week, such as '15 2 * * *'"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_FOLDER = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")
_DIRECTORY = re.compile(r"(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)+")


def _schedule(value: str) -> str:
    problem = schedule_problem(value)
    if problem is not None:
        raise refuse(f"{value!r} is not a schedule: {problem}", why="nothing would be copied, ever", fix=_EXAMPLE)
    return value


def _of_a_timer(value: str) -> str:
    if calendars(_schedule(value)):
        return value
    raise refuse(f"{value!r} is no time of a day", why="a timer of systemd's comes by the clock", fix=_EXAMPLE)


def _bucket(value: str) -> str:
    if _BUCKET.fullmatch(value):
        return value
    raise refuse(
        f"{value!r} is not the name of a bucket",
        why="no store of S3 has one of that name",
        fix="the name alone, 3 to 63 small letters, digits, dots and dashes; what comes behind it is folder:",
    )


def _folder(value: str) -> str:
    if _FOLDER.fullmatch(value) and ".." not in value.split("/"):
        return value
    raise refuse(
        f"{value!r} is not a folder in a bucket",
        why="copies would lie under another name than is looked for",
        fix="such as home/k3s",
    )


def _endpoint(value: str) -> str:
    parts = split(value)
    if is_safe(value) and "@" not in parts.netloc and parts.path in {"", "/"} and not parts.query and not parts.fragment:
        return value.rstrip("/")
    raise refuse(
        f"{value!r} is not the URL of a store",
        why="each request is signed for its host, and goes out on the network with the name of your login",
        fix="such as https://s3.home.arpa:9000, without a bucket, a path and a login",
    )


def _directory(value: str) -> str:
    if _DIRECTORY.fullmatch(value.rstrip("/")):
        return value.rstrip("/")
    raise refuse(
        f"{value!r} is not a folder of the server's",
        why="it is a word of a unit of systemd's there",
        fix="an absolute path of letters, digits, dots and dashes, such as /mnt/nas/k3s",
    )


class EtcdSnapshots(Described):
    """When k3s copies etcd, and how many copies it keeps."""

    instead: ClassVar[Mapping[str, str]] = {"s3": "s3ConfigSecret: NAME, whose Secret has everything about the store"}

    schedule: Annotated[str, AfterValidator(_schedule)] = Field(
        default="0 */12 * * *", description="When, as cron writes it; k3s's --etcd-snapshot-schedule-cron."
    )
    retention: Annotated[int, Field(ge=1)] = Field(default=5, description="How many are kept; k3s's --etcd-snapshot-retention.")
    s3_config_secret: Name | None = Field(
        default=None,
        description="The Secret in kube-system with the S3 store that k3s also sends them to; k3s's --etcd-s3-config-secret.",
    )


class S3Store(Described):
    """A bucket, and where it is. Its login is the operator's secret sqlite-backup-s3."""

    bucket: Annotated[str, AfterValidator(_bucket)] = Field(description="The bucket's name; it has to be there.")
    region: Annotated[str, Field(pattern="^[a-z0-9-]+$")] = Field(
        default="us-east-1", description="The region that requests are signed for."
    )
    endpoint: Annotated[str, AfterValidator(_endpoint)] | None = Field(
        default=None, description="The store's URL, where it is not Amazon's."
    )
    folder: Annotated[str, AfterValidator(_folder)] | None = Field(default=None, description="Where in the bucket.")

    @property
    def url(self) -> str:
        """Where the store answers."""
        return self.endpoint or f"https://s3.{self.region}.amazonaws.com"


DIRECTORY = "/var/lib/fluxstead/k3s-backups"


class SqliteBackups(Described):
    """When the server copies SQLite's file and its token, encrypted for the people of `secrets`, and where copies go."""

    instead: ClassVar[Mapping[str, str]] = {
        "path": "directory",
        "credentialSecret": "nothing: ./run secrets asks for operator/sqlite-backup-s3",
        "recipients": "fluxstead:secrets: {people: […]}",
    }

    schedule: Annotated[str, AfterValidator(_of_a_timer)] = Field(
        default="15 2 * * *", description="When, as cron writes it; by the server's clock."
    )
    retention: Annotated[int, Field(ge=1)] = Field(
        default=14, description="How many are kept on the server; in a bucket, its own lifecycle rules say so."
    )
    directory: Annotated[str, AfterValidator(_directory)] = Field(
        default=DIRECTORY, description="The folder on the server; it may be a mount of yours, such as a share."
    )
    s3: S3Store | None = Field(default=None, description="A bucket that each copy is sent to as well.")


class DescribedState(NamedTuple):
    """What a description says of the datastore, and of what copies it.

    `configures`: whether k3s's configuration is fluxstead's. `config`: more keys of it.
    """

    kind: str
    snapshots: EtcdSnapshots | None
    backups: SqliteBackups | None
    servers: int
    people: tuple[str, ...]
    configures: bool
    version: Version
    config: Mapping[str, object]
    place_of: Callable[..., Source]
    """Where a key of `kubernetes` stands."""
