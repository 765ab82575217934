# SPDX-License-Identifier: MIT
"""Chains that are not literal: read by Python's parser, else known from an installation, else said to be open; never wrong."""
import json
import os
import re
import shutil
import subprocess

import pytest

import lab
from .test_inspect_cache import Reader, children, rewritten

HEAD = "revision = 'c3'\ndown_revision = 'b2'\n"

# What the file of a third revision says above its functions; and which of its four names stay open, or none.
PITFALLS = {
    "formatted": ("N = 3\nrevision = f'c{N}'\ndown_revision = 'b2'\n", None),
    "concatenated": ("revision = 'c' + '3'\ndown_revision = 'b' + '2'\n", None),
    "implicit": ("revision = 'c' '3'\ndown_revision = ('b'\n    '2')\n", None),
    "percent": ("revision = 'c%d' % 3\ndown_revision = 'b%s' % '2'\n", None),
    "chained": ("name = revision = 'c3'\ndown_revision = 'b2'\n", None),
    "unpacked": ("revision, down_revision = 'c3', 'b2'\n", None),
    "semicolon": ("revision = 'c3'; down_revision = 'b2'\n", None),
    "backslash": ("revision = \\\n    'c3'\ndown_revision = 'b2'\n", None),
    "name": ("PARENT = 'b2'\nrevision = 'c3'\ndown_revision = PARENT\n", None),
    "merge_by_name": ("A, B = 'a1x', 'b2'\nrevision = 'c3'\ndown_revision = (A, B)\n", None),
    "choice": ("NEW = True\nrevision = 'c3' if NEW else 'zz'\ndown_revision = 'b2'\n", None),
    "depends_by_name": ("NEED = 'a1x'\n" + HEAD + "depends_on = NEED\n", None),
    "depends_on_label": (HEAD + "depends_on = 'si' + 'de'\n", None),
    "labels_folded": (HEAD + "L = 'x'\nbranch_labels = (L + 'y',)\n", None),
    "last_wins": ("revision = str('zz')\n" + HEAD, None),
    "after_an_if": ("if len('x'):\n    revision = 'zz'\n" + HEAD, None),
    "added_to": ("revision = 'c'\nrevision += '3'\ndown_revision = 'b2'\n", None),
    "walrus": ("x = (revision := 'c3')\ndown_revision = 'b2'\n", "revision"),
    "walrus_elsewhere": ("x = [(down_revision := 'a1') for _ in 'x']\nrevision = 'c3'\n", "down_revision"),
    "in_an_if": ("revision = 'c3'\nif len('x'):\n    down_revision = 'b2'\n", "down_revision"),
    "in_a_try": ("try:\n    import no_such\n    revision = 'zz'\nexcept ImportError:\n    revision = 'c3'\ndown_revision = 'b2'\n",
                 "revision"),
    "in_a_loop": ("revision = 'c3'\nfor down_revision in ('a1', 'b2'):\n    pass\n", "down_revision"),
    "del": (HEAD + "depends_on = 'a1x'\ndel depends_on\n", "depends_on"),
    "global": (HEAD + "def f():\n    global down_revision\n    down_revision = 'a1'\nf()\n", "down_revision"),
    "call": ("revision = str('c3')\ndown_revision = 'b2'\n", "revision"),
    "attribute": ("import string as mod\nrevision = 'c3'\ndown_revision = 'b' + mod.digits[2]\n", "down_revision"),
    "globals": (HEAD + "globals().update(down_revision='a1')\n", "revision"),
    "list_changed": ("revision = 'c3'\ndown_revision = ['a1x']\ndown_revision.append('b2')\n", "down_revision"),
    "labels_by_attribute": ("import string as mod\n" + HEAD + "branch_labels = mod.digits\n", None),
    "depends_on_open_label": ("import string as mod\n" + HEAD + "depends_on = '0123456789'\nbranch_labels = mod.digits\n", "branch_labels"),
}

