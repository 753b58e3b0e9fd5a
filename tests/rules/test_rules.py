"""Laws over the code itself. Each says how much it looked at, so that it cannot pass by looking at nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from fluxstead.embedded import run_program

REPOSITORY = Path(__file__).parents[2]
COMPONENTS = sorted((REPOSITORY / "components").glob("*.py"))
SYSTEMS = sorted(path for path in (REPOSITORY / "fluxstead/systems").iterdir() if (path / "manifests.py").exists())


def component_classes() -> list[tuple[Path, ast.ClassDef]]:
    """Every class that is a Pulumi component."""
    return [
        (path, node)
        for path in COMPONENTS
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("ComponentResource") for base in node.bases)
    ]


def test_every_component_registers_its_outputs_last() -> None:
    """Pulumi shows a component as done only then; half of the components of a large public code base forget it."""
    classes = component_classes()
    assert len(classes) >= 4
    for path, node in classes:
        [init] = [item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"]
        assert ast.unparse(init.body[-1]).startswith("self.register_outputs("), f"{path.name}: {node.name}"


def test_the_only_parent_of_a_child_is_its_component() -> None:
    """A child whose parent the caller chooses escapes from its component."""
    parents = [
        ast.unparse(keyword.value)
        for path in COMPONENTS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("ResourceOptions")
        for keyword in node.keywords
        if keyword.arg == "parent"
    ]
    assert parents
    assert set(parents) <= {"self", "system"}


def test_each_system_is_planned_by_the_program() -> None:
    """The systems' list orders them, and does not plan them."""
    names = {path.name for path in SYSTEMS}
    assert len(names) >= 2
    assembled = run_program(REPOSITORY / "examples/edge", "edge").assembled
    assert assembled is not None
    assert assembled.plans.keys() == names


def test_unit_tests_import_nothing_of_those_on_real_parts() -> None:
    """What needs machines, engines and servers is in tests/e2e and tests/real, with its support; the other way round is free."""
    files = [path for path in (REPOSITORY / "tests").rglob("*.py") if not {"e2e", "real"} & set(path.parts)]
    imported = {
        (path.name, name)
        for path in files
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
    }
    assert len(files) > 100
    assert not {(file, name) for file, name in imported if "e2e" in name.split(".")}


def test_the_embedded_program_does_not_import_pulumi() -> None:
    """It takes as long as everything else together."""
    run = "main(['check', '--project', 'examples/edge'])"
    program = f"import sys; from fluxstead.cli.__main__ import main; {run}; print('pulumi' in sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout.splitlines()[-1] == "False"


def test_slices_have_the_same_files() -> None:
    """Who knows one slice finds the way in all."""
    allowed = {"__init__.py", "settings.py", "manifests.py", "checks.py"}
    for system in SYSTEMS:
        found = {path.name for path in system.glob("*.py")}
        assert {"__init__.py", "manifests.py"} <= found
        private = {name for name in found - allowed if not (system / name).read_text().startswith('"""')}
        assert not private, f"{system.name}: {private}"


def test_every_test_file_is_collected() -> None:
    """A test that pytest never finds passes forever."""
    files = [path for path in (REPOSITORY / "tests").rglob("*.py") if "def test_" in path.read_text()]
    assert len(files) >= 5
    assert all(path.name.startswith("test_") for path in files)


def test_the_program_is_wiring_only() -> None:
    """Under 60 lines, and no decision in it."""
    text = (REPOSITORY / "__main__.py").read_text()
    assert len(text.splitlines()) < 60
    assert not [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.If, ast.For, ast.While, ast.Try, ast.FunctionDef))
    ]


def test_files_can_be_read_in_one_sitting() -> None:
    """At most 400 lines."""
    files = [path for folder in ("fluxstead", "components", "tests") for path in (REPOSITORY / folder).rglob("*.py")]
    assert len(files) > 50
    assert not [f"{path}: {lines}" for path in files if (lines := len(path.read_text().splitlines())) > 400]


def test_no_two_classes_have_one_name() -> None:
    """What a reader has learned in one room is true in the others."""
    files = [file for folder in ("fluxstead", "components") for file in sorted((REPOSITORY / folder).rglob("*.py"))]
    names = [node.name for file in files for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ClassDef)]
    assert len(names) >= 100
    assert {name for name in names if names.count(name) > 1} == set()
