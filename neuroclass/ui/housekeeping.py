"""Give back what pages leave behind: uploads on disk, closed sessions, recordings not looked at, freed memory."""

import asyncio
import ctypes
import gc
from contextlib import suppress

from streamlit.runtime import Runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

from neuroclass.io import sandbox
from neuroclass.ui import arrivals, kept

EVERY_S = 15.0
PARSER_IDLE_S = 60.0
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8


def release(file: UploadedFile) -> None:
    """Forget an upload's bytes, which Streamlit keeps while the page is open; its name and id remain."""
    arrivals.forget(file)
    file.seek(0)
    file.truncate()
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        emptied = UploadedFileRec(file.file_id, file.name, file.type, b"")
        context.uploaded_file_mgr.add_file(context.session_id, emptied)


def give_back() -> None:
    """Return freed memory to the system, which glibc keeps otherwise; elsewhere nothing."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def keep_less() -> None:
    """Let glibc keep little of what is freed: few arenas, and large arrays in maps of their own; elsewhere nothing."""
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL("libc.so.6").mallopt
        mallopt(_M_ARENA_MAX, 2)
        mallopt(_M_MMAP_THRESHOLD, 1 << 20)


def end_expired_sessions() -> None:
    """Let go of sessions whose browser has been away for too long to come back.

    Streamlit keeps a closed session for two minutes, and beyond that until the next one closes: on a quiet server for
    ever, with all that its page held.
    """
    if not Runtime.exists():
        return
    sessions = getattr(Runtime.instance(), "_session_mgr", None)
    expire = getattr(getattr(getattr(sessions, "_session_storage", None), "_cache", None), "expire", None)
    if expire is not None:
        expire()


def tidy() -> None:
    """Forget what nobody looks at, collect garbage, give the memory back."""
    kept.forget_idle()
    arrivals.forget_idle()
    sandbox.rest(PARSER_IDLE_S)
    gc.collect()
    give_back()


async def run() -> None:
    """Tidy again and again, until cancelled."""
    while True:
        await asyncio.sleep(EVERY_S)
        end_expired_sessions()
        await asyncio.to_thread(tidy)