# Alembic's own word on many script directories, by one process.
TRUTH = """
import json, sys
from alembic.script import ScriptDirectory
from alembic.util import to_tuple
found = {}
for folder in sys.stdin.read().splitlines():
    try:
        script = ScriptDirectory(folder + "/migrations")
        heads = sorted(script.get_heads())
        found[folder] = {"heads": heads, "revisions": {one.revision: {
            "parents": sorted(to_tuple(one.down_revision, ())), "depends_on": sorted(to_tuple(one.dependencies, ())),
            "labels": sorted(to_tuple(getattr(one.module, "branch_labels", None), ()))} for one in script.walk_revisions()}}
    except Exception as error:
        found[folder] = {"error": str(error)}
json.dump(found, sys.stdout)
"""


def lay(project, head, body="op.create_table('note', sa.Column('id', sa.Integer, primary_key=True))"):
    """The small project with another third revision, and a side branch."""
    project.revision("a1x", "a1", head="branch_labels = 'side'")
    project.write("migrations/versions/c3.py", "import sqlalchemy as sa\nfrom alembic import op\n%s\n\ndef upgrade():\n    %s\n" % (head, body))
    return project


@pytest.fixture(scope="module")
def pitfalls(tmp_path_factory, python):
    """{name: (project, what Alembic says)}"""
    place = tmp_path_factory.mktemp("pitfalls")
    projects = {}
    for name, (head, _) in PITFALLS.items():
        (place / name).mkdir()
        projects[name] = lay(lab.Project(place / name).alembic(), head)
    ran = subprocess.run([str(python), "-B", "-c", TRUTH], input="\n".join(str(one.root) for one in projects.values()),
                         capture_output=True, text=True, check=True)
    said = json.loads(ran.stdout)
    return {name: (one, said[str(one.root)]) for name, one in projects.items()}


def graph(said):
    return {"heads": sorted(said["heads"]), "revisions": {one["revision"]: {
        "parents": sorted(one["parents"]), "depends_on": sorted(one["depends_on"]), "labels": sorted(one["labels"])}
        for one in said["revisions"]}}


@pytest.mark.parametrize("name", PITFALLS)
def test_the_graph_is_alembics_or_it_is_open(pitfalls, name):
    project, truth = pitfalls[name]
    still_open = PITFALLS[name][1]
    if still_open:
        ended = lab.athanor("revisions", "--json", project.root).is_status(69)
        assert re.search(r"c3\.py:\d+: %s: " % still_open, ended.err) and "athanor install" in ended.err
        return
    said = graph(lab.athanor("revisions", "--json", project.root).is_status(0).json)
    if name == "labels_by_attribute":
        assert truth["revisions"]["c3"].pop("labels") and said["revisions"]["c3"].pop("labels") == []
    assert said == truth


def test_what_alembic_says_of_the_open_ones_is_not_always_alike(pitfalls):
    """The control: the open names matter, and Alembic loads all but the ones that are meant to fail."""
    loaded = {name for name, (_, truth) in pitfalls.items() if "error" not in truth}
    assert loaded >= {name for name in PITFALLS if name != "depends_on_open_label"}
    assert pitfalls["globals"][1]["revisions"]["c3"]["parents"] == ["a1"]
    assert pitfalls["list_changed"][1]["revisions"]["c3"]["parents"] == ["a1x", "b2"]


def test_labels_that_are_open_are_said_to_be(pitfalls):
    ended = lab.athanor("revisions", pitfalls["labels_by_attribute"][0].root).is_status(0)
    assert re.search(r"labels .*c3\.py:\d+: branch_labels: ", ended.err)
    assert lab.athanor("revisions", pitfalls["labels_folded"][0].root).is_status(0).err == ""


# ---- what is kept ----

FOLDED = PITFALLS["formatted"][0]


