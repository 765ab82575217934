# SPDX-License-Identifier: MIT
"""The model of a disk itself: what may survive, and what must."""
import os
import random

import pytest

import power


class Played:
    """A folder with files of its own making, and calls as the tracer writes them down."""

    def __init__(self, root, ignores=power.never):
        self.root = root
        (root / "old").write_bytes(b"o" * 1024)
        self.disk = power.Disk(root, ignores=ignores)
        self.inos = {"old": next(iter(self.disk.files))}

    def call(self, name, *paths, **more):
        self.disk.apply({"call": name, "paths": [str(self.root / path) for path in paths], "result": 0, **more})

    def make(self, path):
        self.inos[path] = path
        self.call("openat", path, flags=os.O_CREAT, was_there=False, ino=path, is_file=True)

    def write(self, path, at, data):
        self.call("pwrite64", path, ino=self.inos[path], at=at, data=data, result=len(data))

    def truncate(self, path, size):
        self.call("ftruncate", path, ino=self.inos[path], args=[0, size])

    def sync(self, path):
        if path == ".":
            self.call("fsync", path, is_folder=True)
        else:
            self.call("fdatasync", path, ino=self.inos[path])

    def found(self, how, seed=0, **more):
        return self.disk.survive(how, random.Random(seed), **more)

    def all_found(self, seeds=200, **more):
        return [self.found(how, seed, **more) for how in power.HOWS for seed in range(seeds)]


@pytest.fixture
def played(tmp_path):
    return Played(tmp_path)


def test_what_was_not_synced_may_be_there_or_not(played):
    played.write("old", 0, b"new")
    assert played.found("lost") == {"old": b"o" * 1024} and played.found("kept") == {"old": b"new" + b"o" * 1021}


def test_a_sync_of_the_file_makes_its_contents_sure_and_not_its_name(played):
    played.make("file")
    played.write("file", 0, b"all of it")
    played.sync("file")
    assert {state.get("file") for state in played.all_found()} == {None, b"all of it"}


def test_a_sync_of_the_folder_makes_the_name_sure_and_not_the_contents(played):
    played.make("file")
    played.write("file", 0, b"all of it")
    played.sync(".")
    found = {state["file"] for state in played.all_found()}
    assert b"" in found and b"all of it" in found


def test_a_sync_of_one_file_does_nothing_for_another(played):
    played.make("file")
    played.write("old", 0, b"new")
    played.sync("file")
    assert played.found("lost") == {"old": b"o" * 1024}


def test_later_writes_may_come_without_the_earlier_ones(played):
    played.write("old", 0, b"first")
    played.write("old", 512, b"second")
    found = [state["old"] for state in played.all_found()]
    assert any(one[:5] == b"ooooo" and one[512:518] == b"second" for one in found)
    assert not any(one[:5] == b"ooooo" and one[512:518] == b"second" for one in
                   (played.found("first", seed)["old"] for seed in range(50)))


def test_a_torn_write_comes_in_sectors(played):
    played.write("old", 0, b"n" * 1024)
    found = {state["old"] for state in played.all_found()}
    assert b"o" * 512 + b"n" * 512 in found and b"n" * 512 + b"o" * 512 in found
    assert all(one[:512] in (b"o" * 512, b"n" * 512) for one in found)


def test_a_file_may_grow_by_what_nobody_wrote(played):
    played.write("old", 1024, b"n" * 512)
    ends = {state["old"][1024:] for state in played.all_found()}
    assert b"" in ends and b"n" * 512 in ends and bytes(512) in ends and len(ends) > 3


def test_a_shorter_size_is_a_change_like_any_other(played):
    played.truncate("old", 10)
    assert {len(state["old"]) for state in played.all_found()} >= {10, 1024}
    played.sync("old")
    assert {len(state["old"]) for state in played.all_found()} == {10}


def test_a_rename_is_all_or_nothing(played):
    played.call("rename", "old", "new")
    assert {tuple(state) for state in played.all_found()} == {("old",), ("new",)}


def test_a_rename_over_a_file_leaves_one_of_the_two(played):
    played.make("temporary")
    played.write("temporary", 0, b"new")
    played.sync("temporary")
    played.sync(".")
    played.call("rename", "temporary", "old")
    assert {state["old"] for state in played.all_found()} == {b"o" * 1024, b"new"}
    assert not any(played.disk.torn(state) for state in played.all_found())


def test_a_renamed_file_that_was_not_synced_is_told_torn(played):
    played.make("temporary")
    played.write("temporary", 0, b"n" * 2000)
    played.call("rename", "temporary", "name")
    assert any(played.disk.torn(state) == ["name"] for state in played.all_found())


def test_a_file_that_was_removed_may_come_back_until_its_folder_is_synced(played):
    played.call("unlink", "old")
    assert {len(state) for state in played.all_found()} == {0, 1}
    played.sync(".")
    assert played.all_found() == [{}] * len(played.all_found())


def test_a_file_below_a_folder_that_was_lost_is_lost(played):
    played.call("mkdir", "folder")
    played.make("folder/file")
    found = {tuple(state) for state in played.all_found()}
    assert found == {("old",), ("old", "folder"), ("old", "folder", "folder/file")}


def test_a_second_name_means_the_same_file(played):
    played.call("link", "old", "other")
    played.sync(".")
    played.write("old", 0, b"new")
    assert all(state["old"] == state["other"] for state in played.all_found())


def test_a_call_that_failed_changes_nothing(played):
    played.call("unlink", "old", result=-2)
    assert played.found("kept") == {"old": b"o" * 1024}


def test_a_sync_that_is_ignored_makes_nothing_sure(tmp_path):
    played = Played(tmp_path, ignores=lambda call: call["call"] == "fdatasync")
    played.write("old", 0, b"new")
    played.sync("old")
    assert played.found("lost") == {"old": b"o" * 1024}


def test_a_way_of_writing_that_is_not_modelled_is_told(played):
    with pytest.raises(NotImplementedError):
        played.call("sendfile", "old")


def test_a_state_is_made_into_a_folder(played, tmp_path):
    played.call("mkdir", "folder")
    played.make("folder/file")
    power.materialise(played.found("kept"), tmp_path / "again")
    assert (tmp_path / "again/old").read_bytes() == b"o" * 1024 and (tmp_path / "again/folder/file").read_bytes() == b""
