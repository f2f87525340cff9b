"""What the compiled schema of OCSF says and JSON Schema can't: what is deprecated, which words belong together, what an
observable points to."""

from __future__ import annotations

from typing import Any, Iterator

Value = Any


class Schema:
    """A release of OCSF, as its own compiler writes it."""

    def __init__(self, compiled: dict[str, Any]) -> None:
        self.classes = compiled["classes"]
        self.objects = compiled["objects"]
        self.dictionary = compiled["dictionary"]["attributes"]
        self.types = compiled["dictionary"]["types"]["attributes"]

    def problems(self, finding: dict[str, Any], name: str, profiles: tuple[str, ...]) -> Iterator[str]:
        """What is wrong with an event of a class."""
        event = self.classes[name]
        yield from (f"the profile {profile} is not one of {name}" for profile in profiles if profile not in event["profiles"])
        if finding.get("type_uid") != finding.get("class_uid", 0) * 100 + finding.get("activity_id", 0):
            yield "type_uid is not made of class_uid and activity_id"
        yield from self.members(finding, event, "")
        yield from self.observables(finding, event)

    def members(self, value: dict[str, Value], described: dict[str, Any], at: str) -> Iterator[str]:
        """What is wrong with the attributes of an object, and of those inside."""
        for name, member in value.items():
            attribute = described["attributes"].get(name)
            if attribute is None:
                continue  # JSON Schema tells
            here = f"{at}.{name}"
            if "@deprecated" in attribute:
                yield f"{here} is deprecated: {attribute['@deprecated']['message']}"
            if member in (None, "", [], {}):
                yield f"{here} is empty"
            yield from self.words(value, name, attribute, here)
            inside = self.objects.get(attribute.get("object_type"))
            for item in member if isinstance(member, list) else [member]:
                if inside and isinstance(item, dict):
                    yield from self.members(item, inside, here)

    def words(self, value: dict[str, Value], name: str, attribute: dict[str, Any], at: str) -> Iterator[str]:
        """A number of an enumeration goes with its word."""
        meant = attribute.get("enum", {}).get(str(value[name]))
        if meant is None:
            return
        if "@deprecated" in meant:
            yield f"{at}: {value[name]} is deprecated: {meant['@deprecated']['message']}"
        word = value.get(attribute.get("sibling", ""))
        is_free = str(value[name]) == "99"
        if word is not None and (word == meant["caption"] if is_free else word != meant["caption"]):
            yield f"{at}: {value[name]} is `{meant['caption']}`, not `{word}`"

    def observables(self, finding: dict[str, Any], event: dict[str, Any]) -> Iterator[str]:
        """An observable names an attribute that holds its value, and that attribute's kind."""
        for observable in finding.get("observables", []):
            path = observable.get("name", "").replace("[]", "").split(".")
            if observable.get("value") not in list(reached(finding, path)):
                yield f"no {'.'.join(path)} holds the observable `{observable.get('value')}`"
            kind = self.kind(event, path)
            if observable.get("type_id") != (99 if kind is None else kind):
                yield f"observables of {'.'.join(path)} have the type {kind}, not {observable.get('type_id')}"

    def kind(self, event: dict[str, Any], path: list[str]) -> int | None:
        """What kind of observable an attribute is: by itself, by its name, or by its type."""
        described = event
        for name in path[:-1]:
            described = self.objects[described["attributes"][name]["object_type"]]
        attribute = described["attributes"][path[-1]]
        by_type = self.types.get(attribute["type"], {})
        for place in (attribute, self.dictionary.get(path[-1], {}), by_type):
            if "observable" in place:
                return int(place["observable"])
        return None


def reached(value: Value, path: list[str]) -> Iterator[Value]:
    """The values at a path, through lists."""
    if isinstance(value, list):
        for item in value:
            yield from reached(item, path)
    elif not path:
        yield value
    elif isinstance(value, dict) and path[0] in value:
        yield from reached(value[path[0]], path[1:])
