# SPDX-License-Identifier: MIT
"""The scanner's answers agree with Python's own parser.

Files are made at random from pieces (seed and count from ATHANOR_SCAN_SEED, ATHANOR_SCAN_COUNT),
given to the helper program named by ATHANOR_SCAN_CLI, and read once more with `ast`. A value or
"absent" must be what Python would have after running the module; "escalate" is allowed only where
the text leaves the grammar that the scanner promises to read.
"""

import ast
import importlib.util
import json
import os
import pathlib
import random
import subprocess
import sys
import warnings

import pytest

KEYS = ("revision", "down_revision", "depends_on", "branch_labels")
TESTS = pathlib.Path(__file__).resolve().parents[1]
CLI = os.environ.get("ATHANOR_SCAN_CLI")
SEED = int(os.environ.get("ATHANOR_SCAN_SEED", "20240601"))
COUNT = int(os.environ.get("ATHANOR_SCAN_COUNT", "4000"))

pytestmark = pytest.mark.skipif(not CLI, reason="ATHANOR_SCAN_CLI is not set")

KNOWN_MODULES = ("sqlalchemy", "alembic", "alembic.op")
ABSENT = ("absent",)
UNSURE = ("unsure",)


# What Python makes of a module: the last plain assignment wins, all else is unsure.


def literal(node):
    if isinstance(node, ast.Constant) and node.value is None:
        return ("none",)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return ("text", node.value)
    if isinstance(node, (ast.Tuple, ast.List)):
        items = [literal(item) for item in node.elts]
        if all(item[0] == "text" for item in items):
            return ("list", [item[1] for item in items])
    return UNSURE


def plain_target(node):
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        target = node.target
    else:
        return None
    return target.id if isinstance(target, ast.Name) and target.id in KEYS else None


def bound_names(node):
    """Names of ours that a statement, or anything in it, may bind at module level."""
    found = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, (ast.Store, ast.Del)):
            found.add(part.id)
        elif isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(part.name)
        elif isinstance(part, ast.ImportFrom) and part.names[0].name == "*":
            found.update(() if part.module in KNOWN_MODULES else KEYS)
        elif isinstance(part, ast.alias):
            found.add(part.asname or part.name.split(".")[0])
        elif isinstance(part, ast.ExceptHandler):
            found.add(part.name)
        elif isinstance(part, ast.Global):
            found.update(part.names)
        elif isinstance(part, (ast.MatchAs, ast.MatchStar)):
            found.add(part.name)
    return found & set(KEYS)


def scope_names(node):
    """The same for a function or a class: only `global` lets a name out of it."""
    found = {node.name} if node.name in KEYS else set()
    outside = list(node.decorator_list)
    if isinstance(node, ast.ClassDef):
        outside += node.bases + [one.value for one in node.keywords]
    else:
        outside += node.args.defaults + [one for one in node.args.kw_defaults if one]
    for part in outside:
        found |= bound_names(part)
    for part in ast.walk(node):
        if isinstance(part, ast.Global):
            found |= set(part.names) & set(KEYS)
    return found


