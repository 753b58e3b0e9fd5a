"""Images that were not built for the processors of the machines that may run them."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.catalog.chart import ChartImage
from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.chart_values import ChartValues
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.nodes.model import Node

NO_MACHINE = refuses("images/architecture", "U7", "registry.k8s.io/defaultbackend-amd64:1.5 runs on no machine: k3s1 is arm64")
SOME_MACHINES = warns("images/some-machines", "U7", "registry.k8s.io/defaultbackend-amd64:1.5 does not run on k3s2, which is arm64")

_LABEL = "kubernetes.io/arch"


def architectures(context: CheckContext) -> Iterator[Finding]:
    """What charts run by default, on machines whose architecture is described."""
    machines = [node for node in context.nodes if node.architecture]
    if not machines:
        return
    for one in context.chart_values:
        for image in context.facts.charts[one.chart].images:
            selected = one.at(*image.selector, _LABEL) if image.selector else None
            unfit = [node for node in machines if node.architecture not in image.architectures]
            every = len(unfit) == len(context.nodes)
            if unfit and (every or selected not in image.architectures) and _runs(one, image):
                yield _finding(context, one, image, unfit)


def _runs(one: ChartValues, image: ChartImage) -> bool:
    """Whether the release runs it, by what its values say: switched on, and no other image in its place."""
    other = image.image and any(one.at(*image.image, key) for key in ("digest", "image", "registry", "repository"))
    return not other and (not image.switch or one.at(*image.switch) is True)


def _finding(context: CheckContext, one: ChartValues, image: ChartImage, unfit: list[Node]) -> Finding:
    every = len(unfit) == len(context.nodes)
    place = context.place_of(one, *image.switch)
    fits = " or ".join(sorted(image.architectures))
    off = f"{'.'.join(image.switch)}: false" if image.switch else f"another image, or machines that are {fits}"
    said = ", ".join(f"{node.name} is {node.architecture}" for node in unfit)
    if every:
        return NO_MACHINE(
            place,
            what=f"{image.name} runs on no machine: {said}",
            why=f"it was built for {fits} only, and its pod ends at once with `exec format error`",
            fix=off,
        )
    return SOME_MACHINES(
        place,
        what=f"{image.name} does not run everywhere: {said}",
        why=f"it was built for {fits} only; a pod that is placed there ends at once with `exec format error`",
        fix=f"{off}; or, to keep it where it runs, {'.'.join(image.selector)}: {{{_LABEL}: {min(image.architectures)}}}",
    )


RULES = (Rule(architectures, (NO_MACHINE, SOME_MACHINES)),)
