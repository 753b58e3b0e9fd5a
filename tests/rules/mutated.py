"""The project with one rule taken out: run as `python -m tests.rules.mutated`, it answers for every mistake of the table.

Each place in the code that makes a finding is rewritten as it is loaded, so that it can be switched off: the statement there then
does nothing, as if nobody had written it. What comes after it in the program runs as it would then run. That is more than dropping
a finding from the answer, which would hide what the program does without the rule.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.abc
import importlib.machinery
import io
import json
import pickle
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

REPOSITORY = Path(__file__).parents[2]
_MAKERS = {
    "_refuse": "description/yaml",
    "_endless": "description/yaml",
    "_twice": "nodes/disk-twice",
    "_in_the_way": "tree/in-the-way",
    "unknown_key": "description/unknown-key",
    "_unknown_key": "description/unknown-key",
}
"""Functions that make findings, and of which id, beside the checks themselves."""
_LOOK = ("render", "--check")
_GONE = object()
_off = ""
_hit: dict[str, None] = {}
_known: dict[str, str] = {}


def _site(key: str, make: Callable[[], object]) -> object:
    """What a place that makes a finding does: make it, unless it is switched off."""
    _hit[key] = None
    return _GONE if key == _off else make()


def _present(value: object) -> tuple[object, ...]:
    return () if value is _GONE else (value,)


def _put(container: Any, key: object, value: object) -> None:
    if value is not _GONE:
        container[key] = value


class _Rewriting(ast.NodeTransformer):
    """Every place that makes a finding, and the statements by which findings go on."""

    def __init__(self, path: Path) -> None:
        self._path = path.relative_to(REPOSITORY)
        self._checks = _checks_in(ast.parse(path.read_text()))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        own = isinstance(node.func, ast.Name) or name == "_refuse"
        id_ = _MAKERS.get(name) or self._checks.get(name)
        if own and id_:
            key = f"{self._path}:{node.lineno}"
            _known[key] = id_
            return _call("_site", ast.Constant(key), ast.Lambda(_NOTHING, node))
        if name == "append" and isinstance(node.func, ast.Attribute) and isinstance(node.args[0], ast.Call):
            return ast.Call(ast.Attribute(node.func.value, "extend", ast.Load()), [_call("_present", node.args[0])], [])
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.value, ast.Yield) and isinstance(node.value.value, ast.Call):
            return ast.Expr(ast.YieldFrom(_call("_present", node.value.value)))
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        [target, *others] = node.targets
        if (
            not others
            and isinstance(target, ast.Subscript)
            and not isinstance(target.slice, ast.Slice)
            and isinstance(node.value, ast.Call)
        ):
            return ast.Expr(_call("_put", target.value, target.slice, node.value))
        return node

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.elt, ast.Call):
            each = ast.comprehension(ast.Name("_each", ast.Store()), _call("_present", node.elt), [], 0)
            return ast.ListComp(ast.Name("_each", ast.Load()), [*node.generators, each])
        return node


def _checks_in(module: ast.Module) -> dict[str, str]:
    """The checks that a module declares or imports: their names in it, and their ids."""
    found: dict[str, str] = {}
    for node in module.body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("fluxstead."):
            names = [alias.name for alias in node.names if alias.name.isupper()]
            file = REPOSITORY / f"{node.module.replace('.', '/')}.py"
            other = _checks_in(ast.parse(file.read_text())) if names and file.is_file() else {}
            found |= {name: other[name] for name in names if name in other}
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            call, [target] = node.value, node.targets
            if isinstance(call.func, ast.Name) and call.func.id in {"refuses", "warns"} and isinstance(target, ast.Name):
                found[target.id] = str(ast.literal_eval(call.args[0]))
    return found


_NOTHING = ast.arguments([], [], None, [], [], None, [])


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


class _Loader(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        tree = _Rewriting(Path(path)).visit(ast.parse(self.get_data(path)))
        return compile(ast.fix_missing_locations(tree), path, "exec")

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__.update(_site=_site, _present=_present, _put=_put)
        super().exec_module(module)


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name.startswith("fluxstead.") else None
        if spec is not None and isinstance(spec.loader, SourceFileLoader) and spec.origin:
            spec.loader = _Loader(name, spec.origin)
        return spec


def _answer(project: Path, stack: str, off: str = "", command: str = "render", *options: str) -> dict[str, Any]:
    """What `./run render` or another command says, with one place switched off."""
    global _off  # noqa: PLW0603 -- read by the rewritten code
    from fluxstead.cli.__main__ import main  # noqa: PLC0415 -- once its code is rewritten

    _off = off
    _hit.clear()
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            status: object = main([command, "--project", str(project), "--stack", stack, "--format", "json", *options])
    except Exception as broken:  # noqa: BLE001 -- the program without a rule may do anything
        status = f"{type(broken).__name__}: {broken}"
    finally:
        _off = ""
    text = out.getvalue()
    said = json.loads(text) if text else []
    findings = said["findings"] if isinstance(said, dict) else said
    for finding in findings:
        file = project / finding["file"]
        lines = file.read_text(errors="replace").splitlines() if file.is_file() else []
        finding["text"] = lines[finding["line"] - 1] if finding["line"] <= len(lines) else ""
    return {"status": status, "findings": findings, "hit": list(_hit)}


@contextlib.contextmanager
def _copy(of: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        shutil.copytree(of, project, symlinks=True)
        yield project


def _answers() -> dict[str, Any]:
    from tests.conftest import copy_description  # noqa: PLC0415 -- likewise
    from tests.rules.all_mistakes import MISTAKES  # noqa: PLC0415
    from tests.rules.mistakes import BASES, change  # noqa: PLC0415

    answers = []
    with tempfile.TemporaryDirectory() as folder:
        bases = {stack: Path(folder) / stack for stack in BASES}
        for stack, base in bases.items():
            source, edits = BASES[stack]
            base.mkdir()
            copy_description(REPOSITORY / source, base)
            change(base, edits)
        untouched = {}
        for stack, base in bases.items():
            with _copy(base) as project:
                untouched[stack] = _answer(project, stack, "", *_LOOK)
        for mistake in MISTAKES:
            with _copy(bases[mistake.base]) as project:
                mistake.make(project, partial(_answer, project, mistake.base))
                stack = mistake.stack or mistake.base
                command = _LOOK if mistake.command == "render" else (mistake.command,)
                found = _answer(project, stack, "", *command)
                place = [site for site in found["hit"] if _known[site] == mistake.id and site not in untouched[mistake.base]["hit"]]
                without = [_answer(project, stack, site, *command) for site in place]
            answers.append({"places": place, "with": found, "without": without})
    return {"untouched": untouched, "answers": answers, "of the tree": _places_of_the_tree(), "known": _known}


def _places_of_the_tree() -> list[str]:
    """The places that the planted defects of the checks over the tree reach."""
    from tests.checks.defects_again import PLANTED  # noqa: PLC0415 -- likewise
    from tests.checks.planted import look  # noqa: PLC0415

    places = []
    for id_, defect in PLANTED:
        _hit.clear()
        look(defect, defect.files)
        places += [place for place in _hit if _known[place] == id_]
    return places


def _remember_yaml() -> None:
    """Make each object's text once: the runs differ by a few, and the emitter is a third of each."""
    from fluxstead.core import yaml_text  # noqa: PLC0415 -- likewise

    made: dict[bytes, str] = {}
    really_made = yaml_text.to_yaml

    def to_yaml(value: Any) -> str:
        key = pickle.dumps(value)
        if key not in made:
            made[key] = really_made(value)
        return made[key]

    yaml_text.to_yaml = to_yaml


if __name__ == "__main__":
    sys.meta_path.insert(0, _Finder())
    _remember_yaml()
    json.dump(_answers(), sys.stdout)
