"""The steps of one change of the description, from the operator's clone to what runs."""

from __future__ import annotations

from collections.abc import Sequence

from fluxstead.live.applied import Applied
from fluxstead.live.changes import Amendment, GitWay
from fluxstead.live.committing import Committing
from fluxstead.live.procedure import Step


def committed(git: GitWay, change: Amendment) -> Sequence[Step]:
    """It is committed, pushed, and applied."""
    return *Committing(git, change).steps(), Applied(git, change).step()
