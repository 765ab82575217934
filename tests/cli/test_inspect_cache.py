# SPDX-License-Identifier: MIT
"""What athanor inspect keeps of one call for the next: no process is started again, and no answer changes by it."""
import hashlib
import os
import re
import shutil
import struct
import subprocess

import pytest

import lab

PROGRAM = ("bridge.py", "effects.py", "identifiers.py", "notes.py", "operations.py", "tables.py")


def inspect(project, status=0, **more):
    return lab.athanor("inspect", "--json", "-C", project.root, project.database, **more).is_status(status).json


def answers(project):
    return sorted(project.root.glob(".athanor/cache/effects-*"))


class Reader:
    """A python3 that counts its starts, and does something before it is Python."""

    def __init__(self, folder):
        self.folder, self.log = folder, folder / "starts"
        folder.mkdir()
        self.does("")

    def does(self, text):
        path = self.folder / "python3"
        path.write_text("#!/bin/sh\necho >>%s\n%s\nexec %s \"$@\"\n" % (self.log, text, lab.PYTHON))
        path.chmod(0o755)
        os.utime(path, (1, 1))      # as long as it does the same, it is the same interpreter

    @property
    def env(self):
        return {"PATH": "%s:/usr/bin:/bin" % self.folder}

    def starts(self):
        count = len(self.log.read_text().splitlines()) if self.log.exists() else 0
        self.log.unlink(missing_ok=True)
        return count


@pytest.fixture
def reader(tmp_path):
    return Reader(tmp_path / "bin")


@pytest.fixture
def kept(bare, reader):
    """The small project at a1, inspected once; it has a state directory."""
    bare.stored("a1")
    bare.path(".athanor").mkdir()
    bare.said = inspect(bare, env=reader.env)
    assert bare.said["revision"]["inferred"] == "a1" and reader.starts() == 1 and len(answers(bare)) == 1
    return bare


def children(log, *command):
    """Processes that a command starts; None: it may not be traced here."""
    ran = subprocess.run(["strace", "-f", "-e", "trace=process,clone,clone3,fork,vfork", "-o", str(log), *map(str, command)],
                         env=lab.environment(), stdin=subprocess.DEVNULL, capture_output=True)
    text = log.read_text() if log.exists() else ""
    if "Operation not permitted" in ran.stderr.decode() and not text:
        pytest.skip("strace may not trace here")
    assert ran.returncode == 0, ran.stderr
    return re.findall(r"\b(?:fork|vfork|clone|clone3)\(", text)


@pytest.mark.skipif(lab.SANITIZED, reason="the leak sanitizer does not run under strace")
@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_the_second_call_starts_no_process(bare, tmp_path):
    bare.stored("a1")
    bare.path(".athanor").mkdir()
    command = lab.ATHANOR, "inspect", "--json", "-C", bare.root, bare.database
    assert children(tmp_path / "first", *command)
    assert not children(tmp_path / "second", *command)


def test_the_second_call_says_the_same_without_python(kept, reader):
    assert inspect(kept, env=reader.env) == kept.said and reader.starts() == 0
    assert inspect(kept, env=reader.env) == kept.said and reader.starts() == 0


def test_without_a_state_directory_nothing_is_made(bare, reader):
    bare.stored("a1")
    for _ in range(2):
        inspect(bare, env=reader.env)
        assert reader.starts() == 1 and not bare.path(".athanor").exists()


