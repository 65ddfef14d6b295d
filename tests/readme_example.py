#!/usr/bin/python3
"""Compiles and links the C block of README.md against libsignet.

usage: readme_example.py REPOSITORY COMPILER LIBRARY-FOLDER
"""
import pathlib
import re
import subprocess
import sys
import tempfile

MAIN = """
uint64_t now_ms(void) { return 1; }
int main(void) { return start(0, 0, 0) + turn(0); }
"""


def build(root, compiler, flags, folder):
    """Builds README.md's C block into `folder` with these flags."""
    blocks = re.findall(r"```c\n(.*?)```", (root / "README.md").read_text(), re.S)
    if len(blocks) != 1:
        sys.exit(f"README.md has {len(blocks)} C blocks, not one")
    lines = [line for line in blocks[0].splitlines() if line.strip()]
    if len(lines) > 45:
        sys.exit(f"README.md promises 40 lines of C, these are {len(lines)}")
    source = pathlib.Path(folder, "example.c")
    source.write_text("#include <stdint.h>\nuint64_t now_ms(void);\n" + blocks[0] + MAIN)
    subprocess.run([compiler, "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", str(source),
                    "-o", f"{folder}/example", *flags, "-lnghttp2", "-lssl", "-lcrypto"], check=True)


def main():
    root, compiler, library = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    with tempfile.TemporaryDirectory() as folder:
        build(root, compiler, [f"-I{root / 'client-lib/include'}", f"-L{library}", "-lsignet"], folder)


if __name__ == "__main__":
    main()
