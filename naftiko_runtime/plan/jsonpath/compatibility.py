"""How a JSONPath text is read, the ways beyond RFC 9535 included. In order, the first that works:

1. RFC 9535.
2. What published files write and the reference engine (Jayway JsonPath) reads, as
   `parser.parse_tolerant` has it:

   | written | read as |
   |---|---|
   | `$.`, blanks around a path | `$`, the path |
   | `a[0].b`, `@.a` | `$.a[0].b`, `$.a` |
   | `$.first name`, `$.content-type`, `$.1st`, `$.@id`, `$.$ref`, `$.soap:Body`, `$.a/b` | `$['first name']` and so on; in filters without blanks |
   | `$.[0].b` | `$[0].b` |

   Where this engine and the reference engine differ on what both can read, RFC 9535 wins:
   `$.x['b','c']` gives two values, not an object; a function at the end (`$.a.length()`) is an
   error; a dot at the end is one too, but for `$.`.
3. What `jsonpath_ng.ext` reads and is safe to run (see `jsonpath_ng_reading`): arithmetic, sorting,
   `` `len` `` and the like, unquoted names in brackets, `=` in filters.

What none of them reads is a JsonPathSyntaxError of whichever of the first two got further.
"""  # noqa: E501

from __future__ import annotations

from naftiko_runtime.plan.jsonpath.ast import Query
from naftiko_runtime.plan.jsonpath.compile import compile_query
from naftiko_runtime.plan.jsonpath.errors import JsonPathSyntaxError
from naftiko_runtime.plan.jsonpath.parser import parse_strict, parse_tolerant
from naftiko_runtime.plan.jsonpath.path import JsonPath


def compile_jsonpath(text: str) -> JsonPath:
    """Reads and compiles a path, once, at load. Raises JsonPathSyntaxError."""
    try:
        return _compile(text, parse_strict(text), strict=True)
    except JsonPathSyntaxError as fault:
        strict_fault = fault
    try:
        return _compile(text, parse_tolerant(text), strict=False)
    except JsonPathSyntaxError as fault:
        tolerant_fault = fault
    # Loads a parser generator, which the paths of published files never need.
    from naftiko_runtime.plan.jsonpath.jsonpath_ng_reading import compile_with_jsonpath_ng

    path = compile_with_jsonpath_ng(text)
    if path is None:
        raise max(strict_fault, tolerant_fault, key=lambda fault: fault.offset)
    return path


def _compile(text: str, query: Query, *, strict: bool) -> JsonPath:
    find, read = compile_query(query)
    keys = query.singular_keys()
    only = keys[0] if keys is not None and len(keys) == 1 else None
    return JsonPath(
        text=text,
        is_root=not query.segments,
        definite=keys is not None,
        find=find,
        read=read,
        strict=strict,
        member=only if isinstance(only, str) else None,
    )
