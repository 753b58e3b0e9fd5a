"""HelmReleases that wait for each other, by themselves or through the Kustomizations that hold them."""

from __future__ import annotations

from tests.checks.planted import WEB, Planted, layer, look, obj, release

_OTHER = obj("Namespace", "other")


def after(name: str, *others: str) -> str:
    """A release that depends on others, each with its namespace."""
    entries = ", ".join(f"{{namespace: {one.partition('/')[0]}, name: {one.partition('/')[2]}}}" for one in others)
    return release(name, name.replace("/", "-"), "1.0.0", f", dependsOn: [{entries}]")


def found(files: dict[str, str]) -> list[str]:
    """The findings about circular dependencies."""
    wanted = {"references/circle", "coldstart/deadlock"}
    return [one.what for one in look(Planted(files=files, cure=("", ""), says=""), files) if one.id in wanted]


def test_each_circle_is_told_once() -> None:
    """Two circles that meet, one that nothing leads into, and a release that waits for itself."""
    told = found(
        layer(
            "web",
            WEB,
            _OTHER,
            after("web/a", "web/b"),
            after("web/b", "web/a", "web/c"),
            after("web/c", "web/b"),
            after("web/d", "web/a"),
            after("other/a", "other/a"),
        )
    )
    ways = [one.partition(": ")[2] for one in told]
    assert sorted(ways) == ["other/a → other/a", "web/a → web/b → web/a", "web/b → web/c → web/b"]


def test_a_long_chain_is_no_circle() -> None:
    """Longer than Python's stack; also where several ways lead to one release."""
    chain = [after(f"web/r{index}", f"web/r{index + 1}", f"web/r{index + 2}") for index in range(1200)]
    assert not found(layer("web", WEB, *chain, after("web/r1200"), after("web/r1201")))


def test_names_of_other_namespaces_are_others() -> None:
    """A name without a namespace is of the release's own."""
    assert not found(layer("web", WEB, _OTHER, after("web/a", "other/a"), after("other/a", "other/b"), after("other/b")))


def test_a_kustomization_waits_for_the_releases_of_its_releases() -> None:
    """web is ready with web/a, which waits for other/a, which is applied once web is ready."""
    files = {
        **layer("web", WEB, after("web/a", "other/a")),
        **layer("other", _OTHER, after("other/a"), spec="dependsOn: [{name: web}]"),
    }
    [told] = found(files)
    assert "other → web → other" in told
    assert not found({path: text.replace("  wait: true\n", "") for path, text in files.items()})
    assert not found({path: text.replace("  dependsOn: [{name: web}]\n", "") for path, text in files.items()})
