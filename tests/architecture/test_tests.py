"""Rules on the tests themselves: no imports between them, no unexplained skip, none is empty."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
TREES = {
    path.relative_to(TESTS.parent).as_posix(): ast.parse(path.read_text())
    for path in sorted(TESTS.rglob("*.py"))
}
PYTEST_MODULE = re.compile(r"(^|\.)(test_\w+|conftest)(\.|$)")
SKIPS = {"skip", "skipif", "xfail"}
CHECKS = {"raises", "warns", "fail"}


def imported(node):
    """Full names of what an import statement brings."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names]


def imports_of_test_modules(tree):
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return [
        (node.lineno, name)
        for node in statements
        for name in imported(node)
        if PYTEST_MODULE.search(name)
    ]


def last_name(node):
    """The `c` of `a.b.c` and of `a.b.c(...)`."""
    node = node.func if isinstance(node, ast.Call) else node
    return getattr(node, "attr", getattr(node, "id", None))


def unexplained_skips(tree):
    """Lines of skip, skipif and xfail that do not say why."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    called = {id(call.func) for call in calls}
    bare = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in SKIPS
        and last_name(node.value) in ("mark", "pytest")
        and id(node) not in called
    ]
    return bare + [call.lineno for call in calls if last_name(call) in SKIPS and not reason(call)]


def reason(call):
    given = [word.value for word in call.keywords if word.arg == "reason"]
    if last_name(call) == "skip":
        given += call.args
    return any(not (isinstance(one, ast.Constant) and not one.value) for one in given)


def checks_something(tree):
    """Whether there is an assertion, or a class that inherits those of a contract."""
    return any(
        isinstance(node, ast.Assert)
        or (isinstance(node, ast.Call) and last_name(node) in CHECKS)
        or (
            isinstance(node, ast.ClassDef)
            and any(str(last_name(base)).endswith("Contract") for base in node.bases)
        )
        for node in ast.walk(tree)
    )


def test_no_test_module_or_conftest_is_imported():
    found = [
        f"{path}:{line} imports {name}; move what it needs to tests/support"
        for path, tree in TREES.items()
        for line, name in imports_of_test_modules(tree)
    ]
    assert found == []


def test_every_skip_has_a_reason():
    found = [f"{path}:{line}" for path, tree in TREES.items() for line in unexplained_skips(tree)]
    assert found == []


def test_every_test_module_checks_something():
    modules = {path: tree for path, tree in TREES.items() if Path(path).name.startswith("test_")}
    assert modules
    assert [path for path, tree in modules.items() if not checks_something(tree)] == []


def test_the_rules_find_what_they_forbid():
    for source in (
        "from tests.graph.test_x import rows",
        "from tests.graph import test_x",
        "from tests import conftest",
        "import tests.graph.test_x",
        "from .test_x import rows",
    ):
        assert imports_of_test_modules(ast.parse(source)), source
    assert imports_of_test_modules(ast.parse("from tests.support.toys import houses")) == []
    for source in (
        "@pytest.mark.skip\ndef test_x(): ...",
        "@mark.skipif(True)\ndef test_x(): ...",
        "pytest.skip()",
        "pytest.skip('')",
        "pytest.mark.xfail(strict=True)",
    ):
        assert len(unexplained_skips(ast.parse(source))) == 1, source
    for source in ("pytest.skip('no browser')", "pytest.mark.skipif(x, reason='no browser')"):
        assert unexplained_skips(ast.parse(source)) == []
    assert not checks_something(ast.parse("def test_x():\n    run()"))
