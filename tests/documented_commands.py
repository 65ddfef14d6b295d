#!/usr/bin/python3
"""Runs the shell blocks of docs/server-certificates.md, one after the other, as a person would.

usage: documented_commands.py REPOSITORY BIN-FOLDER
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile


def main():
    root, programs = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    page = (root / "docs/server-certificates.md").read_text(encoding="utf-8")
    script = "set -eu\ntrap 'kill $gateway 2>/dev/null || :' EXIT\ngateway=\n" + \
        "".join(re.findall(r"```sh\n(.*?)```", page, re.S)) + "gateway=\n"
    promised = re.search(r"```text\n(.*?)```", page, re.S)[1].splitlines()
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(["sh", "-c", script], cwd=folder, capture_output=True, text=True,
                             timeout=200, check=False,
                             env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"})
        said = re.sub(r":\d+/", ":PORT/", re.sub(r":\d+,", ":PORT,", run.stdout)).splitlines()
        stories = [pathlib.Path(folder, name).read_text(encoding="utf-8")
                   if pathlib.Path(folder, name).exists() else "" for name in
                   ("story.txt", "story3.txt", "gateway.log")]
    complaint = f"{run.stdout}\n{run.stderr}\n" + "\n".join(stories)
    if run.returncode != 0:
        sys.exit(complaint)
    for line in promised:
        if said.count(line) != 2:  # HTTP/2 and HTTP/3
            sys.exit(f"not said twice: {line}\n{complaint}")
    if said[-1] != "421":
        sys.exit(f"not refused: {said[-1]}\n{complaint}")


if __name__ == "__main__":
    main()
