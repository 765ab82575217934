# SPDX-License-Identifier: MIT
"""
Runs a program under ptrace(2) and disturbs it at one system call, or writes down what it does to files.

    tracer.py [--kill self|warden|both | --fail ERRNO [--on] | --short] --at N [--name CALL] [--path PART] [--reading]
              --log FILE PROGRAM...

The calls of all processes and threads are counted together, in the order in which they come, so that one number
names one moment of a run (strace counts them per number and thread: most of the orchestrator's are never reached,
as the warden's come first). A process that starts another program is let go at its execve: what is left is
athanor's own, the first process (the warden) and its child (the orchestrator). A call that is hit is not obeyed by
the kernel: its process dies before it, or it returns the error, or it gets half of its bytes to write.

The log is a row of pickled dicts, one for each call that was counted, written when it returns.
"""
import argparse
import ctypes
import errno
import os
import pickle
import platform
import signal
import stat
import struct
import sys

SEIZE, LISTEN, CONT, SYSCALL, GETREGS, SETREGS, DETACH, GET_SYSCALL_INFO = 0x4206, 0x4208, 7, 24, 12, 13, 17, 0x420e
SYSGOOD, FORK, VFORK, CLONE, EXEC, EXITKILL = 1, 2, 4, 8, 16, 1 << 20
EVENT_EXEC, EVENT_STOP = 4, 128
ENTRY, EXIT = 1, 2
WALL = 0x40000000
REGISTERS = 27
AX, DX, ORIG_AX = 10, 12, 15          # in user_regs_struct
O_CREAT, O_TRUNC = os.O_CREAT, os.O_TRUNC
LOCKS = {5, 6, 7, 13, 14, 36, 37, 38}  # of fcntl: F_GETLK to F_SETLKW, 32 bits, 64 bits, open file description
DATA_MAX = 1 << 24                     # bytes of one write that are kept

# NAME: (number, what the arguments are): f descriptor, d folder's descriptor, p path below it, P path, - anything else
CALLS = {
    "write": (1, "f"), "pwrite64": (18, "f"), "writev": (20, "f"), "pwritev": (296, "f"), "ftruncate": (77, "f"),
    "fallocate": (285, "f"), "copy_file_range": (326, "--f"), "sendfile": (40, "f"),
    "fsync": (74, "f"), "fdatasync": (75, "f"), "open": (2, "P"), "openat": (257, "dp"), "creat": (85, "P"),
    "rename": (82, "PP"), "renameat": (264, "dpdp"), "renameat2": (316, "dpdp"), "link": (86, "PP"),
    "linkat": (265, "dpdp"), "symlink": (88, "-P"), "symlinkat": (266, "-dp"), "unlink": (87, "P"),
    "unlinkat": (263, "dp"), "mkdir": (83, "P"), "mkdirat": (258, "dp"), "rmdir": (84, "P"), "chmod": (90, "P"),
    "fchmod": (91, "f"), "chown": (92, "P"), "fchown": (93, "f"), "lchown": (94, "P"), "flock": (73, "f"),
    "fcntl": (72, "f"), "clone": (56, ""), "clone3": (435, ""), "fork": (57, ""), "vfork": (58, ""),
    "execve": (59, "P"), "pipe2": (293, ""), "kill": (62, ""), "pidfd_send_signal": (424, ""),
}
READING = {
    "read": (0, "f"), "pread64": (17, "f"), "getdents64": (217, "f"), "statfs": (137, "P"), "epoll_create1": (291, ""),
    "eventfd2": (290, ""), "mmap": (9, "----f"),
}
FAILED = -1 & 0xffffffffffffffff       # the number of no call
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def is_possible():
    """Why nothing can be traced here, or None."""
    if platform.machine() != "x86_64" or not sys.platform.startswith("linux"):
        return "the tracer knows the registers of x86_64 alone"
    child = os.fork()
    if child == 0:
        signal.pause()
    done = libc.ptrace(SEIZE, child, 0, 0)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "ptrace is not allowed here" if done else None


def ptrace(request, tid, address=0, data=0):
    """-1 where the thread is gone."""
    return libc.ptrace(request, tid, address, data)


def is_of_the_system(path):
    """What the loader and the C library read for themselves."""
    return path.startswith(("/lib", "/usr/", "/etc/", "/sys/")) or path.endswith("/athanor")


class Thread:
    def __init__(self, tid):
        self.tid = tid
        self.call = None     # the record of the call that it is in
        self.errno = None    # what that call is to return
        self.pid = tid

    def read_pid(self):
        try:
            with open("/proc/%d/status" % self.tid) as file:
                self.pid = next(int(line.split()[1]) for line in file if line.startswith("Tgid:"))
        except (OSError, StopIteration):
            pass
        return self


