"""Ray behind the interface of an executor: one machine that is too small becomes many."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any

from territory.batch.worker import THREADS
from territory.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ray_executor"]


def ray_executor(**init: Any) -> Executor:
    """Return an executor over Ray; a local Ray is started where none runs.

    Parameters
    ----------
    **init
        Of ``ray.init``, e.g. ``address="auto"`` for a cluster, ``num_cpus=2`` for a local one.

    Raises
    ------
    MissingExtraError
        ray is not installed.
    """
    try:
        import ray  # noqa: PLC0415 - an extra
    except ImportError:
        package = "ray"
        raise MissingExtraError(package, "ray") from None
    if not ray.is_initialized():
        ray.init(**{"include_dashboard": False, "log_to_driver": False, **init})

    class RayExecutor(Executor):
        """Each call is a task of Ray; one that crashes loses itself alone, and none is tried again by Ray."""

        n_jobs = int(ray.cluster_resources().get("CPU", 1))

        def __init__(self) -> None:
            self._refs: dict[Future[Any], Any] = {}

        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            """Run a function on the cluster."""
            # Ray's own defaults would run a crashed task three times more
            ref = ray.remote(num_cpus=1, max_retries=0, runtime_env={"env_vars": dict(THREADS)})(fn).remote(
                *args, **kwargs
            )
            future: Future[Any] = ref.future()
            self._refs[future] = ref
            future.add_done_callback(lambda done: self._refs.pop(done, None))
            return future

        def kill(self, future: Future[Any]) -> None:
            """End the worker of a call."""
            ref = self._refs.get(future)
            if ref is not None:
                ray.cancel(ref, force=True)

        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002
            """Wait for the calls, or cancel them; Ray itself goes on for whoever else uses it."""
            for ref in list(self._refs.values()):
                if cancel_futures:
                    ray.cancel(ref, force=True)
                elif wait:
                    ray.wait([ref])

    return RayExecutor()
