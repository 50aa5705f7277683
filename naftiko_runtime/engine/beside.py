"""Does work on large documents in threads, so that all other calls do not have to wait for it.

Small documents are worked on at once: changing threads costs more than reading them does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import copy_context
from functools import cache, partial
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_THREADS: Final = 2
"""They run in turns with the event loop, never at the same time, so that more of them would be no
faster: they would hold more memory, and the loop would wait longer for its turn. With two, one
document does not keep all others waiting."""


async def beside(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """What `work` gives or raises, when its turn has come. It sees the context of the caller.

    Cancelling does not wait for work that has begun: nobody gets its result, and it must not have
    any other effect that matters then.
    """
    context = copy_context()
    task = partial(context.run, work, *arguments, **named)
    return await asyncio.get_running_loop().run_in_executor(_threads(), task)


@cache
def _threads() -> Executor:
    from concurrent.futures import ThreadPoolExecutor  # which small documents do not need

    return ThreadPoolExecutor(_THREADS, thread_name_prefix="large-documents")
