"""Everything that is imported is declared, in ranges that others can install and CI tests."""

import ast
import sys
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.distributions import BOTH, CORE, DAGSTER, ROOT, rooms_with_an_extra

LOCKED = {
    canonicalize_name(one.name): next(iter(one.specifier)).version
    for one in (
        Requirement(line)
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if line and not line.startswith("#")
    )
}


def imported(path):
    """Top-level modules that a file imports anywhere, except for types alone."""
    tree = ast.parse(path.read_text())
    for_types = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module).partition(".")[0]


@pytest.mark.parametrize("distribution", BOTH, ids=lambda one: one.name)
def test_what_a_distribution_imports_is_declared_by_it(distribution):
    ours = {CORE.package, DAGSTER.package} if distribution is DAGSTER else {CORE.package}
    allowed = sys.stdlib_module_names | ours
    providers = packages_distributions()
    undeclared = {}
    for path in distribution.modules:
        for module in set(imported(path)) - allowed:
            brought_by = {canonicalize_name(one) for one in (module, *providers.get(module, []))}
            if not brought_by & distribution.names():
                undeclared.setdefault(module, []).append(str(path.relative_to(ROOT)))
    assert undeclared == {}


def calls_of_needs():
    for path in CORE.modules:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "needs":
                yield path, [ast.literal_eval(argument) for argument in node.args]


def test_an_error_names_an_extra_that_brings_what_is_missing():
    providers = packages_distributions()
    for path, (extra, *modules) in calls_of_needs():
        declared = {canonicalize_name(one.name) for one in CORE.extras.get(extra, [])}
        for module in modules:
            brought_by = {canonicalize_name(one) for one in providers[module]}
            assert brought_by & declared, (str(path.relative_to(ROOT)), extra, module)


def test_every_package_with_an_extra_of_its_name_says_so_when_that_is_missing():
    rooms = rooms_with_an_extra()
    asking = {path.parent.name: args[0] for path, args in calls_of_needs() if path.stem[0] == "_"}
    assert {room: asking.get(room) for room in rooms} == {room: room for room in rooms}


def test_xingu_installs_all_that_training_needs():
    [train] = [one for one in CORE.extras["train"] if one.name == "xingu-core"]
    rooms = rooms_with_an_extra()
    assert rooms | {"sklearn"} <= train.extras


def test_extras_of_both_distributions_agree():
    passed_on = set(DAGSTER.extras) & set(CORE.extras)
    assert passed_on >= {"s3", "postgres", "xgboost", "catboost", "optuna", "png", "excel"}
    for extra in passed_on:
        assert f"xingu-core[{extra}]" in [str(one) for one in DAGSTER.extras[extra]]


def test_a_library_has_one_range_everywhere():
    ranges = {}
    for distribution in BOTH:
        for one in distribution.requirements():
            if not one.name.startswith("xingu"):
                ranges.setdefault(canonicalize_name(one.name), set()).add(str(one.specifier))
    assert {name: found for name, found in ranges.items() if len(found) > 1} == {}


@pytest.mark.parametrize("name", ["lightgbm", "pandas", "duckdb", "sqlalchemy", "pyarrow"])
def test_a_library_that_breaks_with_major_versions_has_a_ceiling(name):
    found = [one for each in BOTH for one in each.requirements() if one.name == name]
    assert found
    for one in found:
        assert any(part.operator == "<" for part in one.specifier), str(one)


@pytest.mark.parametrize("distribution", BOTH, ids=lambda one: one.name)
def test_the_lock_is_inside_every_declared_range(distribution):
    names = [*distribution.requirements(), *distribution.extras.get("dev", [])]
    outside = [
        str(one)
        for one in names
        if (version := LOCKED.get(canonicalize_name(one.name))) and version not in one.specifier
    ]
    assert outside == []


def test_dagster_is_a_range_whose_lower_end_is_locked():
    """CI runs all tests with the lock and a core of them with the newest (`make test-newest`)."""
    found = [one for one in DAGSTER.requirements() if one.name.startswith("dagster")]
    assert {one.name for one in found} >= {"dagster", "dagster-webserver", "dagster-aws"}
    for one in found:
        parts = {part.operator: part.version for part in one.specifier}
        assert set(parts) == {">=", "<"}
        assert LOCKED[canonicalize_name(one.name)] == parts[">="]
