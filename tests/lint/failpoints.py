#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check that points at which tests kill or fail (src/base/failpoint.h) are named once, used, and free in a release.

Usage: failpoints.py ROOT COMPILER...
Free means: a function with points compiles to the same instructions as the same function without them.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROW = re.compile(r'X\((\w+), "([\w.]+)"\)')
USE = re.compile(r"\bATH_(?:FAIL|FAIL_AFTER|MAY|MAY_AFTER|ACT)\(\s*([A-Z_]+),")
WITH = """#include "base/failpoint.h"
#include <unistd.h>
int act(const char *name, struct ath_err *err)
{
	if (ATH_SABOTAGE("x") || !ATH_MAY(JOURNAL_RUN, err, "%s", name))
		return 1;
	(void)ATH_FAIL(LIVE_CLOSE, name);
	if (ATH_ACT(FILE_UNLINK, name, unlink(name)) || ATH_FAIL_AFTER(FILE_UNLINK, name))
		return 2;
	return ATH_MAY_AFTER(JOURNAL_RUN, err, "%s", name) ? 0 : 3;
}
"""
WITHOUT = """#include "base/err.h"
#include <unistd.h>
int act(const char *name, struct ath_err *err)
{
	(void)err;
	return unlink(name) ? 2 : 0;
}
"""


def instructions(root, compiler, text, *more):
    """The assembler's text of a function, without what names the file."""
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "act.c")
        source.write_text(text)
        run = subprocess.run([*compiler, "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-S", "-o", "-", f"-I{root / 'src'}",
                              *more, str(source)], capture_output=True, text=True)
    return run.stdout if run.returncode == 0 else run.stderr + f"exit status {run.returncode}"


def check(root, compiler):
    header = (root / "src/base/failpoint.h").read_text()
    rows = ROW.findall(header)
    texts = [path.read_text() for top in ("src", "steps") for path in (root / top).rglob("*.[ch]")]
    used = {name for text in texts for name in USE.findall(text)}
    problems = [f"failpoint.h: nothing passes {name}" for name, _ in rows if name not in used]
    problems += [f"failpoint.h: the name '{name}' stands twice" for name in {text for _, text in rows}
                 if [text for _, text in rows].count(name) > 1]
    bare = instructions(root, compiler, WITHOUT)
    if instructions(root, compiler, WITH) != bare:
        problems.append("failpoint.h: without ATH_FAILPOINTS the macros leave instructions behind")
    if instructions(root, compiler, WITH, "-DATH_FAILPOINTS") == bare:
        problems.append("failpoint.h: with ATH_FAILPOINTS nothing is there either")
    return len(rows), problems


def main():
    root, compiler = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:] or ["cc"]
    count, problems = check(root, compiler)
    print("\n".join([*problems, f"failpoints: {count} points, {len(problems)} problems"]))
    return 1 if problems or not count else 0


if __name__ == "__main__":
    sys.exit(main())
