# SPDX-License-Identifier: MIT
"""
A model of a disk: what may lie on it when the power fails between two system calls.

What a program has written is surely on the disk only behind a sync of that very file, and a name only behind a sync
of the folder that it stands in. Everything else may be there or not, each for itself and in any order; a write may
have come in part, in sectors of 512 bytes; a file may have grown by bytes that nobody wrote. A rename is one change.
This is less than most file systems promise (many write names in order), and no more than POSIX does.

The calls come from tracer.py. What other programs did to the same folder is not seen: it counts as lost.
"""
import os
import pathlib

SECTOR = 512
HOWS = ("lost", "kept", "first", "any", "torn")  # what survives of that which was not synced
WRITES = ("write", "pwrite64")
UNKNOWN = ("writev", "pwritev", "fallocate", "copy_file_range", "sendfile")


def never(call):
    return False


def put(data, at, piece):
    """Writes into contents that may be too short."""
    if len(data) < at:
        data.extend(bytes(at - len(data)))
    data[at:at + len(piece)] = piece


def resize(data, size):
    del data[size:]
    data.extend(bytes(size - len(data)))


class File:
    """Contents that are on the disk, and what was done to them since."""

    def __init__(self, data=b""):
        self.durable = bytes(data)
        self.pending = []    # (offset, bytes), or (size, None)

    @staticmethod
    def replay(data, changes):
        data = bytearray(data)
        for at, piece in changes:
            if piece is None:
                resize(data, at)
            else:
                put(data, at, piece)
        return data

    def now(self):
        return bytes(self.replay(self.durable, self.pending))

    def sync(self):
        self.durable, self.pending = self.now(), []

    def survive(self, how, chance):
        """What is found after the power has come back."""
        if how == "lost":
            return self.durable
        if how == "kept":
            return self.now()
        if how == "first":
            return bytes(self.replay(self.durable, self.pending[:chance.randint(0, len(self.pending))]))
        share = chance.choice((0.1, 0.5, 0.9))
        kept = []
        for at, piece in self.pending:
            if how == "torn" and piece is not None and chance.random() < 0.7:
                kept.extend(sectors(at, piece, share, chance))
            elif chance.random() < share:
                kept.append((at, piece))
        data = self.replay(self.durable, kept)
        end = max([len(data)] + [at + len(piece) for at, piece in self.pending if piece is not None])
        if len(data) < end and chance.random() < 0.3:  # the new size has come, and not what belongs there
            data.extend(bytes(end - len(data)) if chance.random() < 0.5 else chance.randbytes(end - len(data)))
        return bytes(data)


def sectors(at, piece, share, chance):
    """The parts of a write that have come."""
    end = at + len(piece)
    while at < end:
        stop = min(end, at - at % SECTOR + SECTOR)
        if chance.random() < share:
            yield at, piece[:stop - at]
        piece = piece[stop - at:]
        at = stop


class Folder:
    """Names; what they mean is decided by the changes of the whole disk, in their order."""

    def __init__(self):
        self.entries = {}    # as a program sees them now


class Link:
    def __init__(self, text):
        self.text = text


class Change:
    """One act on names: all of it or nothing."""

    def __init__(self, *assignments, is_durable=False):
        self.assignments = assignments  # (folder, name, file or None)
        self.is_durable = is_durable


