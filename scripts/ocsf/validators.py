"""Three implementations of OCSF, and what the schema says beyond them."""

from __future__ import annotations

import copy
from typing import Any, Iterator

from jsonschema import Draft202012Validator
from ocsf.v1_7_0.events import DetectionFinding as FindingOf17
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
from py_ocsf_models.events.findings.detection_finding import DetectionFinding as FindingOfProwler
from pydantic import BaseModel, ValidationError

from schema import Schema

VERSION = "1.8.0"
CLASS = "detection_finding"

# Where the two models ask for what OCSF 1.8 doesn't: the place, the kind of error, a part of what they say. Other errors count.
PYDANTIC_OCSF = {
    # Its words for kinds of observables are of OCSF 1.7's sources, and not yet what the compiler makes of them.
    ("observables.*", "value_error", "Inconsistent type_id=31"),
    ("observables.*", "value_error", "Inconsistent type_id=35"),
    ("observables.*", "value_error", "Inconsistent type_id=48"),
    # Whatever is JSON may stand here.
    ("evidences.*.data", "dict_type", ""),
}
PY_OCSF_MODELS = {
    # Knows the kinds of OCSF 1.1.
    ("observables.*.type_id", "enum", ""),
    # Requires what is recommended.
    ("cloud.account.name", "missing", ""),
    ("resources.*.owner.account.name", "missing", ""),
    ("resources.*.owner.name", "missing", ""),
    ("resources.*.owner.uid", "missing", ""),
    ("resources.*.owner.type_id", "missing", ""),
    ("evidences.*.api.service.uid", "missing", ""),
    ("evidences.*.api.service.version", "missing", ""),
    ("finding_info.attacks.*.technique.name", "missing", ""),
    ("evidences.*.data", "dict_type", ""),
}


class Validators:
    """All of them."""

    def __init__(self) -> None:
        compiled = get_ocsf_schema(VERSION)
        self.schema = Schema(compiled)
        self.generator = OcsfJsonSchemaEmbedded(compiled)
        self.json_schemas: dict[tuple[str, ...], Draft202012Validator] = {}
        self.models = [
            Model("pydantic-ocsf", FindingOf17, PYDANTIC_OCSF),
            Model("py-ocsf-models", FindingOfProwler, PY_OCSF_MODELS),
        ]

    @property
    def names(self) -> list[str]:
        """Who says what is wrong."""
        return ["JSON Schema", "schema", *(model.name for model in self.models)]

    def problems(self, finding: dict[str, Any]) -> list[str]:
        """What is wrong with a finding, each with who says so."""
        profiles = tuple(finding.get("metadata", {}).get("profiles", []))
        found = [f"JSON Schema: {problem}" for problem in self.against_json_schema(finding, profiles)]
        found += [f"schema: {problem}" for problem in self.schema.problems(finding, CLASS, profiles)]
        return found + [f"{model.name}: {problem}" for model in self.models for problem in model.problems(finding)]

    def against_json_schema(self, finding: dict[str, Any], profiles: tuple[str, ...]) -> Iterator[str]:
        """The JSON Schema that ocsf-json-schema makes of the class with these profiles, and nothing besides."""
        if profiles not in self.json_schemas:
            made = self.generator.get_class_schema(CLASS, list(profiles))
            self.json_schemas[profiles] = Draft202012Validator(made)
        for error in self.json_schemas[profiles].iter_errors(finding):
            yield f"{error.json_path}: {error.message[:200]}"


class Model:
    """A model of the class that somebody else wrote."""

    def __init__(self, name: str, model: type[BaseModel], asks_too_much: set[tuple[str, str, str]]) -> None:
        self.name, self.model = name, model
        self.asks_too_much = asks_too_much
        self.never_met = set(asks_too_much)

    def problems(self, finding: dict[str, Any]) -> Iterator[str]:
        """What it says."""
        try:
            self.model.model_validate(copy.deepcopy(finding))  # pydantic-ocsf adds to what it is given
        except ValidationError as errors:
            for error in errors.errors():
                place = ".".join("*" if isinstance(part, int) else str(part) for part in error["loc"])
                here = (place, error["type"])
                known = {asked for asked in self.asks_too_much if asked[:2] == here and asked[2] in error["msg"]}
                self.never_met -= known
                if not known:
                    yield f"{place}: {error['msg']}"
