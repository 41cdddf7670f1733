"""A plugin named in a recipe: `{use: NAME, …its options}`, or just its name, checked before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from tinygsm_kit.errors import did_you_mean
from tinygsm_kit.plugins import PluginError, host

PLACEHOLDER = "x-plugins"


@dataclass(frozen=True)
class Reference:
    """One plugin and its validated options. `host` holds the keys that belong to the kit rather than to the plugin."""

    kind: str
    name: str
    options: BaseModel
    host: BaseModel | None = None

    @property
    def version(self) -> str:
        """The implementation's version: raised when its output changes, so that the rows made before are known to be older."""
        return str(host().find(self.kind, self.name).load().version)

    def build(self) -> Any:
        """A ready instance."""
        return host().find(self.kind, self.name).load()(self.options)

    def settings(self) -> dict[str, Any]:
        """The plugin's options, defaults included, as plain data."""
        return self.options.model_dump(mode="json")

    def fingerprint(self) -> dict[str, Any]:
        """What decides the plugin's output: its name, version and options. The host's keys are not among them."""
        return {"use": self.name, "version": self.version, **self.settings()}

    def dump(self) -> dict[str, Any]:
        """The mapping as a recipe would say it, without defaults."""
        parts = [self.options] if self.host is None else [self.options, self.host]
        given = {key: value for part in parts for key, value in part.model_dump(mode="json", exclude_unset=True).items()}
        return {"use": self.name, **given}


@dataclass(frozen=True)
class Of:
    """Annotation that makes pydantic read a Reference: `Annotated[Reference, Of("source")]`."""

    kind: str
    host: type[BaseModel] | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        dump = core_schema.plain_serializer_function_ser_schema(Reference.dump)
        return core_schema.with_info_plain_validator_function(
            lambda value, info: self.read(value, info.context), serialization=dump
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """A placeholder: a mixture's parts are sources again, so the definitions are put in once, by `with_plugins`."""
        return {PLACEHOLDER: self}

    @property
    def definition(self) -> str:
        """The name of this kind's entry among a schema's `$defs`."""
        return self.kind if self.host is None else f"{self.kind}+{self.host.__name__}"

    def schema(self) -> dict[str, Any]:
        """Every installed plugin of the kind with its options, or its name alone."""
        return {"anyOf": [{"enum": host().names(self.kind)}, *(self._entry_schema(name) for name in host().names(self.kind))]}

    def _entry_schema(self, name: str) -> dict[str, Any]:
        options = host().find(self.kind, name).load().Options
        models = [model.model_json_schema() for model in (self.host, options) if model is not None]
        properties = {key: value for model in models for key, value in model.get("properties", {}).items()}
        return {
            "title": f"{self.kind} {name}",
            "type": "object",
            "properties": {"use": {"const": name}, **properties},
            "required": ["use", *models[-1].get("required", [])],
            "additionalProperties": False,
            "$defs": {key: value for model in models for key, value in model.get("$defs", {}).items()},
        }

    def read(self, value: object, context: Any = None) -> Reference:
        """The reference; a pydantic ValidationError whose locations are the keys at fault."""
        if isinstance(value, Reference):
            return value
        given = {"use": value} if isinstance(value, str) else value
        if not isinstance(given, Mapping) or not isinstance(given.get("use"), str):
            raise PydanticCustomError("plugin", "expected a {kind}: a name, or {{use: NAME, …options}}", {"kind": self.kind})
        name = given["use"]
        try:
            options = host().find(self.kind, name).load().Options
        except PluginError as error:
            raise _at("use", name, str(error)) from error
        keys = {key: item for key, item in given.items() if key != "use"}
        return self._split(name, options, keys, context)

    def _split(self, name: str, options: type[BaseModel], keys: dict[str, Any], context: Any) -> Reference:
        """Give each key to the plugin or to the host. A key of neither is named with the nearest valid one."""
        own = known_keys(options)
        hosts = known_keys(self.host) if self.host else set()
        free = options.model_config.get("extra") == "allow"
        for key in keys:
            if key not in own | hosts and not free:
                raise _at(key, keys[key], unknown_key(key, own | hosts))
        mine = {key: item for key, item in keys.items() if key in own or key not in hosts}
        theirs = {key: item for key, item in keys.items() if key not in mine}
        hosted = None if self.host is None else self.host.model_validate(theirs, context=context)
        return Reference(self.kind, name, options.model_validate(mine, context=context), hosted)


def with_plugins(schema: dict[str, Any]) -> dict[str, Any]:
    """The JSON schema with every placeholder resolved to a definition of the plugins that may stand there."""
    definitions: dict[str, Any] = {}

    def resolve(node: Any) -> Any:
        if isinstance(node, list):
            return [resolve(item) for item in node]
        if not isinstance(node, dict):
            return node
        if PLACEHOLDER in node:
            of = node[PLACEHOLDER]
            if of.definition not in definitions:
                definitions[of.definition] = {}  # known from here on, for a kind that contains itself
                definitions[of.definition] = resolve(of.schema())
            rest = {key: resolve(value) for key, value in node.items() if key != PLACEHOLDER}
            return {**rest, "$ref": f"#/$defs/{of.definition}"}
        definitions.update({key: resolve(value) for key, value in node.get("$defs", {}).items()})
        return {key: resolve(value) for key, value in node.items() if key != "$defs"}

    resolved = resolve(schema)
    return {**resolved, "$defs": definitions}


def known_keys(model: type[BaseModel]) -> set[str]:
    """The keys that a model accepts."""
    return {field.alias or name for name, field in model.model_fields.items()}


def unknown_key(key: object, valid: set[str]) -> str:
    """The message for a key that does not exist, with the nearest that does."""
    known = sorted(valid)
    hint = did_you_mean(str(key), known, f"expected one of {', '.join(known)}", 0.5)
    return f"unknown key {key!r}: {hint}"


def _at(key: str, value: object, message: str) -> ValidationError:
    error = PydanticCustomError("reference", "{text}", {"text": message})
    return ValidationError.from_exception_data("plugin", [InitErrorDetails(type=error, loc=(key,), input=value)])
