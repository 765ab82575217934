#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check that the product itself uses every function that a header of it offers.

Usage: callers.py ROOT
What only tests call is neither kept in order by its users nor missed when it goes. A use is any mention in src/
or steps/ that is no comment, no prototype and not where the function is defined: a call, or an entry of a table.
"""
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parents[2]

# function -> why it stays although only tests call it
ALLOWED = {
    "ath_chain_find_branch": "what Alembic means by LABEL@head; a target is `heads` up to now",
    "ath_child_pid": "the tests of os/child look at the descriptors of the child",
    "ath_ini_find_environments": "several environments in one alembic.ini: discovery does not ask which yet",
    "ath_lint_rule_name": "the tests hold every rule of the table against a fault and a near miss",
    "ath_value_put_value": "the tests of base/field and base/value build nested configurations with it",
}

COMMENT = re.compile(r"/\*.*?\*/", re.S)
DECLARED = re.compile(r"^(?!typedef\b|#|\s|return\b)[A-Za-z_][\w \t*]*\b(ath_\w+)\(", re.M)
NAME = re.compile(r"\bath_\w+")


def survey(texts):
    """The functions that headers declare, as {name: header}, and all names that are used."""
    offered, used = {}, set()
    for name, text in texts.items():
        bare = COMMENT.sub(" ", text)
        if name.endswith(".h"):
            offered.update((function, name) for function in DECLARED.findall(bare))
        used.update(NAME.findall(DECLARED.sub(" ", bare)))
    return offered, used


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    paths = sorted(path for top in ("src", "steps") for path in (root / top).rglob("*.[ch]"))
    offered, used = survey({str(path.relative_to(root)): path.read_text() for path in paths})
    problems = [f"{header}: only tests call {name}: remove it, or say in callers.py why it stays"
                for name, header in offered.items() if name not in used and name not in ALLOWED]
    problems += [f"callers.py: {name} needs no allowance" for name in sorted(ALLOWED)
                 if name in used or (name not in offered and root == HERE)]
    counts = f"callers: {len(offered)} functions, {len(ALLOWED)} allowed, {len(problems)} problems"
    print("\n".join([*problems, counts]))
    return 1 if problems or not offered else 0


if __name__ == "__main__":
    sys.exit(main())
