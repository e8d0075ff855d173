"""Run as a program by test_repair: executes CPUID where it faults, on hardware that cannot make CPUID fault itself.

Three pages: code that loads EAX and ECX and jumps to the last two bytes of a page that may be read but not executed;
those bytes are a CPUID, so fetching it raises SIGSEGV with RIP on it; the page after it is code again. A handler that
steps over the CPUID goes on there. Prints one JSON list of [eax, ebx, ecx, edx] for each leaf asked.
"""

import ctypes
import faulthandler
import json
import mmap
import os
import signal
import sys
import threading

from pytest_xeonperf.host import repair

PAGE = mmap.PAGESIZE
READ, WRITE, EXECUTE = 1, 2, 4
CPUID = b"\x0f\xa2"
LOAD = b"\x53\x49\x89\xf8\x8b\x07\x8b\x4f\x04"  # push rbx; mov r8,rdi; mov eax,[rdi]; mov ecx,[rdi+4]
STORE = (  # mov [r8],eax; mov [r8+4],ebx; mov [r8+8],ecx; mov [r8+12],edx; pop rbx; ret
    b"\x41\x89\x00\x41\x89\x58\x04\x41\x89\x48\x08\x41\x89\x50\x0c\x5b\xc3"
)
ASKED = ((0x0, 0), (0x1, 0), (0x1D, 0), (0x1D, 1), (0x1D, 2), (0x1E, 0), (0x1E, 1))


def three_pages(protections):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    start = libc.mmap(None, 3 * PAGE, READ | WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    target = 2 * PAGE - len(CPUID)
    jump = b"\xe9" + (target - len(LOAD) - 5).to_bytes(4, "little")
    for offset, code in ((0, LOAD + jump), (target, CPUID), (2 * PAGE, STORE)):
        ctypes.memmove(start + offset, code, len(code))
    for page, protection in enumerate(protections):
        assert libc.mprotect(start + page * PAGE, PAGE, protection) == 0
    return ctypes.CFUNCTYPE(None, ctypes.POINTER(ctypes.c_uint32))(start)


def faulting_cpuid():
    return three_pages((READ | EXECUTE, READ, READ | EXECUTE))


def executable_cpuid():
    return three_pages((READ | EXECUTE,) * 3)


def ask(cpuid):
    answers = []
    for leaf, subleaf in ASKED:
        registers = (ctypes.c_uint32 * 4)(leaf, subleaf, 0, 0)
        cpuid(registers)
        answers.append(list(registers))
    return answers


def say(**what):
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def in_thread(cpuid):
    answers = []
    thread = threading.Thread(target=lambda: answers.extend(ask(cpuid)))
    thread.start()
    thread.join()
    return answers


def born_inside_asks_after():
    """On hardware that can make CPUID fault: a thread born in the window asks when the window is long closed."""
    repair.install()
    cpuid = executable_cpuid()
    answers, closed = [], threading.Event()
    thread = threading.Thread(target=lambda: closed.wait() and answers.extend(ask(cpuid)))
    with repair.window():
        thread.start()
        inside = ask(cpuid)
    with repair.window():  # it may be reopened
        again = ask(cpuid)
    closed.set()
    thread.join()
    say(inside=inside, again=again, after=answers)


def jump_nowhere():
    ctypes.cast(1, ctypes.CFUNCTYPE(None))()


def main(scenario):
    if scenario == "window":
        born_inside_asks_after()
        return
    if scenario == "faulthandler first":
        faulthandler.enable()
    repair.install_handler()
    cpuid = faulting_cpuid()
    if scenario == "faulthandler comes":
        faulthandler.enable()
        repair.reinstall()
    if scenario == "faulthandler goes":
        faulthandler.enable()
        repair.reinstall()
        faulthandler.disable()
        repair.reinstall()
    if scenario == "faulthandler goes unseen":
        faulthandler.enable()
        repair.reinstall()
        faulthandler.disable()
    answers = in_thread(cpuid) if scenario == "thread" else ask(cpuid)
    say(answers=answers, answered=repair.answered())


def crash(kind):
    if kind == "read":
        ctypes.string_at(0)
    elif kind == "jump":
        jump_nowhere()
    elif kind == "overflow":
        faulthandler._stack_overflow()
    elif kind == "sent":
        os.kill(os.getpid(), signal.SIGSEGV)


if __name__ == "__main__":
    main(sys.argv[1])
    crash(sys.argv[2])
