#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check the one-way layering of athanor's C code.

Usage: layers.py [ROOT]      (ROOT: the folder with src/ and steps/; default: the current folder)

Five rules, each told by the tables below:
  1. a file includes its own layer and the layers listed for it, nothing else;
  2. an external header is included only by the layer that owns the library;
  3. pure code includes no header through which it could touch the system;
  4. modules (x.c and x.h together) do not include each other in a circle;
  5. a layer's meson.build names no dependency that rules 1 and 2 forbid.

Project includes are quoted and written from the source root: "plan/graph.h".
Prints one line per violation and exits 1; prints "layers: clean" and exits 0 otherwise.
"""
import collections
import os
import pathlib
import re
import sys

# layer -> what it may include besides itself: whole layers, or single headers of a layer.
# Written bottom up: a layer may name only layers that stand above it in this table.
ALLOW = {
    # rank 1
    "base": "",
    # rank 2
    "os": "base",
    "trust": "base",
    "schema": "base",
    "plan": "base",
    # rank 3
    "sqlite": "base schema",
    "alembic": "base schema",
    "recipe": "base plan",
    # rank 4
    "journal": "base sqlite",
    "bridge": "base os schema alembic",
    # rank 5
    "facts": "base os trust schema sqlite alembic recipe journal bridge",
    "engine": "base os plan journal",
    # rank 6
    "steps": "base os trust schema sqlite alembic bridge facts engine/step.h",
    "ui": "base engine/event.h",
    # rank 7; src/main.c belongs here too
    "cli": "base os trust schema plan sqlite alembic recipe journal bridge facts engine steps ui",
}

# how an external header begins -> the layer that may include it
OWNER = {
    "uv.h": "os", "uv/": "os",
    "openssl/": "trust",
    "sqlite3.h": "sqlite", "sqlite3ext.h": "sqlite",
    "libfyaml.h": "recipe", "libfyaml/": "recipe",
    "jansson.h": "bridge",
    "cmocka.h": "tests",
}

# a library as meson.build names it -> the layer that may link it
LIBRARY = {
    "dep_uv": "os", "dep_crypto": "trust", "dep_sqlite": "sqlite", "dep_fyaml": "recipe", "dep_jansson": "bridge",
}

# Code that only computes: a layer or one module -> what it may include (None: as its layer in ALLOW).
# From its own layer a pure module may include other pure modules only.
PURE = {
    "schema": None, "plan": None, "alembic": None,
    "engine/event": "base plan", "engine/sched": "base plan", "engine/state": "base plan",
}
SYSTEM = re.compile(r"(sys|netinet|arpa|linux|net)/|(unistd|fcntl|dirent|signal|poll|spawn|pthread|threads|time|utime|"
                    r"glob|ftw|pwd|grp|netdb|termios|syslog|dlfcn)\.h$")

TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]*)"|<([^>\n]*)>|(\S[^\n]*))', re.M)
SUFFIXES = {".c", ".h", ".inc", ".def"}


def includes(path):
    """Yield (line number, quoted, angled, other) for every include that is not inside a comment."""
    def blank(match):
        text = match.group()
        return re.sub(r"[^\n]", " ", text) if text.startswith(("/*", "//")) else text

    text = TOKEN.sub(blank, path.read_text(errors="replace"))
    for match in INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, *match.groups()


def sources(root):
    """Yield (layer, file, module name): src/plan/graph.c is in layer plan and belongs to module plan/graph."""
    for top in ("src", "steps"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in SUFFIXES or not path.is_file():
                continue
            name = path.relative_to(root / "src" if top == "src" else root).with_suffix("")
            if len(name.parts) > 1:
                layer = name.parts[0]
            else:
                layer = "cli" if name.as_posix() == "main" else None
            yield layer, path, name.as_posix()


def permitted(layer, module, header, allowed):
    """True if the module may include this project header, given the words it is allowed."""
    if header.split("/")[0] == layer:
        return module not in PURE or os.path.splitext(header)[0] in PURE
    return header.split("/")[0] in allowed or header in allowed


def links(root):
    """Yield (meson.build, layer, name) for every dependency that a layer's meson.build names."""
    for layer in ALLOW:
        path = root / ("steps" if layer == "steps" else f"src/{layer}") / "meson.build"
        if path.is_file():
            text = re.sub(r"#[^\n]*", "", path.read_text())
            for name in sorted(set(re.findall(r"\b(?:dep_\w+|\w+_dep)\b", text))):
                yield path.relative_to(root).as_posix(), layer, name