def inspect(project, status=0, **more):
    return lab.athanor("inspect", "--json", "-C", project.root, project.database, **more).is_status(status)


def kept(project, kind):
    return sorted(project.root.glob(".athanor/cache/%s-*" % kind))


@pytest.fixture
def reader(tmp_path):
    return Reader(tmp_path / "bin")


@pytest.fixture
def folded(bare, reader):
    lay(bare, FOLDED).stored("a1")
    bare.path(".athanor").mkdir()
    bare.said = inspect(bare, env=reader.env).json
    assert bare.said["revision"]["inferred"] == "a1" and reader.starts() == 2 and len(kept(bare, "identifiers")) == 1
    return bare


def test_the_second_call_says_the_same_without_python(folded, reader):
    assert inspect(folded, env=reader.env).json == folded.said and reader.starts() == 0


@pytest.mark.skipif(lab.SANITIZED, reason="the leak sanitizer does not run under strace")
@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_the_second_call_starts_no_process(bare, tmp_path):
    lay(bare, FOLDED).stored("a1")
    bare.path(".athanor").mkdir()
    command = lab.ATHANOR, "inspect", "--json", "-C", bare.root, bare.database
    assert children(tmp_path / "first", *command)
    assert not children(tmp_path / "second", *command)


def test_an_edited_file_is_read_again_by_contents(folded, reader):
    path = folded.path("migrations/versions/c3.py")
    stamp, text = path.stat(), path.read_text()
    path.write_text(text.replace("N = 3", "N = 4"))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert inspect(folded, env=reader.env).json["pending"] == ["a1x", "b2", "c4"] and reader.starts() == 2
    path.write_text(text)
    assert inspect(folded, env=reader.env).json == folded.said and reader.starts() == 0
    literal = folded.path("migrations/versions/b2.py")
    literal.write_text(literal.read_text() + "# edited\n")
    inspect(folded, env=reader.env)
    assert reader.starts() == 1, "its effects alone: what is literal is not asked for"


def test_without_a_state_directory_nothing_is_made(bare, reader):
    lay(bare, FOLDED).stored("a1")
    for _ in range(2):
        inspect(bare, env=reader.env)
        assert reader.starts() == 2 and not bare.path(".athanor").exists()


def test_without_any_python_the_file_is_named(bare):
    lay(bare, FOLDED).stored("a1")
    assert "c3.py:4: revision: " in inspect(bare, 69, env={"PATH": "/nowhere"}).err


def test_a_python_that_fails_is_named_with_the_file(bare, reader):
    lay(bare, FOLDED).stored("a1")
    reader.does("exit 3")
    err = inspect(bare, 69, env=reader.env).err
    assert "c3.py:4: revision: " in err and "exit status 3" in err


def test_a_file_that_python_does_not_understand_is_asked_for_again(bare, reader):
    lay(bare, "revision = 'c' + '3' +\ndown_revision = 'b2'\n").stored("a1")
    bare.path(".athanor").mkdir()
    for _ in range(2):
        assert "does not understand" in inspect(bare, 69, env=reader.env).err
        assert reader.starts() == 1 and not kept(bare, "identifiers")


def test_what_is_edited_while_it_is_read_is_not_kept(bare, reader):
    lay(bare, FOLDED).stored("a1")
    bare.path(".athanor").mkdir()
    reader.does("echo '# edited' >>%s" % bare.path("migrations/versions/c3.py"))
    inspect(bare, env=reader.env)
    assert not kept(bare, "identifiers")


def field(answer, key, **changes):
    answer = json.loads(json.dumps(answer))
    answer["fields"][key].update(changes)
    return answer


