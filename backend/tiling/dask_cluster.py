"""Tasks on the workers of a Dask cluster (dask.distributed)."""

from __future__ import annotations

import concurrent.futures
import contextlib
import logging
import queue
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backend.protocol import BackendError
from backend.tiling.lazy_raster import BlockKey, Key, ReadKey, Task, WindowsKey, unchanged

Write = Callable[[Any], None]
"""Takes the pixels of a block."""

CONNECT_S = 15.0  # for a scheduler to answer, and for it to have a worker
LOST_S = 30.0  # without any worker that works, until the cluster counts as lost
POLL_S = 2.0
BLOCKS_AHEAD = 4
"""The most unwritten blocks for each worker, those being computed included."""
ROOT = Path(__file__).resolve().parents[2]
KEPT = "Finished blocks are kept: a run with the same settings and output goes on from them."


class Cluster:
    """Submits tasks to a cluster and takes finished blocks from it, as an `Executor`; bounds the unwritten blocks."""

    def __init__(self, client: Any, on_done: Callable[[Key], None]) -> None:
        self._client, self._on_done = client, on_done
        self._job = uuid.uuid4().hex  # in all task names, so that two jobs on one cluster share no results
        self._ended: queue.Queue[Any] = queue.Queue()
        self._watched: dict[str, tuple[Key, Write | None]] = {}
        self._unwritten = 0

    def run(  # noqa: D102
        self,
        graph: dict[Key, Task],
        held: dict[Key, Any],
        keep: list[Key],
        writes: Mapping[BlockKey, Write],
    ) -> dict[Key, Any]:
        futures = dict(held)
        for key, (call, *arguments) in graph.items():
            name = f"landforge-{self._job}-{'-'.join(map(str, key))}"
            task: Task = (call, *(futures[other] for other in arguments))
            if isinstance(key, ReadKey):
                # Workers may not have the file, so its pixels are sent. They are a task and not scattered, because the
                # scheduler can repeat a task whose worker has died.
                task = (unchanged, call())
            futures[key] = self._client.submit(*task, key=name, pure=False)
            if isinstance(key, WindowsKey):
                self._watch(key, futures[key])
        for key, write in writes.items():
            self._watch(key, futures[key], write)
        self._unwritten += len(writes)
        while self._unwritten > BLOCKS_AHEAD * max(len(self._workers()), 1):
            self._take()
        return {key: futures[key] for key in keep}

    def finish(self) -> None:  # noqa: D102
        while self._watched:
            self._take()

    def _watch(self, key: Key, future: Any, write: Write | None = None) -> None:
        self._watched[future.key] = (key, write)
        future.add_done_callback(self._ended.put)

    def _take(self) -> None:
        """Wait for one watched task to end and write its block; BackendError where the cluster is lost."""
        future = self._wait(lambda seconds: self._ended.get(timeout=seconds))
        key, write = self._watched.pop(future.key)
        if future.status not in ("finished", "lost"):  # a lost result is computed again
            raise _failure(future, self._client)
        self._on_done(key)
        if write:
            write(self._wait(future.result))
            self._unwritten -= 1

    def _wait(self, get: Callable[[float], Any]) -> Any:
        """The result of `get`, called again after each timeout for as long as a worker of the cluster works."""
        deadline = time.monotonic() + LOST_S
        while True:
            try:
                return get(POLL_S)
            except (queue.Empty, TimeoutError):
                if self._client.status == "running" and any(map(_works, self._workers())):
                    deadline = time.monotonic() + LOST_S
                elif time.monotonic() > deadline:
                    raise _standstill(self._client) from None

    def _workers(self) -> list[dict[str, Any]]:
        return _workers(self._client)


def _workers(client: Any) -> list[dict[str, Any]]:
    """What the scheduler knows of each worker; empty where it is gone."""
    return list(client.scheduler_info(n_workers=-1).get("workers", {}).values())


def _works(worker: dict[str, Any]) -> bool:
    """Whether a worker takes tasks, or is still busy with one although it is paused."""
    return worker["status"] == "running" or worker["metrics"].get("task_counts", {}).get("executing", 0) > 0


def _limit(worker_bytes: Any) -> str:
    return f" of {int(worker_bytes) / 1e9:.3g} GB" if worker_bytes else ""


def _out_of_memory(client: Any, what: str) -> BackendError:
    return BackendError(
        f"{what} of the Dask cluster at {_address(client)}. Give the workers more memory (dask worker --memory-limit), "
        f"or start fewer on each machine. {KEPT}"
    )


def _address(client: Any) -> str:
    return str(getattr(client.scheduler, "address", client._start_arg))


def _standstill(client: Any) -> BackendError:
    """The error for a cluster on which nothing is computed any more."""
    for worker in _workers(client) if client.status == "running" else []:
        if worker["status"] == "paused":
            limit = _limit(worker["memory_limit"])
            return _out_of_memory(client, f"Memory has run out, up to the limit{limit}, on all workers")
    return BackendError(
        f"The Dask cluster at {_address(client)} was lost: its scheduler or all of its workers are gone. Start them "
        f"again, with more memory if that was the cause. {KEPT}"
    )


