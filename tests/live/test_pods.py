"""Why pods do not run, in a line each."""

from __future__ import annotations

from typing import Any

import pytest

from fluxstead.live.pods import trouble_of


def told(**status: Any) -> list[str]:
    return list(trouble_of({"metadata": {"name": "a", "namespace": "web"}, "status": status}))


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (
            {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes: 1 Insufficient memory"}]},
            "Pod web/a is on no machine: 0/1 nodes: 1 Insufficient memory",
        ),
        (
            {
                "containerStatuses": [
                    {"name": "b", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no\n such  tag"}}}
                ]
            },
            "Pod web/a, container b: ImagePullBackOff: no such tag",
        ),
        (
            {
                "initContainerStatuses": [
                    {
                        "name": "b",
                        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                        "lastState": {"terminated": {"exitCode": 3}},
                    }
                ]
            },
            "Pod web/a, container b: CrashLoopBackOff: exit code 3",
        ),
    ],
)
def test_it_says_why(status: dict[str, Any], line: str) -> None:
    assert told(**status) == [line]


@pytest.mark.parametrize(
    "status",
    [
        {"phase": "Succeeded", "containerStatuses": [{"state": {"waiting": {"reason": "Error"}}}]},
        {"phase": "Running", "containerStatuses": [{"name": "b", "state": {"running": {}}}]},
        {"containerStatuses": [{"name": "b", "state": {"waiting": {"reason": "ContainerCreating"}}}]},
        {"containerStatuses": 3, "conditions": ["odd"]},
        {},
    ],
)
def test_what_runs_or_only_begins_is_no_trouble(status: dict[str, Any]) -> None:
    assert told(**status) == []
