#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Show that each lint sees a violation: a small clean tree passes, and the same tree with one fault does not.

Usage: controls.py COMPILER...
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent

ERR_H = """#define ATH_ERR_CODES(X) X(OK, "ok", 0) X(IO, "io", 1)

/* The name of a code. */
const char *ath_err_name(int code);
"""
GRAPH_H = '#include "base/err.h"\n\n/* Build it. */\nint ath_graph_build(void);\n'
ORDER_C = '''#include "plan/graph.h"

const char *ath_order_tell(void)
{
	return ath_err_name(ath_graph_build());
}
'''
CLEAN = {
    "src/base/err.h": ERR_H,
    "src/base/meson.build": "base_lib = static_library('base', 'err.c', dependencies: [])\n",
    "src/plan/graph.h": GRAPH_H,
    "src/plan/graph.c": '#include "plan/graph.h"\n\nint ath_graph_build(void)\n{\n\treturn 0;\n}\n',
    "src/plan/order.c": ORDER_C,
    "src/plan/meson.build": "plan_lib = static_library('plan', 'graph.c', dependencies: [base_dep])\n",
    "src/journal/meson.build": "input: ['../../migrations/0001_initial.sql']\n",
    "docs/errors.md": "# Errors\n\n## ok\n\nExit status 0.\n\n## io\n\nExit status 1.\n",
    "migrations/0001_initial.sql": "CREATE TABLE run (id);\n",
    ".clang-format": "BasedOnStyle: LLVM\nUseTab: ForIndentation\nIndentWidth: 8\nTabWidth: 8\nBreakBeforeBraces: Linux\n"
                     "AllowShortFunctionsOnASingleLine: None\n",
}
GRAPH_C = CLEAN["src/plan/graph.c"]
POINTS_H = (HERE.parents[1] / "src/base/failpoint.h").read_text()
MORE = {    # files that one lint looks at, as they are
    "failpoints.py": {
        "src/base/err.h": (HERE.parents[1] / "src/base/err.h").read_text(),
        "src/base/failpoint.h": POINTS_H,
        "src/plan/points.c": "".join("bool a = ATH_FAIL(%s, 0);\n" % name for name in re.findall(r"X\((\w+), \"", POINTS_H)),
    },
}

# lint, the file that is changed or added, its text, what the lint must say
FAULTS = [
    ("layers.py", "src/base/up.h", '#include "plan/graph.h"\n', "layer 'base' may not include"),
    ("layers.py", "src/plan/graph.c", "#include <uv.h>\n" + GRAPH_C, "<uv.h> belongs to 'os'"),
    ("layers.py", "src/plan/graph.c", "#include <unistd.h>\n" + GRAPH_C, "<unistd.h> in pure code"),
    ("layers.py", "src/plan/graph.h", '#include "plan/make.h"\n', "include cycle"),
    ("layers.py", "src/plan/graph.c", '#include "graph.h"\n', "not written from the source root"),
    ("layers.py", "src/attic/old.c", "int old;\n", "not in the folder of a known layer"),
    ("layers.py", "src/plan/meson.build", "dependencies: [base_dep, sqlite_dep]\n", "may not link sqlite_dep"),
    ("layers.py", "src/plan/meson.build", "dependencies: [base_dep, dep_uv]\n", "dep_uv belongs to 'os'"),
    ("headers.py", "src/plan/graph.h", "/* Size. */\nsize_t ath_graph_len(void);\n", "size_t"),
    ("format.py", "src/plan/graph.c", GRAPH_C.replace("\treturn", "  return"), "src/plan/graph.c: not formatted"),
    ("documented.py", "src/plan/graph.h", "int ath_graph_build(void);\n", "graph.h:1: ath_graph_build has no comment"),
    ("documented.py", "src/plan/graph.h", "/* Far. */\n\nint ath_graph_build(void);\n", "has no comment"),
    ("callers.py", "src/plan/order.c", ORDER_C.replace("ath_graph_build()", "0 /* ath_graph_build() */"),
     "src/plan/graph.h: only tests call ath_graph_build"),
    ("callers.py", "src/plan/graph.h",
     GRAPH_H + "\n/* Undo. */\nATH_NODISCARD int ath_graph_undo(int depth,\n\tint most);\n",
     "src/plan/graph.h: only tests call ath_graph_undo"),
    ("callers.py", "src/plan/order.c", ORDER_C.replace("build()", "build() + ath_child_pid(0)"),
     "ath_child_pid needs no allowance"),
    ("errors.py", "docs/errors.md", "## ok\n\nExit status 0.\n", "missing ['io']"),
    ("errors.py", "docs/errors.md", CLEAN["docs/errors.md"].replace("status 1", "status 3"), "'Exit status 1'"),
    ("errors.py", "docs/errors.md", CLEAN["docs/errors.md"] + "\n## old\n\nExit status 1.\n", "unknown ['old']"),
    ("migrations.py", "migrations/0003_more.sql", "SELECT 1;\n", "must begin with 0002_"),
    ("migrations.py", "migrations/0002_more.sql", "SELECT 1;\n", "embeds ['0001_initial.sql']"),
    ("doors.py", "src/plan/graph.c", GRAPH_C.replace("return 0", "return rename(\"a\", \"b\")"), "graph.c:5: rename"),
    ("doors.py", "src/plan/graph.c", GRAPH_C.replace("return 0", "return puts(\"a\")"), "graph.c:5: puts"),
    ("doors.py", "src/plan/graph.c", GRAPH_C.replace("return 0", "return open(\"a\", O_CREAT, 0600)"), "graph.c:5: O_CREAT"),
    ("doors.py", "src/plan/graph.c", GRAPH_C.replace("return 0", "return !fopen(\"a\", \"we\")"), "fopen to write"),
    ("failpoints.py", "src/plan/points.c", "bool a = ATH_FAIL(FILE_WRITE, 0);\n", "nothing passes FILE_SYNC"),
    ("failpoints.py", "src/base/failpoint.h", POINTS_H.replace('"file.sync"', '"file.write"'), "'file.write' stands twice"),
    ("failpoints.py", "src/base/failpoint.h", re.sub(r"(ATH_MAY\(point, err, \.\.\.\) +)true", r"\1(err != 0)", POINTS_H),
     "leave instructions behind"),
    ("places.py", "docs/notes.md", "see /" + "home/somebody/notes\n", "docs/notes.md:1"),
]


def lint(script, files, compiler):
    """Exit status and output of a lint over a tree of these files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        more = compiler if script in ("headers.py", "failpoints.py") else []
        run = subprocess.run([sys.executable, str(HERE / script), folder, *more], capture_output=True, text=True)
        return run.returncode, run.stdout + run.stderr


def main():
    compiler = sys.argv[1:] or ["cc"]
    faults = [row for row in FAULTS if row[0] != "format.py" or shutil.which("clang-format-14")]
    problems = []
    for script in sorted({row[0] for row in faults}):
        status, said = lint(script, {**CLEAN, **MORE.get(script, {})}, compiler)
        if status:
            problems.append(f"{script}: the clean tree has status {status}: {said}")
    for script, name, text, expected in faults:
        files = {**CLEAN, **MORE.get(script, {}), "src/plan/make.h": '#include "plan/graph.h"\n', name: text}
        status, said = lint(script, files, compiler)
        if status != 1 or expected not in said:
            problems.append(f"{script} with {name}: status {status}, '{expected}' is not in: {said}")
    print("\n".join([*problems, f"controls: {len(faults)} violations, {len(problems)} problems"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