class Tracer:
    def __init__(self, options):
        self.options = options
        self.threads = {}
        self.count = 0
        self.root = self.orchestrator = None
        self.status = None
        self.has_hit = False
        self.persistent = None   # the call that fails from now on
        self.log = open(options.log, "wb") if options.log else None
        self.calls = {number: (name, kinds) for name, (number, kinds) in CALLS.items()}
        if options.reading:
            self.calls.update({number: (name, kinds) for name, (number, kinds) in READING.items()})
        self.info = ctypes.create_string_buffer(96)

    # ---- looking into a thread that is stopped ----

    def text(self, tid, address):
        found = b""
        try:
            with open("/proc/%d/mem" % tid, "rb", 0) as memory:
                while b"\0" not in found and len(found) < 8192:
                    memory.seek(address + len(found))
                    found += memory.read(256 - (address + len(found)) % 256)
        except OSError:
            pass
        return os.fsdecode(found.split(b"\0")[0])

    def data(self, tid, address, size):
        with open("/proc/%d/mem" % tid, "rb", 0) as memory:
            memory.seek(address)
            return memory.read(min(size, DATA_MAX))

    def path_of(self, tid, fd):
        fd = ctypes.c_int(fd & 0xffffffff).value
        try:
            return os.readlink("/proc/%d/%s" % (tid, "cwd" if fd == -100 else "fd/%d" % fd))
        except OSError:
            return ""

    def identify(self, record, tid, fd):
        """Which file an open descriptor means."""
        try:
            facts = os.stat("/proc/%d/fd/%d" % (tid, ctypes.c_int(fd & 0xffffffff).value))
        except OSError:
            return
        record.update(ino=(facts.st_dev, facts.st_ino), is_file=stat.S_ISREG(facts.st_mode),
                      is_folder=stat.S_ISDIR(facts.st_mode), size=facts.st_size)

    def describe(self, thread, name, kinds, args):
        """A call at its entry: its paths, and what it would write."""
        tid, paths, folder = thread.tid, [], "/"
        record = {"call": name, "pid": thread.pid, "tid": tid, "args": args, "paths": paths}
        for kind, value in zip(kinds, args):
            if kind == "f":
                paths.append(self.path_of(tid, value))
                self.identify(record, tid, value)
            elif kind == "d":
                folder = self.path_of(tid, value)
            elif kind in "pP":
                base = self.path_of(tid, -100 & 0xffffffff) if kind == "P" else folder
                paths.append(os.path.normpath(os.path.join(base, self.text(tid, value))))
        if record.get("is_file") and name in ("write", "pwrite64"):
            record["data"] = self.data(tid, args[1], args[2])
            record["at"] = args[3] if name == "pwrite64" else self.position(tid, args[0])
        if name in ("open", "openat", "creat"):
            record["flags"] = args[1] if name == "open" else args[2] if name == "openat" else O_CREAT | O_TRUNC
            record["was_there"] = os.path.lexists(paths[0])
        return record

    def position(self, tid, fd):
        with open("/proc/%d/fdinfo/%d" % (tid, fd)) as file:
            facts = dict(line.split(None, 1) for line in file if len(line.split(None, 1)) == 2)
        if int(facts["flags:"], 8) & os.O_APPEND:
            return os.stat("/proc/%d/fd/%d" % (tid, fd)).st_size
        return int(facts["pos:"])

    def counts(self, record):
        """Does the call do something, to a file or to a process?"""
        name = record["call"]
        if name in READING and any(map(is_of_the_system, record["paths"])):
            return False
        if name == "read":   # a pipe has no disk that could fail
            return bool(record.get("is_file"))
        if name == "mmap":   # of a file: SQLite's -shm
            return record["paths"][0].startswith("/")
        if name in ("open", "openat") and self.options.reading:
            return not is_of_the_system(record["paths"][0])
        if name in ("open", "openat", "creat"):
            return bool(record["flags"] & (O_CREAT | O_TRUNC))
        if name == "write":
            return record.get("is_file") or (record["args"][0] in (1, 2) and not self.options.reading)
        return name != "fcntl" or record["args"][1] in LOCKS

    # ---- what is done ----

    def entered(self, thread, number, args):
        if number not in self.calls:
            return
        record = self.describe(thread, *self.calls[number], args)
        if not self.counts(record):
            return
        self.count += 1
        record["n"] = self.count
        record["role"] = ("warden" if thread.pid == self.root else
                          "orchestrator" if thread.pid == self.orchestrator else "child")
        thread.call = record
        if self.is_now(record):
            self.disturb(thread, record)

    def is_now(self, record):
        """The moment has come; a call of that name and path, if asked for, as no two runs are quite the same."""
        options, name = self.options, record["call"]
        if options.path and not any(options.path in path for path in record["paths"]):
            return False
        if self.has_hit:
            return name == self.persistent
        return 0 < options.at <= self.count and name == (options.name or name)

    def disturb(self, thread, record):
        record["hit"] = self.has_hit = True
        if self.options.kill:
            for other in self.threads.values():  # they will not return: this one is not obeyed, others may be
                if other.call:
                    self.write(record if other is thread else dict(other.call, result=0))
            victims = {"self": [thread.pid], "warden": [self.root], "both": [self.root, self.orchestrator]}
            for pid in victims[self.options.kill]:
                if pid:
                    os.kill(pid, signal.SIGKILL)
        elif self.options.short:
            self.set_registers(thread.tid, DX, record["args"][2] // 2)
        else:
            thread.errno = getattr(errno, self.options.fail)
            self.set_registers(thread.tid, ORIG_AX, FAILED)
            if self.options.on:
                self.persistent = record["call"]

    def set_registers(self, tid, register, value):
        registers = (ctypes.c_ulonglong * REGISTERS)()
        ptrace(GETREGS, tid, 0, ctypes.addressof(registers))
        registers[register] = value & 0xffffffffffffffff
        ptrace(SETREGS, tid, 0, ctypes.addressof(registers))

    def returned(self, thread, result):
        record, thread.call = thread.call, None
        if record is None:
            return
        if thread.errno is not None:
            result = -thread.errno
            self.set_registers(thread.tid, AX, result)
            thread.errno = None
        record["result"] = result
        if record["call"] in ("open", "openat", "creat") and result >= 0:
            self.identify(record, thread.tid, result)
        self.write(record)

    def write(self, record):
        if self.log:
            pickle.dump(record, self.log)
            self.log.flush()

    # ---- the loop ----

    def start(self, program):
        ready, go = os.pipe()
        self.root = os.fork()
        if self.root == 0:
            os.close(go)
            os.read(ready, 1)
            os.execv(program[0], program)
        os.close(ready)
        if ptrace(SEIZE, self.root, 0, SYSGOOD | FORK | VFORK | CLONE | EXEC | EXITKILL):
            os.kill(self.root, signal.SIGKILL)
            sys.exit("tracer: ptrace: " + os.strerror(ctypes.get_errno()))
        self.threads[self.root] = Thread(self.root)
        os.close(go)

    def on_syscall(self, thread):
        if ptrace(GET_SYSCALL_INFO, thread.tid, len(self.info), ctypes.addressof(self.info)) < 0:
            return
        op = self.info.raw[0]
        if op == ENTRY:
            number, *args = struct.unpack_from("7Q", self.info, 24)
            self.entered(thread, number, args)
        elif op == EXIT:
            self.returned(thread, struct.unpack_from("q", self.info, 24)[0])

    def new_thread(self, tid):
        thread = self.threads[tid] = Thread(tid).read_pid()
        if thread.pid != self.root and not self.orchestrator:
            self.orchestrator = thread.pid
        return thread

    def on_stop(self, tid, status):
        number, event = os.WSTOPSIG(status), status >> 16
        thread = self.threads.get(tid) or self.new_thread(tid)
        if number == signal.SIGTRAP | 0x80:
            self.on_syscall(thread)
        elif event == EVENT_EXEC and tid != self.root:
            self.returned(self.threads.pop(tid), 0)
            ptrace(DETACH, tid)
            return
        elif event == EVENT_STOP and number in (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
            ptrace(LISTEN, tid)
            return
        ptrace(SYSCALL, tid, 0, number if not event and number != signal.SIGTRAP | 0x80 else 0)

    def run(self, program):
        self.start(program)
        while self.threads:
            try:
                tid, status = os.waitpid(-1, WALL)
            except ChildProcessError:
                break
            if os.WIFSTOPPED(status):
                self.on_stop(tid, status)
                continue
            self.threads.pop(tid, None)
            if tid == self.root:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status if self.status >= 0 else 128 - self.status


def read(path):
    """The records of a log."""
    records = []
    with open(path, "rb") as file:
        while True:
            try:
                records.append(pickle.load(file))
            except EOFError:
                return records


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--at", type=int, default=0)
    parser.add_argument("--name")
    parser.add_argument("--path")
    parser.add_argument("--kill", choices=["self", "warden", "both"])
    parser.add_argument("--fail")
    parser.add_argument("--on", action="store_true")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--reading", action="store_true")
    parser.add_argument("--log")
    parser.add_argument("program", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    sys.exit(Tracer(options).run(options.program))


if __name__ == "__main__":
    main()
