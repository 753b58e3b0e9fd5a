"""Images for containerd without a registry: one layer, one static program, made of the standard library."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.e2e.tools.build import tool

PAUSE = "rancher/mirrored-pause:3.6"
"""What k3s has sandboxes made of."""
APPLETS = ("sh", "cat", "echo", "head", "httpd", "mkdir", "sha256sum", "sleep", "sync", "test", "timeout", "touch", "wc", "wget")
LAYOUT = "application/vnd.oci.image."


def image_tar(names: Sequence[str], programs: Mapping[str, Path] | None = None) -> bytes:
    """An archive as `ctr images import` takes it, with the same image under all these names, and an image each of `programs`.

    A program is its image's entry point; that of `names` is the tests' own, which waits, and answers on $PORT.
    """
    listed: list[dict[str, object]] = []
    files: dict[str, bytes] = {}
    for called, program in ((names, tool("pod")), *(([name], program) for name, program in (programs or {}).items())):
        described = _image(files, _tar({"app": program.read_bytes()}, 0o755), ["/app"])
        listed += [{**described, "annotations": {"io.containerd.image.name": whole_name(name)}} for name in called]
    return _archive(files, listed)


def shell_image_tar(name: str, busybox: Path) -> bytes:
    """An archive with one image: a shell and its programs, all of them the one in `busybox`."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        content = busybox.read_bytes()
        program = tarfile.TarInfo("bin/busybox")
        program.size, program.mode = len(content), 0o755
        tar.addfile(program, io.BytesIO(content))
        for applet in APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    files: dict[str, bytes] = {}
    described = _image(files, made.getvalue(), ["/bin/sh"])
    return _archive(files, [{**described, "annotations": {"io.containerd.image.name": whole_name(name)}}])


def _archive(files: dict[str, bytes], listed: Sequence[Mapping[str, object]]) -> bytes:
    files["oci-layout"] = b'{"imageLayoutVersion": "1.0.0"}'
    files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": listed}).encode()
    return _tar(files, 0o644)


def _image(files: dict[str, bytes], layer: bytes, entry: Sequence[str]) -> dict[str, object]:
    """Add the blobs of an image with this layer; gives how an index names it."""
    packed = gzip.compress(layer, 1, mtime=0)
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": entry, "User": "65532", "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
    }
    blobs = [packed, json.dumps(config).encode()]
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{LAYOUT}manifest.v1+json",
        "config": _described(f"{LAYOUT}config.v1+json", blobs[1]),
        "layers": [_described(f"{LAYOUT}layer.v1.tar+gzip", packed)],
    }
    blobs.append(json.dumps(manifest).encode())
    files |= {f"blobs/sha256/{_digest(blob).partition(':')[2]}": blob for blob in blobs}
    return _described(f"{LAYOUT}manifest.v1+json", blobs[2])


def whole_name(name: str) -> str:
    """An image's name with its registry, as containerd keeps it."""
    first, slash, _ = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return name
    return f"docker.io/{name}" if slash else f"docker.io/library/{name}"


def _tar(files: dict[str, bytes], mode: int) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def _described(kind: str, blob: bytes) -> dict[str, object]:
    return {"mediaType": kind, "digest": _digest(blob), "size": len(blob)}


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"