def check_links(root):
    problems = []
    for shown, layer, name in links(root):
        target = name.removesuffix("_dep")
        used = {word.split("/")[0] for word in ALLOW[layer].split()} | {layer}
        if name in LIBRARY and LIBRARY[name] != layer:
            problems.append(f"{shown}: {name} belongs to '{LIBRARY[name]}', not to layer '{layer}'")
        elif target in ALLOW and target not in used:
            problems.append(f"{shown}: layer '{layer}' may not link {name}")
    return problems


def check(root):
    problems, edges = [], collections.defaultdict(dict)
    for layer, path, module in sources(root):
        shown = path.relative_to(root).as_posix()
        if layer not in ALLOW:
            problems.append(f"{shown}: not in the folder of a known layer")
            continue
        pure = module if module in PURE else layer if layer in PURE else None
        allowed = set(((pure and PURE[pure]) or ALLOW[layer]).split())
        for line, quoted, angled, other in includes(path):
            where = f"{shown}:{line}"
            if other:
                problems.append(f"{where}: include through a macro cannot be checked: {other.strip()}")
            elif angled:
                problems += [f"{where}: {text}" for text in check_external(root, layer, pure, angled)]
            elif quoted.split("/")[0] not in ALLOW or "/" not in quoted or ".." in quoted:
                problems.append(f"{where}: \"{quoted}\" is not written from the source root (\"<layer>/<file>.h\")")
            else:
                if not permitted(layer, module, quoted, allowed):
                    who = f"pure module '{module}'" if pure == module else f"layer '{layer}'"
                    problems.append(f"{where}: {who} may not include \"{quoted}\"")
                target = os.path.splitext(quoted)[0]
                if target != module:
                    edges[module].setdefault(target, where)
    return problems + cycles(edges) + check_links(root)


def check_external(root, layer, pure, header):
    if (root / "src" / header).exists() or (root / header).exists():
        yield f"project header in angle brackets: <{header}>"
    for prefix, owner in OWNER.items():
        if (header.startswith(prefix) if prefix.endswith("/") else header == prefix) and layer not in owner.split():
            yield f"<{header}> belongs to '{owner}', not to layer '{layer}'"
    if pure and SYSTEM.match(header):
        yield f"<{header}> in pure code ('{pure}')"


def cycles(edges):
    """One line per back edge of a depth-first walk: every circle of modules is named at least once."""
    found, state = [], {}
    for start in sorted(edges):
        if start in state:
            continue
        path, todo = [start], [iter(sorted(edges[start]))]
        state[start] = "open"
        while todo:
            target = next(todo[-1], None)
            if target is None:
                todo.pop()
                state[path.pop()] = "done"
            elif state.get(target) == "open":
                circle = path[path.index(target):] + [target]
                found.append(f"{edges[path[-1]][target]}: include cycle: {' -> '.join(circle)}")
            elif target not in state:
                state[target] = "open"
                path.append(target)
                todo.append(iter(sorted(edges.get(target, ()))))
    return found


def check_tables():
    """The table itself must point downwards only."""
    seen = set()
    for layer, words in ALLOW.items():
        upward = {word.split("/")[0] for word in words.split()} - seen
        assert not upward, f"ALLOW: '{layer}' names {sorted(upward)} before it is declared"
        seen.add(layer)


def main():
    if len(sys.argv) > 2 or sys.argv[1:2] in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0 if len(sys.argv) == 2 else 2
    root = pathlib.Path(sys.argv[1] if len(sys.argv) == 2 else ".")
    if not (root / "src").is_dir():
        print(f"layers: no src/ in {root}", file=sys.stderr)
        return 2
    check_tables()
    problems = check(root)
    print("\n".join(problems) or "layers: clean")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