def python_says(data):
    """{key: (state, value)}, or None if Python does not take the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data)
    except (SyntaxError, ValueError):
        return None
    values = dict.fromkeys(KEYS, ABSENT)
    for node in tree.body:
        name = plain_target(node)
        if isinstance(node, ast.AnnAssign) and node.value is None:
            continue
        if name:
            for other in bound_names(node) - {name}:
                values[other] = UNSURE
            values[name] = literal(node.value)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for name in scope_names(node):
                values[name] = UNSURE
        else:
            for name in bound_names(node):
                values[name] = UNSURE
    return values


def scanner_says(paths):
    names = "".join(f"{path}\n" for path in paths)
    run = subprocess.run([CLI], input=names, capture_output=True, text=True, check=True)
    answers = {}
    for line in run.stdout.splitlines():
        answer = json.loads(line)
        answers[answer.pop("file")] = answer
    return answers


def is_wrong(expected, answer):
    state, value = answer[0], answer[1]
    if state == "escalate":
        return False
    if expected[0] == "list":
        return state != "list" or value != expected[1]
    if expected[0] == "text":
        return state != "text" or value != expected[1]
    return state != expected[0]


# Pieces of files. Each gives text and whether it may escalate a key.


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, *choices):
        return self.random.choice(choices)

    def chance(self, share):
        return self.random.random() < share

    def name(self):
        if self.chance(0.5):
            return "%012x" % self.random.getrandbits(48)
        return self.pick("059", "v0.9.0.a", "main_0001", "2024_1_expand01", "it's", 'a"b', "x#y",
                         "", "a=b", "(c", "None", "revision", "a;b", "a, b", "0560_add_org")

    def string(self):
        """A string literal; now and then one with escapes."""
        value = self.name()
        prefix = self.pick("", "", "", "", "u", "U", "r", "R")
        quote = self.pick("'", '"', "'", '"', "'''", '"""')
        if prefix in ("r", "R"):
            if quote[0] in value:
                quote = "'" if quote[0] == '"' else '"'
            if quote[0] in value:
                return repr(value)
            return prefix + quote + value + quote
        text = value.replace("\\", "\\\\")
        text = text.replace(quote[0], "\\" + quote[0])
        if self.chance(0.1) and value:
            text = "".join(self.pick(r"\x%02x", r"\u%04x", r"\U%08x", r"\%03o") % ord(c)
                           for c in value)
        if self.chance(0.03):
            text = "\\\n" + text
        return prefix + quote + text + quote

    def blank(self):
        return self.pick("", "", "", " ", "  ", "\t", "\f", " # a, (comment\n", "\n", "\n\n   ")

    def group(self, opener, closer):
        count = self.random.randrange(4)
        parts = [self.string() for _ in range(count)]
        text = ("," + self.blank()).join(parts)
        if count == 1 and opener == "(" and self.chance(0.7) or count > 1 and self.chance(0.3):
            text += self.blank() + ","
        return opener + self.blank() + text + self.blank() + closer

    def value(self):
        kind = self.random.random()
        if kind < 0.25:
            return "None"
        if kind < 0.7:
            return self.string()
        return self.group("(", ")") if kind < 0.9 else self.group("[", "]")

    def annotation(self):
        return self.pick(
            "str", "str | None", "Union[str, Sequence[str], None]", '"str"', "'str = 1'",
            "Union[\n    str,\n    None,  # = none\n]", 'Literal["a=b"]', "typing.Optional[str]",
        )

    def assignment(self, key):
        space = self.pick("", " ", "  ", "\t")
        text = key
        if self.chance(0.3):
            text += self.pick("", " ") + ":" + space + self.annotation()
        text += self.pick("", " ", " ") + "=" + space + self.value()
        return text + self.pick("", "", "  # comment", " # 'quote", "  # type: ignore", "\t", ";")

    def odd(self, key):
        """Forms that may escalate."""
        text, name = self.string(), self.name()
        return self.pick(
            f"{key} = f{name!r}", f"{key} = {text} + 'x'", f"{key} = {text} 'x'",
            f"a = {key} = {text}", f"{key} = b = {text}", f"b = 1; {key} = {text}",
            f"{key} = \\\n    {text}", f"print({key} := {text})", f"{key}, b = {text}, 1",
            f"if True:\n    {key} = {text}", f"try:\n    {key} = {text}\nfinally:\n    pass",
            f"for {key} in ('a',):\n    pass", f"{key} = None\ndel {key}", f"{key} = 5",
            f"import os as {key}", f"from os import path as {key}", f"from os import *",
            f"def {key}():\n    pass", f"class {key}:\n    pass", f"({key}) = {text}",
            f"[{key}] = [{text}]", f"{key} = x.labels", f"{key} = other", f"{key} = b'x'",
            f"with open('x') as {key}:\n    pass", f"{key} = 'a',", f"{key} = (('a'))",
            f"{key} = ['b']\n{key}.append('c')", f"{key} = ('a', None)", f"{key} = {{'a'}}",
            f"def setter():\n    global {key}\n    {key} = 'z'", f"{key} = '\\N{{DASH}}'",
            f"{key} = 'a'\n{key} += 'b'", f"{key} = 'tab\\t'", f"{key} = 'd\\d'", f"{key} = 'é'",
            f"globals()['{key}'] = 'x'", f"f\"{{({key} := 'w')}}\"", f"{key} = lambda: 'a'",
            f"def late(a=({key} := 'q')):\n    pass", f"@dec({key} := 'q')\nclass A: pass",
            f"match 1:\n    case {key}:\n        pass", f"exec(\"{key} = 'y'\")",
            f"def __getattr__(name):\n    return name", f"b[{key}] = 1",
        )

    def filler(self):
        key = self.pick(*KEYS)
        return self.pick(
            f'"""Doc\n\nRevision ID: {self.name()}\n{key} = "stale"\n"""',
            f"'''\n{key} = 'x'\n\\'''\n{key} = 'y'\n'''", f"# {key} = 'comment'",
            f"x = (\n{key!r},\n1,\n)", f"{key}_id = 'x'", f"{key}s = ('a', 'b')",
            f"x.{key} = 'attribute'", f"f({key}='argument')", f"print({key!r})",
            f"def upgrade():\n    {key} = 'local'\n    op.execute('''\n{key} = 1\n''')",
            f"def upgrade({key}, b=1):\n    return {key}", f"class A:\n    {key} = 'inner'",
            f"async def a():\n    x = [{key} for {key} in ()]\n    print({key})",
            f"op.execute(f\"select {{x!r:>{{n}}}} from '{key}'\")", "x = f'{a}' f\"{b['c']}\"",
            f"x = f'''\n{key} = {{1}}\n'''", f"y = {{'{key}': 1, \"a\": [1, (2)]}}",
            f"if x == 1:\n    y = 2\nelse:\n    y = 3", "import sqlalchemy as sa\nfrom alembic import op",
            "from sqlalchemy import *", f"x = 1 if y else'{key}'", "x = 0x1f + 1_000 - 1.5e-3j",
            f"x = \\\n    1", "", "", "\f", "# -*- vim -*-", f"assert x != {key!r}, 'no'",
            f"{key}: str", "x = r'\\'\ny = rb'\\\\'", f"def f() -> None: return None",
            "@decorator\ndef g(a, /, *, b: int = 3, **c): ...", "x = lambda a=1: a",
            f"session.exec(select(A.{key}))", "x: int", "try:\n    import y\nexcept E as e:\n    y = e",
            "def q():\n    if a:\n        return '''\n'''\n\n    # far\n# left\n    return 2",
            f"x = f\"{{', '.join(c)}} {{{{not}}}} {{d[1:2]}}\"", "x = a if b else c; y = 1",
        )

    def file(self):
        """(bytes, keys that may escalate)"""
        parts, odd = [], set()
        for key in KEYS:
            if self.chance(0.85):
                parts.append(self.assignment(key))
            if self.chance(0.08):
                parts.append(self.assignment(key))
            if self.chance(0.06):
                parts.append(self.odd(key))
                odd.add(key)
        for _ in range(self.random.randrange(10)):
            parts.append(self.filler())
        self.random.shuffle(parts)
        if self.chance(0.7):
            parts.insert(0, f'"""add table\n\nRevision ID: {self.name()}\nRevises: x\n"""')
        text = "\n".join(parts) + self.pick("", "\n", "\n\n")
        head = self.pick("", "", "", "# -*- coding: utf-8 -*-\n", "#!/usr/bin/python\n# coding=utf8\n")
        data = (head + text).encode()
        if self.chance(0.15):
            data = data.replace(b"\n", self.pick(b"\r\n", b"\r\n", b"\r"))
        if self.chance(0.1):
            data = b"\xef\xbb\xbf" + data
        return data, odd