def _failure(future: Any, client: Any) -> BaseException:
    """The error to raise for a task that failed or was lost."""
    if future.status != "error":
        return _standstill(client)
    error = future.exception()
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch's, on a GPU
        return _out_of_memory(client, f"Memory has run out ({str(error) or type(error).__name__}) on a worker")
    if isinstance(error, RuntimeError) and "deserialization of the task graph" in str(error):
        return _incomplete("scheduler", error.__cause__, client)
    if isinstance(error, ImportError):
        return _incomplete("worker", error, client)
    return error


def _incomplete(role: str, reason: object, client: Any) -> BackendError:
    return BackendError(
        f"A {role} of the Dask cluster at {_address(client)} lacks a part of Landforge ({reason}). Start the scheduler "
        f"and all workers in the backend's Python environment, with PYTHONPATH={ROOT}. {KEPT}"
    )


def _cluster_error(error: Exception, client: Any) -> Exception:
    """The BackendError for an exception of Dask's own or of the connection; any other exception as it is."""
    from distributed.scheduler import KilledWorker

    if isinstance(error, BackendError):
        return error
    try:
        _check_nodes(client)
    except BackendError as mismatch:  # of a worker that has come later
        return mismatch
    except Exception as consequence:
        logging.getLogger(__name__).info("no versions: %s", consequence)
    if isinstance(error, KilledWorker):
        limit = _limit(getattr(error.last_worker, "memory_limit", 0))
        return _out_of_memory(
            client, f"The same task has ended several workers, probably at their memory limit{limit},"
        )
    kinds = (TimeoutError, ConnectionError, concurrent.futures.CancelledError)
    if isinstance(error, kinds) or type(error).__module__.split(".")[0] in ("distributed", "dask", "tornado"):
        return _standstill(client)
    return error


def _check_nodes(client: Any) -> None:
    """BackendError where the scheduler or a worker has other versions than this process, or a worker no Landforge."""
    from distributed.versions import get_versions

    ours, timeout = get_versions()["packages"], {"callback_timeout": CONNECT_S}
    _check_versions(client, "scheduler", ours, client.sync(client.scheduler.versions, packages=[], **timeout))
    message = {"op": "versions", "packages": []}
    with contextlib.suppress(TimeoutError):  # a worker that is busy or hangs
        answers = client.sync(client.scheduler.broadcast, msg=message, on_error="ignore", **timeout)
        for name, answer in answers.items():
            _check_versions(client, f"worker {name}", ours, answer)
        # A worker that cannot read the first task would end without a word.
        for reason in client.run(_probe()).values():
            if reason:
                raise _incomplete("worker", reason, client)


def _check_versions(client: Any, node: str, ours: dict[str, Any], answer: dict[str, Any] | None) -> None:
    for package, digits in (("python", 2), ("dask", 9), ("distributed", 9)):
        own, other = (
            ".".join(str(versions[package]).split(".")[:digits])
            for versions in (ours, (answer or {}).get("packages", ours))
        )
        if own != other:
            raise BackendError(
                f"The {node} of the Dask cluster at {_address(client)} has {package} {other}, but this machine has "
                f"{package} {own}. Start the scheduler and all workers with the same versions, best in a copy of the "
                f"backend's Python environment ({sys.prefix})."
            )


def _probe() -> Callable[[], str]:
    """A function that returns why a worker cannot import Landforge, or ''. As a local one it is sent as a whole."""

    def probe() -> str:
        import importlib

        try:
            importlib.import_module("backend.tiling.lazy_raster")
        except ImportError as error:
            return str(error)
        return ""

    return probe


@contextmanager
def connected(address: str, on_done: Callable[[Key], None]) -> Iterator[Cluster]:
    """Connect to the cluster of a scheduler.

    BackendError where none answers at the address, where it has other versions of Python or Dask or no workers, and
    where the cluster fails while it is in use.
    """
    import dask
    from distributed import Client

    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except Exception as error:  # another version or another program may answer with anything
        raise BackendError(
            f"No Dask scheduler answers at {address!r} ({error}). Start one with 'dask scheduler' (Dask "
            f"{dask.__version__}), or leave SCHEDULER empty to compute on this machine."
        ) from error
    with client:
        try:
            _check_nodes(client)
            _wait_for_worker(client, address)
            _check_nodes(client)
            yield Cluster(client, on_done)
        except Exception as error:
            explained = _cluster_error(error, client)
            if explained is error:
                raise
            raise explained from error


def _wait_for_worker(client: Any, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=CONNECT_S)
    except TimeoutError as error:
        if _workers(client):
            raise _standstill(client) from error
        raise BackendError(
            f"The Dask scheduler at {address} has no workers. Start some with 'dask worker {address}'."
        ) from error
