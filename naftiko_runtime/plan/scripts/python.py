"""Makes Python ready to run: its syntax is checked, and each statement counts itself.

The interpreter of the sandbox (pydantic-monty) counts no statements, so a call of the counter is
put before each of them, those of class bodies left out, which it could not run. What it lacks of
the language is found by asking it, with nothing of the script executed but its imports.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from naftiko_runtime.plan.scripts.errors import ScriptSyntaxError

COUNTER: Final = "_naftiko_count"
RESERVED: Final = "_naftiko_"
"""What names of the runtime's own begin with; a script must not hold it."""

_CHECK_SECONDS: Final = 5.0
_BLOCKS: Final = ("body", "orelse", "finalbody")


@lru_cache(maxsize=64)
def prepare_python(text: str) -> tuple[str, tuple[int, ...]]:
    """The text with its counters, and for each of its lines that of the original. Raises
    ScriptSyntaxError."""
    if RESERVED in text:
        line = text[: text.index(RESERVED)].count("\n") + 1
        raise ScriptSyntaxError(line, f'names with "{RESERVED}" belong to the runtime', "rename it")
    try:
        tree = _parsed(text)
        _check(tree)
        for node in ast.walk(tree):
            _count(node)
        code = ast.unparse(ast.fix_missing_locations(tree))
        return code, _lines(tree, code)
    except (RecursionError, MemoryError, IndentationError):
        raise ScriptSyntaxError(1, "it is nested too deeply", "split it up") from None


def _parsed(text: str) -> ast.Module:
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise ScriptSyntaxError(error.lineno or 1, f"not Python: {error.msg}") from None
    except ValueError:
        raise ScriptSyntaxError(1, "not Python: it holds a null character") from None
    tree.body = [statement for statement in tree.body if not _is_future(statement)]
    return tree


def _is_future(statement: ast.stmt) -> bool:
    """`from __future__` has to come first, and changes nothing that the sandbox knows."""
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def _count(node: ast.AST) -> None:
    if isinstance(node, ast.ClassDef):
        return
    for block in _BLOCKS:
        statements = getattr(node, block, None)
        if isinstance(statements, list):
            setattr(node, block, list(_counted(statements)))


def _counted(statements: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in statements:
        tick = ast.Expr(ast.Call(ast.Name(COUNTER, ast.Load()), [], []))
        yield ast.copy_location(tick, statement)
        yield statement


def _lines(tree: ast.Module, code: str) -> tuple[int, ...]:
    """The original line of each line of the generated code, whose statements come in the same
    order as those of the tree that it was made of."""
    lines = [0] * (code.count("\n") + 1)
    for made, original in zip(_statements(ast.parse(code)), _statements(tree), strict=True):
        lines[made.lineno - 1] = original.lineno
    last = 1
    for index, line in enumerate(lines):
        last = lines[index] = line or last
    return tuple(lines)


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.stmt))


# --- what the sandbox can run -------------------------------------------------------------


def _check(tree: ast.Module) -> None:
    """Has the sandbox compile the script and run its imports. Raises ScriptSyntaxError."""
    from pydantic_monty import CollectString, Monty, MontyError, MontyRuntimeError, MontySyntaxError

    imports = [each for each in tree.body if isinstance(each, ast.Import | ast.ImportFrom)]
    body: list[ast.stmt] = [*imports, ast.If(ast.Constant(False), tree.body or [ast.Pass()], [])]
    probe = ast.fix_missing_locations(ast.Module(body, []))
    code = ast.unparse(probe)
    lines = _lines(probe, code)
    try:
        with (
            Monty(max_processes=1, request_timeout=_CHECK_SECONDS) as pool,
            pool.checkout(limits={"max_feed_duration_secs": _CHECK_SECONDS}) as session,
        ):
            session.feed_run(code, print_callback=CollectString(max_bytes=0))
    except (MontyRuntimeError, MontySyntaxError) as error:
        frames = error.traceback()
        line = lines[min(frames[-1].line, len(lines)) - 1] if frames else 1
        raise ScriptSyntaxError(
            line,
            f"the sandbox does not run it: {error.display('msg')}",
            "write it without: the sandbox has a part of Python and of its library",
        ) from None
    except (MontyError, OSError, RuntimeError) as error:
        raise ScriptSyntaxError(1, f"the sandbox cannot be started: {error}") from None
