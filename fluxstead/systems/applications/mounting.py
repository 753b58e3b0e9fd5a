"""The rules for what pods mount: paths that hide each other, files that are too big, volumes that several machines share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding, Source
from fluxstead.nodes.model import Node
from fluxstead.systems.applications.files import MOST_BYTES
from fluxstead.systems.applications.instance import DATA, Instance
from fluxstead.systems.applications.mounts import TEMPORARY

BELOW_READ_ONLY = refuses(
    "applications/below-read-only",
    "U7",
    "the file /media/app.ini of `web-prod` is below /media, which is read-only",
    "the description",
)
CLASS_NOT_SHARED = refuses(
    "applications/class-not-shared", "F1", "a ReadWriteMany volume of `web-prod` is of class local-path", "the description"
)
FILES_TOO_BIG = refuses("applications/files-too-big", "U7", "the files of `web-prod` have 2097152 bytes", "the description")
MOUNTED_TWICE = refuses(
    "applications/mounted-twice",
    "U7",
    "the volume of `web-prod` is at /tmp, where every application has a writable directory",
    "the description",
)
NFS_CLIENT = warns(
    "applications/nfs-client",
    "F1",
    "`web-prod` shares a volume, and `pulumi up` puts no NFS client on k3s2, which it does not prepare",
    "the description",
)
VOLUME_NAME = refuses(
    "applications/volume-name", "U7", "a volume of `web-prod` is called tmp, as one that fluxstead makes", "the description"
)
CHECKS = (BELOW_READ_ONLY, CLASS_NOT_SHARED, FILES_TOO_BIG, MOUNTED_TWICE, NFS_CLIENT, VOLUME_NAME)

_OF_ONE_MACHINE = "local-path"
"""k3s's own class, whose volumes are directories of one machine."""


class _Mount(NamedTuple):
    what: str
    path: str
    source: Source
    closed: str
    """Why nothing can be mounted below it; empty where something can."""


def findings_of(instance: Instance, nodes: Sequence[Node]) -> Iterator[Finding]:
    """What is wrong with what the pods of one environment mount."""
    if instance.app.chart is not None:
        return
    yield from _names(instance)
    yield from _paths(instance)
    yield from _files(instance)
    yield from _shared(instance, nodes)


def _names(instance: Instance) -> Iterator[Finding]:
    numbered = {"device": instance.app.devices, "secret": instance.app.secret_files}
    ours = {"tmp", "files", *(f"{kind}-{number}" for kind, of in numbered.items() for number, _ in enumerate(of))}
    first = instance.environment.volume or instance.app.volume
    for one in (*instance.app.volumes, *instance.environment.volumes):
        if one.name in ours or (first and one.name == DATA):
            yield VOLUME_NAME(
                one.source_of("name"),
                what=f"a volume of `{instance.app.name}` is called {one.name}, as one that fluxstead makes",
                why="a pod has no two volumes of one name, and the API server refuses it",
                fix=f"another name; {DATA} is that of `volume`" if one.name == DATA else "another name",
            )


def _mounts(instance: Instance) -> list[_Mount]:
    """In the order in which they are described: the later of two is the one that is wrong."""
    app = instance.app
    found = (
        [_Mount("a writable directory of every application", TEMPORARY, app.source, "")] if app.read_only_root_filesystem else []
    )
    for one in instance.volumes:
        what = "the volume" if one.name == DATA else f"the volume {one.name}"
        volume = one.volume
        found.append(_Mount(what, volume.mount_path, volume.source_of("mountPath"), "read-only" if volume.read_only else ""))
    for path in instance.files:
        owner = instance.environment if path in instance.environment.files else app
        found.append(_Mount("the file", path, owner.source_of("files", path), "a file"))
    found += [_Mount("the secret files", path, app.source_of("secretFiles", path), "read-only") for path in app.secret_files]
    return found + [_Mount("the device", device.inside, device.source, "a device") for device in app.devices]


def _paths(instance: Instance) -> Iterator[Finding]:
    mounts = _mounts(instance)
    at: dict[str, _Mount] = {}
    for mount in mounts:
        first = at.setdefault(mount.path, mount)
        if first is not mount:
            yield MOUNTED_TWICE(
                mount.source,
                what=f"{mount.what} of `{instance.name}` is at {mount.path}, where "
                + ("every application has a writable directory" if mount.path == TEMPORARY else f"{first.what} is too"),
                why="the API server refuses a pod with two volumes at one path",
                fix="mountPath: /data, or another path; or readOnlyRootFilesystem: false"
                if mount.path == TEMPORARY
                else "another path for one of the two",
            )
    for mount in mounts:
        above = next((at[path] for path in _parents(mount.path) if path in at and at[path].closed), None)
        if above:
            yield BELOW_READ_ONLY(
                mount.source,
                what=f"{mount.what} of `{instance.name}` at {mount.path} is below {above.path}, which is {above.closed}",
                why="the runtime cannot make the place where it is mounted, and no pod starts",
                fix="a path beside it" + ("; or the volume without readOnly" if above.closed == "read-only" else ""),
            )


def _parents(path: str) -> Iterator[str]:
    while path.count("/") > 1:
        path = path.rpartition("/")[0]
        yield path


def _files(instance: Instance) -> Iterator[Finding]:
    size = sum(len(text.encode()) for text in instance.files.values())
    if size > MOST_BYTES:
        owner = instance.environment if instance.environment.files else instance.app
        yield FILES_TOO_BIG(
            owner.source_of("files"),
            what=f"the files of `{instance.name}` have {size} bytes",
            why=f"a ConfigMap holds {MOST_BYTES}, and the API server refuses a bigger one",
            fix="what is data in a volume, or in the image",
        )


def _shared(instance: Instance, nodes: Sequence[Node]) -> Iterator[Finding]:
    bare = [node.name for node in nodes if node.state == "live" and node.why_not_prepared]
    for one in instance.volumes:
        volume = one.volume
        if not volume.shared:
            continue
        if volume.storage_class == _OF_ONE_MACHINE:
            yield CLASS_NOT_SHARED(
                volume.source_of("accessMode"),
                what=f"a ReadWriteMany volume of `{instance.name}` is of class {_OF_ONE_MACHINE}",
                why="its volumes are directories of one machine; the claim stays pending",
                fix="no storageClass, for Longhorn's, which serves it by NFS; or accessMode: ReadWriteOnce",
            )
        elif bare:
            yield NFS_CLIENT(
                volume.source_of("accessMode"),
                what=f"`{instance.app.name}` shares a volume, and `pulumi up` puts no NFS client on {', '.join(bare)}, "
                "which it does not prepare",
                why="without one, a pod there hangs in ContainerCreating, since nothing mounts the volume (/sbin/mount.nfs)",
                fix="`apt-get install nfs-common` there; or ssh.hostKey and prepare: true in the file of each",
            )
