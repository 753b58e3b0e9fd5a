"""The chain from a claim to its backup: its labels, the jobs that they name, and the target that the jobs write to.

Longhorn ignores each of these mistakes without a word: longhorn/longhorn-manager controller/volume_controller.go,
syncPVCRecurringJobLabels (a claim's labels count only with the label `source`); app/recurring_job.go (a job takes the volumes that
carry its label, or one of its groups').
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fluxstead.catalog.nearest import nearest
from fluxstead.checks.context import CheckContext
from fluxstead.checks.reading.applied_tree import AppliedObject
from fluxstead.checks.reading.charts import chart_of
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.core.check import warns
from fluxstead.core.findings import Finding
from fluxstead.core.shape import mapping
from fluxstead.systems.longhorn.keeping import GROUP, JOB, NONE, SOURCE
from fluxstead.systems.longhorn.names import PROVISIONER

NO_SOURCE = warns(
    "longhorn/labels-without-source", "U10", "PersistentVolumeClaim web/data has labels of jobs that count for nothing"
)
NO_JOB = warns("longhorn/no-such-job", "U10", "PersistentVolumeClaim web/data asks for the job `dayly`, which is nowhere")
CHECKS = (NO_SOURCE, NO_JOB)

_SELECTOR = "recurringJobSelector"
_LONGHORN, PRODUCT = "longhorn.io", "longhorn"
_ENCRYPTED = "ENC["


class _Jobs(NamedTuple):
    """The jobs of the tree, and the groups that any of them has."""

    names: frozenset[str]
    groups: frozenset[str]
    hidden: bool = False
    """Whether groups are ciphertext, which nobody here can read."""

    def lacks(self, name: str, *, group: bool) -> bool:
        """Whether nothing answers to it; a group that is called none is meant so."""
        if group:
            return not self.hidden and name not in {*self.groups, NONE}
        return name not in self.names


def findings(context: CheckContext) -> Iterator[Finding]:
    """Claims and classes that ask for jobs in vain."""
    jobs = _jobs(context)
    for item in context.tree.of("PersistentVolumeClaim"):
        if item.is_final:
            yield from _of_claim(context, item, jobs)
    for item in context.tree.of("StorageClass"):
        if item.is_final and item.object.get("provisioner") == PROVISIONER:
            selector = mapping(item.object, "parameters").get(_SELECTOR)
            yield from _unanswered(context, item, _selected(selector), jobs)


def _jobs(context: CheckContext) -> _Jobs:
    homes = {item.ref.namespace for item in context.tree.of("HelmRelease") if chart_of(context.tree, item)[0] == PRODUCT}
    found = [
        item
        for item in context.tree.of("RecurringJob")
        # Longhorn reads its own namespace alone.
        if item.ref.group == _LONGHORN and (not homes or item.ref.namespace in homes)
    ]
    groups = {str(group) for item in found for group in _listed(item.spec.get("groups"))}
    hidden = any(group.startswith(_ENCRYPTED) for group in groups)
    return _Jobs(frozenset(item.ref.name for item in found), frozenset() if hidden else frozenset(groups), hidden)


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _of_claim(context: CheckContext, item: AppliedObject, jobs: _Jobs) -> Iterator[Finding]:
    labels = mapping(mapping(item.object, "metadata"), "labels")
    asked = tuple(_asked(labels))
    if asked and labels.get(SOURCE) != "enabled":
        yield NO_SOURCE(
            line_with(context.tree.store, item.document, JOB, GROUP),
            what=f"{item} has labels of jobs that count for nothing",
            why="Longhorn reads a claim's labels only where it has this one too; its volume has what every volume has",
            fix=f"{SOURCE}: enabled, beside them",
        )
        return
    yield from _unanswered(context, item, asked, jobs)


def _asked(labels: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Names of jobs and of groups, and whether it is a group."""
    for key in labels:
        prefix, _, name = str(key).partition("/")
        if prefix in {JOB, GROUP} and key != SOURCE:
            yield name, prefix == GROUP


def _selected(selector: object) -> Iterator[tuple[str, bool]]:
    """What a class gives each of its volumes when it is made: JSON, of names and whether each is a group."""
    try:
        found = json.loads(selector) if isinstance(selector, str) else []
    except (ValueError, RecursionError):
        return
    for one in _listed(found):
        if isinstance(one, dict) and isinstance(one.get("name"), str):
            yield str(one.get("name")), one.get("isGroup") is True


def _unanswered(
    context: CheckContext, item: AppliedObject, asked: Iterator[tuple[str, bool]] | tuple[tuple[str, bool], ...], jobs: _Jobs
) -> Iterator[Finding]:
    for name, group in asked:
        # What is described is said where it is described; a name that Flux fills in is not known here.
        if item.document.generated or "${" in name or not jobs.lacks(name, group=group):
            continue
        word, known = ("group", jobs.groups) if group else ("job", jobs.names)
        meant = nearest(name, known)
        yield NO_JOB(
            line_with(context.tree.store, item.document, f"/{name}:", name),
            what=f"{item} asks for the {word} `{name}`, which is nowhere in the tree",
            why="nothing is done for it, and Longhorn does not say so; a job that was made by hand goes with the cluster",
            fix=meant
            or f"a RecurringJob {'with this group' if group else 'of this name'}, or no such label"
            + (f"; there are: {', '.join(sorted(known))}" if known else ""),
        )


RULES = (Rule(findings, CHECKS),)
