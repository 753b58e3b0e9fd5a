"""Values that no hand may change: whatever goes by the former one would be shut out."""

from __future__ import annotations

from fluxstead.core.repository import repositories_around
from fluxstead.secrets.ciphertext import ciphertext_in
from fluxstead.secrets.files import NotRead, text_of
from fluxstead.secrets.handed_over import git_says
from fluxstead.secrets.state import Scope
from fluxstead.secrets.tools import ToolTrouble
from fluxstead.tree.asks import SecretNeed


def refuse_what_rotates(scope: Scope, need: SecretNeed, *, taken_over: bool = False) -> None:
    """Raises ToolTrouble where only a rotation may change it. `taken_over`: what comes is what the cluster already goes by.

    A cluster may go by whatever was committed. What is gone in a commit as well is given anew.
    """
    own, path = scope.operators_own(need), scope.path_of(need)
    if not need.rotation:
        return
    if taken_over and _is_plain(scope, path):  # what is there is only encrypted
        return
    there, committed = (scope.root / path).is_file(), _ever_committed(scope, path)
    if own and own.made and not (taken_over and not there):
        raise ToolTrouble(f"{need.qualified_name} is not set by hand: it is changed {need.rotation}")
    if there and committed:
        raise ToolTrouble(
            f"{need.qualified_name} is not changed by hand: it was committed, and whatever goes by it would be shut out;"
            f" it is changed {need.rotation}"
        )
    if committed and not there and not taken_over and git_says(scope, "ls-tree", "--name-only", "HEAD", "--", path):
        raise ToolTrouble(f"{path} is gone, and the cluster may go by what it had: git checkout HEAD -- {path}")


def _is_plain(scope: Scope, path: str) -> bool:
    try:
        text = text_of(scope.root, path)
    except NotRead:
        return False
    found = ciphertext_in(text, path) if text is not None else None
    return found is not None and found.sops is None


def ignored(scope: Scope, path: str) -> bool:
    """Whether Git leaves a file out, so that it is on this machine alone."""
    return bool(git_says(scope, "check-ignore", "--", path))


def _ever_committed(scope: Scope, path: str) -> bool:
    """Raises ToolTrouble where there is a repository, and Git does not answer."""
    said = git_says(scope, "log", "--all", "-1", "--format=%h", "--", path)
    if said is None and any(repositories_around(scope.root)):
        raise ToolTrouble(
            f"whether {path} was ever committed, and a cluster may go by it, Git does not say: git log --all -- {path}"
        )
    return bool(said)