# What is done to what is kept; but for the first three its digest is right.
DAMAGE = {
    "nothing": lambda text, one: b"", "cut": lambda text, one: rewritten(text)[:-9],
    "one_byte": lambda text, one: rewritten(text).replace(b'"c3"', b'"c4"'),
    "other_event": lambda text, one: rewritten(text.replace(b"identifiers", b"effects")),
    "twice": lambda text, one: rewritten(text * 2), "none": lambda text, one: rewritten(b"\n"),
    "no_line_end": lambda text, one: rewritten(text[:-1]), "more": lambda text, one: rewritten(text + b"more"),
    "another_file": lambda text, one: rewritten(text.replace(b'"id": "0"', b'"id": "1"')),
    "no_number": lambda text, one: rewritten(text.replace(b'"id": "0"', b'"id": "x"')),
    "not_parsed": lambda text, one: rewritten(text.replace(b'"parsed": true', b'"parsed": false')),
}
# The same, in a form that is whole but promises what it does not hold: then the name is open.
PROMISES = {
    "two_texts": dict(texts=["c3", "zz"]), "no_text": dict(texts=[]), "number": dict(texts=[3]), "state": dict(state="sure"),
    "control": dict(texts=["c\u001b[31m"]), "not_plain": dict(texts=["c\u00e9"]),
}


def test_a_damaged_answer_is_asked_for_anew_and_replaced(folded, reader):
    path, = kept(folded, "identifiers")
    before = path.read_bytes()
    for name, damage in DAMAGE.items():
        path.write_bytes(damage(before[65:], json.loads(before[65:])))
        assert path.read_bytes() != before, name
        assert inspect(folded, env=reader.env).json == folded.said and reader.starts() == 1, name
        assert path.read_bytes() == before, name


def test_an_answer_that_holds_less_than_it_says_is_open(folded, reader):
    path, = kept(folded, "identifiers")
    before = json.loads(path.read_bytes()[65:])
    for name, promise in PROMISES.items():
        path.write_bytes(rewritten(json.dumps(field(before, "revision", **promise)).encode() + b"\n"))
        assert "c3.py" in inspect(folded, 69, env=reader.env).err, name


def test_the_control_of_damage_what_is_whole_is_believed_where_the_file_is_open(folded, reader):
    path, = kept(folded, "identifiers")
    answer = field(field(json.loads(path.read_bytes()[65:]), "revision", texts=["zz"]), "down_revision", texts=["a1"])
    path.write_bytes(rewritten(json.dumps(answer).encode() + b"\n"))
    said = graph(lab.athanor("revisions", "--json", folded.root, env=reader.env).is_status(0).json)
    assert said["revisions"]["zz"]["parents"] == ["b2"], "what the file says literally stands"


# ---- what an installation was told ----

LOOKS = (("install",), ("plan", "--detailed-exitcode"), ("status",), ("inspect", "-C"))
TRACES = not lab.SANITIZED and shutil.which("strace")
OPEN = "import names\nrevision = names.C3\ndown_revision = 'b2'\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory, python):
    """A folder with a healthy environment that borrows Alembic from the kept one."""
    root = tmp_path_factory.mktemp("told") / "app"
    root.mkdir()
    subprocess.run([str(python), "-m", "venv", "--without-pip", str(root / ".venv")], check=True)
    theirs, = python.parent.parent.glob("lib/python*/site-packages")
    ours, = root.glob(".venv/lib/python*/site-packages")
    (ours / "borrowed.pth").write_text("%s\n" % theirs)
    return root


@pytest.fixture(scope="module")
def made(place, tmp_path_factory):
    """Installed, literal at first, then with a third revision whose id only Alembic can know; and what was seen then."""
    project = lab.Project(place).alembic()
    project.install().is_status(0)
    project.literal = kept(project, "graph") + kept(project, "identifiers")
    lay(project, OPEN).write("names.py", "C3 = 'c3'\n")
    project.path("migrations/versions/a1x.py").unlink()
    project.unknown = lab.athanor("revisions", project.root)
    project.install().is_status(0)
    inspect(project)
    log = tmp_path_factory.mktemp("traces") / "trace"
    project.looks = {command[0]: lab.athanor(*command, project.root) for command in LOOKS}
    project.started = {command[0]: children(log, lab.ATHANOR, *command, project.root) for command in LOOKS} if TRACES else None
    subprocess.run(["tar", "-C", str(place), "--exclude=./.venv", "-cf", str(place.parent / "saved.tar"), "."], check=True)
    return project


