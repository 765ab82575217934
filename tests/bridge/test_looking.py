# SPDX-License-Identifier: MIT
"""heads and target: they say what there is and open nothing."""
import textwrap

import pytest

from conftest import ASYNC, CREATOR, HARD_CODED, HEAD, MODELS, ONLINE, SERVER, WITH_MODELS

HEADS, TARGET = {"do": "heads"}, {"do": "target"}


def files(project):
    return sorted(str(path.relative_to(project.app)) for path in project.app.rglob("*") if path.is_file())


def target(project):
    before = files(project), project.fingerprint()
    answer = project.run(TARGET).succeeded().one("target")
    assert (files(project), project.fingerprint()) == before
    return answer


def test_heads_lists_the_graph_with_merges_labels_and_dependencies(project):
    project.revision("a1", None, head="branch_labels = ('core',)")
    project.revision("b1", "a1")
    project.revision("b2", "a1", head="depends_on = 'b1'")
    project.revision("c1", ("b1", "b2"))
    answer = project.run(HEADS).succeeded().one("heads")
    found = {entry["id"]: entry for entry in answer["revisions"]}
    assert answer["heads"] == ["c1"] and answer["bases"] == ["a1"]
    assert answer["python"].startswith("3.") and answer["alembic"] and answer["sqlalchemy"]
    assert sorted(found["c1"]["down"]) == ["b1", "b2"] and found["b2"]["depends_on"] == ["b1"]
    assert found["a1"]["labels"] == ["core"] and found["b1"]["labels"] == []
    assert found["a1"]["path"] == str(project.app / "migrations" / "versions" / "a1.py")
    assert [entry["id"] for entry in answer["revisions"]][0] == "a1"
    assert answer["script"] == str(project.app / "migrations") and answer["recursive"] is False
    assert answer["locations"] == [str(project.app / "migrations/versions")] and answer["sources"] == []


def test_heads_tells_the_folders_and_what_of_the_application_was_imported(project):
    project.ini("version_locations = %(here)s/one %(here)s/two\nversion_path_separator = space")
    project.write("names.py", "import json, parts\nA1 = 'a1'\n")
    project.write("parts/__init__.py", "")
    project.write("one/a1.py", "import names\nrevision = names.A1\ndown_revision = None\n")
    project.write("two/b2.py", "import sqlalchemy\nrevision = 'b2'\ndown_revision = 'a1'\n")
    answer = project.run(HEADS).succeeded().one("heads")
    assert answer["locations"] == [str(project.app / "one"), str(project.app / "two")]
    assert answer["sources"] == [str(project.app / "names.py"), str(project.app / "parts/__init__.py")]


def test_several_heads_are_listed_sorted(project):
    project.revision("z1", None)
    project.revision("a1", None)
    assert project.run(HEADS).succeeded().one("heads")["heads"] == ["a1", "z1"]


def test_an_id_that_two_files_have_is_an_error(project):
    project.revision("a1", None)
    project.write("migrations/versions/other.py", "revision = 'a1'\ndown_revision = None\n")
    error = project.run(HEADS).error
    assert error["kind"] == "revision" and "a1" in error["message"]


def test_a_missing_parent_is_an_error(project):
    project.revision("b2", "gone")
    error = project.run(HEADS).error
    assert error["kind"] == "revision" and "gone" in error["message"]


def test_a_revision_that_cannot_be_imported_is_named_with_file_and_line(project):
    project.revision("a1", None, head="import no_such_package")
    outcome = project.run(HEADS)
    assert outcome.status == 1 and outcome.error["kind"] == "import" and outcome.error["command"] == "heads"
    assert outcome.error["message"] == "ModuleNotFoundError: No module named 'no_such_package'"
    assert outcome.error["where"] == "%s:5" % (project.app / "migrations" / "versions" / "a1.py")


def test_the_ini_directory_and_prepend_sys_path_are_as_on_the_command_line(project):
    project.write("settings.py", "import os\nNAME = os.getcwd()\n")
    project.revision("a1", None, head="import settings, sys\n"
                     "print('CWD', settings.NAME, sys.argv[1:], sys.path)")
    output = project.run(HEADS).succeeded().output
    assert "CWD %s ['-c'" % project.app in output and "src/bridge" not in output


def test_a_section_and_x_arguments_reach_env(project):
    project.ini("[other]\nscript_location = migrations\nsqlalchemy.url = sqlite:///other.db")
    project.env("from alembic import context\n"
                "print('X', context.get_x_argument(as_dictionary=True), context.config.cmd_opts.name)\n"
                + HEAD + "section = context.config.get_section('other')\n"
                "engine = engine_from_config(section, prefix='sqlalchemy.')\n" + ONLINE)
    project.extra = {"section": "other", "x": ["tenant=one"]}
    outcome = project.run(TARGET).succeeded()
    assert "X {'tenant': 'one'} other" in outcome.output
    assert outcome.one("target")["path"] == str(project.app / "other.db")


