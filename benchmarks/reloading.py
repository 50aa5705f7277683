"""Files dropped into a served folder of 1,000, and changed there, while calls go on."""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path

from benchmarks.candidates import Stage
from benchmarks.effort import Effort
from benchmarks.event_loop import run
from benchmarks.fixed_rate import run_at
from benchmarks.published_style import PORTS, file_text, route_of, write_files
from benchmarks.rows import Row, Verdict
from benchmarks.served_folder import served
from benchmarks.wrk import Request, run_wrk

COUNT = 1000
_PAUSE_SECONDS = 0.7
_SETTLING_SECONDS = 4
"""What is done beside the event loop after the ports have opened is over then."""
_GIVE_UP_SECONDS = 10.0


def measure(stage: Stage, effort: Effort) -> list[Row]:
    """Milliseconds from the event until the file answers, calls that failed meanwhile, and the
    99th percentile of all calls in that time against that of a time without changes."""
    folder = write_files(stage.folder / "watched", COUNT, stage.upstream)[0].parent
    request = Request(route_of("surface-0500"))
    with served(stage, [folder], "--watch") as (running, ports):
        port = ports[PORTS[0]]
        run_wrk(port, request, 32, _SETTLING_SECONDS, stage.folder)
        rate = run_wrk(port, request, 32, 2, stage.folder).rate / 4
        drops = _Drops(folder, stage.upstream, port, 2 * effort.repeats)
        seconds = drops.seconds
        quiet = run(run_at(port, request, rate, seconds))
        busy = run(run_at(port, request, rate, seconds, meanwhile=drops.make))
        size = running.resident_megabytes()
    p99 = (quiet.percentile(0.99), busy.percentile(0.99))
    ratio = p99[1] / p99[0]
    added, changed = (statistics.median(each) for each in (drops.added, drops.changed))
    name = "reload-1-of-1000"
    return [
        Row(name, "a dropped-in file answers after", drops.added, "ms", verdict=_most(added, 30)),
        Row(name, "a changed file answers after", drops.changed, "ms", verdict=_most(changed, 30)),
        Row(name, "failed calls", [busy.failed + quiet.failed], "", verdict=_most(busy.failed, 0)),
        Row(
            name,
            "calls in flight, against a quiet time",
            [rate],
            p50=busy.percentile(0.5),
            p99=p99[1],
            memory=size,
            ratio=ratio,
            verdict=_most(ratio, 2),
        ),
    ]


def _most(reached: float, target: float) -> Verdict:
    return Verdict(reached, target, at_most=True)


class _Drops:
    """Puts files into the folder, one after the other, new and changed ones in turn."""

    def __init__(self, folder: Path, upstream: str, port: int, count: int) -> None:
        self._folder = folder
        self._upstream = upstream
        self._port = port
        self._count = count
        self.added: list[float] = []
        self.changed: list[float] = []

    @property
    def seconds(self) -> float:
        return self._count * _PAUSE_SECONDS + 0.5

    async def make(self) -> None:
        for number in range(self._count):
            await asyncio.sleep(_PAUSE_SECONDS)
            name = f"dropped-{number}"
            if number % 2:
                known = f"surface-{number:04}"
                text = file_text(known, self._upstream, also=name)
                self.changed.append(await self._drop(f"{known}.yaml", text, name))
            else:
                text = file_text(name, self._upstream)
                self.added.append(await self._drop(f"{name}.yaml", text, name))

    async def _drop(self, file: str, text: str, name: str) -> float:
        """Milliseconds from when the file is there until its new route answers."""
        written = self._folder.parent / "to-be-dropped"
        written.write_text(text)
        begun = time.perf_counter()
        written.replace(self._folder / file)
        while time.perf_counter() - begun < _GIVE_UP_SECONDS:
            if await self._answers(route_of(name)):
                return (time.perf_counter() - begun) * 1000
            await asyncio.sleep(0.001)
        raise RuntimeError(f"{file} does not answer {_GIVE_UP_SECONDS:g} s after it was dropped")

    async def _answers(self, path: str) -> bool:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        line = await reader.readline()
        writer.transport.abort()
        return line.startswith(b"HTTP/1.1 200")
