"""Backups in a bucket: one archive each, beside the files that say what it is.

Laid out as Longhorn does it (longhorn/backupstore: config.go, backupstore.go, deltablock.go): `volume.cfg` and
`backup_NAME.cfg`, in folders by the checksum of the volume's name, and blocks by their own checksums. A block of the real one has
two MiB of a disk; the only block here is the whole archive, so two backups without a change between them share it.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from .store import Bucket, StoreError

Json = dict[str, Any]
_BASE = "backupstore/volumes/"


def backup_url(target: str, volume: str, backup: str) -> str:
    """How a backup is named (backupstore.go, EncodeBackupURL: by the alphabet)."""
    return f"{target}?{urlencode({'backup': backup, 'volume': volume})}"


def of_url(url: str) -> tuple[str, str]:
    """The backup and the volume that such a name has; empty where it has none."""
    words = parse_qs(urlsplit(url).query)
    return words.get("backup", [""])[0], words.get("volume", [""])[0]


def packed(folder: Path) -> bytes:
    """A folder as an archive, the same for the same content."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for path in [folder, *sorted(folder.rglob("*"))]:
            tar.add(path, str(path.relative_to(folder)), recursive=False)
    return gzip.compress(made.getvalue(), 1, mtime=0)


def unpack(archive: bytes, folder: Path) -> None:
    """Make the folder from an archive, with owners and modes, in the place of whatever it holds."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(archive))) as tar:
        tar.extractall(folder, filter="fully_trusted")  # noqa: S202 -- packed above, with owners and modes


class Archives:
    """What a bucket holds of backups."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def reachable(self) -> None:
        """StoreError where it is not: what the real one asks for first are its system backups."""
        self._bucket.folders("backupstore/system-backups/")

    def volumes(self) -> list[str]:
        """The volumes of which something is there."""
        firsts = self._bucket.folders(_BASE)
        seconds = [f"{first}/{second}" for first in firsts for second in self._bucket.folders(f"{_BASE}{first}/")]
        return sorted(name for place in seconds for name in self._bucket.folders(f"{_BASE}{place}/"))

    def backups(self, volume: str) -> list[str]:
        """The names of a volume's backups."""
        files = self._bucket.files(f"{_place(volume)}backups/")
        return sorted(file.rpartition("/backup_")[2].removesuffix(".cfg") for file in files)

    def of_volume(self, volume: str) -> Json | None:
        """What is said of a volume."""
        return self._read(f"{_place(volume)}volume.cfg")

    def of_backup(self, volume: str, name: str) -> Json | None:
        """What is said of a backup."""
        return self._read(_config(volume, name))

    def keep(self, volume: Mapping[str, Any], backup: Mapping[str, Any], folder: Path) -> int:
        """Write a backup; gives the bytes of its archive."""
        content = packed(folder)
        digest = hashlib.sha256(content).hexdigest()
        name = str(volume["Name"])
        self._bucket.put(_block(name, digest), content)
        blocks = [{"Offset": 0, "BlockChecksum": digest}]
        said = {**backup, "VolumeName": name, "Size": str(len(content)), "Blocks": blocks}
        self._bucket.put(_config(name, str(backup["Name"])), json.dumps(said).encode())
        self._bucket.put(f"{_place(name)}volume.cfg", json.dumps(dict(volume)).encode())
        return len(content)

    def restore(self, volume: str, name: str, folder: Path) -> None:
        """Make the folder what it was; StoreError, in the words of the real one's, where that cannot be done whole."""
        said = self.of_backup(volume, name)
        if said is None:
            raise StoreError(f"cannot find {_config(volume, name)} in backupstore")
        for block in said["Blocks"]:
            digest = block["BlockChecksum"]
            place = _block(volume, digest)
            content = self._bucket.get(place)
            if content is None:
                raise StoreError(f"failed to read block {place}: NoSuchKey The specified key does not exist.")
            if hashlib.sha256(content).hexdigest() != digest:
                problem = "checksum verification failed for block"
                raise StoreError(f"failed to decompress and verify block {place} with checksum {digest}: {problem}")
            unpack(content, folder)

    def blocks(self, volume: str, name: str) -> list[str]:
        """The keys of its archive, for a test that spoils it."""
        said = self.of_backup(volume, name) or {"Blocks": []}
        return [_block(volume, one["BlockChecksum"]) for one in said["Blocks"]]

    def forget(self, volume: str, name: str) -> None:
        """Remove a backup, and what only it used."""
        used = {block for other in self.backups(volume) if other != name for block in self.blocks(volume, other)}
        for key in [_config(volume, name), *(one for one in self.blocks(volume, name) if one not in used)]:
            self._bucket.remove(key)
        said = self.of_volume(volume)
        if said and said["LastBackupName"] == name:
            last = max(self._all(volume), key=lambda one: str(one["CreatedTime"]), default={"Name": "", "CreatedTime": ""})
            said |= {"LastBackupName": last["Name"], "LastBackupAt": last["CreatedTime"]}
            self._bucket.put(f"{_place(volume)}volume.cfg", json.dumps(said).encode())

    def forget_volume(self, volume: str) -> None:
        """Remove all that is there of a volume."""
        for key in self._bucket.files(_place(volume)):
            self._bucket.remove(key)

    def _all(self, volume: str) -> Iterator[Json]:
        yield from (one for name in self.backups(volume) if (one := self.of_backup(volume, name)))

    def _read(self, key: str) -> Json | None:
        found = self._bucket.get(key)
        return None if found is None else dict(json.loads(found))


def _place(volume: str) -> str:
    digest = hashlib.sha512(volume.encode()).hexdigest()
    return f"{_BASE}{digest[:2]}/{digest[2:4]}/{volume}/"


def _config(volume: str, name: str) -> str:
    return f"{_place(volume)}backups/backup_{name}.cfg"


def _block(volume: str, digest: str) -> str:
    return f"{_place(volume)}blocks/{digest[:2]}/{digest[2:4]}/{digest}.blk"
