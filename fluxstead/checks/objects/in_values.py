"""Whole objects among a chart's values: what it installs besides its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.catalog.object_values import OBJECT_VALUES
from fluxstead.checks.objects.chart_values import ChartValues
from fluxstead.checks.reading.applied_tree import AppliedObject, identity
from fluxstead.checks.reading.documents import documents_in


def objects_in_values(one: ChartValues) -> Iterator[tuple[AppliedObject, str]]:
    """The objects, with the key that they stand under; what is a template for Helm is left out."""
    for key in OBJECT_VALUES:
        held = one.values.get(key)
        entries = held.values() if isinstance(held, Mapping) else held if isinstance(held, list) else ()
        for data in (data for entry in entries for data in _read(entry)):
            ref = identity(data)
            if ref is not None and "{{" not in str(data):
                if not ref.namespace:
                    ref = ref._replace(namespace=one.namespace)
                yield AppliedObject(data, ref, one.item.document, one.item.kustomization), key


def _read(entry: Any) -> Iterator[Any]:
    if not isinstance(entry, str):
        yield entry
    elif "{{" not in entry:
        yield from (document.data for document in documents_in(entry, "") if not document.problem)