def may_escalate(data, key, odd):
    """Outside the grammar: an odd piece, a list that is also read, a semicolon, a control sign."""
    text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    if odd:
        return True
    for line in text.split("\n"):
        if line.rstrip().endswith(";"):
            return True
    values = python_says(data)
    return values[key] == UNSURE or (values[key][0] == "list" and "[" in text)


def test_scanner_agrees_with_ast_on_generated_files(tmp_path):
    maker = Maker(SEED)
    files = {}
    for number in range(COUNT):
        data, odd = maker.file()
        path = tmp_path / f"{number:05}.py"
        path.write_bytes(data)
        files[str(path)] = (data, odd)
    answers = scanner_says(files)
    wrong, needless, compared, escalated = [], [], 0, 0
    for path, (data, odd) in files.items():
        values = python_says(data)
        if values is None:
            continue
        for key in KEYS:
            answer = answers[path][key]
            compared += 1
            escalated += answer[0] == "escalate"
            if is_wrong(values[key], answer):
                wrong.append((path, key, values[key], answer))
            if answer[0] == "escalate" and not may_escalate(data, key, odd):
                needless.append((path, key, values[key], answer))
    print(f"seed {SEED}: {compared} fields compared, {escalated} escalated")
    assert compared > COUNT * len(KEYS) / 2
    assert not wrong, f"seed {SEED}: {wrong[:5]}"
    assert not needless, f"seed {SEED}: {needless[:5]}"


