# SPDX-License-Identifier: MIT
"""identifiers: what a revision file calls itself, where that is folded; held against running the file, never wrong."""
import ast
import os
import random
import sys
import textwrap
import types

import pytest

from reading import load

KEYS = ("revision", "down_revision", "depends_on", "branch_labels")
SEEDS = int(os.environ.get("ATHANOR_FOLD_SEEDS", "2000"))
FIRST = int(os.environ.get("ATHANOR_FOLD_FIRST_SEED", "1"))


def told(text, key="revision", **more):
    parsed, fields = load("identifiers").identifiers_of(textwrap.dedent(text).encode(**more))
    assert set(fields) == set(KEYS) and (parsed or all(one["state"] == "escalate" for one in fields.values()))
    return fields[key]


def value(text, key="revision"):
    """What is told, as Python would have it; `...` where it is not certain."""
    return plain(told(text, key))


def plain(found):
    if found["state"] == "escalate":
        assert found["reason"] and found["line"] > 0 and not found["texts"]
        return ...
    if found["state"] in ("none", "absent"):
        assert not found["texts"] and (found["line"] > 0) == (found["state"] == "none")
        return None if found["state"] == "none" else KeyError
    return found["texts"][0] if found["state"] == "text" else found["texts"]


FOLDED = [
    ("literal", "revision = 'a'", "a"),
    ("annotated", "revision: str | None = 'a'", "a"),
    ("none", "revision = None", None),
    ("absent", "x = 1", KeyError),
    ("annotation_alone", "revision: str", KeyError),
    ("concatenated", "revision = 'a' + 'b' + 'c'", "abc"),
    ("implicit", "revision = 'a' 'b'", "ab"),
    ("implicit_formatted", "N = 3\nrevision = 'a' f'{N}' 'b'", "a3b"),
    ("formatted", "BASE = 'x'\nrevision = f'{BASE}_{7:03d}'", "x_007"),
    ("formatted_nested", "N = '04'\nrevision = f'{7:{N}}'", "0007"),
    ("formatted_text", "revision = f'{\"a\"!s}{None}'", "aNone"),
    ("percent", "revision = '%s_%d%%' % ('a', 3)", "a_3%"),
    ("name", "BASE = 'x'\nrevision = BASE", "x"),
    ("name_of_a_key", "revision = 'a'\ndown_revision = revision + '0'", "a0", "down_revision"),
    ("chained", "a = revision = b = 'x'", "x"),
    ("unpacked", "revision, down_revision = 'a', ('b', 'c')", ["b", "c"], "down_revision"),
    ("unpacked_name", "BOTH = ('a', 'b')\nrevision, down_revision = BOTH", "b", "down_revision"),
    ("swapped", "revision, down_revision = 'a', 'b'\nrevision, down_revision = down_revision, revision", "b"),
    ("semicolon", "x = 1; revision = 'a'; y = 2", "a"),
    ("backslash", "revision = \\\n    'a'", "a"),
    ("brackets", "revision = (('a'))", "a"),
    ("tuple", "P = 'p'\nrevision = (P, 'q')", ["p", "q"]),
    ("tuple_added", "P = ('p',)\nrevision = P + ('q',)", ["p", "q"]),
    ("tuple_unpacked", "P = ('p',)\nrevision = (*P, 'q')", ["p", "q"]),
    ("list", "revision = ['p'] + ['q']", ["p", "q"]),
    ("choice", "NEW = True\nrevision = 'a' if NEW else other()", "a"),
    ("added_to", "revision = 'a'\nrevision += 'b'", "ab"),
    ("last_wins", "revision = call()\nrevision = 'a'", "a"),
    ("after_a_condition", "if x():\n    revision = 'b'\nrevision = 'a'", "a"),
    ("after_import_of_all", "from somewhere import *\nrevision = 'a'", "a"),
    ("plain_import_of_all", "revision = 'a'\nfrom sqlalchemy import *", "a"),
    ("other_scopes", "revision = 'a'\ndef f(revision=1):\n    revision = 2\nclass C:\n    revision = 3\n"
                     "x = lambda revision: 1", "a"),
    ("docstring", '"""x\nrevision = "b"\n"""\nrevision = "a"', "a"),
    ("coding", "# -*- coding: latin-1 -*-\nrevision = 'a'", "a"),
]


