"""The schema of the config, `config.schema.yaml`, and what it finds wrong.

It is JSON Schema with a few words of our own, explained at its head. Those that only save writing are replaced by what
they stand for; the others, `ordered`, `at_most`, `below`, `among`, `registry` and `asks`, are functions here.
"""

import math
import operator
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache, partial
from importlib.resources import files
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError, validators

from ndgm.pipeline.registries import asks, names
from ndgm.store.names import meant

Key = tuple[str | int, ...]
Faults = Iterator[tuple[Key, str]]
TYPES = {
    "object": "a mapping",
    "array": "a list",
    "integer": "a whole number",
    "number": "a finite number",
    "string": "text",
}
LONGEST_SHOWN = 80
"""Characters of a value that a line shows."""
NUMBER = re.compile(r"\d+(\.\d+)?|\.\d+")


def violations(settings: Mapping[str, Any]) -> Faults:
    """Keys that the schema does not allow to be as they are, each with what is wrong; one for each key.

    Args:
        settings: The merged config.
    """
    found: dict[Key, str] = {}
    of_settings = {
        "among": partial(_among, settings),
        "at_most": partial(_bounds, settings, operator.gt, "is more than"),
        "below": partial(_bounds, settings, operator.ge, "is not less than"),
    }
    validator = validators.extend(Validator, of_settings)(schema())
    for error in validator.iter_errors(settings):
        unknown = error.validator == "additionalProperties"
        for key, fault in _unknown_keys(error) if unknown else [_key_and_fault(error)]:
            found.setdefault(key, fault)  # the first is that of the narrower rule
    yield from found.items()


@cache
def schema() -> dict[str, Any]:
    """The schema, completed."""
    return completed(_written())


def sample_sources(owner: str) -> list[str]:
    """Sources that entries of an owner in the table of samples may have."""
    return list(_written()["properties"]["samples"]["properties"][owner]["sources"])


@cache
def _written() -> dict[str, Any]:
    """The schema as its file has it."""
    text = (files("ndgm.pipeline") / "config.schema.yaml").read_text(encoding="utf-8")
    return yaml.load(text, yaml.CSafeLoader)


def completed(node: Any) -> Any:
    """Expand our shorthands into plain JSON Schema; our words that are functions stay."""
    if isinstance(node, str):
        return {"$ref": f"#/$defs/{node}"}
    if not isinstance(node, dict):
        return node
    node = dict(node)
    if "$ref" in node:
        node["$ref"] = f"#/$defs/{node['$ref']}"
    elif "properties" in node:
        optional = node.pop("optional", [])
        required = [name for name in node["properties"] if name not in optional]
        node = {"type": "object", "required": required, "additionalProperties": False} | node
    if "several" in node:
        node = {"type": "array", "minItems": 1, "uniqueItems": True, "items": node.pop("several")} | node
    for word in ("items", "propertyNames", "additionalProperties"):
        if word in node:
            node[word] = completed(node[word])
    for word in ("properties", "$defs"):
        node |= {word: {name: completed(below) for name, below in node[word].items()}} if word in node else {}
    return _by_source(node["sources"]) if "sources" in node else node


def _by_source(sources: Mapping[str, dict]) -> dict[str, Any]:
    """Schema of entries by name, whose other options are those of their source."""
    options = [
        {
            "if": {"properties": {"source": {"const": name}}, "required": ["source"]},
            "then": completed(given | {"properties": {"source": True} | given["properties"]}),
        }
        for name, given in sources.items()
    ]
    source = {"type": "object", "properties": {"source": {"enum": list(sources)}}, "required": ["source"]}
    entries = {"propertyNames": completed("name"), "additionalProperties": source | {"allOf": options}}
    return {"type": "object", "minProperties": 1} | entries


