"""Request bodies: one module per kind, compiled to a writer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from naftiko_runtime.document.model import BodyType, RequestBody
from naftiko_runtime.plan.bodies import form, json_body, multipart, sparql, text
from naftiko_runtime.plan.bodies.writer import BodyWriter
from naftiko_runtime.plan.getters import Compiler

__all__ = ["BODIES", "BodyWriter"]

BODIES: Mapping[BodyType, Callable[[RequestBody, Compiler], BodyWriter]] = {
    BodyType.JSON: json_body.compile_json,
    BodyType.RAW: json_body.compile_json,
    BodyType.FORM: form.compile_form,
    BodyType.MULTIPART: multipart.compile_multipart,
    BodyType.TEXT: text.compile_text,
    BodyType.XML: text.compile_xml,
    BodyType.SPARQL: sparql.compile_sparql,
}
"""RequestBody by its `type`."""
