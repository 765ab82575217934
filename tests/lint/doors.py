#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check that files are changed, and text reaches the operator, in a few places only.

Usage: doors.py ROOT
A file of the operator's is written whole beside its place, synced, renamed and its folder synced, and what is printed
is masked: both hold because one place does it. Every other call is named here with its reason.
"""
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parents[2]

CHANGES = ("creat|rename|renameat|renameat2|unlink|unlinkat|remove|mkdir|mkdirat|rmdir|link|linkat|symlink|symlinkat|"
           "chmod|fchmod|chown|fchown|lchown|truncate|ftruncate|mkstemp|mkdtemp|tmpfile|write|pwrite|writev|sendfile|"
           "copy_file_range|O_CREAT|O_TRUNC|O_WRONLY|freopen")
PRINTS = "printf|fprintf|vprintf|vfprintf|dprintf|puts|fputs|fputc|putchar|fwrite|perror|psignal"

# file -> what may be called there, and why
ALLOWED = {
    "src/base/failpoint.c": ("O_CREAT O_WRONLY write", "in test builds only: the list of points that a run passed"),
    "src/os/file_write.c": ("chmod fchmod lchown link mkdir rename renameat2 unlink unlinkat write", "the door"),
    "src/os/temporary.c": ("O_CREAT O_WRONLY mkdtemp unlinkat", "the door: names beside a place, told dead by their lock"),
    "src/os/warden.c": ("O_CREAT fchmod ftruncate pwrite write", "the lock's file, never replaced; last words of the warden"),
    "src/os/cgroup.c": ("O_WRONLY mkdir rmdir write", "control groups: folders and files of the kernel's"),
    "src/engine/steplog.c": ("O_CREAT O_WRONLY fchmod write", "a log grows, and its loss loses no state"),
    "src/sqlite/handle.c": ("O_CREAT fchmod", "SQLite would let the umask decide on the mode"),
    "src/sqlite/live.c": ("unlink", "copies, which are synced by their transfer"),
    "src/sqlite/recovery.c": ("O_CREAT O_WRONLY fchmod rename unlink write", "bytes under a lock, streamed; then synced and renamed"),
    "src/sqlite/transfer.c": ("O_CREAT fchmod", "SQLite would let the umask decide on the mode"),
    "steps/keep_raw.c": ("O_CREAT O_WRONLY write", "bytes of a database are streamed; synced and named by os/file"),
    "src/cli/screen.c": ("fwrite", "the door"),
    "src/ui/plain.c": ("fwrite", "events, masked there"),
    "src/ui/json.c": ("fwrite", "events, masked there"),
    "src/main.c": ("fprintf printf", "usage and version; nothing is known yet"),
    "src/engine/state.c": ("fprintf", "a bug, before abort"),
    "src/base/mem.c": ("fputs", "no memory, before abort"),
    "src/trust/secret.c": ("fputs", "no random bytes, before abort"),
    "src/trust/digest.c": ("fputs", "no libcrypto, before abort"),
}

COMMENT_OR_TEXT = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)
CALL = re.compile(r"(?<![\w.>])(?:(%s|%s)\s*\(|(O_CREAT|O_TRUNC|O_WRONLY)\b)" % (CHANGES, PRINTS))
OPENS = re.compile(r'\bfopen\([^;]*,\s*"(?:[wa]|r\+)')


def calls(text):
    """What changes files or prints, as [(line, name)]."""
    bare = COMMENT_OR_TEXT.sub(lambda found: "\n" * found[0].count("\n"), text)
    found = [(bare.count("\n", 0, one.start()) + 1, one[1] or one[2]) for one in CALL.finditer(bare)]
    return found + [(text.count("\n", 0, one.start()) + 1, "fopen to write") for one in OPENS.finditer(text)]


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    paths = sorted(path for top in ("src", "steps") for path in (root / top).rglob("*.[ch]"))
    problems, used = [], {}
    for path in paths:
        name = str(path.relative_to(root))
        allowed = ALLOWED.get(name, ("", ""))[0].split()
        for line, call in calls(path.read_text()):
            used.setdefault(name, set()).add(call)
            if call not in allowed:
                problems.append(f"{name}:{line}: {call}: use os/file or cli/screen, or say in doors.py why not")
    for name, (allowed, _) in ALLOWED.items():
        idle = set(allowed.split()) - used.get(name, set())
        if root == HERE and (idle or not allowed):
            problems.append(f"doors.py: {name} needs no allowance for {' '.join(sorted(idle)) or 'anything'}")
    print("\n".join([*problems, f"doors: {len(paths)} files, {len(ALLOWED)} with allowances, {len(problems)} problems"]))
    return 1 if problems or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
