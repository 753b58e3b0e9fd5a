"""Rows that are no state of a running cluster: why, and where they are proved."""

from __future__ import annotations

from typing import NamedTuple


class NotHere(NamedTuple):
    """Why the doctor cannot name it, and the suite that proves the row."""

    why: str
    suite: str


NOT_HERE = {
    "F7": NotHere("both Ingresses are as valid as one, and one of them answers", "tests/failures/test_f07_one_route_twice.py"),
    "F16": NotHere("an order of acts on a machine's disk", "tests/e2e/failures/test_f16_order_of_wiping.py"),
    "F22": NotHere(
        "what is plain in Git is not seen in a cluster, which has all values", "tests/failures/test_f22_plain_secrets.py"
    ),
    "F23": NotHere("a chart that moved by a range is as ready as one moved on purpose", "tests/failures/test_f23_ranges.py"),
    "F25": NotHere("image automation cannot be described yet", "tests/failures/test_f25_image_automation.py"),
    "F26": NotHere(
        "who waits for which disk is seen at the first start alone", "tests/e2e/failures/test_f26_health_after_a_change.py"
    ),
    "U1": NotHere("which disk a machine means by a name", "tests/e2e/failures/test_u01_device_names.py"),
    "U2": NotHere("what a second run does to a machine's disk", "tests/e2e/failures/test_u02_wiped_again.py"),
    "U3": NotHere("a line of a machine's fstab", "tests/e2e/failures/test_u03_fstab.py"),
    "U7": NotHere("how many mistakes of a description are shown", "tests/failures/test_u07_first_error_only.py"),
    "U11": NotHere("bytes of ciphertext in Git, of which a cluster has the values", "tests/failures/test_u11_re_encryption.py"),
    "U12": NotHere("how many files a new machine takes", "tests/failures/test_u12_many_edits.py"),
}
