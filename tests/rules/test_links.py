"""Every page that a page, a message or a docstring refers to is there, and so is the heading."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md"), *(REPOSITORY / "examples").rglob("README.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
MENTIONED = re.compile(r"(?<![\w/-])(docs/(?:[\w/-]+\.md|adr/\d{4}\b))(?:#([\w-]+))?")
PATH_IN_CODE = re.compile(r"`((?:(?:fluxstead|components|tests|tools|docs|\.ci)/[\w./-]+)|[\w./-]+/[\w-]+\.py)`")
NUMBERED = re.compile(r"\b(?:ADR|[Dd]ecision) (\d+)\b")


def headings(page: Path) -> set[str]:
    """The anchors of a page, as GitHub makes them."""
    found: set[str] = set()
    for line in re.findall(r"^#+ (.*)$", CODE.sub("", page.read_text()) or "", re.MULTILINE):
        anchor = re.sub(r"[^\w\- ]", "", line.strip().lower()).replace(" ", "-")
        found.add(anchor if anchor not in found else f"{anchor}-1")
    return found


def dangling(page: Path) -> list[str]:
    """The links of a page that lead nowhere in the repository."""
    bad = []
    for link in LINK.findall(CODE.sub("", page.read_text())):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in headings(target)):
            bad.append(link)
    return bad


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    assert not dangling(page)


def test_a_link_that_leads_nowhere_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A heading, and more\n[a](page.md#a-heading-and-more) [b](page.md#other) [c](gone.md) `[d](code.md)` [e](https://x/y)\n"
    )
    assert dangling(page) == ["page.md#other", "gone.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_path_that_a_page_names_is_there(page: Path) -> None:
    """From the project's folder, or from the package's, as the pages write them."""
    named = PATH_IN_CODE.findall(page.read_text())
    assert not [path for path in named if not (REPOSITORY / path).exists() and not (REPOSITORY / "fluxstead" / path).exists()]


def test_every_page_can_be_reached_from_the_readme() -> None:
    """A page that nothing links to is read by nobody; the decisions are linked as a folder."""
    seen, ahead = set(), [REPOSITORY / "README.md"]
    while ahead:
        page = ahead.pop()
        if page in seen:
            continue
        seen.add(page)
        for link in LINK.findall(page.read_text()):
            target = (page.parent / link.partition("#")[0]).resolve()
            if target.is_dir() and (REPOSITORY / "docs") in target.parents:
                ahead.extend(target.glob("*.md"))
            elif target.suffix == ".md" and target.is_file():
                ahead.append(target)
    assert not [str(page.relative_to(REPOSITORY)) for page in PAGES if (REPOSITORY / "docs") in page.parents and page not in seen]


def test_what_code_says_of_pages_is_there() -> None:
    """In messages, docstrings and comments: `docs/…` is a page, and a decision that is cited by number exists."""
    decisions = {int(path.name[:4]) for path in (REPOSITORY / "docs/adr").glob("*.md")}
    listed = {
        int(number) for number in re.findall(r"^(\d+)\. \*\*", (REPOSITORY / "docs/architecture.md").read_text(), re.MULTILINE)
    }
    named = 0
    for folder in ("fluxstead", "components", "tools", "tests", "docs"):
        for path in (path for ending in ("py", "md") for path in (REPOSITORY / folder).rglob(f"*.{ending}")):
            text = path.read_text()
            for page, anchor in () if path == Path(__file__) else MENTIONED.findall(text):
                target = REPOSITORY / page
                found = [target] if target.exists() else list(target.parent.glob(f"{target.name}-*"))
                assert found, f"{path}: {page}"
                assert not anchor or anchor in headings(found[0]), f"{path}: {page}#{anchor}"
                named += 1
            for number in NUMBERED.findall(text):
                assert int(number) in (decisions if f"ADR {number}" in text else listed), f"{path}: {number}"
    assert named > 5