@pytest.fixture
def told(made):
    """The same with the same bytes; as other files, so that an installation would look again."""
    lab.empty(made.root, keep=".venv")
    subprocess.run(["tar", "-C", str(made.root), "-xf", str(made.root.parent / "saved.tar")], check=True)
    return made


def knows(project):
    """Do the commands that ask nobody know the graph?"""
    status = lab.athanor("inspect", "-C", project.root).status
    assert status in (0, 69)
    return status == 0


def test_before_an_installation_the_place_and_the_way_out_are_named(made):
    err = made.unknown.is_status(69).err
    assert "c3.py:4: revision: the value is an attribute; run `athanor install` once" in " ".join(err.split())


def test_a_literal_chain_keeps_no_graph(made):
    assert made.literal == [] and len(kept(made, "graph")) == 1


def test_what_an_installation_was_told_is_known_to_all_commands(told):
    assert {name: ended.status for name, ended in told.looks.items()} == dict.fromkeys(told.looks, 0)
    assert "nothing to do" in told.looks["status"].out
    assert inspect(told).json["revision"]["inferred"] == "c3"
    said = lab.athanor("revisions", "--json", told.root).is_status(0).json
    assert graph(said)["revisions"]["c3"] == {"parents": ["b2"], "depends_on": [], "labels": []}
    lab.execute(told.database, "DROP TABLE note", "DELETE FROM alembic_version", "INSERT INTO alembic_version VALUES ('b2')")
    assert "c3" in lab.athanor("plan", told.root).is_status(0).out


@pytest.mark.skipif(not TRACES, reason="strace is not installed, or the leak sanitizer does not run under it")
def test_nothing_to_do_starts_no_process_and_neither_does_a_look(made):
    assert made.started == {command[0]: [] for command in LOOKS}


EDITS = {
    "the_open_file": ("migrations/versions/c3.py", "# edited\n"), "another_file": ("migrations/versions/a1.py", "# edited\n"),
    "an_imported_module": ("names.py", "C3 = 'c9'\n"), "env_py": ("migrations/env.py", "# edited\n"), "ini": ("alembic.ini", "# edited\n"),
    "a_file_beside": ("migrations/versions/names.txt", "d4\n"), "a_module_beside": ("migrations/versions/__init__.py", "x = 1\n"),
    "a_file_below": ("migrations/versions/data/names.txt", "d4\n"),
}


def test_what_was_told_holds_for_those_files_alone(told):
    for name, (file, more) in EDITS.items():
        path = told.path(file)
        before = path.read_text() if path.exists() else None
        assert knows(told), name
        told.write(file, (before or "") + more)
        assert not knows(told), name
        if before is None:
            path.unlink()
        else:
            path.write_text(before)
    assert knows(told)


def changed(text, **changes):
    said = json.loads(text[65:])
    said.update(changes)
    return text[:65] + json.dumps(said).encode()


def edges(text, ident, **changes):
    said = json.loads(text[65:])
    next(one for one in said["revisions"] if one["id"] == ident).update(changes)
    return text[:65] + json.dumps(said).encode()


