"""Every option has a test that shows what it changes.

A file of tests names the options whose effect it shows in a tuple OPTIONS at its top level: with the
option one way and the other, or, of an option that is always so, that it is so either way.
"""

import ast
from pathlib import Path

import pytest

from checking import run

HERE = Path(__file__).parent
SUITES = (HERE, HERE.parent / "pam")  # the second one runs with a build of its own


def options_of(path):
    """The tuple OPTIONS of a file of tests; () if it has none."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
            if [getattr(target, "id", None) for target in node.targets] == ["OPTIONS"]:
                return ast.literal_eval(node.value)
    return ()


def words_of(path):
    """The text of a file of tests, without its OPTIONS, and of the helpers that it imports."""
    tree = ast.parse(path.read_text())
    kept = [ast.unparse(node) for node in tree.body
            if not (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "OPTIONS")]
    modules = [node.module for node in tree.body if isinstance(node, ast.ImportFrom)]
    modules += [name.name for node in tree.body if isinstance(node, ast.Import)
                for name in node.names]
    helpers = [HERE / f"{module}.py" for module in modules]
    return "\n".join(kept + [path.read_text() for path in helpers if path.exists()])


def rows():
    """{option: status} as --print-migration has them."""
    found = {}
    for line in run("--print-migration").stdout.splitlines():
        if line.startswith("| `"):
            name, status = (cell.strip(" `") for cell in line.split("|")[1:3])
            found[name] = status
    assert len(found) > 150
    return found


def needs_proof(status):
    return status not in ("no effect", "another name")


@pytest.fixture(scope="module")
def proven():
    return {path: options_of(path) for suite in SUITES for path in suite.glob("test_*.py")}


@pytest.mark.parametrize("option", [name for name, status in rows().items()
                                    if needs_proof(status)])
def test_option_is_proven(proven, option):
    files = [path for path, options in proven.items() if option in options]
    assert files, f"no file of tests has {option} in its OPTIONS"
    for path in files:
        assert option in words_of(path), f"{path.name} does not set {option}"


def test_only_options_are_proven(proven):
    known = {name for name, status in rows().items() if needs_proof(status)}
    for path, options in proven.items():
        assert set(options) <= known, path.name
        assert all(isinstance(option, str) for option in options), path.name
