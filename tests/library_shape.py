#!/usr/bin/python3
"""Checks the shape of libsignet.so: what it needs, what it shows, what it calls, what state it keeps,
how large it is.

usage: library_shape.py LIBRARY [MAXIMAL STRIPPED SIZE IN BYTES]
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

NEEDED = {"libc.so.6", "libm.so.6"}
NEEDED_PATTERN = re.compile(r"ld-linux.*\.so\.\d+")
# No threads, processes, signal handlers or exit handlers: a library for browsers and proxies.
FORBIDDEN = {"pthread_create", "thrd_create", "clone", "fork", "vfork", "posix_spawn", "execve",
             "system", "popen", "signal", "sigaction", "atexit", "__cxa_atexit", "exit"}
HEADERS = pathlib.Path(__file__).resolve().parent.parent / "client-lib" / "include" / "signet"
DECLARED = re.compile(r"^SIGNET_API\b[^(;]*?\b(signet_\w+)\(", re.M)
# Of the C++ runtime that is linked in: its pool for exceptions when memory has run out.
CONSTRUCTORS = {"_GLOBAL__sub_I_eh_alloc.cc"}


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def symbols(library, which):
    lines = output("nm", "--dynamic", which, library).splitlines()
    return {line.split()[-1].split("@")[0] for line in lines if line.strip()}


def declared():
    return {name for header in HEADERS.glob("*.h") for name in DECLARED.findall(header.read_text())}


def state(library):
    """What of ours is in writable memory, or runs when the library is loaded."""
    table = output("objdump", "-t", "-C", library).splitlines()
    if len(table) < 100:
        yield "has no symbol table: strip it later"
    for line in table:
        match = re.match(r"[0-9a-f]+ .{7} (\S+)\t[0-9a-f]+ +(?:\.hidden )?(.*)", line)
        if not match:
            continue
        section, name = match.groups()
        if re.fullmatch(r"\.t?(data|bss)(\..*)?", section) and not section.startswith(".data.rel.ro") \
                and re.search(r"signet|\bpb_", name) and not name.startswith("DW.ref."):
            yield f"keeps state: {name} in {section}"
        if "_GLOBAL__sub_I" in name and name not in CONSTRUCTORS:
            yield f"runs when it is loaded: {name}"


def stripped_size(library):
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "library.so")
        output("strip", "-o", copy, library)
        return os.path.getsize(copy)


def problems(library, max_size):
    dynamic = output("objdump", "-p", library)
    if "SONAME" not in dynamic or "libsignet.so.0" not in dynamic:
        yield "SONAME is not libsignet.so.0"
    for needed in re.findall(r"NEEDED\s+(\S+)", dynamic):
        if needed not in NEEDED and not NEEDED_PATTERN.fullmatch(needed):
            yield f"needs {needed}"
    shown = symbols(library, "--defined-only")
    for symbol in sorted(shown - declared()):
        yield f"shows {symbol}, which no header declares"
    for symbol in sorted(declared() - shown):
        yield f"does not show {symbol}"
    if len(shown) < 40:
        yield f"shows only {len(shown)} symbols"
    yield from state(library)
    for symbol in sorted(symbols(library, "--undefined-only") & FORBIDDEN):
        yield f"calls {symbol}"
    if max_size is not None and stripped_size(library) >= max_size:
        yield f"has {stripped_size(library)} bytes stripped; {max_size} is too many"


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    found = list(problems(sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else None))
    print("\n".join(found) or f"{sys.argv[1]}: as it should be")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