@pytest.mark.parametrize("row", FOLDED, ids=[row[0] for row in FOLDED])
def test_a_constant_is_folded(row):
    assert value(row[1], *row[3:]) == row[2]


UNSURE = [
    ("call", "revision = str(1)", 1, "call"), ("attribute", "revision = mod.X", 1, "attribute"),
    ("unknown_name", "revision = X", 1, "name"), ("later_name", "revision = X\nX = 'a'", 1, "name"),
    ("builtin", "revision = __name__", 1, "name"), ("subscript", "X = ('a',)\nrevision = X[0]", 2, "constant"),
    ("walrus", "x = (revision := 'a')", 1, "bound"), ("walrus_read", "revision = (x := 'a') + x", 1, "bound"),
    ("walrus_in_a_comprehension", "revision = 'a'\nx = [revision := y for y in 'bc']", 2, "bound"),
    ("walrus_in_a_default", "revision = 'a'\ndef f(x=(revision := 'b')): pass", 2, "bound"),
    ("walrus_in_an_annotation", "revision = 'a'\ndef f() -> (revision := 'b'): pass", 2, "bound"),
    ("if", "if True:\n    revision = 'a'", 2, "'if'"), ("try", "try:\n    revision = 'a'\nexcept E:\n    pass", 2, "'try'"),
    ("for", "for revision in 'ab': pass", 1, "'for'"), ("while", "while x:\n    revision = 'a'", 2, "'while'"),
    ("with", "with x as revision: pass", 1, "'with'"), ("with_body", "with x:\n    revision = 'a'", 2, "'with'"),
    ("exception", "revision = 'a'\ntry: pass\nexcept E as revision: pass", 3, "'try'"),
    ("del", "revision = 'a'\ndel revision", 2, "'del'"), ("import", "from x import revision", 1, "import"),
    ("import_as", "import x as revision", 1, "import"), ("import_of_all", "revision = 'a'\nfrom x import *", 2, "import"),
    ("function", "revision = 'a'\ndef revision(): pass", 2, "bound"), ("class", "class revision: pass", 1, "bound"),
    ("global", "revision = 'a'\ndef f():\n    global revision\n    revision = 'b'\nf()", 3, "global"),
    ("global_of_a_part", "X = 'a'\ndef f():\n    global X\n    X = 'b'\nf()\nrevision = X", 6, "name"),
    ("global_unbound", "def f():\n    global revision\n    revision = 'b'\nf()", 2, "global"),
    ("made_up", "def __getattr__(name): return name", 1, "makes names up"),
    ("exec", "exec('revision = 1')\nrevision = 'a'", 1, "own names"), ("globals", "revision = 'a'\nglobals().update(x)", 2, "own"),
    ("modules", "import sys\nrevision = 'a'\nsys.modules[__name__].revision = 'b'", 3, "own"),
    ("frame", "revision = 'a'\nsys._getframe().f_locals['revision'] = 'b'", 2, "own"),
    ("setattr", "revision = 'a'\nsetattr(m, 'revision', 'b')", 2, "own"), ("getattr", "getattr(x, '__dict__')", 1, "own"),
    ("import_module", "from importlib import import_module", 1, "own"), ("builtins", "import builtins as b", 1, "own"),
    ("list_read", "revision = ['a']\nf(revision)", 1, "changed"), ("list_named", "X = ['a']\nrevision = X", 2, "two names"),
    ("list_shared", "x = revision = ['a']", 1, "two names"), ("list_extended", "revision = ['a']\nrevision += ['b']", 2, "two"),
    ("list_extended_in_a_class", "revision = ['a']\nclass C:\n    revision += ['b']", 1, "changed"),
    ("number", "revision = 1", 1, "neither"), ("nested", "revision = ('a', ('b',))", 1, "within"),
    ("none_in_a_list", "revision = ('a', None)", 1, "neither"), ("set", "revision = {'a'}", 1, "constant"),
    ("bytes", "revision = b'a'", 1, "neither"), ("not_plain", "revision = 'é'", 1, "plain"), ("tab", "revision = 'a\\tb'", 1, "plain"),
    ("width", "revision = '%1000000000s' % 'a'", 1, "worked out"), ("spec", "revision = f'{1:1000000000}'", 1, "formatted"),
    ("repr", "revision = f'{\"a\"!r}'", 1, "formatted"), ("debug", "X = 'a'\nrevision = f'{X=}'", 2, "formatted"),
    ("text_padded", "revision = f'{\"a\":05}'", 1, "formatted"), ("bool_padded", "revision = f'{True:5}'", 1, "formatted"),
    ("times", "revision = 'a' * 1000000000", 1, "worked out"), ("wrong_kinds", "revision = '%d' % 'a'", 1, "worked out"),
    ("too_long", "".join("x%d = %s\n" % (n, "x%d + x%d" % (n - 1, n - 1) if n else "'aaaaaaaa'") for n in range(40)) +
     "revision = x39", 41, "name"),
    ("unpacked_badly", "revision, x = 'a', 'b', 'c'", 1, "unpacked"), ("unpacked_text", "revision, x = 'ab'", 1, "unpacked"),
    ("starred", "*revision, x = 'a', 'b'", 1, "bound"), ("syntax", "revision = 'a'\nx = = 1", 2, "understand"),
    ("deep", "revision = " + "(" * 900 + "'a'" + ")" * 900, 1, ""), ("long_sum", "revision = " + "'a' + " * 9000 + "'b'", 1, ""),
    ("nul", "revision = 'a\0'", 1, ""),
]


