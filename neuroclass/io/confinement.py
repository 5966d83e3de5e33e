"""What a parsing process may not do: the kernel refuses it whatever the parser is made to run.

Resource limits hold everywhere: no file may grow, and few may be open. Where the system has libseccomp (Linux, with
systemd or apt), its filter also refuses to create, truncate, rename or delete files, to open sockets, to start
programs, to signal other processes and to change resource limits other than the memory of the process itself.
"""

import ctypes
import os
import resource
from collections.abc import Sequence
from contextlib import suppress

from neuroclass.ephys.settings import ReadLimits

OPEN_FILES = 256
MEMORY = 2 * ReadLimits().memory
"""Most address space that any file may be given, bytes; each gets less, see `ReadLimits`."""

_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1  # with EPERM
_DIFFERS, _MASKED = 1, 7
_NO_NEW_PRIVILEGES, _CAPABILITIES, _RAISE_LIMITS = 38, 0x20080522, 24
_REFUSED = (
    *("creat", "truncate", "ftruncate", "mknod", "mknodat", "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat"),
    *("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "chmod", "fchmod", "fchmodat"),
    *("chown", "fchown", "lchown", "fchownat", "memfd_create", "openat2", "open_by_handle_at", "io_uring_setup"),
    *("socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "sendto", "sendmsg", "sendmmsg"),
    *("execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev", "kill", "pidfd_open", "unshare"),
    *("setns", "mount", "bpf", "keyctl", "userfaultfd"),
)
_WRITING = (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC)


class _Condition(ctypes.Structure):
    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operation", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


class _Capability(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def confine() -> bool:
    """Give up what parsing does not need, for good.

    Returns
    -------
    bool
        Whether the kernel's filter is in force; without it only the resource limits are.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    for kind, most in ((resource.RLIMIT_NOFILE, OPEN_FILES), (resource.RLIMIT_AS, MEMORY)):
        hard = resource.getrlimit(kind)[1]
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with suppress(OSError, ValueError):  # macOS does not limit the address space
            resource.setrlimit(kind, (limit, limit))
    try:
        _keep_limits()
        return _filter(ctypes.CDLL("libseccomp.so.2"))
    except (OSError, AttributeError):
        return False


def _keep_limits() -> None:
    """Let not even the superuser raise a hard limit again."""
    libc = ctypes.CDLL(None)
    header, both = (ctypes.c_uint32 * 2)(_CAPABILITIES, 0), (_Capability * 2)()
    if libc.capget(header, both) == 0:
        for name in ("effective", "permitted", "inheritable"):
            setattr(both[0], name, getattr(both[0], name) & ~(1 << _RAISE_LIMITS))
        libc.capset(header, both)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)


def _filter(library: ctypes.CDLL) -> bool:
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(_ALLOW)))
    if not context:
        return False

    def refuse(name: str, *conditions: Sequence[int]) -> None:
        number = library.seccomp_syscall_resolve_name(name.encode())
        every = (_Condition * max(1, len(conditions)))(*(_Condition(*one) for one in conditions))
        library.seccomp_rule_add_array(context, ctypes.c_uint32(_REFUSE), number, len(conditions), every)

    for name in _REFUSED:
        refuse(name)
    for flag in _WRITING:
        refuse("open", (1, _MASKED, flag, flag))
        refuse("openat", (2, _MASKED, flag, flag))
    refuse("setrlimit", (0, _DIFFERS, resource.RLIMIT_AS, 0))
    refuse("prlimit64", (1, _DIFFERS, resource.RLIMIT_AS, 0), (2, _DIFFERS, 0, 0))
    refuse("prlimit64", (0, _DIFFERS, 0, 0), (2, _DIFFERS, 0, 0))
    loaded = library.seccomp_load(context) == 0
    library.seccomp_release(context)
    return loaded
