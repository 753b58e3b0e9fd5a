"""Adds to `fluxstead/catalog/data` what upstream publishes: docs/catalog.md says where each input is to be had.

    python -m tools.catalog kubernetes WHEEL
    python -m tools.catalog crds SET FILE...
    python -m tools.catalog charts ARCHIVE...
    python -m tools.catalog releases CHART INDEX
    python -m tools.catalog metrics PRODUCT VERSION FILE...
    python -m tools.catalog k3s VERSION [--rke2] FILE...
    python -m tools.catalog own

A command replaces what the data holds of the versions that it is given, keeps the others, and gives the same bytes in whatever
order versions came.
"""

import argparse
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from tools.catalog_charts import Shape, chart_of
from tools.catalog_k3s import configuration_in, configuration_of_rke2
from tools.catalog_metrics import by_name, names_in
from tools.catalog_page import with_releases
from tools.catalog_schemas import canonical
from tools.catalog_sets import Files, Version, custom_kinds, held, kubernetes, layered, parsed, product_of
from tools.catalog_values import history, shape_at
from tools.catalog_yaml import documents

DATA = Path(__file__).parents[1] / "fluxstead" / "catalog" / "data"
PAGE = Path(__file__).parents[1] / "docs" / "catalog.md"
OWN = Path(__file__).parent / "schemas"


def main(arguments: list[str] | None = None) -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="python -m tools.catalog", description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=DATA, help="the data to add to; %(default)s where nothing is said")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("kubernetes", help="the kinds of Kubernetes itself, of all minor versions")
    one.add_argument("wheel", type=Path, help="kubernetes_validate-VERSION-py3-none-any.whl")
    one = commands.add_parser("crds", help="the kinds of one product, from its custom resource definitions")
    one.add_argument("set", help="PRODUCT-VERSION, or PRODUCT where all versions are judged alike")
    one.add_argument("files", type=Path, nargs="+", metavar="FILE")
    one = commands.add_parser("charts", help="the values of charts, each archive one version")
    one.add_argument("archives", type=Path, nargs="+", metavar="ARCHIVE")
    one = commands.add_parser(
        "releases", help="which releases of a chart's repository are missing between the oldest and the newest known"
    )
    one.add_argument("chart")
    one.add_argument("index", type=Path, help="the repository's index.yaml")
    one = commands.add_parser("metrics", help="the names of the metrics of one version of a product")
    one.add_argument("product")
    one.add_argument("version")
    one.add_argument("files", type=Path, nargs="+", metavar="FILE", help="the Go files that make the names")
    one = commands.add_parser("k3s", help="the keys of the configuration of one version of k3s")
    one.add_argument("version", help="such as 1.33.1")
    one.add_argument("--rke2", action="store_true", help="the files are server.go and agent.go of rke2's version of that name")
    one.add_argument("files", type=Path, nargs="+", metavar="FILE", help="the Go files of pkg/cli/cmds")
    commands.add_parser("own", help="the schemas that nobody publishes, of tools/schemas")
    options = parser.parse_args(arguments)
    schemas = options.data / "schemas"
    if options.command == "kubernetes":
        add_sets(schemas, "kubernetes", kubernetes(options.wheel))
    elif options.command == "crds":
        product, version = product_of(options.set)
        add_sets(schemas, product, {version: custom_kinds(options.files)})
    elif options.command == "charts":
        add_charts(options.data / "chart_values", options.archives)
        if options.data == DATA:
            write_page(options.data / "chart_values", PAGE)
    elif options.command == "metrics":
        add_names(options.data / "metrics" / f"{options.product}.json", options.version, names_in(options.files))
    elif options.command == "k3s":
        file = options.data / "k3s" / "configuration.json"
        add_names(file, options.version, _configuration(file, options))
    elif options.command == "releases":
        missing = missing_releases(options.data / "chart_values", options.chart, options.index)
        if missing:
            raise SystemExit(f"{options.chart}: not known: {', '.join(missing)}")
    else:
        for folder in sorted(OWN.iterdir()):
            kinds = {file.name: canonical(json.loads(file.read_text())).encode() for file in folder.iterdir()}
            add_sets(schemas, folder.name, {(): kinds})