@pytest.mark.parametrize("row", UNSURE, ids=[row[0] for row in UNSURE])
def test_what_is_not_a_constant_is_told_with_line_and_reason(row):
    found = told(row[1])
    assert found["state"] == "escalate" and found["texts"] == [] and row[3] in found["reason"]
    assert found["line"] == row[2]


@pytest.mark.skipif(sys.version_info < (3, 10), reason="match is newer")
@pytest.mark.parametrize("pattern", ["revision", "[revision]", "[*revision]", "{**revision}", "C(x=revision)", "1 as revision"])
def test_a_pattern_binds(pattern):
    assert value("revision = 'a'\nmatch x:\n    case %s: pass" % pattern) is ...


def test_one_field_is_open_and_the_others_are_told():
    text = "import app\nrevision = 'a'\ndown_revision = None\nbranch_labels = app.LABELS"
    assert [value(text, key) for key in KEYS] == ["a", None, KeyError, ...]


def test_files_are_answered_in_their_order_and_none_is_run(project):
    project.write("one.py", "raise SystemExit\nrevision = 'a' + 'b'\n")
    project.write("two.py", "x = = 1\n")
    project.write("three.py", "#" * (1 << 20) + "\nrevision = 'a'\n")
    files = [{"id": name, "path": str(project.app / (name + ".py"))} for name in ("two", "one", "three")]
    found = project.run({"do": "identifiers", "files": files}).succeeded().of("identifiers")
    assert [(one["id"], one["parsed"], one["fields"]["revision"]["state"]) for one in found] == [
        ("two", False, "escalate"), ("one", True, "text"), ("three", False, "escalate")]


# ---- against running the file ----

