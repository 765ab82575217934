# SPDX-License-Identifier: MIT
"""
notes: what else the text of a revision says, beside its effects: raw facts for alembic/lint, which judges them.

The operations that a database may refuse, the statements that change rows, what is imported, what cannot be in one
transaction, and what downgrade() does. Each fact has its line. Nothing here decides anything.
"""
import ast
import copy
import importlib.util
import os
import re
import sys

import athanor_tables as tables     # loaded by effects.py

fold = tables.fold


# ---- statements that change rows --------------------------------------------------------------------------

def data_of(words):
    """(verb, table, columns) of one statement that changes rows; what cannot be told is None."""
    at = next((at for at, word in enumerate(words) if word.up in tables.DATA + ("TRUNCATE",)), None)
    if at is None:
        return None, None, None
    verb, rest = words[at].up, words[at + 1:]
    while rest and rest[0].up in ("FROM", "INTO", "ONLY", "TABLE", "OR", "ROLLBACK", "ABORT", "REPLACE", "FAIL", "IGNORE"):
        rest = rest[1:]
    table = rest[0].name if rest else None
    if len(rest) > 2 and rest[1].up == ".":
        table = rest[2].name
    return verb, table, columns_set(rest) if verb == "UPDATE" else None


def columns_set(words):
    """The columns behind SET, or None."""
    start = next((at for at, word in enumerate(words) if word.up == "SET"), None)
    if start is None:
        return None
    depth, end = 0, len(words)
    for at in range(start + 1, len(words)):
        depth += {"(": 1, ")": -1}.get(words[at].up, 0)
        if depth == 0 and words[at].up in ("WHERE", "FROM", "RETURNING"):
            end = at
            break
    found = []
    for part in tables.split(words[start + 1:end]):
        if len(part) < 2 or part[0].name is None or part[1].up != "=":
            return None
        found.append(part[0].name)
    return found


def data_of_construct(construct):
    """The same of SQLAlchemy's insert(), update() and delete()."""
    links, at = [], construct
    while at is not None and hasattr(at, "base"):
        links.append(at)
        at = at.base
    verb = next((word.upper() for word in ("delete", "update", "insert") if any(one.last == word for one in links)), None)
    table, columns = None, None
    for one in links:
        if one.last in ("table", "Table") and one.args and isinstance(one.args[0], str):
            table = one.args[0]
        inner = one.args[0] if one.args else None
        if table is None and one.last in ("delete", "update", "insert") and hasattr(inner, "root"):
            inner = inner.root
            if inner.last in ("table", "Table") and inner.args and isinstance(inner.args[0], str):
                table = inner.args[0]
        if one.last == "values":
            columns = list(one.kwargs)
            if one.args:
                whole = isinstance(one.args[0], dict) and all(isinstance(key, str) for key in one.args[0])
                columns = columns + list(one.args[0]) if whole else None
    if columns is not None and not all(isinstance(name, str) for name in columns):
        columns = None
    return verb, table, columns


# ---- the module -------------------------------------------------------------------------------------------

def message_of(tree):
    """The first line of the docstring, which Alembic takes for the message; None without one."""
    text = ast.get_docstring(tree)
    lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
    return tables.clean(lines[0][:200]) if lines else None


def is_standard(name):
    """Does the module come with Python, or is it one that every revision has?"""
    if name in ("alembic", "sqlalchemy"):
        return True
    names = getattr(sys, "stdlib_module_names", None)
    if names is not None:
        return name in names
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return False
    if spec is None or name in sys.builtin_module_names:
        return spec is not None
    return (spec.origin or "").startswith(os.path.dirname(os.__file__)) and "site-packages" not in spec.origin


def loaded(body):
    """The statements that run when the module is loaded; what is guarded against failing is left out."""
    for node in body:
        if isinstance(node, ast.Try):
            if not node.handlers:
                yield from loaded(node.body)
        elif isinstance(node, ast.If):
            if "TYPE_CHECKING" not in ast.dump(node.test) and "__name__" not in ast.dump(node.test):
                yield from loaded(node.body + node.orelse)
        else:
            yield node


def imports_of(tree):
    """(line, name) of each module that has to be installed."""
    for node in loaded(tree.body):
        if isinstance(node, ast.Import):
            for name in node.names:
                if not is_standard(name.name.split(".")[0]):
                    yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield node.lineno, "." * node.level + (node.module or "")
            elif not is_standard(node.module.split(".")[0]):
                yield node.lineno, node.module


def apart_of(tree):
    """(line, what) of that which commits on its own: it is read by its form, as it is for other databases than SQLite."""
    for top in tree.body:
        if getattr(top, "name", "") == "downgrade":
            continue
        texts = {id(node.value) for node in ast.walk(top) if isinstance(node, ast.Expr)}
        for node in ast.walk(top):
            if isinstance(node, ast.Attribute) and node.attr == "autocommit_block":
                yield node.lineno, "autocommit_block()"
            elif isinstance(node, ast.keyword) and node.arg == "postgresql_concurrently" \
                    and getattr(node.value, "value", None) is True:
                yield node.value.lineno, "CONCURRENTLY"
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in texts \
                    and re.search(r"\bCONCURRENTLY\b", node.value):
                yield node.lineno, "CONCURRENTLY"


def note_module(known, tree, source):
    for line, name in imports_of(tree):
        known.note("import", line=line, name=name)
    source = source.encode("utf-8", "replace") if isinstance(source, str) else source
    if not re.search(b"autocommit_block|concurrently", source, re.I):
        return                      # most files; they need not be walked through
    found = {}
    for line, what in apart_of(tree):
        found[what] = min(line, found.get(what, line))
    for what, line in sorted(found.items(), key=lambda item: item[1]):
        known.note("apart", line=line, name=what)


# ---- downgrade --------------------------------------------------------------------------------------------

def part_of(known, effects, node):
    """A copy of what is known, as far as the effects and the function speak of it; the whole would take too long."""
    names = {one["table"] for one in effects if one["table"]}
    names |= {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    other = tables.Known()
    other.certain = known.certain
    for key in {fold(name) for name in names} & set(known.tables):
        table = known.tables[key]
        twin = tables.Table(table.name, table.whole)
        twin.columns, twin.indexes, twin.foreigns = (
            [copy.copy(one) for one in part] for part in (table.columns, table.indexes, table.foreigns))
        twin.checks = set(table.checks)
        other.tables[key] = twin
    other.named = [copy.copy(one) for one in known.named]
    return other


def is_empty(body):
    """Nothing but pass, a text or a bare return."""
    return all(isinstance(node, ast.Pass) or isinstance(node, ast.Return) and node.value is None
               or isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in body)


def downgrade_of(tree, read):
    """What downgrade() does, by `read(node)`, which gives (is static, effects); None where there is none."""
    node = next((one for one in reversed(tree.body)
                 if isinstance(one, ast.FunctionDef) and one.name == "downgrade"), None)
    if node is None:
        bound = [one for one in ast.walk(tree) if isinstance(one, (ast.Name, ast.alias, ast.AsyncFunctionDef))
                 and "downgrade" in (getattr(one, "id", None), getattr(one, "asname", None), getattr(one, "name", None))]
        star = any(isinstance(one, ast.alias) and one.name == "*" for one in ast.walk(tree))
        return dict(line=1, static=False, empty=False, effects=[]) if bound or star else None
    static, found = read(node)
    return dict(line=node.lineno, static=static, empty=is_empty(node.body), effects=found)
