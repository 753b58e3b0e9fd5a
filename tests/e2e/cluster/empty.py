"""An empty Kubernetes that Flux is brought into, and a stand-in for the kubelet that would run its controllers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread

from tests.e2e.cluster.api import RefusedError
from tests.e2e.cluster.flux import CONTROLLERS, NAMESPACE, Cluster
from tests.e2e.cluster.web import files_of, git_of, serving
from tests.e2e.isolation import scratch

PLAYED = "kwok says that Flux's pods run; its real controllers run as processes, once their Deployments are there"


class EmptyCluster(Cluster):
    """Nothing of Flux is there. Its controllers start when the API server has their Deployments."""

    def start(self, git: int, charts: int) -> None:
        """Start Kubernetes alone."""
        self.control_plane.start()
        self._git = f"http://127.0.0.1:{git}/cluster/.git"
        self._ends = Event()
        self._kubelet = Thread(target=self._run_controllers, args=(charts,), daemon=True)
        self._kubelet.start()
        self.stand_ins.start()

    def stop(self) -> None:
        """Stop everything that was started."""
        self._ends.set()
        self._kubelet.join(10)
        super().stop()

    @property
    def git(self) -> str:
        """Where its repository is served."""
        return self._git

    def _run_controllers(self, charts: int) -> None:
        while not self._ends.wait(0.5):
            try:
                deployed = {one["metadata"]["name"] for one in self.api.list("apps/v1", "Deployment", NAMESPACE)}
            except (OSError, RefusedError):
                continue
            if deployed.issuperset(CONTROLLERS):
                self._redirect(charts)
                for name in CONTROLLERS:
                    self._start_controller(name)
                break
        self._ends.wait()  # the kernel ends a process with the thread that started it


@contextmanager
def empty_cluster(tools: Mapping[str, Path]) -> Iterator[EmptyCluster]:
    """An empty cluster of one's own, whose repository is served."""
    with ExitStack() as stack:
        folder = stack.enter_context(scratch())
        cluster = EmptyCluster(folder, tools, cure_at_once=False)
        stack.callback(cluster.stop)
        git = stack.enter_context(serving(git_of(folder / "git")))
        charts = stack.enter_context(serving(files_of(folder / "charts")))
        cluster.start(git, charts)
        yield cluster
