"""What a tree pins of other people's work: charts and images, and where each is published."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from fluxstead.catalog.kinds import pod_in
from fluxstead.checks.objects.pods import images_of
from fluxstead.checks.reading.applied_tree import SOURCES, AppliedObject, AppliedTree
from fluxstead.core.image import HUB, registry_of
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.shape import mapping
from fluxstead.core.version import Version

_REFERENCE = re.compile(
    r"(?P<registry>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?::\d+)?|\[[0-9A-Fa-f:]+\](?::\d+)?)/"
    r"(?P<repository>[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>[a-z0-9]+:[0-9a-fA-F]{32,}))?",
    re.ASCII,
)


class OciReference(NamedTuple):
    """A manifest in an OCI registry. A digest decides where there is one, as it does for whoever pulls."""

    registry: str
    repository: str
    tag: str
    digest: str = ""

    @property
    def wanted(self) -> str:
        """What is asked for: the digest, or else the tag."""
        return self.digest or self.tag

    @property
    def name(self) -> str:
        """The repository with its registry."""
        return f"{self.registry}/{self.repository}"

    def __str__(self) -> str:
        return f"{self.name}@{self.digest}" if self.digest else f"{self.name}:{self.tag}"


class Pinned(NamedTuple):
    """A chart or an image that an object names. `at`: the URL of a chart repository, or a manifest in a registry, if known.

    An image has its version in its name.
    """

    item: AppliedObject
    kind: Literal["chart", "image", "artifact"]
    name: str
    version: str
    at: str | OciReference | None

    @property
    def in_registry(self) -> bool:
        """Whether a registry has it, rather than a chart repository."""
        return isinstance(self.at, OciReference)

    def __str__(self) -> str:
        return f"{self.kind} {self.name} {self.version}".rstrip()


def oci_reference_in(text: str) -> OciReference | None:
    """What an image's name means, with the parts that container runtimes fill in; None where it is not one."""
    registry = registry_of(text)
    rest = text.removeprefix(f"index.{HUB}/").removeprefix(f"{registry}/")
    if registry == HUB and "/" not in rest:
        rest = f"library/{rest}"
    found = _REFERENCE.fullmatch(f"{registry}/{rest}")
    return OciReference(registry, found["repository"], found["tag"] or "latest", found["digest"] or "") if found else None


def pinned(tree: AppliedTree) -> Iterator[Pinned]:
    """Every chart and every image whose version is known from the files; ranges are refused elsewhere."""
    for item in tree.of("HelmRelease", "HelmChart"):
        yield from _chart(tree, item)
    for item in tree.of("OCIRepository"):
        if item.ref.group == SOURCES:
            yield from _artifact(item)
    for item in tree.objects:
        pod = pod_in(item.object) if item.is_final else None
        if not pod:
            continue
        for image in dict.fromkeys(images_of(pod)):
            yield Pinned(item, "image", image, "", oci_reference_in(image))


def changed(tree: AppliedTree) -> list[str]:
    """The folders whose images are unknown, because their kustomizations change what is written there."""
    return sorted(
        {
            str(item.kustomization.spec.get("path"))
            for item in tree.objects
            if not item.is_final and any(images_of(pod_in(item.object) or {}))
        }
    )


def _chart(tree: AppliedTree, item: AppliedObject) -> Iterator[Pinned]:
    if item.ref.kind == "HelmChart" and item.ref.group != SOURCES:
        return
    chart: Mapping[str, Any] = mapping(mapping(item.spec, "chart"), "spec") if item.ref.kind == "HelmRelease" else item.spec
    name, version = str(chart.get("chart", "")), str(chart.get("version", ""))
    if not name or not Version.read(version):
        return
    source = mapping(chart, "sourceRef")
    kind, namespace = str(source.get("kind", "HelmRepository")), str(source.get("namespace") or item.ref.namespace)
    found = tree.one(ObjectRef(SOURCES, kind, namespace, str(source.get("name")))) if kind == "HelmRepository" else None
    yield Pinned(item, "chart", name, version, _published(found, name, version) if found else None)


def _published(repository: AppliedObject, name: str, version: str) -> str | OciReference | None:
    url = str(repository.spec.get("url", ""))
    if url.startswith("oci://"):
        # Tags have no `+`; Helm writes an underscore instead.
        return oci_reference_in(f"{url.removeprefix('oci://').rstrip('/')}/{name}:{version.replace('+', '_')}")
    return url if url.startswith(("http://", "https://")) else None


def _artifact(item: AppliedObject) -> Iterator[Pinned]:
    url, reference = str(item.spec.get("url", "")), mapping(item.spec, "ref")
    tag, digest = str(reference.get("tag") or "latest"), str(reference.get("digest") or "")
    if digest or "semver" not in reference:
        name = url.removeprefix("oci://").rstrip("/")
        at = oci_reference_in(f"{name}:{tag}@{digest}" if digest else f"{name}:{tag}")
        yield Pinned(item, "artifact", name, digest or tag, at)