def _unknown_keys(error: ValidationError) -> Faults:
    """Keys that there are not, each with the one that may have been meant."""
    known = error.schema["properties"]
    for name in error.instance:
        if name not in known:
            yield (*error.absolute_path, name), f"unknown key; {meant(str(name), known)}"


def _key_and_fault(error: ValidationError) -> tuple[Key, str]:
    """The key at fault, and what is wrong with it."""
    key, value, limit = tuple(error.absolute_path), error.instance, error.validator_value
    match error.validator:
        case "required":
            return (*key, error.message.split("'")[1]), "is missing"
        case "type" if isinstance(value, int) and abs(value) > sys.float_info.max:
            return key, f"{shown(value)} is more than a number can be"
        case "type" if isinstance(limit, list):
            return key, f"{shown(value)} is not {error.schema['description']}"
        case "contains":
            return key, f"lacks {limit['const']}"
        case "type":
            return key, f"{shown(value)} is not {TYPES[limit]}{_hint(value, limit)}"
        case "exclusiveMinimum":
            return key, f"{shown(value)} is not greater than {limit}"
        case "minimum":
            return key, f"{shown(value)} is less than {limit}"
        case "maximum":
            return key, f"{shown(value)} is greater than {limit}"
        case "exclusiveMaximum":
            return key, f"{shown(value)} is not less than {limit}"
        case "multipleOf":
            return key, f"{shown(value)} is not {error.schema['description']}"
        case "minItems" | "minProperties":
            return key, f"has {len(value)} of {limit} values or more" if value else "is empty"
        case "uniqueItems":
            return key, f"names a value twice: {shown(value)}"
        case "enum":
            return key, f"{shown(value)} is not one of {', '.join(map(str, limit))}"
        case "const":
            return key, f"{shown(value)} is not {limit}"
        case "maxLength":
            return (*key, value), f"a name has {limit} characters at most"
        case "pattern" if "description" in error.schema:
            return key, f"{shown(value)} is not {error.schema['description']}"
        case "pattern":
            return (*key, value), "a name has small letters, digits and _"
    return key, error.message


def _hint(value: Any, wanted: str) -> str:
    """YAML reads 1e-3 as text; how to write it as a number."""
    try:
        number = float(value) if wanted == "number" and isinstance(value, str) else math.inf
    except ValueError:
        return ""
    return f" (write {Decimal(repr(number)):f})" if math.isfinite(number) else ""


def _ordered(validator: Any, wanted: list[Any], value: Any, schema: Any) -> Iterator[ValidationError]:
    """The keyword `ordered: [low, high, times]`: the first setting is not above the second, nor so many of it."""
    below, above, times = wanted if len(wanted) == 3 else [*wanted, 1]
    if isinstance(value, Mapping) and below in value and above in value:
        low, high = value[below], value[above]
        if _is_number(None, low) and _is_number(None, high) and times * low > high:
            many = shown(low) if times == 1 else f"{times} times {shown(low)}"
            yield ValidationError(f"{many} is above {above}, which is {shown(high)}", path=[below])


def _bounds(
    settings: Any,
    breaks: Callable[[float, float], bool],
    words: str,
    validator: Any,
    wanted: Mapping[str, str],
    value: Any,
    schema: Any,
) -> Iterator[ValidationError]:
    """The keywords `at_most` and `below`: settings here, or what they list, beside those at a path of the config."""
    for setting, path in wanted.items():
        for key, asked in parts_of(value, setting):
            names = iter([name for name, step in zip(key, setting.split("."), strict=True) if step == "*"])
            same = ".".join(str(next(names, "*")) if step == "*" else step for step in path.split("."))
            listed = isinstance(asked, list)
            for place, bound in parts_of(settings, same):
                for number, one in enumerate(asked if listed else [asked]):
                    if _is_number(None, one) and _is_number(None, bound) and breaks(one, bound):
                        fault = f"{shown(one)} {words} {dotted(place)}, {shown(bound)}"
                        yield ValidationError(fault, path=[*key, number] if listed else key)


