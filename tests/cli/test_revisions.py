# SPDX-License-Identifier: MIT
"""athanor revisions: the chain as it is drawn, and what its lint finds in real chains."""
import os
import re
import shutil
import sqlite3
import subprocess

import pytest

import lab

EC1F, HEAD = "ec1f4e1c996a", "c7923c6e866e"
CHAIN = ["001", "002", "003", "004", "005", "006", "007", "008", EC1F, "bbf4e254a824", HEAD]
ENV_PY = "from alembic import context\ncontext.config.set_main_option('sqlalchemy.url', 'sqlite:///x.db')\n"
FINDING = re.compile(r"(?P<file>[^:]+):(?P<line>\d+): (?P<level>error|risk|info): (?P<message>.+) \[(?P<rule>[a-z-]+)\]")


class Chain:
    """A small chain in a folder of its own."""

    def __init__(self, root):
        self.root = root
        self.versions = root / "migrations/versions"
        self.versions.mkdir(parents=True)
        (root / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
        (root / "migrations/env.py").write_text(ENV_PY)

    def add(self, ident, down=None, body="pass", head="", name=None, downgrade="    pass"):
        lines = ['"""what %s does"""' % ident, "from alembic import op", "import sqlalchemy as sa", head,
                 "revision = %r" % ident if ident else "", "down_revision = %r" % (down,), "def upgrade():"]
        text = "\n".join(lines + ["    " + line for line in body.split("\n")] + ["def downgrade():", downgrade, ""])
        (self.versions / ((name or ident) + ".py")).write_text(text)
        return self

    def run(self, status, *arguments, **more):
        return lab.athanor("revisions", *arguments, self.root, **more).is_status(status)

    def lint(self, status=0, **more):
        ended = self.run(status, "--lint", **more)
        *found, end = ended.out.splitlines()
        return [FINDING.fullmatch(line).groupdict() for line in found], end


@pytest.fixture
def chain(tmp_path):
    return Chain(tmp_path / "app")


def files_of(root):
    return {str(path): path.stat().st_mtime_ns for path in root.rglob("*")}


@pytest.fixture
def kahani(tmp_path):
    shutil.copytree(lab.FIXTURES / "kahani", tmp_path / "kahani")
    return tmp_path / "kahani"


@pytest.fixture
def flawed(tmp_path):
    shutil.copytree(lab.FIXTURES / "kahani_flawed", tmp_path / "flawed")
    return tmp_path / "flawed"


# ---- drawing ----

def test_the_example_is_drawn_in_the_order_of_the_graph_and_nothing_is_written(kahani):
    before = files_of(kahani)
    ended = lab.athanor("revisions", kahani).is_status(0)
    assert files_of(kahani) == before
    nodes = [line for line in ended.out.splitlines() if line.startswith("● ")]
    assert [line.split()[1] for line in nodes] == CHAIN
    assert [line for line in nodes if "← HEAD" in line] == ["● %s ← HEAD  suggestions of new characters" % HEAD]
    assert "│     +column user_settings.color_theme, -column user_settings.theme, data step" in ended.out
    assert ended.out.splitlines()[-1] == "11 revisions, head " + HEAD
    assert ended.err == ""


def test_branches_have_columns_and_merges_close_them(chain):
    chain.add("a", None, 'op.create_table("t", sa.Column("id", sa.Integer))').add("b", "a").add("c", "a").add("d", "a")
    chain.add("e", "b", 'op.alter_column("t", "id", new_column_name="key")').add("m", ("e", "c"), "x()", head="from app import x")
    chain.add("z", "d")
    drawn = chain.run(0).out.splitlines()
    where = drawn[10].rsplit("m.py", 1)[1]
    assert drawn == [
        "● a  what a does",
        "│     +table t",
        "├─┬─╮",
        "● │ │ b  what b does",
        "│ ● │ c  what c does",
        "│ │ ● d  what d does",
        "● │ │ e  what e does",
        "│ │ │     column t.id → t.key",
        "├─╯ │",
        "●   │ m ← HEAD  what m does",
        "    │     blind: m.py" + where,
        "    ● z ← HEAD  what z does",
        "7 revisions, heads m, z; 1 blind: not all that they do can be read from their text",
    ]
    plain = chain.run(0, env={"LC_ALL": "C"}).out
    assert plain.isascii()
    assert plain.splitlines()[2:4] == ["+-+-.", "* | | b  what b does"]
    assert "* z <- HEAD" in plain and "column t.id -> t.key" in plain


def test_text_of_a_file_cannot_steer_the_terminal(chain):
    chain.add("a")
    path = chain.versions / "a.py"
    path.write_text(path.read_text().replace('"""what a does"""', '"""\\x1b[31mred\u202e\\nsecond"""'))
    drawn = chain.run(0).out
    assert "?[31mred" in drawn and "\x1b" not in drawn and "\u202e" not in drawn and "second" not in drawn


def test_an_empty_chain_has_no_faults(chain):
    assert chain.run(0).out == "0 revisions\n"
    assert chain.lint() == ([], "app: 0 errors, 0 risks, 0 infos in 0 revisions")


# ---- the flawed chain of the example (F1 to F9) ----

FLAWS = [
    ("F1", "unmade", "001_user_settings.py", "needs table users"),
    ("F1", "unmade", "002_semantic_memory.py", "needs table stories"),
    ("F1", "unmade", "006_character_role.py", "needs table story_characters"),
    ("F2", "same-effect-twice", "005_scenario_again.py", "which 004 (004_story_scenario.py:16) has added already"),
    ("F3", "unmade", "007_color_theme.py", "drops column user_settings.theme, which no revision makes"),
    ("F4", "not-null-without-default", HEAD + "_character_suggestions.py", "user_settings.character_importance_threshold"),
    ("F5", "file-order", EC1F + "_engine_settings.py", "the last is %s, and the head is %s" % (EC1F, HEAD)),
    ("F8", "downgrade-twice", "004_story_scenario.py", "which the downgrade of 005 (005_scenario_again.py:20)"),
    ("F9", "batch-rebuild-referenced", "003_permissions_and_system_settings.py", "foreign keys refer to it (user_settings)"),
    ("F9", "destroys-data", "003_permissions_and_system_settings.py", "changes rows of table users (UPDATE)"),
]


def findings_of(root):
    ended = lab.athanor("revisions", "--lint", root).is_status(0)
    return [FINDING.fullmatch(line).groupdict() for line in ended.out.splitlines()[:-1]], ended


def is_found(found, flaw):
    return any(one["rule"] == flaw[1] and os.path.basename(one["file"]) == flaw[2] and flaw[3] in one["message"]
               for one in found)


def test_every_flaw_of_the_flawed_chain_is_found(flawed):
    before = files_of(flawed)
    found, ended = findings_of(flawed)
    assert [flaw for flaw in FLAWS if not is_found(found, flaw)] == []
    assert ended.out.splitlines()[-1] == "kahani: 0 errors, 17 risks, 1 info in 11 revisions"
    assert files_of(flawed) == before
    for one in found:
        lines = open(one["file"]).read().splitlines()
        assert 0 < int(one["line"]) <= len(lines)


def test_the_clean_chain_keeps_only_the_flaws_that_it_has(kahani):
    found, ended = findings_of(kahani)
    assert [flaw[0] for flaw in FLAWS if is_found(found, flaw)] == ["F5", "F9"]
    assert {one["rule"] for one in found} == {"file-order", "batch-rebuild-referenced", "destroys-data"}
    assert ended.out.splitlines()[-1] == "kahani: 0 errors, 5 risks, 0 infos in 11 revisions"


def upgrade(python, root, database, revision="head"):
    ended = subprocess.run([str(python), "-m", "alembic", "upgrade", revision], cwd=root / "backend", capture_output=True,
                           text=True, env=lab.environment(DATABASE_URL="sqlite:///%s" % database))
    with sqlite3.connect(database) as db:
        return ended.stderr, [row[0] for row in db.execute("SELECT version_num FROM alembic_version")]


def test_the_flawed_chain_runs_under_alembic_up_to_each_flaw(flawed, kahani, tmp_path, python):
    for root in (flawed, kahani):
        (root / "backend/alembic/env.py").write_text(
            lab.ENV_PY.replace("@URL@", 'os.environ["DATABASE_URL"]').replace("@METADATA@", "None"))
    said, rows = upgrade(python, flawed, tmp_path / "empty.db")
    assert rows == ["002"] and "users" in said

    database = tmp_path / "base.db"
    upgrade(python, kahani, database, "001")
    with sqlite3.connect(database) as db:
        db.executescript("DROP TABLE user_settings; DELETE FROM alembic_version;")
    said, rows = upgrade(python, flawed, database)
    assert rows == ["004"] and "duplicate column name: scenario" in said
    with sqlite3.connect(database) as db:
        db.execute("UPDATE alembic_version SET version_num = '005'")
    said, rows = upgrade(python, flawed, database)
    assert rows == ["006"] and "no such column: theme" in said
    with sqlite3.connect(database) as db:
        db.executescript("ALTER TABLE user_settings DROP COLUMN color_theme; ALTER TABLE user_settings ADD COLUMN theme;"
                         "INSERT INTO user_settings (id, user_id) VALUES (1, 1);")
    said, rows = upgrade(python, flawed, database)
    assert rows == ["bbf4e254a824"] and "Cannot add a NOT NULL column" in said


# ---- chains that are none ----

BROKEN = [
    ("duplicate-id", lambda chain: chain.add("a", name="1").add("a", name="2"), "2.py", "'a' is there twice"),
    ("missing-parent", lambda chain: chain.add("a").add("b", "z"), "b.py", "it follows 'z'"),
    ("cycle", lambda chain: chain.add("a", "b").add("b", "a"), "", "revisions need each other"),
    ("no-revision", lambda chain: chain.add("a").add("", name="notes"), "notes.py", "no revision is assigned"),
]


@pytest.mark.parametrize("rule,make,file,says", BROKEN, ids=[row[0] for row in BROKEN])
def test_what_breaks_a_chain_is_a_finding_and_exit_78(chain, rule, make, file, says):
    make(chain)
    found, end = chain.lint(78)
    assert [(one["level"], one["rule"]) for one in found] == [("error", rule)]
    assert found[0]["file"].endswith(file) and says in found[0]["message"]
    assert end == "app: 1 error, 0 risks, 0 infos in 2 revisions; the other rules need a whole chain"
    said = chain.run(78, "--lint", "--json").json
    assert said["whole"] is False and said["revisions"] == [] and said["counts"]["error"] == 1
    ended = chain.run(78)
    assert ended.out == "" and ended.err.startswith("athanor: ")


def test_all_that_breaks_a_chain_is_named_at_once(chain):
    chain.add("a", "x").add("b", "y").add("c", "a")
    found, _ = chain.lint(78)
    assert [(one["file"][-4:], one["rule"]) for one in found] == [("a.py", "missing-parent"), ("b.py", "missing-parent")]


def test_a_chain_that_is_not_literal_is_not_judged(chain):
    chain.add("a", head="revision = str(1)")
    path = chain.versions / "a.py"
    path.write_text(path.read_text().replace("revision = 'a'\n", ""))
    assert "cannot be read from their files alone" in chain.run(69, "--lint").err


# ---- the rest ----

def test_findings_of_a_file_have_its_lines(chain):
    chain.add("a", None, 'op.create_table("t", sa.Column("id", sa.Integer))\nop.drop_column("t", "x")\nop.execute("DELETE FROM u")')
    (chain.root / "migrations/env.py").write_text("import app\n\nconfig.set_main_option('sqlalchemy.url', app.url)\n")
    found, _ = chain.lint(cwd=chain.root)
    assert [(one["file"], int(one["line"]), one["rule"]) for one in found] == [
        ("migrations/env.py", 3, "percent-in-url"),
        ("migrations/versions/a.py", 9, "unmade"),
        ("migrations/versions/a.py", 9, "destroys-data"),
        ("migrations/versions/a.py", 10, "destroys-data"),
        ("migrations/versions/a.py", 11, "downgrade-missing"),
    ]


def test_the_database_of_the_recipe_decides_which_rules_concern_it(chain):
    body = 'op.create_table("t", sa.Column("c", sa.Integer))\nop.alter_column("t", "c", nullable=True)\n' \
           'op.drop_constraint("x", "t", type_="unique")\nop.create_index("i", "t", ["c"], postgresql_concurrently=True)'
    chain.add("a", None, body, downgrade="    raise NotImplementedError")
    wanted = {None: ["alter-without-batch", "commits-apart"], "sqlite:///x.db": ["alter-without-batch"] * 2,
              "postgresql://h/d": ["commits-apart"]}
    for url, rules in wanted.items():
        if url:
            (chain.root / "athanor.yaml").write_text("athanor: 1\nname: app\ndatabase: {alembic: alembic.ini, url: '%s'}\n" % url)
        assert [one["rule"] for one in chain.lint()[0]] == rules


def test_json_holds_the_chain_and_the_findings(flawed):
    said = lab.athanor("revisions", "--json", "--lint", flawed).is_status(0).json
    assert set(said) == {"athanor", "app", "root", "changed", "whole", "bases", "heads", "revisions", "findings", "counts"}
    assert said["changed"] is False and said["whole"] is True
    assert (said["bases"], said["heads"]) == (["001"], [HEAD])
    assert [one["revision"] for one in said["revisions"]] == CHAIN
    seven = said["revisions"][6]
    assert seven == {
        "revision": "007", "parents": ["006"], "depends_on": [], "labels": [], "is_head": False,
        "file": "backend/alembic/versions/007_color_theme.py", "line": 9,
        "message": "colour themes instead of dark and light",
        "effects": [{"verb": "add", "kind": "column", "element": "user_settings.color_theme", "renamed": False, "line": 16},
                    {"verb": "drop", "kind": "column", "element": "user_settings.theme", "renamed": False, "line": 20}],
        "data": True, "blind": False, "obstacle": None}
    assert said["counts"] == {"error": 0, "risk": 17, "info": 1} and len(said["findings"]) == 18
    assert set(said["findings"][0]) == {"level", "rule", "file", "line", "revision", "message"}
    assert said["findings"][0]["file"] == "backend/alembic/versions/ec1f4e1c996a_engine_settings.py"
    bare = lab.athanor("revisions", "--json", flawed).is_status(0).json
    assert bare["findings"] is None and "counts" not in bare and bare["revisions"] == said["revisions"]


def test_without_python_the_chain_alone_is_drawn_and_nothing_is_judged(chain, tmp_path):
    chain.add("a", None, 'op.drop_table("t")').add("b", "a")
    nothing = {"PATH": str(tmp_path / "nowhere")}
    ended = chain.run(0, env=nothing)
    assert ended.out.splitlines() == ["● a", "● b ← HEAD", "2 revisions, head b"]
    assert ended.err.startswith("athanor: the effects are not shown: ")
    ended = chain.run(69, "--lint", env=nothing)
    assert ended.out == "app: 0 errors, 0 risks, 0 infos in 2 revisions\n"
    assert ended.err.startswith("athanor: the texts of the revisions were not judged: ")
    assert chain.run(0, "--json", env=nothing).json["revisions"][0]["effects"] is None
    chain.add("c", "z")
    chain.run(78, "--lint", env=nothing)


def test_the_manual_lists_every_rule_with_its_level():
    source = (lab.ROOT / "src/alembic/lint.c").read_text()
    rules = re.findall(r'\{ "([a-z-]+)", ATH_LINT_(ERROR|RISK|INFO),', source)
    manual = re.findall(r"^\| `([a-z-]+)` \| (error|risk|info)\b", (lab.ROOT / "docs/lint.md").read_text(), re.M)
    assert len(rules) > 20 and sorted(manual) == sorted((name, level.lower()) for name, level in rules)
