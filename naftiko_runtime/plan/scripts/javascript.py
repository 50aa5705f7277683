"""Makes JavaScript ready to run: its syntax is checked, and each statement counts itself.

No JavaScript engine counts statements, so a call of the counter is put before each of them, on
the same line, so that errors keep their places. Loops and `catch` blocks without a statement get
one too: whatever goes round without end passes a counter, and one that raises inside `try` raises
again in `catch`, in `finally` or in the next round.
"""

from __future__ import annotations

from collections.abc import Iterator

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser

from naftiko_runtime.plan.scripts.errors import ScriptSyntaxError

COUNTER = "_naftiko_count"
RESERVED = "_naftiko_"
"""What names of the runtime's own begin with; a script must not hold it."""

_TICK = f"{COUNTER}();".encode()
_PARSER_LANGUAGE = Language(tree_sitter_javascript.language())
_LISTS = frozenset({"program", "statement_block", "switch_case", "switch_default"})
_LOOPS = frozenset({"for_statement", "for_in_statement", "while_statement", "do_statement"})
_BODIES = _LOOPS | {"with_statement"}
_REPEATING = _LOOPS | {"catch_clause"}
_FUNCTIONS = frozenset(
    {
        "arrow_function",
        "function_declaration",
        "function_expression",
        "generator_function",
        "generator_function_declaration",
        "method_definition",
    }
)
_MODULE_PARTS = frozenset({"import_statement", "export_statement"})


def prepare_javascript(text: str) -> tuple[str, tuple[int, ...]]:
    """The text with its counters; its lines are those of the original, so there is no table of
    lines. Raises ScriptSyntaxError."""
    if RESERVED in text:
        line = text[: text.index(RESERVED)].count("\n") + 1
        raise ScriptSyntaxError(line, f'names with "{RESERVED}" belong to the runtime', "rename it")
    source = text.encode()
    root = Parser(_PARSER_LANGUAGE).parse(source).root_node
    insertions: list[tuple[int, bytes]] = []
    ends: dict[int, int] = {}
    for node, parent in _nodes(root):
        if node.is_error or node.is_missing:
            raise ScriptSyntaxError(node.start_point.row + 1, _unreadable(node, source))
        if node.type in _MODULE_PARTS:
            word = node.type.partition("_")[0]
            raise ScriptSyntaxError(
                node.start_point.row + 1,
                f"`{word}` is for modules, and scripts are none",
                "list the other file under `dependencies`: what it defines is there for this one",
            )
        insertions.extend(_insertions(node, parent, ends))
    return _inserted(source, insertions).decode(), ()


def _nodes(root: Node) -> Iterator[tuple[Node, str]]:
    """All nodes in order, each with the type of its parent (asking a node takes long)."""
    rest = [(root, "")]
    while rest:
        node, parent = rest.pop()
        yield node, parent
        rest.extend((child, node.type) for child in reversed(node.children))


def _unreadable(node: Node, source: bytes) -> str:
    if node.is_missing:
        return f"not JavaScript: `{node.type}` is missing"
    found = source[node.start_byte : node.end_byte].split(b"\n")[0][:40].decode(errors="replace")
    return f"not JavaScript near `{found.strip()}`"


def _insertions(node: Node, parent: str, ends: dict[int, int]) -> Iterator[tuple[int, bytes]]:
    """The counters of a node's own statements, and the braces that they take. `ends` remembers
    where statements end."""
    if node.type in _LISTS:
        yield from _before_each(node, parent)
    body = _single_statement(node)
    if body is not None:
        yield body.start_byte, b"{" + _TICK
        yield _end(body, ends), b"}"


def _before_each(node: Node, parent: str) -> Iterator[tuple[int, bytes]]:
    statements = [child for child in node.named_children if _is_statement(child, node)]
    can_open = node.type == "program" or parent in _FUNCTIONS
    while can_open and statements and _is_directive(statements[0]):
        statements.pop(0)  # "use strict" means nothing unless it comes first
    for statement in statements:
        yield statement.start_byte, _TICK
    if not statements and node.type == "statement_block" and parent in _REPEATING:
        yield node.start_byte + 1, _TICK


def _is_statement(child: Node, parent: Node) -> bool:
    if parent.type == "switch_case" and child == parent.child_by_field_name("value"):
        return False
    return child.type.endswith(("_statement", "_declaration", "statement_block"))


def _is_directive(statement: Node) -> bool:
    inner = statement.named_children
    return (
        statement.type == "expression_statement" and len(inner) == 1 and inner[0].type == "string"
    )


def _single_statement(node: Node) -> Node | None:
    """The one statement that stands where a block could, if that is what a node has. The statement
    behind a label stays as it is: `continue` needs the label at the loop itself."""
    if node.type in _BODIES:
        body = node.child_by_field_name("body")
    elif node.type == "if_statement":
        body = node.child_by_field_name("consequence")
    elif node.type == "else_clause":
        body = next((c for c in node.named_children if c.type != "comment"), None)
    else:
        return None
    return None if body is None or body.type == "statement_block" else body


def _end(node: Node, ends: dict[int, int]) -> int:
    """Where a statement ends, leaving out a comment behind one that lacks its semicolon."""
    passed: list[int] = []
    while node.id not in ends:
        passed.append(node.id)
        inner = [c for c in node.children if c.type != "comment" and c.end_byte > c.start_byte]
        if not inner:
            ends[node.id] = node.end_byte
            break
        node = inner[-1]
    end = ends[node.id]
    ends.update(dict.fromkeys(passed, end))
    return end


def _inserted(source: bytes, insertions: list[tuple[int, bytes]]) -> bytes:
    """The source with all insertions. At one place, what closes comes before what opens."""
    pieces: list[bytes] = []
    end = 0
    for position, text in sorted(insertions, key=lambda each: (each[0], each[1] != b"}")):
        pieces += [source[end:position], text]
        end = position
    return b"".join([*pieces, source[end:]])
