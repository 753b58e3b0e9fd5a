"""Asking where charts and images are published: every place once, a few at a time, and not forever."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from http.client import HTTPException
from threading import Thread
from time import monotonic

from fluxstead.checks.outside.distribution import NotAnswered, RegistryRepository
from fluxstead.checks.outside.evidence import LookupAnswer, Session
from fluxstead.checks.outside.pinned import OciReference
from fluxstead.checks.reading.documents import Document, documents_in
from fluxstead.core.findings import Source
from fluxstead.core.shape import entries_of, mapping

_AT_ONCE = 8
_SECONDS = 60.0
_INDEX_SECONDS = 20.0
_LARGEST_INDEX = 64 * 1024 * 1024


def ask(
    session: Session, wanted: Iterable[str | OciReference], seconds: float = _SECONDS
) -> Mapping[str | OciReference, LookupAnswer]:
    """An answer for the index of each URL and for each manifest. What was asked before is not asked again."""
    until = session.since + seconds
    different = list(dict.fromkeys(wanted))
    new = [one for one in different if str(one) not in session.answers]
    repositories: dict[str, list[OciReference]] = {}
    for one in new:
        if isinstance(one, OciReference):
            repositories.setdefault(one.name, []).append(one)
    jobs: list[Callable[[], None]] = [partial(_index, session, one) for one in new if isinstance(one, str)]
    jobs += [partial(_manifests, session, references, until) for references in repositories.values()]
    _work(jobs, until)
    late = LookupAnswer(why=f"{seconds:.0f} seconds were up")
    return {one: session.answers.get(str(one), late) for one in different}


def _work(jobs: Sequence[Callable[[], None]], until: float) -> None:
    left = iter(jobs)  # shared: whichever thread is free takes the next one

    def work() -> None:
        for job in left:
            if monotonic() < until:
                job()

    # Daemons: a server that sends a byte now and then delays neither the other answers nor the end of the program.
    threads = [Thread(target=work, daemon=True) for _ in range(min(_AT_ONCE, len(jobs)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - monotonic()))


def _index(session: Session, url: str) -> None:
    """The versions of every chart in a repository's index.yaml."""
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/index.yaml", timeout=_INDEX_SECONDS) as answer:  # noqa: S310 -- http and https only
            text = answer.read(_LARGEST_INDEX).decode()
    except (OSError, HTTPException, ValueError) as problem:
        session.answers[url] = LookupAnswer(why=str(problem))
        return
    [first, *_] = [*documents_in(text, url), Document(url, None, Source(url))]
    entries = mapping(first.data, "entries") if isinstance(first.data, Mapping) else {}
    known = {name: [str(one.get("version", "")) for one in entries_of(entries, name)] for name in entries}
    session.answers[url] = (
        LookupAnswer(known=known) if known else LookupAnswer(why=first.problem or "its index.yaml lists no charts")
    )


def _manifests(session: Session, references: Sequence[OciReference], until: float) -> None:
    """What a registry says about one of its repositories, unless it has fallen silent."""
    registry = references[0].registry
    repository = RegistryRepository(registry, references[0].repository, until)
    for one in references:
        try:
            answer = LookupAnswer(why=session.silent[registry]) if registry in session.silent else _manifest(repository, one)
        except NotAnswered as problem:
            answer = LookupAnswer(why=str(problem))
            if problem.whole_registry:
                session.silent[registry] = str(problem)
        session.answers[str(one)] = answer


def _manifest(repository: RegistryRepository, one: OciReference) -> LookupAnswer:
    if repository.has(one.wanted):
        return LookupAnswer(there=True)
    try:
        tags = repository.tags()
    except NotAnswered:
        tags = []
    if tags is None and not repository.is_in_a_registry():
        return LookupAnswer(why="it does not answer like a registry")
    return LookupAnswer(known={} if tags is None else {one.repository: tags})