def test_an_edited_file_is_read_again(kept, reader):
    kept.revision("b2", "a1", "op.add_column('story', sa.Column('title', sa.Text))")
    stamp = kept.path("migrations/versions/b2.py").stat()
    said = inspect(kept, env=reader.env)
    assert reader.starts() == 1 and said["revision"]["candidates"] != kept.said["revision"]["candidates"]
    kept.revision("b2", "a1", "op.add_column('story', sa.Column('mooed', sa.Text))")
    os.utime(kept.path("migrations/versions/b2.py"), ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    inspect(kept, env=reader.env)
    assert reader.starts() == 1, "by contents, not by time"


def test_another_file_name_of_the_same_text_is_read_again(kept, reader):
    folder = kept.path("migrations/versions")
    (folder / "b2.py").rename(folder / "other.py")      # the places that are named would be others
    assert inspect(kept, env=reader.env)["revision"] == kept.said["revision"] and reader.starts() == 1


def test_another_interpreter_does_not_use_them(kept, reader):
    reader.does("# another version")
    assert inspect(kept, env=reader.env) == kept.said and reader.starts() == 1


def fnv(texts):
    value = 0x6c62272e07bb014262b821756295c58d
    for byte in b"".join(text + b"\0" for text in texts):
        value = (value ^ byte) * 0x0000000001000000000000000000013B & (1 << 128) - 1
    return b"%032x" % value


def test_the_key_is_made_of_program_interpreter_and_files(kept, reader):
    """Written down a second time: so a program of another version has other keys."""
    python = reader.folder / "python3"
    program = [part for name in PROGRAM for part in (name.encode(), (lab.ROOT / "src/bridge" / name).read_bytes() + b"\n")]
    version = lab.athanor("--version").out.split()[-1]
    text = fnv(program) + b"\0%s effects 2\0%s\0" % (version.encode(), str(python).encode())
    text += struct.pack("=Qq", python.stat().st_size, python.stat().st_mtime_ns)
    for ident in ("a1", "b2", "c3"):
        content = kept.path("migrations/versions/%s.py" % ident).read_bytes()
        text += b"%s\0%s.py\0" % (ident.encode(), ident.encode()) + struct.pack("N", len(content)) + content
    name, = [path.name for path in answers(kept)]
    assert name == "effects-" + hashlib.sha256(text).hexdigest()


def rewritten(text, whole=True):
    """As athanor writes it: the digest of the text stands before it."""
    return (hashlib.sha256(text).hexdigest() if whole else "0" * 64).encode() + b"\n" + text


def records(text):
    """The kept text as lists of texts, one per revision: id, traits, obstacle, and seven for each effect."""
    parts, found = text.split(b"\0")[:-1], []
    while parts:
        size = 3 + 7 * int(parts[1].split()[1])
        found.append(parts[:size])
        parts = parts[size:]
    return found


def joined(found):
    return b"".join(part + b"\0" for record in found for part in record)


def without_effects(record):
    return [record[0], record[1].split()[0] + b" 0", record[2]]


def changed(record, at, text):
    return record[:at] + [text] + record[at + 1:]


# What is done to the text that is kept; then, except where the file itself is damaged, its digest is right.
DAMAGE = {
    "nothing": lambda text, found: b"",
    "cut": lambda text, found: rewritten(text)[:-20],
    "one_byte": lambda text, found: rewritten(text).replace(b"=story", b"=storm", 1),
    "no_digest": lambda text, found: rewritten(joined(map(without_effects, found)), whole=False),
    "json": lambda text, found: rewritten(b'{"event":"effects"}\n' * 3),
    "no_end": lambda text, found: rewritten(text[:-1]),
    "too_many": lambda text, found: rewritten(text.replace(b"11000 ", b"11000 9999999999", 1)),
    "traits": lambda text, found: rewritten(joined([changed(found[0], 1, b"9" + found[0][1][1:])] + found[1:])),
    "no_number": lambda text, found: rewritten(joined([changed(found[0], 1, b"11000 x")] + found[1:])),
    "no_key": lambda text, found: rewritten(joined([changed(found[0], 5, b"-")] + found[1:])),
    "unmarked": lambda text, found: rewritten(joined([changed(found[0], 5, b"table story")] + found[1:])),
    "one_is_missing": lambda text, found: rewritten(joined(found[:2])),
    "one_twice": lambda text, found: rewritten(joined(found[:2] + found[:1])),
    "one_too_many": lambda text, found: rewritten(joined(found + found[:1])),
    "of_another_chain": lambda text, found: rewritten(joined(found + [changed(found[0], 0, b"=zz")])),
    "half_of_one": lambda text, found: rewritten(text + b"=a1\0"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_answer_is_read_anew_and_replaced(kept, reader, name):
    path, = answers(kept)
    before = path.read_bytes()
    assert rewritten(joined(records(before[65:]))) == before
    path.write_bytes(DAMAGE[name](before[65:], records(before[65:])))
    assert path.read_bytes() != before
    assert inspect(kept, env=reader.env) == kept.said and reader.starts() == 1
    assert path.read_bytes() == before


def test_the_control_of_damage_what_is_whole_is_believed(kept, reader):
    path, = answers(kept)
    path.write_bytes(rewritten(joined(map(without_effects, records(path.read_bytes()[65:])))))
    assert inspect(kept, env=reader.env)["revision"] != kept.said["revision"] and reader.starts() == 0


@pytest.mark.parametrize("name", ["folder_for_file", "file_for_cache", "link_for_cache", "read_only", "no_entry"])
def test_a_cache_that_cannot_be_used_changes_nothing(kept, reader, tmp_path, name):
    path, = answers(kept)
    cache = path.parent
    if name == "folder_for_file":
        path.unlink()
        path.mkdir()
    elif name in ("file_for_cache", "link_for_cache"):
        shutil.rmtree(cache)
        (tmp_path / "elsewhere").mkdir()
        cache.write_text("") if name == "file_for_cache" else cache.symlink_to(tmp_path / "elsewhere")
    else:
        path.unlink()
        cache.chmod(0o500 if name == "read_only" else 0)
    try:
        assert inspect(kept, env=reader.env) == kept.said and reader.starts() == 1
        assert inspect(kept, env=reader.env) == kept.said
        if name == "link_for_cache":
            assert not list((tmp_path / "elsewhere").iterdir())
    finally:
        if cache.is_dir():
            cache.chmod(0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_the_state_of_another_user_is_used_and_not_written(kept, reader):
    path, = answers(kept)
    os.chown(kept.path(".athanor"), 1, 1)
    assert inspect(kept, env=reader.env) == kept.said and reader.starts() == 0
    path.unlink()
    assert inspect(kept, env=reader.env) == kept.said and not answers(kept)


def test_what_is_edited_while_it_is_read_is_not_kept(bare, reader):
    bare.stored("a1")
    bare.path(".athanor").mkdir()
    reader.does("echo '# edited' >>%s" % bare.path("migrations/versions/c3.py"))
    inspect(bare, env=reader.env)
    assert not answers(bare)
    reader.does("")
    inspect(bare, env=reader.env)
    assert len(answers(bare)) == 1


def test_the_newest_answers_are_kept_and_what_is_not_an_answer_is_left_alone(kept, reader):
    other = kept.path(".athanor/cache/bridge-" + "0" * 32)
    other.mkdir()
    first = answers(kept)
    os.utime(first[0], (1, 1))
    for number in range(13):
        kept.write("migrations/versions/c3.py", kept.read("migrations/versions/c3.py") + "# %d\n" % number)
        inspect(kept, env=reader.env)
    assert len(answers(kept)) == 12 and other.exists() and first[0] not in answers(kept)
    reader.starts()
    inspect(kept, env=reader.env)
    assert reader.starts() == 0