# All of them have a right digest of their own: they say what the files do not.
POISON = {
    "other_files": lambda text: b"0" * 64 + text[64:], "no_files": lambda text: text[65:],
    "another_parent": lambda text: edges(text, "c3", down=["a1"]), "another_id": lambda text: edges(text, "b2", id="x9"),
    "a_label": lambda text: edges(text, "a1", labels=["side"]), "a_dependency": lambda text: edges(text, "b2", depends_on=["a1"]),
    "control": lambda text: edges(text, "c3", id="c\u001b3"), "empty_id": lambda text: edges(text, "c3", id=""),
    "another_file": lambda text: edges(text, "c3", path="/etc/passwd"), "a_file_twice": lambda text: edges(
        text, "c3", path=json.loads(text[65:])["revisions"][0]["path"]),
    "one_less": lambda text: changed(text, revisions=json.loads(text[65:])["revisions"][:2]),
    "one_more": lambda text: changed(text, revisions=json.loads(text[65:])["revisions"] + [
        {"id": "z9", "down": ["c3"], "depends_on": [], "labels": [], "path": "/etc/passwd"}]),
    "other_folders": lambda text: changed(text, locations=["/etc"]), "relative": lambda text: changed(text, locations=["migrations/versions"]),
    "no_folders": lambda text: changed(text, locations=[]), "no_script": lambda text: changed(text, script=None),
    "another_event": lambda text: changed(text, event="effects"), "nothing": lambda text: text[:65], "cut": lambda text: text[:-9],
}


def poison(project, name):
    path, = kept(project, "graph")
    before = path.read_bytes()[65:]
    path.write_bytes(rewritten(POISON[name](before)))
    return before != path.read_bytes()[65:]


def test_a_poisoned_graph_is_not_believed(told):
    path, = kept(told, "graph")
    before = path.read_bytes()
    for name in POISON:
        assert poison(told, name), name
        assert not knows(told), name
        path.write_bytes(before)
    assert knows(told)


def test_the_control_of_poison_what_agrees_with_the_files_is_believed(told):
    path, = kept(told, "graph")
    path.write_bytes(rewritten(edges(path.read_bytes()[65:], "c3", id="c9")))
    assert lab.athanor("revisions", "--json", told.root).is_status(0).json["heads"] == ["c9"]


def test_what_is_edited_while_alembic_is_asked_is_not_kept(told):
    kept(told, "graph")[0].unlink()
    told.write("names.py", "import pathlib\nC3 = 'c3'\npath = pathlib.Path(__file__).parent / 'migrations/versions/a1.py'\n"
                           "path.write_text(path.read_text() + '# edited\\n')\n")
    told.write("migrations/env.py", told.read("migrations/env.py") + "# edited\n")
    told.install().is_status(0)
    assert not kept(told, "graph") and not knows(told)


def test_folders_that_the_ini_does_not_tell_are_known_from_then_on(told):
    told.write("package/__init__.py", "")
    shutil.move(told.path("migrations"), told.path("package/migrations"))
    told.write("alembic.ini", lab.INI.replace("= migrations", "= package:migrations") % ("sqlite:///%s" % told.database))
    assert "package:migrations" in inspect(told, 69).err or not knows(told)
    told.install().is_status(0)
    assert knows(told)
    assert graph(lab.athanor("revisions", "--json", told.root).json)["heads"] == ["c3"]


def test_labels_that_alembic_told_are_known(told):
    told.write("labels.py", "LABEL = 'late'\n")
    told.write("migrations/versions/c3.py", "import labels\nrevision = 'c3'\ndown_revision = 'b2'\nbranch_labels = labels.LABEL\ndef upgrade(): pass\n")
    told.write("migrations/versions/d4.py", "revision = 'd4'\ndown_revision = 'c3'\ndepends_on = 'late'\ndef upgrade(): pass\n")
    assert not knows(told)
    told.write("migrations/versions/d4.py", "revision = 'd4'\ndown_revision = 'c3'\ndef upgrade(): pass\n")
    assert knows(told), "the graph does without it"
    assert graph(lab.athanor("revisions", "--json", told.root).json)["revisions"]["c3"]["labels"] == []
    told.install().is_status(0)
    assert graph(lab.athanor("revisions", "--json", told.root).json)["revisions"]["c3"]["labels"] == ["late"]