def test_a_missing_script_location_is_a_configuration_error(project):
    project.write("alembic.ini", "[alembic]\n")
    assert project.run(HEADS).error["kind"] == "config"


def test_pyproject_is_read_where_alembic_can(project):
    project.revision("a1", None)
    version = project.run(HEADS).succeeded().one("heads")["alembic"].split(".")
    project.write("pyproject.toml", "[tool.alembic]\nscript_location = 'migrations'\n")
    project.extra = {"ini": None, "pyproject": str(project.app / "pyproject.toml")}
    outcome = project.run(HEADS)
    if [int(part) for part in version[:2]] < [1, 16]:
        assert outcome.error["kind"] == "config" and "needs Alembic 1.16" in outcome.error["message"]
    else:
        assert outcome.succeeded().one("heads")["heads"] == ["a1"]


@pytest.mark.parametrize("env", [HARD_CODED, ASYNC, None], ids=["hard_coded", "async", "plain"])
def test_target_names_a_database_that_is_not_there_yet_and_does_not_make_it(project, env):
    if env:
        project.env(env)
    project.revision("a1", None)
    answer = target(project)
    assert answer["path"] == str(project.live) and answer["dialect"] == "sqlite"
    assert answer["driver"] == ("aiosqlite" if env is ASYNC else "pysqlite")
    assert answer["version_table"] == "alembic_version" and answer["version_table_schema"] is None
    assert answer["connections"] == 1 and answer["several"] is False and answer["incomplete"] is None


def test_target_sees_through_a_creator_and_makes_no_file(project):
    project.env(CREATOR)
    answer = target(project)
    assert answer["path"] == str(project.live) and answer["version_table"] == "alembic_version"


def test_target_sees_an_engine_that_connects_while_the_application_is_imported(project):
    project.write("db.py", "from sqlalchemy import create_engine, text\n"
                  "engine = create_engine('sqlite:///live.db')\n"
                  "with engine.connect() as c: c.execute(text('CREATE TABLE IF NOT EXISTS x (a)'))\n")
    project.env(HEAD + "from db import engine\n" + ONLINE)
    answer = target(project)
    assert answer["path"] == str(project.live) and answer["url"] == "sqlite:///live.db"


def test_target_leaves_an_existing_database_alone(chain):
    assert target(chain)["path"] == str(chain.live)


@pytest.mark.parametrize("url, name", [
    ("sqlite:///relative.db", "relative.db"),
    ("sqlite:///file:some%%20name.db?mode=rwc&uri=true", "some name.db"),
    ("sqlite:///sub/../x.db", "x.db"),
])
def test_target_resolves_the_path_of_a_url(project, url, name):
    project.ini(url=url)
    assert target(project)["path"] == str(project.app / name)


def test_target_says_when_the_database_is_in_memory(project):
    project.ini(url="sqlite://")
    answer = target(project)
    assert answer["path"] == ":memory:" and answer["paths"] == []


def test_target_reports_the_version_table_and_the_models(project):
    project.write("models.py", MODELS)
    project.env(WITH_MODELS.replace("connection=connection,", "connection=connection, version_table='v', "
                                    "version_table_schema='main',"))
    answer = target(project)
    assert (answer["version_table"], answer["version_table_schema"]) == ("v", "main")
    assert answer["metadata_tables"] == ["story", "tag"]


def test_target_answers_for_an_env_made_for_offline_use_only(project):
    project.env(HEAD + "context.configure(url='sqlite:///live.db', version_table='v')\n"
                "context.run_migrations()\n")
    answer = target(project)
    assert answer["path"] == str(project.live) and answer["version_table"] == "v"


def test_target_lists_several_databases(project):
    project.env(HEAD + "for name in 'one', 'two':\n    engine = create_engine('sqlite:///%s.db' % name)\n"
                + "".join("    %s\n" % line for line in ONLINE.splitlines()))
    answer = target(project)
    assert answer["several"] is True and len(answer["targets"]) == 2
    assert answer["paths"] == [str(project.app / "one.db"), str(project.app / "two.db")]


def test_target_stops_before_a_server_and_hides_its_password(project):
    project.psycopg2()
    project.env(SERVER)
    outcome = project.run(TARGET).succeeded()
    answer = outcome.one("target")
    assert answer["dialect"] == "postgresql" and answer["path"] is None and answer["version_table"] == "v"
    assert answer["url"] == "postgresql+psycopg2://me:***@db.example/stories" and answer["connections"] == 1
    assert "hunter2" not in str(outcome.events) and "CONNECTED" not in outcome.output
    assert "RETRIED" not in outcome.output


