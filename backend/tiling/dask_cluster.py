"""Tasks on the workers of a Dask cluster (dask.distributed)."""

from __future__ import annotations

import queue
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from backend.protocol import BackendError
from backend.tiling.lazy_raster import BlockKey, Key, ReadKey, Task, WindowsKey

Write = Callable[[Any], None]
"""Takes the pixels of a block."""

CONNECT_S = 15.0  # for a scheduler to answer, and for it to have a worker
LOST_S = 30.0  # without any worker, until the cluster counts as lost
POLL_S = 2.0
BLOCKS_AHEAD = 4
"""The most unwritten blocks for each worker, those being computed included."""


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
            if isinstance(key, ReadKey):  # workers may not have the file: its pixels are sent
                futures[key] = self._client.scatter(call(), hash=False)
                continue
            name = f"landforge-{self._job}-{'-'.join(map(str, key))}"
            futures[key] = self._client.submit(call, *(futures[other] for other in arguments), key=name, pure=False)
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
        if future.status != "finished":
            raise _failure(future, self._client)
        self._on_done(key)
        if write:
            write(self._wait(future.result))  # its worker may have died meanwhile
            self._unwritten -= 1

    def _wait(self, get: Callable[[float], Any]) -> Any:
        """The result of `get`, called again after each timeout for as long as the cluster has workers."""
        deadline = time.monotonic() + LOST_S
        while True:
            try:
                return get(POLL_S)
            except (queue.Empty, TimeoutError):
                if self._client.status == "running" and self._workers():
                    deadline = time.monotonic() + LOST_S
                elif time.monotonic() > deadline:
                    raise _lost(self._client.scheduler.address) from None

    def _workers(self) -> Any:
        return self._client.scheduler_info(n_workers=-1)["workers"]


def _lost(address: str) -> BackendError:
    return BackendError(
        f"The Dask cluster at {address} was lost: its scheduler or all of its workers are gone. "
        "Finished blocks are kept: start the cluster and run again with the same settings and output."
    )


def _failure(future: Any, client: Any) -> BaseException:
    """The error to raise for a task that failed or was lost."""
    from distributed.scheduler import KilledWorker

    if future.status != "error":
        return _lost(client.scheduler.address)
    error = future.exception()
    if isinstance(error, KilledWorker):
        return BackendError(
            "The workers of the cluster that tried a task died, perhaps for want of memory. See their logs; finished "
            "blocks are kept, so a run with the same settings and output goes on from them."
        )
    return error


@contextmanager
def connected(address: str, on_done: Callable[[Key], None]) -> Iterator[Cluster]:
    """Connect to the cluster of a scheduler; BackendError where none answers at the address or it has no workers."""
    from distributed import Client

    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise BackendError(
            f"No Dask scheduler answers at {address!r} ({error}). Start one with 'dask scheduler', or leave SCHEDULER "
            "empty to compute on this machine."
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=CONNECT_S)
        except TimeoutError as error:
            raise BackendError(
                f"The Dask scheduler at {address} has no workers. Start some with 'dask worker {address}'."
            ) from error
        yield Cluster(client, on_done)
