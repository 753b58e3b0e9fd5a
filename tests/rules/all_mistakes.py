"""Every mistake of every file of them."""

from __future__ import annotations

from tests.rules.mistakes import MISTAKES as FIRST
from tests.rules.mistakes_of_applications import OF_APPLICATIONS
from tests.rules.mistakes_of_files import OF_FILES
from tests.rules.mistakes_of_k3s import OF_K3S
from tests.rules.mistakes_of_machines import OF_MACHINES
from tests.rules.mistakes_of_secrets import OF_SECRETS
from tests.rules.mistakes_of_ways_in import OF_WAYS_IN

MISTAKES = (*FIRST, *OF_APPLICATIONS, *OF_FILES, *OF_K3S, *OF_MACHINES, *OF_SECRETS, *OF_WAYS_IN)