def _registry(validator: Any, wanted: dict[str, Any], value: Any, schema: Any) -> Iterator[ValidationError]:
    """The keyword `registry`: a name that a registry of the code has, and that can run here."""
    known = [name for name in names(wanted["of"]) if name not in wanted.get("without", [])]
    families: dict[str, tuple[float, float]] = wanted.get("families", {})
    lacking = {name: sorted(asks(name).difference(wanted["offers"])) for name in known} if "offers" in wanted else {}
    if value in known:
        if lacking.get(value):
            yield ValidationError(f"{shown(value)} asks for {' and '.join(lacking[value])}, which there is not here")
    elif not (isinstance(value, str) and _in_a_family(value, families)):
        admitted = [name for name in known if not lacking.get(name)]
        admitted += [f"{family}_<{_interval(*limits)}>" for family, limits in families.items()]
        yield ValidationError(f"{shown(value)} is not one of {', '.join(admitted)}")


def _asks(validator: Any, wanted: Mapping[str, bool], value: Any, schema: Any) -> Iterator[ValidationError]:
    """The keyword `asks: {shrink: true}`: a method that asks the objective for this; with false, one that does not."""
    if value in names("methods"):
        for name, does in wanted.items():
            if (name in asks(value)) != does:
                yield ValidationError(f"{value!r} {'does not ask' if does else 'asks'} the objective for {name}")


def _in_a_family(name: str, families: Mapping[str, tuple[float, float]]) -> bool:
    """Whether a name is that of a family, _ and a number within the limits of the family."""
    family, _, parameter = name.rpartition("_")
    low, high = families.get(family, (math.inf, -math.inf))
    return NUMBER.fullmatch(parameter) is not None and low < float(parameter) < high


def _interval(low: float, high: float) -> str:
    """An open interval in words."""
    return f"number between {low} and {high}" if math.isfinite(high) else f"number above {low}"


def _among(settings: Any, validator: Any, path: str, value: Any, schema: Any) -> Iterator[ValidationError]:
    """The keyword `among`: a key or an item of that part of the config, wherever the config has it."""
    for key, part in parts_of(settings, path):
        if isinstance(part, Mapping | list) and value not in list(part):
            yield ValidationError(f"{shown(value)} is not in {dotted(key)}; there are {', '.join(map(str, part))}")


def parts_of(settings: Any, path: str) -> list[tuple[Key, Any]]:
    """Parts of the config at a dotted path, with their keys; `*` in the path stands for every key that there is."""
    parts: list[tuple[Key, Any]] = [((), settings)]
    for step in path.split("."):
        parts = [
            ((*key, name), part[name])
            for key, part in parts
            if isinstance(part, Mapping)
            for name in (part if step == "*" else [step])
            if name in part
        ]
    return parts


def shown(value: Any) -> str:
    """A value as people write it, cut off where it is long."""
    try:
        text = repr(value)
    except ValueError:  # so many digits that Python does not print them
        text = "a number of thousands of digits"
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def dotted(key: Key) -> str:
    """A key as people write it, such as `l1_paradox.lasso.step_sizes[1]`; on one line, whatever is in it."""
    parts = [f".{part}" if isinstance(part, str) and part and part.isprintable() else f"[{part!r}]" for part in key]
    return "".join(parts).removeprefix(".")


def _is_integer(checker: Any, value: Any) -> bool:
    """Whole numbers only: neither True nor 3.0, nor one that no float can be compared with."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _is_number(checker: Any, value: Any) -> bool:
    """Finite numbers only: neither True nor .nan nor .inf."""
    return _is_integer(checker, value) or (isinstance(value, float) and math.isfinite(value))


Validator = validators.extend(
    Draft202012Validator,
    validators={"ordered": _ordered, "registry": _registry, "asks": _asks},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many({"integer": _is_integer, "number": _is_number}),
)
