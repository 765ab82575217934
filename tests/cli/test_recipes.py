# SPDX-License-Identifier: MIT
"""A recipe with a fault stops everything before it begins, and says where the fault is."""
import re

import pytest

import lab

HEAD = "athanor: 1\nname: small\n"

FAULTS = {
    "unknown key": ("pyton: {venv: .venv}\n", "pyton", 3, 1),
    "unknown key inside": ("python:\n  venv: .venv\n  vernv: x\n", "vernv", 5, 3),
    "wrong type": ("directories: {a: b}\n", "directories", 3, None),
    "wrong number": ("steps:\n  a: {run: ['true'], retries: many}\n", "retries", 4, None),
    "wrong duration": ("steps:\n  a: {run: ['true'], timeout: soon}\n", "timeout", 4, None),
    "duplicate step": ("steps:\n  a: {run: ['true']}\n  a: {run: ['true']}\n", "a", 5, 3),
    "duplicate key": ("python: {venv: .venv}\npython: {venv: .venv}\n", "python", 4, 1),
    "missing file": ("python: {requirements: [nowhere.txt]}\n", "nowhere.txt", 3, None),
    "dangling need": ("steps:\n  a: {run: ['true'], needs: [nowhere]}\n", "nowhere", 4, 30),
    "name of a default step": ("steps:\n  venv: {run: ['true']}\n", "venv", 4, 3),
    "a shell line": ("steps:\n  a: {run: 'rm -rf /'}\n", "run", 4, None),
    "a step without a command": ("steps:\n  a: {needs: [venv]}\n", "run", 4, None),
    "a path that leads out": ("directories: [../elsewhere]\n", "elsewhere", 3, None),
    "no YAML": ("steps: [a\nb: }\n", "", None, None),
    "a tab": ("steps:\n\ta: 1\n", "", 4, None),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("command", ["install", "plan"])
def test_says_line_and_column_with_a_caret_and_makes_nothing(bare, fault, command):
    text, word, line, column = FAULTS[fault]
    bare.write("athanor.yaml", HEAD + text + ("" if "YAML" in fault else "database: {alembic: alembic.ini}\n"))
    before = lab.tree(bare.root)
    ended = lab.athanor(command, bare.root).is_status(78)
    place = re.search(r"athanor\.yaml:(\d+):(\d+): ", ended.err)
    assert place, ended
    assert word in ended.err
    assert line in (None, int(place[1])) and column in (None, int(place[2])), ended
    drawn, caret = ended.err.splitlines()[-2:]
    source = bare.read("athanor.yaml").splitlines()[int(place[1]) - 1]
    assert drawn.strip().startswith("%s |" % place[1]) and caret.endswith("^"), ended
    assert len(caret.split("| ", 1)[1]) == int(place[2]) <= len(source) + 1
    assert lab.tree(bare.root) == before and not bare.path(".athanor").exists()


def test_a_circle_is_drawn_with_its_path(bare):
    bare.recipe("steps:\n  a: {run: ['true'], needs: [c]}\n  b: {run: ['true'], needs: [a]}\n"
                "  c: {run: ['true'], needs: [b]}\n")
    ended = lab.athanor("install", bare.root).is_status(78)
    assert re.search(r"a.*b.*c|b.*c.*a|c.*b.*a|a.*c.*b|b.*a.*c|c.*a.*b", ended.err.splitlines()[0]), ended
    assert re.search(r"athanor\.yaml:\d+:\d+", ended.err) and "^" in ended.err
    assert not bare.path(".athanor").exists()


def test_a_variable_that_is_not_closed_is_a_fault(bare):
    bare.recipe(database="database: {alembic: alembic.ini, url: 'sqlite:///${NAME'}")
    lab.athanor("install", bare.root).is_status(78)
    assert not bare.path(".athanor").exists()


def test_a_newer_format_is_refused(bare):
    bare.write("athanor.yaml", "athanor: 2\nname: small\n")
    assert "2" in lab.athanor("install", bare.root).is_status(78).err


def test_a_recipe_of_many_megabytes_is_not_read(bare):
    bare.write("athanor.yaml", "athanor: 1\nname: small\n" + "# padding\n" * 3000000)
    assert lab.athanor("install", bare.root, timeout=20).status in (1, 78)
    assert not bare.path(".athanor").exists()


def test_a_recipe_that_unfolds_to_billions_is_refused_quickly(bare):
    lines = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        "a%d: &a%d [%s]\n" % (n, n, ", ".join(["*a%d" % (n - 1)] * 9)) for n in range(1, 12))
    bare.write("athanor.yaml", HEAD + lines)
    lab.athanor("install", bare.root, timeout=20).is_status(78)


def test_init_writes_a_recipe_that_can_be_used(bare):
    bare.path("athanor.yaml").unlink()
    bare.write("requirements.txt", "alembic\n")
    lab.athanor("init", bare.root).is_status(0)
    assert "alembic.ini" in bare.read("athanor.yaml")
    plan = lab.athanor("plan", "--json", bare.root).is_status(0).json
    assert {one["name"] for one in plan["steps"]} >= {"preflight", "venv", "requirements", "detect", "verify"}


def test_init_never_writes_over_a_recipe(bare):
    before = bare.read("athanor.yaml")
    ended = lab.athanor("init", bare.root).is_status(1)
    assert "athanor.yaml" in ended.err and bare.read("athanor.yaml") == before


def test_init_with_a_dry_run_prints_and_writes_nothing(bare):
    bare.path("athanor.yaml").unlink()
    assert "athanor: 1" in lab.athanor("init", "--dry-run", bare.root).is_status(0).out
    assert not bare.path("athanor.yaml").exists()
