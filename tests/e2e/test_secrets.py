# SPDX-License-Identifier: MIT
"""Secrets that the application prints in every way: none is in a log, the journal, an output or a command line.

Each secret is written by the application into a file of its own, too, and beside them it prints a value that is no
secret: so the search is known to see what it looks for, and the application to have said it.
"""
import base64
import json
import pathlib
import re
import shlex
import threading
import time
import urllib.parse

import pytest

import lab

ODD = "p@ss w/rd%\"'\\$é🔑<&>"
PLANTED = {  # variable -> its value, and the secret in it
    "APP_PASSWORD": (ODD, ODD),
    "MAIL_API_KEY": ("mk-Zq81LwpX", "mk-Zq81LwpX"),
    "BROKER_URL": ("amqp://guest:qu%40rry-Pass9@mq:5672/v", "qu@rry-Pass9"),
    "REPORTS_DSN": ("host=db user=a password=dsnWord77 sslmode=require", "dsnWord77"),
    "PIP_EXTRA_INDEX_URL": ("https://bob:indexPw4711@127.0.0.1:9/simple", "indexPw4711"),
}
OPEN = "greeting-of-the-day-%42"  # printed likewise, and no secret


def spellings(text):
    raw = text.encode()
    found = {
        "raw": raw, "quote": urllib.parse.quote(text).encode(),
        "quote all": urllib.parse.quote(text, safe="").encode(),
        "quote_plus": urllib.parse.quote_plus(text).encode(),
        "json": json.dumps(text)[1:-1].encode(), "json utf-8": json.dumps(text, ensure_ascii=False)[1:-1].encode(),
        "json slash": json.dumps(text)[1:-1].replace("/", "\\/").encode(),
        "repr": repr(text)[1:-1].encode(), "repr bytes": repr(raw)[2:-1].encode(), "ascii": ascii(text)[1:-1].encode(),
        "shell": shlex.quote(text).strip("'").encode(),
    }
    for place in range(3):
        start, end = -(-8 * place // 6), 8 * (place + len(raw)) // 6
        for name, encode in (("base64", base64.b64encode), ("base64 url", base64.urlsafe_b64encode)):
            found["%s %d" % (name, place)] = encode(b"x" * place + raw)[start:end]
    lower = urllib.parse.quote(text, safe="")
    found["quote lower"] = "".join(c.lower() if lower[max(0, i - 2):i].count("%") else c
                                   for i, c in enumerate(lower)).encode()
    return found


# What the application does; it prints through pieces of odd lengths, so that reads cut everywhere.
TELL = '''
import os, pathlib, sys, time
here = pathlib.Path(__file__).resolve().parent

def tell(where):
    """Prints every spelling of every value on both streams, and keeps a copy for the test."""
    lines = [bytes.fromhex(line) for line in (here / "tell.hex").read_text().split()]
    for n, line in enumerate(lines):
        text = where.encode() + b" <" + line + b">\\n"
        for at in range(0, len(text), 7):
            os.write(1 + n % 2, text[at:at + 7])
    with open(str(here / "told"), "ab") as told:
        told.write(b"\\n".join([where.encode(), *lines]) + b"\\n")

def values():
    names = ("APP_PASSWORD", "MAIL_API_KEY", "BROKER_URL", "SECRET_KEY")
    return " and ".join(os.environ[name] for name in names if name in os.environ)

if __name__ == "__main__":
    tell("step")
    print("it was", values(), "at", os.environ.get("DATABASE_URL"), flush=True)
'''


class Watcher:
    """Every command line that any process had meanwhile."""

    def __enter__(self):
        self.seen, self.is_over = set(), False
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while not self.is_over:
            for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(path.read_bytes())
                except OSError:
                    continue
            time.sleep(0.005)

    def __exit__(self, *_):
        self.is_over = True
        self.thread.join()


@pytest.fixture
def telling(small):
    """An application that tells all it knows wherever it can; its third revision fails with a secret."""
    small.write(".env.example", "SECRET_KEY=\nMAIL_API_KEY=none\n")
    small.write(".env", "SECRET_KEY=kept-Secret-0815\n")
    small.write("tell.py", TELL)
    small.write("tell.hex", "\n".join(line.hex() for text in secrets() + [OPEN] for line in spellings(text).values()))
    small.stored("b2")
    small.env_py(before="""
        import pathlib, sys
        sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
        import tell
        tell.tell("env.py")
    """)
    small.revision("c3", "b2", "import tell\ntell.tell('migration')\n"
                               "raise RuntimeError('cannot log in with %r' % tell.values())")
    small.recipe(head=lab.RECIPE + "env_file: {from: .env.example, to: .env, secrets: [SECRET_KEY]}\n",
                 more="steps:\n  tell: {run: [python, tell.py], needs: [venv, env_file], optional: true}\n")
    return small


def secrets():
    return [secret for _, secret in PLANTED.values()] + ["kept-Secret-0815"]


def surroundings(**more):
    return dict({name: value for name, (value, _) in PLANTED.items()}, GREETING=OPEN, **more)


def find(haystacks, texts):
    """Where a spelling of one of the texts is, as (place, text, spelling)."""
    return [(place, text, name) for place, content in haystacks.items() for text in texts
            for name, spelt in spellings(text).items() if spelt in content]


def state_of(project):
    return {str(path): path.read_bytes() for path in project.path(".athanor").rglob("*") if path.is_file()}


def outputs(ended):
    return {"stdout of %s" % ended[0]: ended[1].out.encode(), "stderr of %s" % ended[0]: ended[1].err.encode()}


def test_no_secret_is_in_any_output_though_the_application_tells_all(telling):
    env, said = surroundings(), {}
    with Watcher() as watcher:
        for words in (("install",), ("install", "--output", "json"), ("install", "--json", "--verbose")):
            ended = lab.athanor(*words, telling.root, env=env).is_status(1)
            said.update(outputs((" ".join(words), ended)))
    last = telling.marks[-1]
    for words in (("status",), ("status", "--json"), ("plan",), ("plan", "--json"), ("inspect",), ("inspect", "--json"),
                  ("log",), ("log", "--json"), ("log", last, "tell"), ("log", last, "migrate"), ("revisions",)):
        folder = ["-C", telling.root] if words[0] == "log" else [telling.root]
        said.update(outputs((" ".join(words), lab.athanor(*words, *folder, env=env))))
    state = state_of(telling)
    assert find({"told": telling.path("told").read_bytes()}, secrets()), "the application has said nothing"
    assert len(find({"told": telling.path("told").read_bytes()}, [OPEN])) == len(spellings(OPEN))
    for log in ("tell", "migrate", "detect"):
        logs = {path: text for path, text in state.items() if path.endswith("/%s.log" % log)}
        assert find(logs, [OPEN]), "the search does not see what %s printed" % log
        assert any(b"***" in text for text in logs.values())
    assert find(state, secrets()) == []
    assert find(said, secrets()) == []
    assert find({"a command line": b"\n".join(watcher.seen)}, secrets()) == []
    assert "cannot log in with" in said["stderr of install"].decode() and b"***" in said["stderr of install"]


def test_a_new_secret_is_masked_from_its_first_moment(small):
    small.write(".env.example", "SECRET_KEY=\n")
    small.write("show.py", "import os, sys\nprint('key', os.environ['SECRET_KEY'])\nsys.exit(3)\n")
    small.recipe(head=lab.RECIPE + "env_file: {from: .env.example, to: .env, secrets: [SECRET_KEY]}\n",
                 more="steps:\n  show: {run: [python, show.py], needs: [venv, env_file]}\n")
    ended = small.install().is_status(1)
    key = small.read(".env").strip().split("=", 1)[1]
    assert len(key) == 64 and "key ***" in ended.err
    assert find({**state_of(small), **outputs(("install", ended))}, [key]) == []
    assert small.path(".env").stat().st_mode & 0o777 == 0o600


def test_a_password_in_a_url_is_masked_though_no_variable_holds_it(small):
    small.write("fetch.py", "print('GET https://me:pw-from-nowhere@example.org/x')\nraise SystemExit(1)\n")
    small.recipe("steps:\n  fetch: {run: [python, fetch.py], needs: [venv]}\n")
    ended = small.install().is_status(1)
    assert "https://me:***@example.org/x" in ended.err and "pw-from-nowhere" not in ended.err
    assert find(state_of(small), ["pw-from-nowhere"]) == []


@pytest.mark.parametrize("lead", [60, 440, 448, 455, 480, 560])
def test_a_secret_at_the_place_where_a_message_is_shortened_shows_no_part_of_itself(small, lead):
    small.stored("b2")
    small.revision("c3", "b2", "import os\nraise RuntimeError('.' * %d + os.environ['APP_PASSWORD'] + '.' * 200)" % lead)
    secret = "".join(chr(0x41 + n % 26) + str(n) for n in range(20))
    ended = small.install("--output", "json", env={"APP_PASSWORD": secret}).is_status(1)
    content = {**state_of(small), **outputs(("install", ended))}
    parts = [secret[at:at + 4].encode() for at in range(len(secret) - 3)]
    assert not [(place, part) for place, text in content.items() for part in parts if part in text]
    assert "RuntimeError: ....." in ended.err


def test_what_was_written_before_it_was_known_is_masked_when_it_is_shown(small):
    small.recipe("steps:\n  bake: {run: [sh, -c, 'echo it is Early-bird-9; exit 1'], needs: [venv]}\n")
    small.install().is_status(1)
    shown = lab.athanor("log", "-C", small.root, "last", "bake").is_status(0).out
    assert "it is Early-bird-9" in shown
    small.write(".env", "MAIL_PASSWORD='Early-bird-9'\n")
    assert lab.athanor("log", "-C", small.root, "last", "bake").out == shown.replace("Early-bird-9", "***")
    for words in (("status",), ("status", "--json"), ("log", "-C")):
        assert "Early-bird-9" not in lab.athanor(*words, small.root).is_status(0).out


def test_a_fault_of_the_recipe_is_shown_without_the_password_in_its_line(small):
    small.recipe(database="database: {alembic: alembic.ini, url: 'postgresql://me:pw-in-recipe@db/${'}")
    ended = small.install().is_status(78)
    assert "postgresql://me:***@db/" in ended.err and "pw-in-recipe" not in ended.err


def test_no_process_of_a_run_may_leave_an_image_of_its_memory(small):
    small.recipe("steps:\n  core: {run: [sh, -c, 'ulimit -S -c >core; ulimit -H -c >>core'], needs: [venv]}\n")
    raised = "import resource, os, sys\nlimit = resource.getrlimit(resource.RLIMIT_CORE)[1]\n" \
             "resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))\nos.execv(sys.argv[1], sys.argv[1:])"
    lab.athanor("install", small.root, program=(lab.PYTHON, "-c", raised)).is_status(0)
    assert small.read("core").split() == ["0", "0"]


def test_what_is_no_secret_stays_legible(small):
    """Words, limits, files and the application's own path, in variables whose names sound secret."""
    small.write("show.py", "import os, sys\nfor name in sorted(os.environ):\n    print(name, os.environ[name])\n"
                           "sys.exit(3)\n")
    small.recipe("steps:\n  show: {run: [python, show.py], needs: [venv]}\n")
    env = {"TOKEN_MINUTES": "52560000", "DB_PASSWORD": "postgres", "SSH_KEY": "/etc/passwd", "PIN_PASSWORD": "12345",
           "MAX_TOKENS": "409600", "ROOT_SECRET": str(small.root)}
    small.install(env=env).is_status(1)
    log = small.path(".athanor/runs/%s/show.log" % small.marks[-1]).read_text()
    for name, value in env.items():
        assert "%s %s\n" % (name, value) in log


def test_a_secret_that_is_a_name_of_the_schema_does_not_disturb_what_later_runs_compare(small):
    """The record of a run names tables and revisions: masked, nothing would be as it was verified."""
    small.stored("a1")
    for env in ({"DB_PASSWORD": "alembic"}, {"DB_PASSWORD": "version"}):
        small.install(env=env).is_status(0)
        assert "nothing to do" in small.install(env=env).is_status(0).out
        ended = lab.athanor("restore", "last", "-C", small.root, env=env).is_status(0)
        assert "at revision 'a1'" in ended.out and small.rows() == ["a1"]


def test_a_secret_that_is_a_word_of_our_results_does_not_break_them(small):
    small.stored("a1")
    words = ("transitions", "outcome", "succeeded")
    small.install(env={"TOKEN_%d" % nth: word for nth, word in enumerate(words)}).is_status(0)
    for word in words:
        said = lab.athanor("log", "--json", "-C", small.root, env={"API_TOKEN": word}).is_status(0).json
        assert said["outcome"] == "succeeded" and said["transitions"], said


def test_every_key_of_our_results_is_such_a_word():
    keys = {key for path in (lab.ROOT / "src").glob("*/*.c")
            for key in re.findall(r'ath_json_(?:key|put_\w+)\([^,;]+, "([a-z_]{6,})"', path.read_text())}
    known = set(re.findall(r'"([^"]+)"', (lab.ROOT / "src/facts/hidden.c").read_text()))
    assert len(keys) > 30 and keys <= known, keys - known
