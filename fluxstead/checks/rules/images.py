"""The names of the images that pods run."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.pods import images_of
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding
from fluxstead.core.image import is_image, nearest_image

NO_IMAGE_NAME = refuses("pods/image-name", "U7", "Deployment web/site runs 'Site:1.0', which is not the name of an image")


def names(context: CheckContext) -> Iterator[Finding]:
    """Images of what people wrote that no runtime can read."""
    for pod in context.pods:
        if not pod.item.is_final or pod.item.document.generated:
            continue
        for image in dict.fromkeys(images_of(pod.template)):
            if "${" not in image and not is_image(image):
                yield NO_IMAGE_NAME(
                    line_with(context.tree.store, pod.item.document, image),
                    what=f"{pod.item} runs {image!r}, which is not the name of an image",
                    why="the kubelet refuses it as InvalidImageName, and the pod never starts",
                    fix=nearest_image(image),
                )


RULES = (Rule(names, (NO_IMAGE_NAME,)),)