def test_scanner_agrees_with_ast_on_fixtures_and_the_zoo(tmp_path, capsys):
    paths = sorted((TESTS / "fixtures").glob("**/versions/*.py"))
    for chain in zoo_chains():
        chain.write(tmp_path / chain.name)
    paths += sorted(tmp_path.glob("**/versions/**/*.py"))
    answers = scanner_says(paths)
    wrong, unsure = [], []
    for path in paths:
        values = python_says(path.read_bytes())
        for key in KEYS:
            answer = answers[str(path)][key]
            if is_wrong(values[key], answer):
                wrong.append((str(path), key, values[key], answer))
            if answer[0] == "escalate":
                unsure.append((str(path), key))
    with capsys.disabled():
        print("\nfixtures and zoo: %d files, %d fields, different 0" % (len(paths), len(paths) * len(KEYS)))
    assert len(paths) > 200
    assert not wrong, wrong[:5]
    assert not unsure, unsure[:5]


def zoo_chains():
    spec = importlib.util.spec_from_file_location("zoo_chains", TESTS / "zoo" / "chains.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.CHAINS


def installed_files():
    """Of installed packages, and of the projects below ATHANOR_SCAN_PROJECTS, where it is set (a soak)."""
    if os.environ.get("ATHANOR_SCAN_PROJECTS"):
        yield from pathlib.Path(os.environ["ATHANOR_SCAN_PROJECTS"]).glob("**/versions/**/*.py")
    for folder in {pathlib.Path(entry) for entry in sys.path if entry.endswith("-packages")}:
        yield from folder.glob("**/versions/*.py")


def test_scanner_agrees_with_ast_on_installed_revisions(capsys):
    paths = [path for path in installed_files()
             if path.name.endswith(".py") and not path.name.startswith(("__init__", ".#"))]
    if not paths:
        pytest.skip("no installed package brings revision files")
    answers = scanner_says(paths)
    wrong = []
    for path in paths:
        values = python_says(path.read_bytes())
        for key in KEYS if values else ():
            if is_wrong(values[key], answers[str(path)][key]):
                wrong.append((str(path), key, values[key], answers[str(path)][key]))
    with capsys.disabled():
        print("\ninstalled revisions: %d files, different %d" % (len(paths), len(wrong)))
    assert not wrong, wrong[:5]
