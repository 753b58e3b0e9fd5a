"""Whatever is done to secrets, in any order: what was not touched keeps its bytes, and sops decrypts all of it (failure U11)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from fluxstead.core.findings import Source
from fluxstead.secrets.giving import Import
from fluxstead.secrets.recipients import Recipients
from fluxstead.secrets.settings import SecretsSettings
from fluxstead.secrets.state import Scope
from fluxstead.secrets.tools import new_key, recipients_of, sops_binary
from fluxstead.secrets.vault import Vault
from fluxstead.tree.asks import SecretNeed
from tests.conftest import examples
from tests.edge_keys import CLUSTER, OPERATOR

KEYS = ("PASSWORD", "TOKEN", "tls.key", "a-b_c")
NAMES = ("one", "two")
# Without what PyYAML, which is the editor here, does not read.
VALUES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]), max_size=40) | st.sampled_from(
    ["true", "007", "1e3", "null", "~", "a: b", "- x\n", "ENC[", "${VAR}", "line\nline\n", " ", "'\"", "#", "\u2028", "zwölf"]
)


class Secrets(RuleBasedStateMachine):
    """Two Secrets, with a model of what they hold, and the ciphertext of each value as it was."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.root = Path(self.folder.name)
        self.model: dict[str, dict[str, str]] = {}
        self.seen: dict[tuple[str, str], str] = {}
        self.others: list[str] = []
        self.fresh: set[tuple[str, str]] = set()
        """What the last step may have changed."""

    @initialize()
    def begin(self) -> None:
        """For the operator and one cluster."""
        self.people = tuple(recipients_of(OPERATOR))
        self.cluster = tuple(recipients_of(CLUSTER))

    @property
    def scope(self) -> Scope:
        """As the description says now."""
        needs = tuple(SecretNeed(namespace="web", name=name, layer="web", purpose="a test", source=Source("x")) for name in NAMES)
        return Scope(self.root, "home", needs, SecretsSettings(people=self.people, cluster=self.cluster), "sops-age")

    def need(self, name: str) -> SecretNeed:
        """One of them."""
        return self.scope.named(name)[0]

    @rule(name=st.sampled_from(NAMES), values=st.dictionaries(st.sampled_from(KEYS), VALUES, min_size=1, max_size=3))
    def set(self, name: str, values: dict[str, str]) -> None:
        """Values, some of which it may have already."""
        Vault(self.scope).put(self.need(name), values)
        held = self.model.setdefault(name, {})
        self.fresh = {(name, key) for key, value in values.items() if held.get(key) != value}
        held.update(values)

    @precondition(lambda self: self.model)
    @rule(key=st.sampled_from(KEYS), data=st.data())
    def unset(self, key: str, data: st.DataObject) -> None:
        """A key that may be there."""
        name = data.draw(st.sampled_from(sorted(self.model)))
        Vault(self.scope).put(self.need(name), {key: None})
        self.model[name].pop(key, None)
        self.fresh = {(name, key)}

    @precondition(lambda self: any(self.model.values()))
    @rule(data=st.data(), word=st.text("abcxyz", min_size=1, max_size=8))
    def edit(self, data: st.DataObject, word: str) -> None:
        """One value, in sops' editor."""
        name = data.draw(st.sampled_from(sorted(name for name, held in self.model.items() if held)))
        key = data.draw(st.sampled_from(sorted(self.model[name])))
        vault, path = Vault(self.scope), self.scope.path_of(self.need(name))
        script = self.root / "editor.py"
        script.write_text(
            "import json, sys, yaml\nfile = sys.argv[1]\ndata = yaml.safe_load(open(file, encoding='utf-8'))\n"
            f"data['stringData'][{key!r}] = {word!r}\n"
            "open(file, 'w', encoding='utf-8').write(json.dumps(data, ensure_ascii=False))\n"
        )
        os.environ["EDITOR"] = f"{sys.executable} {script}"
        new = vault.sops.edited(vault.text(path) or "", self.root)
        vault.write({path: new}, "web")
        self.fresh = {(name, key)} if self.model[name][key] != word else set()
        self.model[name][key] = word

    @rule(name=st.sampled_from(NAMES), values=st.dictionaries(st.sampled_from(KEYS), VALUES, min_size=1, max_size=2))
    def take_over(self, name: str, values: dict[str, str]) -> None:
        """From a manifest in plain text."""
        plain = self.root / "plain.json"
        plain.write_text(json.dumps({"kind": "Secret", "metadata": {"name": name, "namespace": "web"}, "stringData": values}))
        list(Import(Vault(self.scope)).file(plain))
        plain.unlink()
        held = self.model.setdefault(name, {})
        self.fresh = {(name, key) for key, value in values.items() if held.get(key) != value}
        held.update(values)

    @rule()
    def add_a_person(self) -> None:
        """Nothing is encrypted anew but the data key."""
        if len(self.others) < 2:
            _, recipient = new_key()
            list(Recipients(self.scope, lambda _: {}).add(recipient))
            self.others.append(recipient)
            self.people = (*self.people, recipient)
        self.fresh = set()

    @precondition(lambda self: bool(self.others))
    @rule()
    def remove_a_person(self) -> None:
        """Under a new data key, everything is new."""
        gone = self.others.pop()
        list(Recipients(self.scope, lambda _: {}).remove(gone))
        self.people = tuple(one for one in self.people if one != gone)
        self.fresh = {(name, key) for name, held in self.model.items() for key in held}

    @invariant()
    def all_of_it_decrypts(self) -> None:
        """By sops itself, for the operator and for the cluster alone."""
        for name, held in self.model.items():
            file = self.root / self.scope.path_of(self.need(name))
            for key in (OPERATOR, CLUSTER):
                done = subprocess.run(
                    [sops_binary(), "decrypt", "--output-type", "json", str(file)],
                    capture_output=True,
                    env={"SOPS_AGE_KEY": key, "PATH": os.environ["PATH"], "HOME": str(self.root)},
                    check=True,
                )
                assert json.loads(done.stdout).get("stringData", {}) == held

    @invariant()
    def what_was_not_touched_keeps_its_bytes(self) -> None:
        """The ciphertext of each value, to the letter."""
        now = {}
        for name in self.model:
            text = (self.root / self.scope.path_of(self.need(name))).read_text()
            for key, value in re.findall(r"(?m)^  ([\w.-]+): (ENC\[.+\])$", text.partition("\nsops:")[0]):
                now[name, key] = value
        for place, value in self.seen.items():
            if place in now and place not in self.fresh:
                assert now[place] == value, place
        self.seen = now

    def teardown(self) -> None:
        """Nothing stays."""
        self.folder.cleanup()


@pytest.mark.usefixtures("keys")
def test_any_sequence() -> None:
    """Of set, unset, edit, import and changes of recipients."""
    run_state_machine_as_test(Secrets, settings=examples(0.2, stateful_step_count=8))
