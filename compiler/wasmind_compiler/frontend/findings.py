"""What jsonschema finds, said in the user's terms and with its place.

A `oneOf` is never reported as such. The branch that was meant is chosen by the keys or the kind
that tell branches apart, and the findings inside that branch are reported.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from wasmind_compiler.diagnostics import Applicability, Diagnostic, Edit, Fix, Label, Span
from wasmind_compiler.diagnostics.registry import Rule
from wasmind_compiler.diagnostics.rules import models, settings, shape
from wasmind_compiler.diagnostics.suggestions import advice, either, nearest, related
from wasmind_compiler.frontend import hints, source_hints
from wasmind_compiler.frontend.conformance import is_finite, is_type
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.hint import Hint
from wasmind_compiler.frontend.key_path import KeyPath, dotted, quoted
from wasmind_compiler.frontend.retyping import retyped
from wasmind_compiler.frontend.sections import renamed_key
from wasmind_compiler.frontend.wording import as_written, expected, kind_of, requirement

#: So many references are followed for one value. A schema can lead from each to several others.
_MOST_REFERENCES: Final = 100_000


class UnusableSchemaError(ValueError):
    """A value cannot be judged by a schema; the message says why."""


class Locator(Protocol):
    """Knows the places of a value's parts, in one file or over several layers."""

    def value(self, path: KeyPath) -> Span:
        """The value at the path."""
        ...

    def key(self, path: KeyPath) -> Span:
        """The last name of the path."""
        ...

    def header(self, path: KeyPath) -> Span:
        """Where the table at the path begins."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaRules:
    """The rules that findings are reported under, and what the whole value is called."""

    unknown: Rule
    wrong_type: Rule
    missing: Rule
    value: Rule
    conflicting: Rule
    #: `nan` and `inf` where a number is wanted; None allows them.
    not_finite: Rule | None = None
    #: Top-level tables nobody knows; None treats them as unknown keys.
    foreign_table: Rule | None = None
    subject: str = ""

    def is_type(self, value: Any, name: str) -> bool:
        """Whether a value is of a JSON Schema type."""
        return is_type(value, name) and (self.not_finite is None or is_finite(value))


FILE_RULES: Final = SchemaRules(
    unknown=shape.UNKNOWN_KEY,
    wrong_type=shape.WRONG_TYPE,
    missing=shape.MISSING_KEY,
    value=shape.BAD_VALUE,
    conflicting=shape.CONFLICTING_KEYS,
    not_finite=models.NOT_A_NUMBER,
    foreign_table=shape.UNKNOWN_TABLE,
)


def config_rules(actor: str) -> SchemaRules:
    """The rules for the config table of an actor."""
    return SchemaRules(
        unknown=settings.UNKNOWN_SETTING,
        wrong_type=settings.WRONG_TYPE,
        missing=settings.MISSING_SETTING,
        value=settings.BAD_VALUE,
        conflicting=settings.BAD_VALUE,
        not_finite=settings.BAD_VALUE,
        subject=f"config of `{actor}`",
    )


def explain(
    value: Any,
    schema: Mapping[str, Any],
    locator: Locator,
    rules: SchemaRules,
    *,
    lenient: bool = False,
) -> list[Diagnostic]:
    """Every finding about `value`, located.

    Args:
        value: what is judged.
        schema: what it should be.
        locator: knows the places of its parts.
        rules: what findings are reported under.
        lenient: unknown keys are ignored, so a key that is only misspelled is missing.

    Raises:
        UnusableSchemaError: the schema is none, or takes too long.
    """
    # TOML tells integers from floats, and so do we.
    types = Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "integer": lambda _checker, instance: is_type(instance, "integer"),
            "number": lambda _checker, instance: rules.is_type(instance, "number"),
        }
    )
    make: Any = extend  # has no annotations
    keywords = {"$ref": _counted(Draft202012Validator.VALIDATORS["$ref"])}
    validator = make(Draft202012Validator, keywords, type_checker=types)
    checker = validator(schema, format_checker=FormatChecker(["regex"]))
    explainer = _Explainer(locator, rules, schema.get("$defs"), lenient=lenient)
    try:
        errors = list(checker.iter_errors(value))
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError, re.error) as error:
        raise UnusableSchemaError(str(error)) from error
    return [found for error in errors for found in explainer.explain(error)]


def _counted(keyword: Any) -> Any:
    """The keyword, which refuses to judge more often than anybody can wait for."""
    count = itertools.count(1)

    def judge(validator: Any, wanted: Any, instance: Any, schema: Any) -> Any:
        if next(count) > _MOST_REFERENCES:
            raise UnusableSchemaError(f"it leads to more than {_MOST_REFERENCES} references")
        return keyword(validator, wanted, instance, schema)

    return judge


def _reason(error: ValidationError) -> str:
    """Why a pattern is not one, after a colon; other requirements speak for themselves."""
    if error.validator != "format" or not isinstance(error.instance, str):
        return ""
    try:
        re.compile(error.instance)
    except re.error as fault:
        return f": {fault}"
    return ""


class _Explainer:
    def __init__(
        self, locator: Locator, rules: SchemaRules, definitions: Any, *, lenient: bool
    ) -> None:
        self._locator = locator
        self._definitions = _mapping(definitions)
        self._lenient = lenient
        self._rules = rules
        self._by_keyword: Mapping[str, Callable[[ValidationError], Iterable[Diagnostic]]] = {
            "additionalProperties": self._unknown_keys,
            "required": self._missing_keys,
            "type": self._wrong_type,
            "enum": self._not_listed,
            "const": self._not_listed,
            "oneOf": self._alternatives,
            "anyOf": self._alternatives,
        }

    def explain(self, error: ValidationError) -> Iterable[Diagnostic]:
        if error.validator != "type" and not self._is_of_its_type(error):
            # An integer that is a float may also be too small, but that is another matter.
            return ()
        if "propertyNames" in error.relative_schema_path:
            # The instance is a key here, and the path that of its table.
            return self._bad_name(error)
        handler = self._by_keyword.get(str(error.validator), self._bad_value)
        return handler(error)

    def _unknown_keys(self, error: ValidationError) -> Iterator[Diagnostic]:
        path, known = _path(error), _mapping(error.schema).get("properties", {})
        patterns = _mapping(error.schema).get("patternProperties", ())
        for key in _mapping(error.instance):
            if key not in known and not any(re.search(pattern, key) for pattern in patterns):
                yield self._unknown_key(path, key, known, _mapping(error.instance)[key])

    def _unknown_key(
        self, path: KeyPath, key: str, known: Mapping[str, Any], value: Any
    ) -> Diagnostic:
        rules, span = self._rules, self._locator.key((*path, key))
        alike = [name for name, schema in known.items() if _may_hold(schema, value)]
        near = nearest(key, alike)
        meant = near or related(key, alike)
        if (document := self._document()) is not None:
            hint = hints.unknown_key(document, path, key, value, known)
            if hint is not None:
                return self._hinted_key(path, key, span, hint)
        if rules.foreign_table is not None and not path and isinstance(value, dict) and not near:
            message = f"unknown table `{dotted((key,))}` is ignored"
            return rules.foreign_table.at(
                span, message, help=advice(key, alike if meant else known, "known tables and keys")
            )
        help_line = advice(key, alike if meant else known, "known keys")
        return rules.unknown.at(
            span,
            f"unknown key `{dotted((key,))}`{self._inside(path)}",
            help=help_line if known else "this table takes no keys",
            fix=self._renamed((*path, key), meant[0], bool(near)) if len(meant) == 1 else None,
        )

    def _renamed(self, path: KeyPath, name: str, certain: bool) -> Fix | None:
        title = f"rename to `{name}`"
        applicability: Applicability = "always" if certain else "maybe"
        if (document := self._document()) is not None:
            return renamed_key(document, path, name, title, applicability)
        edits = (Edit(self._locator.key(path), dotted((name,))),)
        return Fix(title=title, edits=edits, applicability=applicability)

    def _hinted_key(self, path: KeyPath, key: str, span: Span, hint: Hint) -> Diagnostic:
        return self._rules.unknown.at(
            span,
            hint.message or f"unknown key `{dotted((key,))}`{self._inside(path)}",
            labels=hint.labels,
            help=hint.help,
            fix=hint.fix,
        )

    def _document(self) -> Document | None:
        """The file that is judged, unless it is a value of several layers."""
        return self._locator if isinstance(self._locator, Document) else None

    def _missing_keys(self, error: ValidationError) -> Iterator[Diagnostic]:
        # jsonschema reports one error for each missing key but names it only in prose.
        path, table = _path(error), _mapping(error.instance)
        known = _mapping(error.schema).get("properties", {})
        unknown = [key for key in table if key not in known]
        missing = [key for key in _wanted(error) if key not in table]
        for key in missing:
            described = known.get(key, {})
            if any(self._is_meant_by(path, key, described, each, table[each]) for each in unknown):
                continue
            if self._is_elsewhere(path, key):
                continue
            if error.message.startswith(repr(key)):
                document = self._document()
                hint = hints.missing_key(document, path, key) if document else None
                yield self._rules.missing.at(
                    self._locator.header(path),
                    f"missing key `{key}`{self._inside(path)}",
                    help=hint.help if hint else _help_for_missing(key, described),
                    fix=hint.fix if hint else None,
                )

    def _is_meant_by(
        self, path: KeyPath, wanted: str, described: Any, key: str, value: Any
    ) -> bool:
        """Whether an unknown key is an error that stands for a missing one."""
        if self._lenient:
            return False
        if self._document() is not None and hints.is_meant_by(path, wanted, key, value):
            return True
        alike = bool(nearest(key, (wanted,)) or related(key, (wanted,)))
        return alike and _may_hold(described, value)

    def _is_elsewhere(self, path: KeyPath, key: str) -> bool:
        """Whether another part of the table is in the wrong place, which is an error."""
        document = self._document()
        return document is not None and not self._lenient and hints.is_lost(document, path, key)

    def _is_of_its_type(self, error: ValidationError) -> bool:
        names = _types_of(error.schema)
        return not names or any(self._rules.is_type(error.instance, name) for name in names)

    def _wrong_type(self, error: ValidationError) -> Iterator[Diagnostic]:
        names = _types_of(error.schema)
        rule = self._rules.not_finite
        if rule is not None and any(is_type(error.instance, name) for name in names):
            path = _path(error)
            yield rule.at(self._locator.value(path), f"{self._name(path)} is not a finite number")
        else:
            yield self._type_mismatch(error, names)

    def _type_mismatch(self, error: ValidationError, wanted: Sequence[str]) -> Diagnostic:
        path = _path(error)
        span = self._locator.value(path)
        fix = retyped(error.instance, wanted, span)
        document = self._document()
        hint = None
        if document is not None:
            tables = _mapping(_mapping(error.schema).get("items")).get("type") == "object"
            hint = hints.wrong_shape(document, path, error.instance, wanted, of_tables=tables)
        if hint is not None:
            fix = hint.fix
        types = expected(wanted)
        message = f"{self._name(path)} must be {types}, found {kind_of(error.instance)}"
        return self._rules.wrong_type.at(
            span,
            (hint and hint.message) or message,
            label="" if hint and hint.message else f"expected {types}",
            labels=hint.labels if hint else (),
            help=hint.help if hint else fix.title if fix else None,
            fix=fix,
        )

    def _not_listed(self, error: ValidationError) -> Iterator[Diagnostic]:
        one = error.validator == "const"
        allowed = [_wanted(error)] if one else list(_wanted(error))
        allowed = [item for item in allowed if item is not None]
        words = [as_written(item) for item in allowed]
        if words == allowed and not isinstance(error.instance, str):
            help_line = advice("", words, "allowed")
            yield self._type_mismatch(error, ["string"])._replace(help=help_line, fix=None)
            return
        path, span = _path(error), self._locator.value(_path(error))
        fix = None
        near = nearest(error.instance, words) if isinstance(error.instance, str) else ()
        if len(near) == 1:
            edits = (Edit(span, quoted(near[0])),)
            fix = Fix(title=f"write `{near[0]}`", edits=edits, applicability="always")
        yield self._rules.value.at(
            span,
            f"{self._name(path)} cannot be `{as_written(error.instance)}`",
            help=advice(as_written(error.instance), words, "allowed"),
            fix=fix,
        )

    def _bad_name(self, error: ValidationError) -> Iterator[Diagnostic]:
        path, name, document = _path(error), str(error.instance), self._document()
        shown = name if name.isprintable() else quoted(name)
        if document is None:
            wanted = requirement(str(error.validator or "false"), _wanted(error))
            message = f"the name `{shown}`{self._inside(path)} {wanted}"
            yield self._rules.value.at(self._locator.key((*path, name)), message)
            return
        hint = hints.bad_name(document, path, name)
        yield self._rules.value.at(
            self._locator.key((*path, name)),
            f"`{shown}` is not a usable name",
            help="names are not empty and have no blanks at their ends and no control characters",
            fix=hint.fix if hint else None,
        )

    def _bad_value(self, error: ValidationError) -> Iterator[Diagnostic]:
        path = _path(error)
        span, document = self._locator.value(path), self._document()
        hint = hints.bad_value(document, path, error.instance) if document else None
        # Only a schema that is `false` has no keyword.
        keyword = str(error.validator or "false")
        yield self._rules.value.at(
            span,
            (hint and hint.message)
            or f"{self._name(path)} {requirement(keyword, _wanted(error))}{_reason(error)}",
            help=hint.help if hint else None,
            fix=hint.fix if hint else None,
        )

    def _alternatives(self, error: ValidationError) -> Iterator[Diagnostic]:
        branches = [self._dereferenced(branch) for branch in _wanted(error)]
        tables = [branch for branch in branches if "properties" in branch]
        kinds = {name: branch for branch in tables for name in _kinds(branch)}
        if not isinstance(error.instance, dict):
            yield from self._by_type(error, branches)
        elif kinds:
            yield from self._by_kind(error, branches, kinds)
        elif len(tables) > 1 and all(branch.get("required") for branch in tables):
            yield from self._by_keys(error, branches, tables)
        else:
            yield from self._by_type(error, branches)

    def _dereferenced(self, branch: Any) -> Mapping[str, Any]:
        """A branch, or what it refers to among the definitions."""
        reference = str(_mapping(branch).get("$ref", ""))
        if reference.startswith("#/$defs/"):
            branch = self._definitions.get(reference.removeprefix("#/$defs/"))
        return _mapping(branch)

    def _by_type(
        self, error: ValidationError, branches: list[Mapping[str, Any]]
    ) -> Iterator[Diagnostic]:
        """Alternatives told apart by the type of the value."""
        types = [_types_of(each) or ["object"] * ("properties" in each) for each in branches]
        fitting = [
            index
            for index, names in enumerate(types)
            if not names or any(is_type(error.instance, name) for name in names)
        ]
        inside = list(self._inside_branch(error, fitting[0])) if len(fitting) == 1 else []
        if inside:
            yield from inside
        elif fitting:
            yield from self._bad_value(error)
        else:
            yield self._type_mismatch(error, list(dict.fromkeys(itertools.chain(*types))))

    def _by_kind(
        self,
        error: ValidationError,
        branches: list[Mapping[str, Any]],
        kinds: Mapping[str, Mapping[str, Any]],
    ) -> Iterator[Diagnostic]:
        """Alternatives told apart by their `kind`."""
        path, kind = _path(error), _mapping(error.instance).get("kind")
        if kind is None:
            message = f"missing key `kind`{self._inside(path)}"
            allowed = ", ".join(f"`{name}`" for name in kinds)
            yield self._rules.missing.at(
                self._locator.header(path), message, help=f"kinds: {allowed}"
            )
        elif not isinstance(kind, str):
            yield self._rules.wrong_type.at(
                self._locator.value((*path, "kind")),
                f"{self._name((*path, 'kind'))} must be a string, found {kind_of(kind)}",
                help=advice("", list(kinds), "kinds"),
            )
        elif kind in kinds:
            yield from self._inside_branch(error, branches.index(kinds[kind]))
        else:
            span, near = self._locator.value((*path, "kind")), nearest(kind, kinds)
            fix = None
            if len(near) == 1:
                edits = (Edit(span, f'"{near[0]}"'),)
                fix = Fix(title=f"write `{near[0]}`", edits=edits, applicability="always")
            yield self._rules.value.at(
                span,
                f"unknown kind `{kind}`{self._inside(path)}",
                help=advice(kind, list(kinds), "kinds"),
                fix=fix,
            )

    def _by_keys(
        self,
        error: ValidationError,
        branches: list[Mapping[str, Any]],
        tables: list[Mapping[str, Any]],
    ) -> Iterator[Diagnostic]:
        """Alternatives told apart by the key that each requires first."""
        path, table = _path(error), _mapping(error.instance)
        leads = [branch["required"][0] for branch in tables]
        present = [lead for lead in leads if lead in table]
        if len(present) == 1:
            chosen = tables[leads.index(present[0])]
            yield from self._inside_branch(error, branches.index(chosen))
        elif present:
            yield self._conflict(path, present)
        else:
            yield from self._no_lead(path, table, leads, tables)

    def _conflict(self, path: KeyPath, present: list[str]) -> Diagnostic:
        first, *others = present
        named = " and ".join(f"`{key}`" for key in present)
        return self._rules.conflicting.at(
            self._locator.key((*path, others[0])),
            f"{named} exclude one another{self._inside(path)}",
            labels=(Label(self._locator.key((*path, first)), "first given here"),),
            help="keep one of them",
        )

    def _no_lead(
        self,
        path: KeyPath,
        table: Mapping[str, Any],
        leads: list[str],
        tables: list[Mapping[str, Any]],
    ) -> Iterator[Diagnostic]:
        known = {key: each for branch in tables for key, each in branch["properties"].items()}
        unknown = [key for key in table if key not in known]
        for key in unknown:
            yield self._unknown_key(path, key, known, table[key])
        if not any(self._is_lead(path, key, leads) for key in unknown):
            yield self._rules.missing.at(
                self._locator.value(path),
                f"{self._name(path)} needs {either([f'`{lead}`' for lead in leads])}",
                help=hints.missing_lead(path, table),
            )

    def _is_lead(self, path: KeyPath, key: str, leads: list[str]) -> bool:
        if self._lenient:
            return False
        document = self._document()
        hinted = document is not None and source_hints.is_lead(document, path, key)
        return hinted or bool(nearest(key, leads))

    def _inside_branch(self, error: ValidationError, index: int) -> Iterator[Diagnostic]:
        for child in error.context or ():
            if list(child.relative_schema_path)[:1] == [index]:
                yield from self.explain(child)

    def _name(self, path: KeyPath) -> str:
        subject = self._rules.subject
        if not path:
            return subject or "the file"
        return f"`{dotted(path)}`" + (f" in the {subject}" if subject else "")

    def _inside(self, path: KeyPath) -> str:
        subject = self._rules.subject
        if path:
            return f" in `{dotted(path)}`" + (f" of the {subject}" if subject else "")
        return f" in the {subject}" if subject else ""


def _types_of(schema: Any) -> list[str]:
    """The types a schema names; none if it names none."""
    wanted = _mapping(schema).get("type", ())
    return [wanted] if isinstance(wanted, str) else list(wanted)


def _may_hold(schema: Any, value: Any) -> bool:
    """Whether a key is of the kind of a value: one for tables or one for anything else."""
    kind = schema.get("type") if isinstance(schema, dict) else None
    return not isinstance(kind, str) or (kind == "object") == isinstance(value, dict)


def _help_for_missing(key: str, described: Any) -> str | None:
    text = described.get("description") if isinstance(described, dict) else None
    return f"`{key}`: {text}" if text else None


def _path(error: ValidationError) -> KeyPath:
    return tuple(error.absolute_path)


def _wanted(error: ValidationError) -> Any:
    return error.validator_value


def _kinds(branch: Mapping[str, Any]) -> Iterator[str]:
    """The values of `kind` that an alternative is for."""
    kind = _mapping(branch["properties"].get("kind"))
    values = [kind["const"]] if "const" in kind else kind.get("enum", [])
    yield from (each for each in values if isinstance(each, str))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
