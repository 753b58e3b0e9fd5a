"""Reading what a host answered, whole, broken off, or from something else than the script."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.hosts.answer import read_answer

FOUND = {"path": "/dev/sda", "model": "WD", "serial": "S", "smart": "passed"}


def disk(**changes: Any) -> dict[str, Any]:
    plain = {"name": "a", "mountPath": "/mnt/a", "action": "nothing", "why": [], "message": "", "write": "", "notes": []}
    return {**plain, "filesystemUuid": "u", "found": FOUND, **changes}


def printed(**result: Any) -> str:
    return "\n".join(['{"step": "read", "status": "start"}', json.dumps({"result": {"status": "fine", **result}})])


def test_the_result_is_the_last_line_that_has_one() -> None:
    answer = read_answer(printed(disks=[disk()]) + "\n" + printed(disks=[disk(name="b")]) + "\n{}\n[1]\nbye\n")
    assert [one.name for one in answer.disks] == ["b"]
    assert not answer.refused
    assert not answer.work


@pytest.mark.parametrize(
    "result",
    [{"disks": [disk(action="mend")]}, {"disks": [disk()], "system": [{"item": "iscsid", "state": "due", "why": "inactive"}]}],
)
def test_there_is_work_where_a_disk_or_the_system_asks_for_it(result: dict[str, Any]) -> None:
    assert read_answer(printed(**result)).work


def test_what_was_found_in_a_few_words() -> None:
    [whole, nameless, none] = read_answer(
        printed(disks=[disk(), disk(found={**FOUND, "model": "", "serial": ""}), disk(found=None)])
    ).disks
    assert (whole.seen, nameless.seen, none.seen) == ("/dev/sda, WD, serial S", "/dev/sda", "nothing")


@pytest.mark.parametrize("output", ["", "\n\n", "Last login: today", '{"result": "fine"}', '{"step": "read"}', "null", "[]"])
def test_an_answer_without_a_result_is_a_failure_that_shows_what_came(output: str) -> None:
    answer = read_answer(output)
    assert (answer.status, answer.refused) == ("failed", True)
    assert (output.strip() or "no output") in answer.why[0]


def test_the_complaint_of_sudo_or_the_shell_is_shown() -> None:
    """It comes on standard error, and is all that there is."""
    assert "a password is required" in read_answer("", "sudo: a password is required\n").why[0]


@given(st.text())
def test_no_output_raises(output: str) -> None:
    assert read_answer(output).refused
