"""Checking a document's structure: what is found, where, in which words, and what it costs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from naftiko_runtime.document.schema_check import check_schema, enclosing_part, schema_text
from naftiko_runtime.document.yaml_reader import read_yaml
from naftiko_runtime.problems import Consequence, DocumentPath, Problem, Severity, format_path

HEAD = "naftiko: 1.0.0-alpha2\n"


def check(text: str, *, strict: bool = False) -> list[Problem]:
    document, problems = read_yaml(text.encode(), "a.yaml")
    assert problems == []
    assert document is not None
    return check_schema(document, strict=strict)


def only(text: str, *, strict: bool = False) -> Problem:
    problems = check(text, strict=strict)
    assert len(problems) == 1, problems
    return problems[0]


def consuming(operation: str) -> str:
    """A file with one consumed operation, which starts at 10:7."""
    return f"""\
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - type: http
    namespace: api
    baseUri: https://api.example.com
    resources:
    - name: orders
      path: /orders
      operations: [{operation}]
"""


def exposing(adapter: str) -> str:
    """A file with one adapter, which starts at 4:5."""
    return f"naftiko: 1.0.0-alpha2\ncapability:\n  exposes:\n  - {adapter}\n"


def serving(operation: str) -> str:
    """A file with one REST operation."""
    resource = f"{{path: /orders, operations: [{operation}]}}"
    return exposing(f"{{type: rest, port: 8080, namespace: rest, resources: [{resource}]}}")


def offering(tool: str) -> str:
    """A file with one MCP tool."""
    return exposing(f"{{type: mcp, port: 9090, namespace: mcp, tools: [{tool}]}}")


@pytest.mark.parametrize(
    "text",
    [
        consuming("{name: get, method: GET}"),
        serving("{method: GET, call: api.get}"),
        offering("{name: get, call: api.get}"),
        HEAD + "consumes: [{import: a, location: ./b.yaml}]",
    ],
)
def test_a_sound_file_has_no_problems(text: str) -> None:
    assert check(text) == []


def test_all_problems_are_reported_at_once_in_file_order() -> None:
    problems = check(
        HEAD
        + "capability:\n"
        + "  exposes:\n"
        + "  - type: rest\n"
        + "    port: x\n"
        + "    namespace: rest\n"
        + "    resources:\n"
        + "    - path: /orders\n"
        + "      operations:\n"
        + "      - method: gte\n"
        + "  - type: mcp\n"
        + "    port: 9090\n"
        + "    namespace: mcp\n"
        + "    tools:\n"
        + "    - nam: get\n"
        + "      call: api.get\n"
    )
    assert [(str(p.place), p.rule, format_path(p.path)) for p in problems] == [
        ("a.yaml:5:11", "wrong-type", "$.capability.exposes[0].port"),
        (
            "a.yaml:10:17",
            "unknown-value",
            "$.capability.exposes[0].resources[0].operations[0].method",
        ),
        ("a.yaml:15:7", "missing-key", "$.capability.exposes[1].tools[0]"),
        ("a.yaml:15:7", "unknown-key", "$.capability.exposes[1].tools[0].nam"),
    ]


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        (
            exposing("{type: rest, port: '8080', namespace: n}"),
            '"port" is "8080" where a whole number is expected',
            "write a number, without quotes",
        ),
        (
            exposing("{type: rest, port: 70000, namespace: n}"),
            '"port" is 70000, more than 65535',
            "write at most 65535",
        ),
        (
            exposing("{type: mcp, namespace: n, tools: []}"),
            'adapter "n" has no "port"',
            'add it, as in "port: 8080"',
        ),
        (
            exposing("{type: mpc, namespace: n}"),
            '"type" is "mpc", which is not allowed',
            'did you mean "mcp"? allowed are "rest", "mcp", "skill" and "control"',
        ),
        (
            exposing("{port: 8080, namespace: n}"),
            'adapter "n" has no "type"',
            'add "type:" with rest, mcp, skill or control',
        ),
        (
            exposing("5"),
            'element 1 of "exposes" is the number 5 where a mapping is expected',
            'write it as lines of "key: value", indented',
        ),
        (
            serving("{method: GTE}"),
            '"method" is "GTE", which is not allowed',
            'did you mean "GET"? allowed are "GET", "POST", "PUT", "PATCH" and "DELETE"',
        ),
        (
            serving("{method: GET, call: get}"),
            '"call" is malformed: "get"',
            'expected "NAMESPACE.OPERATION", as in "orders-api.get-order"',
        ),
        (
            serving("{method: GET, call: a.b, with: [1]}"),
            '"with" is a list where a mapping is expected',
            'write it as lines of "key: value", indented',
        ),
        (
            serving("{method: GET, outputParameters: {type: object}}"),
            '"outputParameters" is a mapping where a list is expected',
            'start each element with "- " on a line of its own',
        ),
        (
            serving("{method: GET, steps: []}"),
            '"steps" is empty',
            "write a value, or remove the key",
        ),
        (
            serving("{method: GET, call: a.b, with: }"),
            '"with" is empty where a mapping is expected',
            "write a value, or remove the key",
        ),
        (
            serving("{method: GET, inputParameters: [{name: x, required: yes}]}"),
            '"required" is "yes" where true or false is expected',
            "write true or false, without quotes",
        ),
        (
            serving("{method: GET, steps: [{name: s, type: cal}]}"),
            '"type" is "cal", which is not allowed',
            'did you mean "call"? allowed are "call", "lookup" and "script"',
        ),
        (
            serving("{method: GET, steps: [{name: s, type: call}]}"),
            'step "s" has no "call"',
            'add it, as in "call: orders-api.get-order"',
        ),
        (
            offering("{name: get}"),
            'tool "get" has none of "call", "steps", "ref" and "outputParameters"',
            'add "call", "steps", "ref" or "outputParameters"',
        ),
        (
            offering("{call: a.b}"),
            'tool 1 has no "name"',
            'add it, as in "name: get-order"',
        ),
        (
            offering("{name: get, call: a.b, hints: {readonly: true}}"),
            '"hints" has the unknown key "readonly", which is passed over',
            'did you mean "readOnly"? correct or remove it; known here are "readOnly", '
            '"destructive", "idempotent" and "openWorld"',
        ),
        (
            consuming("{name: 404, method: GET}"),
            '"name" is the number 404 where text is expected',
            "write it in quotes",
        ),
        (
            consuming("{name: x, method: POST, body: {type: jsn}}"),
            '"type" is "jsn", which is not allowed',
            'did you mean "json"? allowed are "json", "text", "xml", "sparql", '
            '"formUrlEncoded" and "multipartForm"',
        ),
        (
            HEAD + "capability: {consumes: [{import: api}]}",
            'consumed API "api" has no "location"',
            'add it, as in "location: ./shared/orders-api.yaml"',
        ),
        (
            HEAD + "capability: {consumes: [{type: kafka, namespace: k}]}",
            '"type" is "kafka", which is not allowed',
            'write "http"',
        ),
        (
            HEAD + "capability: {binds: []}",
            '"capability" has neither "exposes" nor "consumes"',
            'add "exposes" or "consumes"',
        ),
    ],
)
def test_an_error_is_told_in_plain_words(text: str, message: str, remedy: str) -> None:
    problem = only(text)
    assert (problem.message, problem.remedy) == (message, remedy)


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (
            serving("{method: GET, steps: [{name: s, type: script, call: a.b}]}"),
            ['step "s" has no "file"', 'step "s" has the unknown key "call", which is passed over'],
        ),
        (
            HEAD + "capability: {consumes: [{import: x, location: y, baseUri: z}]}",
            ['consumed API "x" has the unknown key "baseUri", which is passed over'],
        ),
        (
            HEAD + "capability: {consumes: [{namespace: x, location: y, baseUri: z, type: http}]}",
            [
                'consumed API "x" has the unknown key "location", which is passed over',
                '"baseUri" is malformed: "z"',
            ],
        ),
        (
            HEAD + "capability: {consumes: [{namespace: x, type: http, baseUri: 'http://x',"
            " authentication: {type: apikey, token: t}}]}",
            ['"authentication" has the unknown key "token", which is passed over'],
        ),
        (
            consuming("{name: x, method: PUT, body: {type: text, data: {a: 1}}}"),
            ['"data" is a mapping where text is expected'],
        ),
    ],
)
def test_the_errors_are_those_of_the_branch_that_is_meant(text: str, messages: list[str]) -> None:
    assert [problem.message for problem in check(text)] == messages


@pytest.mark.parametrize(
    ("parts", "key"),
    [
        ("{name: r, uri: x, location: 'file:///x', call: a.b}", "call"),
        (
            "{name: r, uri: x, location: 'file:///x', steps: [{type: call, name: s, call: a.b}]}",
            "steps",
        ),
    ],
)
def test_a_resource_is_a_file_or_an_answer_but_not_both(parts: str, key: str) -> None:
    problem = only(exposing(f"{{type: mcp, port: 1, namespace: n, resources: [{parts}]}}"))
    assert problem.rule == "misplaced-key"
    assert problem.message == f'"{key}" cannot stand beside "location"'
    assert problem.path[-1] == key


def test_an_unknown_key_is_placed_at_the_key_and_takes_nothing_out() -> None:
    problem = only(HEAD + "capability:\n  exposes: []\n  orchestration:\n  - name: x\n")
    assert (problem.rule, problem.severity) == ("unknown-key", Severity.ERROR)
    assert problem.consequence is Consequence.NOTHING
    assert str(problem.place) == "a.yaml:4:3"
    assert problem.path == ("capability", "orchestration")
    assert '"consumes"' in problem.remedy


def test_no_message_shows_a_credential() -> None:
    for credentials in ("token: 123456789", "token: [hunter2]", "password: 123456789"):
        text = HEAD + (
            "capability: {consumes: [{type: http, namespace: n, baseUri: 'https://x', "
            f"authentication: {{type: bearer, {credentials}}}}}]}}"
        )
        assert check(text)
        for problem in check(text, strict=True):
            assert "123456789" not in str(problem)
            assert "hunter2" not in str(problem)


def test_long_values_are_shortened_in_messages() -> None:
    problem = only(serving(f"{{method: {'x' * 1000}}}"))
    assert len(problem.message) < 150


@pytest.mark.parametrize(
    ("text", "consequence"),
    [
        (serving("{method: gte}"), Consequence.PART),
        (offering("{name: x}"), Consequence.PART),
        (consuming("{name: x}"), Consequence.PART),
        (exposing("{type: rst}"), Consequence.PART),
        (HEAD + "consumes: [{import: x}]", Consequence.PART),
        (HEAD + "info: 5\ncapability: {exposes: []}", Consequence.PART),
        (HEAD + "info: {x: 1}\ncapability: {exposes: []}", Consequence.NOTHING),
        (HEAD + "capability: {exposes: 5}", Consequence.FILE),
        (HEAD + "capability: []", Consequence.FILE),
        (HEAD, Consequence.FILE),
        ("capability: {exposes: []}", Consequence.FILE),
        (HEAD + "binds: [{namespace: x}]\ncapability: {exposes: []}", Consequence.FILE),
    ],
)
def test_a_problem_takes_out_no_more_than_it_must(text: str, consequence: Consequence) -> None:
    assert only(text).consequence is consequence


EXPOSES: DocumentPath = ("capability", "exposes", 0)
CONSUMES: DocumentPath = ("capability", "consumes", 1)


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ((), None),
        (("naftiko",), None),
        (("info", "label"), ("info",)),
        (("info",), ("info",)),
        (("binds", 0, "keys"), None),
        (("capability",), None),
        (("capability", "exposes"), None),
        (("capability", "binds", 0), None),
        (EXPOSES, EXPOSES),
        ((*EXPOSES, "port"), EXPOSES),
        ((*EXPOSES, "resources"), EXPOSES),
        ((*EXPOSES, "resources", 2), (*EXPOSES, "resources", 2)),
        ((*EXPOSES, "resources", 2, "path"), (*EXPOSES, "resources", 2)),
        ((*EXPOSES, "resources", 2, "operations"), (*EXPOSES, "resources", 2)),
        (
            (*EXPOSES, "resources", 2, "operations", 3, "with", "operations", 0),
            (*EXPOSES, "resources", 2, "operations", 3),
        ),
        ((*EXPOSES, "tools", 1, "hints"), (*EXPOSES, "tools", 1)),
        ((*EXPOSES, "prompts", 1), (*EXPOSES, "prompts", 1)),
        ((*EXPOSES, "skills", 1, "tools", 0), (*EXPOSES, "skills", 1)),
        (CONSUMES, CONSUMES),
        ((*CONSUMES, "authentication", "type"), CONSUMES),
        (
            (*CONSUMES, "resources", 0, "operations", 0, "body"),
            (*CONSUMES, "resources", 0, "operations", 0),
        ),
        (("consumes", 0, "resources", 0), ("consumes", 0, "resources", 0)),
        (("consumes", 0, "baseUri"), ("consumes", 0)),
        (("exposes", 0), None),
        (("capability", "aggregates", 0, "label"), ("capability", "aggregates", 0)),
        (
            ("capability", "aggregates", 0, "functions", 1, "call"),
            ("capability", "aggregates", 0, "functions", 1),
        ),
    ],
)
def test_the_part_around_a_path_is_the_innermost_that_can_be_left_out(
    path: DocumentPath, part: DocumentPath | None
) -> None:
    assert enclosing_part(path) == part


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("openapi: 3.0.0\ninfo: {}\npaths: {}\n", "an OpenAPI description"),
        ("swagger: '2.0'\n", "a Swagger description"),
        ("services: {web: {image: x}}\n", "a Docker Compose file"),
        ("apiVersion: v1\nkind: Pod\n", "a Kubernetes object"),
        ("mcpServers: {}\n", "the configuration of an MCP client"),
        ("ikanos: 1.0.0-beta4\ncapability2: {}\n", "an Ikanos file"),
        ("on: push\njobs: {}\n", "a workflow"),
        ("- naftiko\n", "a list"),
        ("naftiko\n", "a single text"),
        ("5\n", "the number 5"),
        ("null\n", "nothing"),
        ("{}\n", "no keys"),
        ("consumes: []\n", '"naftiko"'),
        ("a: 1\nb: 2\n", '"a", "b"'),
    ],
)
def test_what_is_no_capability_is_told_in_one_problem(text: str, words: str) -> None:
    problem = only(text, strict=True)
    assert (problem.rule, problem.consequence) == ("not-a-capability", Consequence.FILE)
    assert words in problem.message
    assert "naftiko: 1.0.0-alpha2" in problem.remedy


@pytest.mark.parametrize(
    "version", ["1.0.0", "2.0.0-alpha1", "1.0.0-beta1", "1.0", "''", "[x]", "~"]
)
def test_an_unknown_version_is_refused_and_nothing_else_is_said(version: str) -> None:
    problem = only(f"naftiko: {version}\nnonsense: 1\n", strict=True)
    assert (problem.rule, problem.consequence) == ("unknown-version", Consequence.FILE)
    assert (problem.place.line, problem.place.column) == (1, 10)


def test_another_alpha_is_read_with_a_warning() -> None:
    problem = only("naftiko: 1.0.0-alpha1\ncapability: {exposes: []}\n")
    assert (problem.rule, problem.severity) == ("other-version", Severity.WARNING)
    assert problem.consequence is Consequence.NOTHING
    assert '"1.0.0-alpha1"' in problem.message


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (
            consuming("{name: a_b, method: GET}"),
            "$.capability.consumes[0].resources[0].operations[0].name",
        ),
        (
            consuming(
                "{name: a, method: GET, inputParameters: [{name: x, in: query, type: string}]}"
            ),
            "$.capability.consumes[0].resources[0].operations[0].inputParameters[0].type",
        ),
        (
            consuming("{name: a, method: POST, body: {type: json, data: null}}"),
            "$.capability.consumes[0].resources[0].operations[0].body.data",
        ),
        (
            serving("{method: GET, call: a.b, outputParameters: [{type: object, mapping: $.}]}"),
            "$.capability.exposes[0].resources[0].operations[0].outputParameters[0]",
        ),
        (
            serving("{method: GET, call: a.b, with: {x: true}}"),
            "$.capability.exposes[0].resources[0].operations[0].with.x",
        ),
        (
            serving(
                "{method: GET, call: a.b, inputParameters: [{name: x, in: query, type: string}]}"
            ),
            "$.capability.exposes[0].resources[0].operations[0].inputParameters[0]",
        ),
        (
            offering("{name: x, call: a.b}"),
            "$.capability.exposes[0].tools[0]",
        ),
        (
            offering("{name: x, description: d, call: a.b_c}"),
            "$.capability.exposes[0].tools[0].call",
        ),
        (
            exposing("{type: mcp, transport: stdio, port: 1, namespace: n, tools: [{ref: a.b}]}"),
            "$.capability.exposes[0].port",
        ),
        (
            HEAD + "capability: {exposes: [{type: control, port: 1}]}\n"
            "consumes: [{import: a, location: b}]\n",
            "$",
        ),
    ],
)
def test_strict_notes_what_goes_beyond_the_official_schema(text: str, path: str) -> None:
    assert check(text) == []
    problem = only(text, strict=True)
    assert (problem.rule, problem.severity) == ("beyond-official-schema", Severity.NOTE)
    assert problem.consequence is Consequence.NOTHING
    assert format_path(problem.path) == path
    assert "official schema" in problem.message
    assert problem.remedy


def upstream(members: str) -> str:
    """A file with one consumed API."""
    return HEAD + f"capability: {{consumes: [{{type: http, namespace: n, {members}}}]}}"


PARAMETER = (
    "type: integer, description: d, required: true, default: 1, enum: [1], "
    "items: {type: object, properties: {a: {type: string}}}, properties: {a: {type: string}}, "
    "format: f, minimum: 1, maximum: 2.5, minLength: 1, maxLength: 2, minItems: 0, maxItems: 9, "
    "example: 1, examples: [1], pattern: x"
)


@pytest.mark.parametrize(
    "text",
    [
        *(
            consuming(f"{{name: a, method: GET, inputParameters: [{{name: {name}, in: query}}]}}")
            for name in ("$select", "'page[limit]'", "'@id'", "a.b", "'a b'")
        ),
        consuming(
            f"{{name: a, method: GET, inputParameters: [{{name: x, in: body, {PARAMETER}}}]}}"
        ),
        consuming("{name: a, method: GET, inputParameters: [{name: x, in: query, value: 5}]}"),
        consuming("{name: a, method: POST, body: {type: json, data: null}}"),
        consuming("{name: a, method: POST, body: {type: json}}"),
        consuming("{name: a, method: POST, body: {type: form, data: {a: 1, b: [x]}}}"),
        consuming("{name: a, method: POST, body: {type: formUrlEncoded, data: null}}"),
        consuming(
            "{name: a, method: GET, outputParameters: [{name: r, type: object, value: $., "
            "description: d, properties: {x: {type: integer, mapping: $.x}}}]}"
        ),
        *(
            upstream(f"baseUri: {uri}")
            for uri in ("'{{URL}}'", "'https://{{HOST}}/v1/{{REGION}}'", "'https://x/{h}'", "''")
        ),
        serving("{method: GET, call: a_b.c.d}"),
        serving("{method: GET, call: a.b, with: {a: [1], b: {c: null}, d: null, e: true}}"),
        serving(f"{{method: GET, inputParameters: [{{name: x, mapping: body.x, {PARAMETER}}}]}}"),
        serving("{method: GET, inputParameters: [{name: x, value: 5}]}"),
        serving("{method: GET, outputParameters: [{name: r, type: integer, mapping: $.r}]}"),
        serving(
            "{method: GET, outputParameters: [{type: array, mapping: $., description: d, "
            "items: [{type: string, mapping: $., maxLength: 5}]}, "
            "{type: object, mapping: $.data, values: {type: string, value: true}}]}"
        ),
        offering(
            f"{{name: a_b, call: a.b, inputParameters: [{{name: x, mapping: x, {PARAMETER}}}]}}"
        ),
        offering("{name: x, call: a.b, description: , label: }"),
        exposing(
            "{type: rest, port: 1, namespace: a_b, inputParameters: [{name: x}], resources: []}"
        ),
        exposing(
            "{type: mcp, transport: stdio, port: 1, namespace: n, prompts: [{name: p, "
            "template: [{role: user, content: c}], "
            "arguments: [{name: a, default: 1, enum: [1, 2]}]}]}"
        ),
        HEAD
        + "binds: [{namespace: a_b, keys: {lower: x.y}}]\ncapability: {exposes: [], binds: []}",
    ],
)
def test_what_published_files_write_is_accepted_and_noted_by_strict(text: str) -> None:
    assert check(text) == []
    notes = check(text, strict=True)
    assert notes
    assert {problem.rule for problem in notes} == {"beyond-official-schema"}


def test_strict_does_not_repeat_an_error_as_a_note() -> None:
    text = serving("{method: gte, name: 5, foo: 1}")
    assert check(text, strict=True) == check(text)


def test_the_schema_text_is_what_editors_are_given() -> None:
    assert json.loads(schema_text())["title"] == "Naftiko capability file"


def test_checking_needs_no_general_validator() -> None:
    code = (
        "import sys\n"
        "from naftiko_runtime.document.schema_check import check_schema\n"
        "from naftiko_runtime.document.yaml_reader import read_yaml\n"
        "document, _ = read_yaml(b'naftiko: 1.0.0-alpha2', 'a.yaml')\n"
        "assert check_schema(document)\n"
        "print([name for name in ('jsonschema', 'referencing') if name in sys.modules])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_a_method_in_small_letters_is_read_and_noted_by_strict(method: str) -> None:
    text = serving(f"{{method: {method}, call: api.get}}")
    assert check(text) == []
    rules = {problem.rule for problem in check(text, strict=True)}
    assert "beyond-official-schema" in rules
