"""The config, checked: every fault is one line that names the file, the key and what is wrong with it."""

import difflib
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError, validators

SCHEMA = Path(__file__).parents[3] / "workflow/schemas/config.schema.yaml"
TYPES = {
    "object": "a mapping",
    "array": "a list",
    "integer": "a whole number",
    "number": "a finite number",
    "string": "text",
}
Key = tuple[str | int, ...]


def faults(settings: Mapping, files: list[str], command_line: Mapping) -> list[str]:
    """What is wrong with a config, in the order of its keys.

    Args:
        settings: The merged config.
        files: The config files that it was merged from; later files win.
        command_line: What `--config` said; it wins over all files.

    Returns:
        Lines such as `config/smoke.yaml: l1_paradox.lasso.seeds: 0 is less than 1`; none where all is well.
    """
    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    # One fault a key: where a name narrows what its kind allows, both would say so.
    found = list(dict(map(_key_and_fault, Validator(schema).iter_errors(settings))).items())
    scales = sorted(path.stem for path in Path("config").glob("*.yaml"))
    if isinstance(scale := settings.get("scale"), str) and scale not in scales:
        found.append((("scale",), f"there is no config/{scale}.yaml, only {', '.join(scales)}"))
    found += [*_unknown_designs(settings), *_unfit_networks(settings, schema)]
    return [f"{where_set(key, files, command_line)}: {fault}" for key, fault in sorted(found, key=str)]


def where_set(key: Key, files: list[str], command_line: Mapping) -> str:
    """Where a key was set last, such as `config/smoke.yaml: l1_paradox.lasso.seeds`; arguments as for `faults`."""
    sources = {**{os.path.relpath(file): _read(file) for file in files}, "command line": command_line}
    return f"{_source(key, sources)}: {_dotted(key)}"


def _unknown_designs(settings: Mapping) -> Iterator[tuple[Key, str]]:
    """Experiments that name a design which `l1_paradox.designs` does not have."""
    try:
        designs = list(settings["l1_paradox"]["designs"])
        experiments = {
            (group, name): block["designs"]
            for group in ("convergence", "adaptive")
            for name, block in settings[group].items()
            if "designs" in block
        }
    except (KeyError, TypeError, AttributeError):
        return  # the schema says what is missing
    for name, wanted in experiments.items():
        for place, design in enumerate(wanted if isinstance(wanted, list) else []):
            if design not in designs:
                yield (*name, "designs", place), f"{design!r} is not one of {', '.join(designs)}"


def _unfit_networks(settings: Mapping, schema: Mapping) -> Iterator[tuple[Key, str]]:
    """Sweeps of networks under an L1 penalty with a method without step size, or more pictures than there are."""
    try:
        networks = settings["l1_paradox"]["networks"]
        left = 1797 - networks["test"]
        methods = {name: sweep["methods"] for name, sweep in networks["sweeps"].items()}
        samples = {name: sweep.get("samples", left) for name, sweep in networks["sweeps"].items()}
        without_step = set(schema["$defs"]["network_method"]["enum"]) - set(networks["step_sizes"])
    except (KeyError, TypeError, AttributeError):
        return  # the schema says what is missing
    key = ("l1_paradox", "networks", "sweeps")
    for name, wanted in methods.items():
        for place, method in enumerate(wanted if isinstance(wanted, list) else []):
            if isinstance(method, str) and method in without_step:
                yield (*key, name, "methods", place), f"{method!r} has no step size in l1_paradox.networks.step_sizes"
    for name, count in samples.items():
        if isinstance(count, int) and count > left:
            yield (*key, name, "samples"), f"{count} is more than the {left} pictures that are not kept for the test"


def _read(file: str) -> Any:
    """A config file as it stands, before merging."""
    return yaml.safe_load(Path(file).read_text(encoding="utf-8"))


def _source(key: Key, sources: Mapping[str, Any]) -> str:
    """The last source that has the key or, where none has, the last that has the mapping around it."""
    for length in range(len(key), 0, -1):
        for name, content in reversed(sources.items()):
            if _has(content, key[:length]):
                return name
    return next(iter(sources))


def _has(content: Any, key: Key) -> bool:
    """Whether a key stands in this source."""
    for part in key:
        try:
            content = content[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def _dotted(key: Key) -> str:
    """A key as people write it: `designs.gaussian.samples`, `step_sizes[1]`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".")


def _key_and_fault(error: ValidationError) -> tuple[Key, str]:
    """The key at fault, and what is wrong with it."""
    key, value, limit = tuple(error.absolute_path), error.instance, error.validator_value
    match error.validator:
        case "additionalProperties":
            name = next(name for name in value if name not in error.schema.get("properties", {}))
            near = difflib.get_close_matches(str(name), error.schema.get("properties", {}), n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(error.schema.get('properties', {}))}"
            return (*key, name), f"unknown key; {hint}"
        case "required":
            return (*key, error.message.split("'")[1]), "is missing"
        case "type" if isinstance(limit, list):
            return key, f"{value!r} is not {error.schema['description']}"
        case "contains":
            return key, f"lacks {limit['const']}"
        case "type":
            return key, f"{value!r} is not {TYPES[limit]}{_hint(value, limit)}"
        case "exclusiveMinimum":
            return key, f"{value!r} is not greater than {limit}"
        case "minimum":
            return key, f"{value!r} is less than {limit}"
        case "maximum":
            return key, f"{value!r} is greater than {limit}"
        case "exclusiveMaximum":
            return key, f"{value!r} is not less than {limit}"
        case "minItems" | "minProperties":
            return key, "is empty"
        case "uniqueItems":
            return key, f"names a value twice: {value!r}"
        case "enum":
            return key, f"{value!r} is not one of {', '.join(map(str, limit))}"
        case "pattern" if "description" in error.schema:
            return key, f"{value!r} is not one of {error.schema['description']}"
        case "pattern":
            return (*key, value), "a name has small letters, digits and _"
    return key, error.message


def _hint(value: Any, wanted: str) -> str:
    """YAML reads 1e-3 as text; how to write it as a number."""
    try:
        return f" (write {float(value)!r})" if wanted == "number" and isinstance(value, str) else ""
    except ValueError:
        return ""


def _ordered(validator: Any, names: list[str], value: Any, schema: Any) -> Iterator[ValidationError]:
    """Our own keyword `ordered: [low, high]`: the first setting is not above the second."""
    low, high = (value.get(name) if isinstance(value, Mapping) else None for name in names)
    if _is_number(None, low) and _is_number(None, high) and low > high:
        yield ValidationError(f"{low!r} is above {names[1]}, which is {high!r}", path=[names[0]])


def _is_integer(checker: Any, value: Any) -> bool:
    """Whole numbers only: neither True nor 3.0."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(checker: Any, value: Any) -> bool:
    """Finite numbers only: neither True nor .nan nor .inf."""
    return _is_integer(checker, value) or (isinstance(value, float) and math.isfinite(value))


Validator = validators.extend(
    Draft202012Validator,
    validators={"ordered": _ordered},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many({"integer": _is_integer, "number": _is_number}),
)
