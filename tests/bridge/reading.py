# SPDX-License-Identifier: MIT
"""Loads the modules of the bridge that need no application, and shortens what they say."""
import importlib.util
import sys
import textwrap

from conftest import BRIDGE


def load(name):
    full = "athanor_" + name
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, str(BRIDGE.parent / (name + ".py")))
        sys.modules[full] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]


HEAD = ("import sqlalchemy as sa\nfrom alembic import context, op\nfrom sqlalchemy import inspect\n"
        "from sqlalchemy.dialects import postgresql, sqlite\n")


def read(body, head="", before=""):
    """What an upgrade() with this body does, after a revision with the body `before`."""
    effects, known = load("effects"), load("tables").Known()
    for ident, text, module in (("r1", before or "pass", ""), ("r2", body, head)):
        source = HEAD + textwrap.dedent(module) + "\ndef upgrade():\n" + textwrap.indent(textwrap.dedent(text), "    ")
        found = effects.effects_of(known, ident, ident + ".py", source)
    return found


def key_of(effect):
    """The canonical text of an effect's element, as schema/element.h writes it (plain names only)."""
    kind, table = effect["kind"], effect["table"]
    if kind == "table":
        return "table %s" % table.lower()
    if kind == "column":
        return ("column %s.%s" % (table, effect["column"])).lower()
    if kind in ("view", "trigger"):
        return "%s %s" % (kind, effect["name"].lower())
    if effect["columns"] is None:
        return ("%s %s %s" % (kind, table, effect["name"])).lower()
    own = "%s %s(%s)" % (kind, table, ",".join(effect["columns"]))
    if kind == "foreign":
        own += " %s(%s)" % (effect["other"], ",".join(effect["other_columns"]))
    return own.lower()


def short(found):
    """["+column a.b", "-index a(b)", "~column a.b", "-column a.b /1", "+column a.c /1"]"""
    signs = {"add": "+", "drop": "-", "alter": "~"}
    return [signs[effect["verb"]] + key_of(effect) + (" /%d" % effect["tie"] if effect["tie"] else "")
            for effect in found["effects"]]