class Disk:
    """
    A folder and all below it. `ignores(call)` switches syncs off: the control of what is found with them.
    """

    def __init__(self, root, without=(".venv",), ignores=never):
        self.root, self.ignores = pathlib.Path(root), ignores
        self.top = Folder()
        self.changes = []
        self.files = {}      # by device and inode
        self.placed = {}     # path: the contents that were ever renamed to it
        self.scan(self.root, self.top, set(without))

    def scan(self, path, folder, without=()):
        for entry in sorted(os.scandir(path), key=lambda one: one.name):
            if entry.name in without:
                continue
            if entry.is_symlink():
                node = Link(os.readlink(entry.path))
            elif entry.is_dir():
                node = Folder()
                self.scan(entry.path, node)
            else:
                node = File(pathlib.Path(entry.path).read_bytes())
                facts = entry.stat()
                self.files[facts.st_dev, facts.st_ino] = node
            self.change(Change((folder, entry.name, node), is_durable=True))

    # ---- names ----

    def change(self, change):
        self.changes.append(change)
        for folder, name, node in change.assignments:
            folder.entries[name] = node
            if node is None:
                del folder.entries[name]

    def find(self, path):
        """The folder and the name that a path means, or (None, name) outside."""
        try:
            parts = pathlib.Path(path).relative_to(self.root).parts
        except ValueError:
            return None, ""
        node = self.top
        for part in parts[:-1]:
            node = node.entries.get(part) if isinstance(node, Folder) else None
        return (node if isinstance(node, Folder) and parts else None), parts[-1] if parts else ""

    def get(self, path):
        folder, name = self.find(path)
        if pathlib.Path(path) == self.root:
            return self.top
        return folder.entries.get(name) if folder else None

    # ---- calls ----

    def apply(self, call):
        name, result = call["call"], call.get("result", -1)
        if result < 0:
            return
        if name in UNKNOWN and any(self.find(path)[0] for path in call["paths"]):
            raise NotImplementedError(name)
        if name in WRITES:
            self.write(call["ino"] if "ino" in call else None, call.get("at"), call.get("data", b"")[:result])
        elif name == "ftruncate":
            self.write(call["ino"], call["args"][1], None)
        elif name in ("fsync", "fdatasync"):
            self.sync(call)
        else:
            self.apply_to_names(name, call)

    def apply_to_names(self, name, call):
        paths = call["paths"]
        if name in ("open", "openat", "creat"):
            self.open(call)
        elif name.startswith("rename"):
            self.rename(*paths)
        elif name in ("link", "linkat"):
            self.assign(paths[1], self.get(paths[0]))
        elif name.startswith("symlink"):
            self.assign(paths[0], Link(""))
        elif name.startswith("mkdir"):
            self.assign(paths[0], Folder())
        elif name in ("unlink", "unlinkat", "rmdir") and self.get(paths[0]) is not None:
            self.assign(paths[0], None)

    def open(self, call):
        folder, name = self.find(call["paths"][0])
        if folder is None or not call.get("is_file"):
            return
        if call["flags"] & os.O_CREAT and not call["was_there"]:
            self.files[call["ino"]] = File()
            self.change(Change((folder, name, self.files[call["ino"]])))
        elif call["flags"] & os.O_TRUNC and call["ino"] in self.files:
            self.files[call["ino"]].pending.append((0, None))

    def write(self, ino, at, piece):
        if ino in self.files:
            self.files[ino].pending.append((at, piece))

    def sync(self, call):
        if self.ignores(call):
            return
        if not call.get("is_folder"):
            if call.get("ino") in self.files:
                self.files[call["ino"]].sync()
            return
        folder = self.get(call["paths"][0])
        for change in self.changes:
            if any(where is folder for where, _, _ in change.assignments):
                change.is_durable = True

    def assign(self, path, node):
        folder, name = self.find(path)
        if folder is not None:
            self.change(Change((folder, name, node)))

    def rename(self, old, new):
        node = self.get(old)
        (source, old_name), (target, new_name) = self.find(old), self.find(new)
        if node is None or source is None or target is None:
            return
        if isinstance(node, File):
            known = self.placed.setdefault(str(pathlib.Path(new).relative_to(self.root)), set())
            known.add(node.now())
            if isinstance(self.get(new), File):
                known.add(self.get(new).now())
        self.change(Change((target, new_name, node), (source, old_name, None)))

    # ---- the power fails ----

    def surviving_changes(self, how, chance):
        pending = [change for change in self.changes if not change.is_durable]
        if how == "lost":
            kept = []
        elif how == "kept":
            kept = pending
        elif how == "first":
            kept = pending[:chance.randint(0, len(pending))]
        else:
            kept = [change for change in pending if chance.random() < 0.5]
        kept = set(map(id, kept))
        return [change for change in self.changes if change.is_durable or id(change) in kept]

    def survive(self, how, chance, names=None):
        """A folder as {path: contents}; a folder is None, a link its text. `how` is for contents, `names` for names."""
        entries, contents = {}, {}
        for change in self.surviving_changes(names or how, chance):
            for folder, name, node in change.assignments:
                entries.setdefault(id(folder), {})[name] = node

        def walk(folder, prefix):
            for name, node in entries.get(id(folder), {}).items():
                if isinstance(node, Folder):
                    found[prefix + name] = None
                    walk(node, prefix + name + "/")
                elif isinstance(node, Link):
                    found[prefix + name] = node.text
                elif node is not None:
                    if id(node) not in contents:
                        contents[id(node)] = node.survive(how, chance)
                    found[prefix + name] = contents[id(node)]

        found = {}
        walk(self.top, "")
        return found

    def torn(self, found):
        """Files that got their names by a rename and are not what was renamed."""
        return [path for path, data in found.items() if isinstance(data, bytes) and path in self.placed and
                data not in self.placed[path]]


def materialise(found, place):
    """Makes a state that survived into a folder."""
    for path, data in found.items():
        path = pathlib.Path(place) / path
        if data is None:
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(data, bytes):
            path.write_bytes(data)
        else:
            path.symlink_to(data)
