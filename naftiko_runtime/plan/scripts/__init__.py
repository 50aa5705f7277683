"""Makes script steps ready to run (OperationStepScript): all that can be wrong with one is found
at load, and a call neither opens a file nor parses a setting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from naftiko_runtime.binds.files import path_beside
from naftiko_runtime.document.model import (
    BindReference,
    ScriptStep,
    references_of,
)
from naftiko_runtime.json_values import JsonValue, Missing
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.getters import Arguments, Compiler, Getter
from naftiko_runtime.plan.inputs import Need
from naftiko_runtime.plan.operation import Scope, ScriptSource, ScriptStepPlan
from naftiko_runtime.plan.scripts.errors import ScriptError, ScriptSyntaxError
from naftiko_runtime.plan.scripts.files import ScriptFileError, read_script, script_path
from naftiko_runtime.plan.scripts.settings import Scripting, read_scripting

__all__ = ["ScriptError", "Scripting", "compile_script", "read_scripting"]

Prepare = Callable[[str], tuple[str, tuple[int, ...]]]


@dataclass(frozen=True, slots=True)
class _Language:
    """A language that scripts can be written in: the suffixes of its files, the modules that it
    needs, and what makes a text ready (a prepared text, and its original lines or none)."""

    suffixes: tuple[str, ...]
    modules: tuple[str, ...]
    prepare: Prepare


def _prepare_javascript(text: str) -> tuple[str, tuple[int, ...]]:
    from naftiko_runtime.plan.scripts.javascript import prepare_javascript

    return prepare_javascript(text)


def _prepare_python(text: str) -> tuple[str, tuple[int, ...]]:
    from naftiko_runtime.plan.scripts.python import prepare_python

    return prepare_python(text)


LANGUAGES: Mapping[str, _Language] = {
    "javascript": _Language(
        (".js", ".cjs", ".mjs"),
        ("py_mini_racer", "tree_sitter", "tree_sitter_javascript"),
        _prepare_javascript,
    ),
    "python": _Language((".py",), ("pydantic_monty",), _prepare_python),
}
"""The languages that run here, by their name in the file."""

_REFUSED = {".groovy": "groovy", ".gvy": "groovy"}


def compile_script(step: ScriptStep, compiler: Compiler, scripting: Scripting) -> ScriptStepPlan:
    """The plan of a script step. Raises ScriptError.

    The script sees the caller's inputs, the outputs of the steps before it, and what `with` gives;
    of one name the last of these counts.
    """
    if scripting.disabled:
        message = f"scripts are switched off: {scripting.disabled}"
        raise ScriptError(step, "type", message, "switch them on, or do without the step")
    name = _language_of(step, scripting)
    _refuse_language(step, name, scripting)
    folder = _folder_of(step, scripting)
    files = [("dependencies", file) for file in step.dependencies] + [("file", step.file)]
    sources = [_source(step, key, file, folder, name, scripting) for key, file in files]
    return ScriptStepPlan(
        name=step.name,
        language=name,
        file=step.file,
        sources=tuple(sources),
        read=_compile_context(step, compiler),
        timeout=scripting.timeout,
        statements=scripting.statements,
        secrets=_secrets(step, compiler),
    )


def _language_of(step: ScriptStep, scripting: Scripting) -> str:
    """`language`, else what the file is called, else the file's default."""
    if step.language is not None:
        return step.language
    suffix = Path(step.file).suffix.lower()
    for name, language in LANGUAGES.items():
        if suffix in language.suffixes:
            return name
    found = _REFUSED.get(suffix, scripting.language)
    if found is None:
        message = f'the language of "{step.file}" is not known'
        raise ScriptError(step, "file", message, "name it with `language`: javascript or python")
    return found


def _refuse_language(step: ScriptStep, name: str, scripting: Scripting) -> None:
    if name == "groovy":
        raise ScriptError(
            step,
            "language",
            "Groovy scripts do not run here: Groovy needs a Java virtual machine, and has no "
            "sandbox outside it",
            "write the script in javascript or python",
        )
    if scripting.allowed is not None and name not in scripting.allowed:
        allowed = ", ".join(sorted(scripting.allowed)) or "none"
        message = f"scripts in {name} are not allowed here (management.scripting.allowedLanguages)"
        raise ScriptError(step, "language", message, f"allowed: {allowed}")
    missing = [module for module in LANGUAGES[name].modules if find_spec(module) is None]
    if missing:
        message = f'scripts in {name} need the library "{missing[0]}"'
        raise ScriptError(step, "language", message, "install naftiko-runtime[script]")


def _folder_of(step: ScriptStep, scripting: Scripting) -> Path:
    if step.location is not None:
        return path_beside(step.location, Path(step.place.file).parent)
    if scripting.location is not None:
        return path_beside(scripting.location, scripting.folder)
    message = f'the folder of "{step.file}" is not known'
    remedy = "name it with `location`, such as file:///./scripts"
    raise ScriptError(step, "file", message, remedy)


def _source(
    step: ScriptStep, key: str, file: str, folder: Path, language: str, scripting: Scripting
) -> ScriptSource:
    try:
        path = script_path(folder, file)
        scripting.files.add(path)
        text = read_script(folder, path)
    except ScriptFileError as error:
        message = f'the script "{file}" of "{folder}" cannot be read: {error}'
        remedy = "locations are relative to the file that names them"
        raise ScriptError(step, key, message, remedy) from None
    try:
        prepared, lines = LANGUAGES[language].prepare(text)
    except ScriptSyntaxError as error:
        message = f'the script "{file}" cannot be run: line {error.line}: {error}'
        raise ScriptError(step, key, message, error.remedy or "correct it") from None
    return ScriptSource(file, prepared, lines)


# --- what the script sees -----------------------------------------------------------------


def _compile_context(
    step: ScriptStep, compiler: Compiler
) -> Callable[[Scope], dict[str, JsonValue]]:
    compiler.collector.read_all()
    given = _named(compiler.arguments)
    arguments = {name: compiler.value(value, Need()) for name, value in step.arguments}

    def read(scope: Scope) -> dict[str, JsonValue]:
        context = dict(scope.values)
        for name, get in given.items():
            value = get(scope)
            if not isinstance(value, Missing):
                context[name] = value
        context.update(scope.steps)
        for name, get in arguments.items():
            value = get(scope)
            context[name] = None if isinstance(value, Missing) else value
        return context

    return read


def _named(arguments: Arguments | None) -> dict[str, Getter]:
    """What arguments give by name; the nearer ones count."""
    return {} if arguments is None else {**_named(arguments.outer), **arguments.exact}


def _secrets(step: ScriptStep, compiler: Compiler) -> tuple[str, ...]:
    """The values of variables in `with`: a message of the script must not show them."""
    found = [
        compiler.variables.find(reference)
        for _, value in step.arguments
        for reference in references_of(value)
        if isinstance(reference, BindReference)
    ]
    return tuple(text for text in found if text)
