# SPDX-License-Identifier: MIT
"""docs/repair-testing.md is typed, command by command, and has to see what it says."""
import re
import subprocess

import pytest

import lab

GUIDE = lab.ROOT / "docs" / "repair-testing.md"
BLOCKS = re.compile(r"^```(sh|text)\n(.*?)^```$", re.M | re.S)
END = "@@ end of a block @@"


def read_guide(text):
    """Pairs of commands and of what they print."""
    blocks = BLOCKS.findall(text)
    assert [kind for kind, _ in blocks] == ["sh", "text"] * (len(blocks) // 2)
    return [(blocks[at][1], blocks[at + 1][1].splitlines()) for at in range(0, len(blocks), 2)]


def is_line(wanted, line):
    return re.fullmatch(".*".join(map(re.escape, wanted.split("..."))), line)


def first_missing(wanted, lines):
    """The first wanted line that is not printed in its place; None: all are. A line '...' skips others."""
    at, may_skip = 0, False
    for one in wanted:
        if one == "...":
            may_skip = True
            continue
        found = [number for number in range(at, len(lines)) if is_line(one, lines[number])]
        if not found or (found[0] != at and not may_skip):
            return one
        at, may_skip = found[0] + 1, False
    return None


@pytest.fixture
def type_all(installed, tmp_path):
    """Types commands in one shell, as a person would; gives the lines that each block printed."""
    kept = installed.database.read_bytes()
    (tmp_path / "athanor").symlink_to(lab.ATHANOR)

    def type_commands(blocks):
        env = lab.environment(APP=str(installed.root))
        env["PATH"] = "%s:%s" % (tmp_path, env["PATH"])
        script = "".join("%s\necho '%s'\n" % (commands, END) for commands in blocks)
        script = script.replace("PATH=$PWD/build/release:$PATH\n", "")  # ours may be elsewhere
        ran = subprocess.run(["bash", "-c", script], cwd=lab.ROOT, env=env, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, timeout=3 * lab.LONG)
        return [part.strip("\n").split("\n") for part in ran.stdout.split(END)[:-1]]

    yield type_commands
    installed.database.write_bytes(kept)
    for name in ("aside.db", "before.txt"):
        installed.path(name).unlink(missing_ok=True)
    installed.install().is_status(0)


def test_the_guide_can_be_followed_and_shows_what_it_says(type_all):
    guide = read_guide(GUIDE.read_text())
    printed = type_all([commands for commands, _ in guide])
    assert len(printed) == len(guide) > 5
    for (commands, wanted), lines in zip(guide, printed):
        missing = first_missing(wanted, lines)
        assert missing is None, "%s\nwants %r, and prints\n%s" % (commands, missing, "\n".join(lines))


@pytest.mark.parametrize("wanted,lines,missing", [
    (["a", "c"], ["a", "b", "c"], "c"), (["a", "...", "c"], ["a", "b", "c"], None),
    (["a ... z"], ["a 12 z"], None), (["a ... z"], ["a 12 y"], "a ... z"),
    (["...", "b", "a"], ["a", "b"], "a"), (["a"], [], "a")])
def test_a_line_that_is_not_printed_is_seen(wanted, lines, missing):
    assert first_missing(wanted, lines) == missing


def test_the_guide_has_the_five_scenarios():
    assert re.findall(r"^## (\d)\.", GUIDE.read_text(), re.M) == ["1", "2", "3", "4", "5"]
