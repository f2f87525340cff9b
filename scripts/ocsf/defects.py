"""Defects that a validator of findings has to see: each breaks one thing."""

from __future__ import annotations

import copy
from typing import Any, Callable

Finding = dict[str, Any]


def put(path: str, value: Any) -> Callable[[Finding], None]:
    """Sets a member; `*` stands for each item of a list."""

    def defect(finding: Finding) -> None:
        *parents, name = path.split(".")
        for parent in parents_at(finding, parents):
            parent[name] = value

    return defect


def drop(path: str) -> Callable[[Finding], None]:
    """Takes a member away."""

    def defect(finding: Finding) -> None:
        *parents, name = path.split(".")
        for parent in parents_at(finding, parents):
            del parent[name]

    return defect


def keep_only(path: str, *kept: str) -> Callable[[Finding], None]:
    """Takes all other members away."""

    def defect(finding: Finding) -> None:
        for parent in parents_at(finding, path.split(".")):
            for name in set(parent) - set(kept):
                del parent[name]

    return defect


def parents_at(value: Any, path: list[str]) -> list[Any]:
    """The objects at a path. A `KeyError` when there are none."""
    if not path:
        return [value]
    if path[0] == "*":
        found = [parent for item in value for parent in parents_at(item, path[1:])]
    else:
        found = parents_at(value[path[0]], path[1:])
    if not found:
        raise KeyError(path)
    return found


def broken(findings: list[Finding], defect: Callable[[Finding], None]) -> Finding | None:
    """The first finding that has what the defect breaks, broken."""
    for finding in findings:
        changed = copy.deepcopy(finding)
        try:
            defect(changed)
        except (KeyError, TypeError):
            continue
        if changed != finding:
            return changed
    return None


DEFECTS: dict[str, Callable[[Finding], None]] = {
    "an unknown attribute": put("dedup_key", "x"),
    "an unknown attribute inside": put("evidences.*.actor.role", "x"),
    "an attribute of a profile that isn't named": put("metadata.profiles", []),
    "a profile that the class doesn't have": put("metadata.profiles", ["cloud", "load_balancer"]),
    "a required attribute is missing": drop("severity_id"),
    "a required attribute inside is missing": drop("metadata.product"),
    "a required object of the profile is missing": drop("cloud"),
    "a number as a text": put("time", "2026-11-05T10:06:00Z"),
    "a list that is none": put("finding_info.types", "TTPs/Impact"),
    "a number that its enumeration doesn't have": put("severity_id", 7),
    "a type of another activity": put("type_uid", 200402),
    "a word that isn't the number's": put("status", "Resolved"),
    "no attribute of those of which one has to be there": keep_only("evidences.*.actor"),
    "an evidence of nothing": keep_only("evidences.*", "uid"),
    "an account without a name": keep_only("cloud.account", "type_id", "type"),
    "an address that is none": put("evidences.*.src_endpoint.ip", "AWS Internal"),
    "a deprecated attribute": put("evidences.*.actor.invoked_by", "x"),
    "a deprecated word": put("cloud.account.type_id", 3),
    "an empty text": put("finding_info.analytic.version", ""),
    "a null": put("message", None),
    "an observable of what isn't there": put("observables.*.value", "nowhere"),
    "an observable of another kind": put("observables.*.type_id", 1),
}