def add_sets(data: Path, product: str, sets: Mapping[Version, Files]) -> None:
    """These versions of a product beside those that are held."""
    data.mkdir(parents=True, exist_ok=True)
    known = {**held(data, product), **sets}
    if () in known and len(known) > 1:
        raise SystemExit(f"{product}: either all its sets have a version, or it has one set without")
    for folder in [folder for folder in data.iterdir() if product_of(folder.name)[0] == product]:
        shutil.rmtree(folder)
    for version in known:
        (data / "-".join(filter(None, (product, ".".join(map(str, version)))))).mkdir()
    for name, text in sorted(layered(product, known).items()):
        (data / name).write_bytes(text)


def add_charts(data: Path, archives: Iterable[Path]) -> None:
    """These releases beside those that are held, one file a chart."""
    found: dict[str, dict[Version, Shape]] = {}
    for archive in archives:
        chart, version, shape = chart_of(archive)
        try:
            number = parsed(version)
        except ValueError as error:
            raise SystemExit(f"{archive}: version {version} is not of the form 1.2.3; the catalog holds releases only") from error
        if found.setdefault(chart, {}).setdefault(number, shape) != shape:
            raise SystemExit(f"{archive}: another archive says {version} of {chart} has other values")
    data.mkdir(parents=True, exist_ok=True)
    for chart, shapes in found.items():
        content = chart_values(data, chart)
        known = {parsed(version): shape_at(content["keys"], index) for index, version in enumerate(content["versions"])} | shapes
        versions = sorted(known)
        content = {"keys": history([known[one] for one in versions]), "versions": [".".join(map(str, one)) for one in versions]}
        (data / f"{chart}.json").write_bytes(canonical(content).encode())


def add_names(file: Path, version: str, names: frozenset[str]) -> None:
    """What this version has beside what the versions that are held have."""
    content = json.loads(file.read_bytes()) if file.is_file() else {"names": {}, "versions": []}
    known = {
        one: frozenset(
            name
            for name, runs in content["names"].items()
            if any(parsed(first) <= parsed(one) <= parsed(last) for first, last in runs)
        )
        for one in content["versions"]
    } | {version: names}
    versions = sorted(known, key=parsed)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(canonical({"names": by_name(known, versions), "versions": versions}).encode())


def _configuration(file: Path, options: argparse.Namespace) -> frozenset[str]:
    if not options.rke2:
        return configuration_in(options.files)
    return configuration_of_rke2(options.files, json.loads(file.read_bytes())["names"] if file.is_file() else ())


def write_page(data: Path, page: Path) -> None:
    """The list of all releases that are known, into its place on the page."""
    charts = {file.stem: chart_values(data, file.stem)["versions"] for file in data.glob("*.json")}
    page.write_text(with_releases(page.read_text(), charts))


def chart_values(data: Path, chart: str) -> dict[str, Any]:
    """What is held of a chart."""
    file = data / f"{chart}.json"
    content: dict[str, Any] = json.loads(file.read_bytes()) if file.is_file() else {"keys": {}, "versions": []}
    return content


def missing_releases(data: Path, chart: str, index: Path) -> list[str]:
    """Those that a chart repository lists in the range that is known, and that are not known."""
    try:
        [content] = documents(index.read_text())
        listed = content["entries"][chart]
        releases = {str(one["version"]).removeprefix("v") for one in listed}
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise SystemExit(f"{index}: not an index of a chart repository that has {chart}: {error!r}") from error
    known = chart_values(data, chart)["versions"]
    if not known:
        raise SystemExit(f"{chart}: no release of it is known")
    numbers = sorted(parsed(one) for one in releases if one.replace(".", "").isdigit())
    between = [".".join(map(str, one)) for one in numbers if parsed(known[0]) <= one <= parsed(known[-1])]
    return [one for one in between if one not in known]


if __name__ == "__main__":
    main()
