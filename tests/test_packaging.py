"""What is installed is what the tree has."""

import ast
import configparser
import re
import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

pytestmark = pytest.mark.xdist_group("packaging")  # the wheel is built once

ROOT = Path(__file__).parent.parent
PACKAGES = {"cti_hooks": ROOT / "hooks" / "cti_hooks", "lcm_plugin": ROOT / "lcm_plugin"}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(section: str, key: str) -> set[str]:
    """The names of the distributions that setup.cfg asks for here."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = config[section][key].split("\n")
    return {canonical(found[0]) for line in lines if (found := re.match(r"[\w.-]+", line))}


def imported() -> set[str]:
    """The distributions of all that the two packages import, at whatever place."""
    trees = [ast.parse(path.read_text()) for folder in PACKAGES.values() for path in folder.rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    roots = {name.partition(".")[0] for name in names} - {*sys.stdlib_module_names, *PACKAGES}
    known = packages_distributions()
    return {canonical(known[root][0]) for root in roots}


def test_everything_imported_is_declared() -> None:
    """A plain install brings each library that is imported.

    Three are not in it: pytest, which its own plugin finds there, and the extras `holidays` and `jwt`.
    """
    extras = (declared("options.extras_require", extra) for extra in ("holidays", "jwt"))
    elsewhere = {"pytest"}.union(*extras)
    assert imported() - elsewhere <= declared("options", "install_requires")


def test_the_extra_of_old_install_lines_stays() -> None:
    """`lcm-plugin[metrics]` still installs, and brings nothing that a plain install does not."""
    assert declared("options.extras_require", "metrics") == set()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from a copy of the tree, so that no earlier build can slip in."""
    tree = tmp_path_factory.mktemp("tree")
    skip = ignore_patterns(".*", "__pycache__", "build", "*.egg-info", "tests", "examples")
    copytree(ROOT, tree / "lcm", ignore=skip)
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(tree),
        str(tree / "lcm"),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603  (our own build)
    return zipfile.ZipFile(next(tree.glob("*.whl")))


def test_the_wheel_has_every_module_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    """Each module and data file of both packages is in the wheel, and nothing beside them."""
    wanted = {
        f"{package}/{path.relative_to(folder).as_posix()}"
        for package, folder in PACKAGES.items()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    found = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert found == wanted


def test_both_packages_are_typed(wheel: zipfile.ZipFile) -> None:
    """Third parties see our types."""
    assert {"cti_hooks/py.typed", "lcm_plugin/py.typed"} <= set(wheel.namelist())


def test_the_entry_points_survive(wheel: zipfile.ZipFile) -> None:
    """setup.cfg's entry points are in the wheel; a [project] table in pyproject.toml would drop them."""
    (name,) = [one for one in wheel.namelist() if one.endswith("entry_points.txt")]
    points = configparser.ConfigParser()
    points.read_string(wheel.read(name).decode())
    declared = configparser.ConfigParser()
    declared.read(ROOT / "setup.cfg", encoding="utf-8")
    plugins = declared["options.entry_points"]["cti.plugins"].split("\n")
    assert set(points["cti.plugins"]) == {one.partition(" =")[0] for one in plugins if one}
    assert {"lcm", "loopback", "uri"} <= set(points["cti.plugins"])
    assert set(points["console_scripts"]) == {"lcm-plugin"}
    assert set(points["pytest11"]) == {"lcm_sandbox"}


def test_the_licence_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    """The wheel contains the licence."""
    assert any(name.endswith("LICENSE") for name in wheel.namelist())


def test_the_floors_are_those_of_setup_cfg() -> None:
    """What `make floors` installs is the lowest version of each requirement, extras of sites among them."""
    script = [sys.executable, str(ROOT / ".ci" / "floors.py")]
    done = subprocess.run(script, check=True, capture_output=True, text=True)  # noqa: S603  (our own script)
    lines = dict(line.split("==") for line in done.stdout.splitlines())
    sites = (declared("options.extras_require", extra) for extra in ("holidays", "jwt", "postgres"))
    names = declared("options", "install_requires").union(*sites)
    assert {canonical(name) for name in lines} == names