def test_a_failing_env_is_a_configuration_error_with_its_line_and_no_password(project):
    project.env("raise RuntimeError('no SECRET_KEY for postgresql://me:hunter2@host/db')\n")
    error = project.run(TARGET).error
    assert error["kind"] == "config" and error["where"].endswith("migrations/env.py:1")
    assert error["message"] == "RuntimeError: no SECRET_KEY for postgresql://me:***@host/db"


def test_secrets_that_settings_show_in_their_complaints_are_hidden(project):
    project.env("raise ValueError({'APP_SECRET_KEY': 'hunter2', 'token': \"hunter2\", 'name': 'kahani'})\n")
    outcome = project.run(TARGET)
    assert outcome.error["message"].endswith("{'APP_SECRET_KEY': '***', 'token': '***', 'name': 'kahani'}")
    assert "hunter2" not in outcome.output


def test_a_location_that_the_application_fills_in_is_named(project):
    project.write("alembic.ini", "[alembic]\nscript_location = {alembic_dir}\n")
    error = project.run(HEADS).error
    assert error["kind"] == "config" and "script_location is '{alembic_dir}'" in error["message"]


def flask(project, factory="def create_app(): return App()"):
    """An application of Flask-Migrate's shape, and as much of Flask as the bridge calls."""
    project.write("flask/__init__.py", """
        current = []
        class Current:
            def __getattr__(self, name):
                if not current:
                    raise RuntimeError("Working outside of application context.")
                return getattr(current[-1], name)
        current_app = Current()
        """)
    project.write("flask/cli.py", """
        import importlib, os
        class NoAppException(Exception): pass
        def load_dotenv(): pass
        class ScriptInfo:
            def __init__(self, path): self.path = path
            def load_app(self):
                if not self.path: raise NoAppException("Could not locate a Flask application.")
                return importlib.import_module(self.path).create_app()
        """)
    project.write("web.py", """
        import sqlalchemy as sa
        from flask import current
        class App:
            engine = sa.create_engine("sqlite:///@LIVE@")
            def app_context(self): return self
            def push(self): current.append(self)
        """)
    with open(str(project.app / "web.py"), "a") as file:
        file.write(textwrap.dedent(factory).replace("@LIVE@", str(project.live)) + "\n")
    project.write("migrations/alembic.ini", "[alembic]\nprepend_sys_path = .\n")
    project.env("""
        from alembic import context
        from flask import current_app
        with current_app.engine.connect() as connection:
            context.configure(connection=connection)
            with context.begin_transaction():
                context.run_migrations()
        """)
    project.extra["ini"] = str(project.app / "migrations" / "alembic.ini")


def test_flask_migrate_has_its_scripts_beside_the_ini_and_its_application_current(project):
    flask(project)
    project.revision("a1")
    project.variables["FLASK_APP"] = "web"
    outcome = project.run(HEADS, TARGET).succeeded()
    assert outcome.one("heads")["heads"] == ["a1"]
    assert outcome.one("target")["path"] == str(project.live) and not project.live.exists()


def test_what_a_flask_application_does_while_it_is_made_reaches_no_file(project):
    flask(project, """
        def create_app():
            with App.engine.begin() as connection:
                connection.execute(sa.text("CREATE TABLE story (id INTEGER)"))
            with sa.create_engine("sqlite:///@LIVE@").connect() as connection:
                connection.execute(sa.text("SELECT * FROM story"))
            return App()
        """)
    project.revision("a1", upgrade="op.create_table('story', sa.Column('id', sa.Integer))")
    project.variables["FLASK_APP"] = "web"
    project.clone.write_bytes(b"")
    project.run({"do": "upgrade"}).succeeded()
    assert "story" in project.tables() and not project.live.exists()


def test_a_flask_application_that_is_not_found_is_named_with_its_variable(project):
    flask(project)
    error = project.run(HEADS).error
    assert error["kind"] == "config" and "set FLASK_APP" in error["message"]


def test_nothing_said_on_stdout_or_by_logging_reaches_the_replies(project):
    project.write("alembic.ini", (project.app / "alembic.ini").read_text() + """
[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = DEBUG
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stdout,)
formatter = plain
[formatter_plain]
format = LOG %(message)s
""")
    project.env("print('{\"event\": \"end\"}')\nimport logging.config\nfrom alembic import context\n"
                "logging.config.fileConfig(context.config.config_file_name)\nlogging.warning('hello')\n"
                + HARD_CODED)
    outcome = project.run(TARGET).succeeded()
    assert [event["event"] for event in outcome.events] == ["target", "end"] and "LOG" in outcome.output