class Maker:
    """Files of statements that may bind the four names, in good and in bad ways."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, *choices):
        return self.random.choice(choices)

    def name(self):
        return self.pick("A", "B", "C", *KEYS)

    def text(self):
        return repr(self.pick("a", "b1", "x-y", "", "0f", "it's"))

    def scalar(self, depth=0):
        if depth > 1 or self.random.random() < 0.6:
            return self.pick(self.text(), self.name())
        one, two = self.scalar(depth + 1), self.scalar(depth + 1)
        return self.pick(
            self.text(), self.text(), self.name(), self.name(), "None", "7", "True", "%s + %s" % (one, two), "(%s)" % one,
            "f'{%s}-{%s}'" % (self.name(), self.name()), "f'{%s:%s}'" % (self.pick("7", self.name()), self.pick("03d", "4", "s", "05")),
            "f'{%s!%s}'" % (self.name(), self.pick("s", "r", "a")), "%s %s" % (self.text(), self.text()),
            "'%%s.%%s' %% (%s, %s)" % (one, two), "'%%%s' %% %s" % (self.pick("s", "d", "5s", "x"), one),
            "%s if %s else %s" % (one, self.pick(self.name(), "True", "None", "''"), two), "str(%s)" % one, "M.X",
            "(%s := %s)" % (self.name(), one), "%s or %s" % (one, two), "%s * 2" % one, "%s[0]" % self.name(), "-1", "b'x'",
            "(lambda: %s)()" % one, "[%s for %s in 'pq'][-1]" % (self.name(), self.name()), "%s.upper()" % self.name())

    def value(self):
        one, two = self.scalar(), self.scalar()
        return self.pick(one, one, one, "(%s, %s)" % (one, two), "[%s, %s]" % (one, two), "(%s,)" % one, "[%s]" % one, "()", "[]",
                         "(*%s, %s)" % (self.name(), one), "%s + (%s,)" % (self.name(), one), "[%s] + [%s]" % (one, two),
                         "%s + %s" % (self.name(), self.name()), "{%s}" % one)

    def statement(self, depth=0):
        name, other, value = self.name(), self.name(), self.value()
        plain = ["%s = %s" % (name, value)] * 40 + [
            "%s: str = %s" % (name, value), "%s: str" % name, "%s = %s = %s" % (name, other, value), "%s += %s" % (name, value),
            "%s, %s = %s, %s" % (name, other, value, self.value()), "%s, %s = %s" % (name, other, value),
            "(%s, *%s) = %s" % (name, other, value), "del %s" % name, "print(%s)" % name, "%s.append('z')" % name,
            "from everything import *", "from everything import revision as %s" % name, "import everything as %s" % name,
            "x = %s; %s = %s" % (value, name, self.text()), "%s = \\\n%s" % (name, self.text()), "assert (%s := 'w')" % name,
            "[%s := q for q in 'mn']" % name, "globals()['%s'] = 'g'" % name, "exec('%s = 1')" % name,
            "sys.modules[__name__].%s = 'm'" % name, "setattr(M, '%s', 's')" % name, "change(%s)" % name, "rebind()",
            "vars()['%s'] = 'v'" % name, "%s[:] = ['t']" % name, "everything.revision = 'n'", "for %s in 'jk': pass" % name,
            "def f(%s=%s): return 1" % (name, self.scalar()), "class %s: pass" % name, "def %s(): return 2" % name,
            "def __getattr__(name): return 'made'"]
        if depth > 1 or self.random.random() < 0.8:
            return self.pick(*plain)
        inner = textwrap.indent("\n".join(self.statement(depth + 1) for _ in range(self.pick(1, 2))), "    ")
        inner = inner.replace("    from everything import *", "    pass")
        return self.pick("if %s:\n%s" % (self.pick("True", "False", self.name()), inner), "try:\n%s\nexcept Exception as %s:\n    pass" % (
            inner, name), "for q in 'ab':\n%s" % inner, "with M:\n%s" % inner, "class K:\n%s" % inner, "def h():\n%s\n    return 1" % inner,
            "def h():\n    global %s\n    %s = 'late'\nh()" % (name, name), "class K:\n    global %s\n    %s = 'inner'" % (name, name),
            "if %s:\n    pass\nelse:\n%s" % (self.name(), inner), "while True:\n%s\n    break" % inner)

    def files(self):
        """A growing file: text after text, each longer by a statement; a refused one is given back by send(True)."""
        lines = ["import sys", "import everything", "M = everything.M", "def change(x):\n    x.append('c') if isinstance(x, list) else 0",
                 "def rebind():\n    pass"] + ["%s = %s" % (name, self.text()) for name in "ABC"]
        reaches = self.random.random() < 0.1
        for _ in range(self.random.randrange(3, 12)):
            statement = self.statement()
            if not reaches and any(word in statement for word in ("globals", "exec(", "modules", "setattr", "vars(")):
                continue
            if not (yield "\n".join(lines + [statement]) + "\n"):
                lines.append(statement)


class Managed:
    X = "mx"

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False


def executed(text, monkeypatch):
    """{key: value, or KeyError}; None where the file does not load."""
    everything, module = types.ModuleType("everything"), types.ModuleType("under_test")
    everything.__dict__.update(revision="from everything", A="star", M=Managed(), depends_on=["s"])
    monkeypatch.setitem(sys.modules, "everything", everything)
    monkeypatch.setitem(sys.modules, "under_test", module)
    module.print = lambda *values: None
    try:
        exec(compile(text, "under_test.py", "exec"), module.__dict__)
    except Exception:
        return None
    return {key: getattr(module, key, KeyError) for key in KEYS}


def file_of(seed, monkeypatch):
    """A file that loads, and what Python makes of it: statements that raise are left out."""
    files, text, wanted = Maker(seed).files(), "", None
    grown = next(files, None)
    while grown is not None:
        found = executed(grown, monkeypatch)
        if found is not None:
            text, wanted = grown, found
        try:
            grown = files.send(found is None)
        except StopIteration:
            grown = None
    return text, wanted or {}


def is_right(found, wanted):
    if found is KeyError or found is None or isinstance(found, str):
        return found is wanted or isinstance(wanted, str) and found == wanted
    return isinstance(wanted, (list, tuple)) and list(wanted) == found


def wrong_answers(seed, monkeypatch):
    """(answers, those that are wrong) for one file."""
    text, wanted = file_of(seed, monkeypatch)
    fields = load("identifiers").identifiers_of(text.encode())[1]
    found = {key: plain(fields[key]) for key in wanted}
    return list(found.values()), [(seed, key, one, wanted[key]) for key, one in found.items()
                                  if one is not ... and not is_right(one, wanted[key])]


@pytest.mark.filterwarnings("ignore")
def test_what_is_told_is_what_running_the_file_gives(monkeypatch, capsys):
    answers, wrong = [], []
    for seed in range(FIRST, FIRST + SEEDS):
        found, bad = wrong_answers(seed, monkeypatch)
        answers += found
        wrong += bad
    values = sum(one not in (..., KeyError) for one in answers)
    unsure = sum(one is ... for one in answers)
    with capsys.disabled():
        print("\nidentifiers: %d files, %d answers, %d of them values, %d open, %d wrong" % (
            SEEDS, len(answers), values, unsure, len(wrong)))
    assert not wrong, wrong[:5]
    assert values > len(answers) / 10 and unsure > len(answers) / 10


# Each guard switched off: then a wrong answer must come out, or the test above would see nothing.
GUARDS = {
    "global": lambda module: setattr(module.Module, "bind", lambda self, name, node, found: (
        self.names.__setitem__(name, found), self.lines.__setitem__(name, node.lineno))[0]),
    "conditions": lambda module: setattr(module.Module, "unsettle", lambda self, root, but=(): None),
    "reaching": lambda module: setattr(module, "find_reaching", lambda tree: None),
    "walrus": lambda module: setattr(module, "binds_within", lambda root: False) or
    setattr(module, "bound_by", lambda root: ()),
    "lists": lambda module: module.FOLDS.__setitem__(ast.List, lambda node, names: tuple(module.sequence(
        ast.copy_location(ast.Tuple(node.elts, node.ctx), node), names))),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("guard", GUARDS)
def test_the_control_without_a_guard_an_answer_is_wrong(guard, monkeypatch):
    name = "athanor_identifiers"
    kept = sys.modules.pop(name, None)
    try:
        GUARDS[guard](load("identifiers"))
        assert any(wrong_answers(seed, monkeypatch)[1] for seed in range(1, 3000))
    finally:
        sys.modules.pop(name, None)
        if kept:
            sys.modules[name] = kept
