#!/usr/bin/python3
"""Checks the shape of libsignet.so: what it needs, what it shows, what it calls, how large it is.

usage: library_shape.py LIBRARY [MAXIMAL STRIPPED SIZE IN BYTES]
"""
import os
import re
import subprocess
import sys
import tempfile

NEEDED = {"libc.so.6", "libm.so.6"}
NEEDED_PATTERN = re.compile(r"ld-linux.*\.so\.\d+")
# No threads, processes, signal handlers or exit handlers: a library for browsers and proxies.
FORBIDDEN = {"pthread_create", "thrd_create", "clone", "fork", "vfork", "posix_spawn", "execve",
             "system", "popen", "signal", "sigaction", "atexit", "__cxa_atexit", "exit"}


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def symbols(library, which):
    lines = output("nm", "--dynamic", which, library).splitlines()
    return {line.split()[-1].split("@")[0] for line in lines if line.strip()}


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
    for symbol in sorted(shown):
        if not symbol.startswith("signet_"):
            yield f"shows {symbol}"
    if len(shown) < 40:
        yield f"shows only {len(shown)} symbols"
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
