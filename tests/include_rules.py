#!/usr/bin/python3
"""Checks who includes whom: the table of DESIGN section 3, kept in docs/include-rules.md.

usage: include_rules.py REPOSITORY

Each row of the table is `part | may include`. A source file belongs to the longest part that its
path starts with; every quoted include of a file of ours, and every <...> include of a library that
the row forbids with `no X`, is held against the row. A file may always include its own part.
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
GENERATED = {"ipc/agent.pb.h": "ipc", "ipc/agent.grpc.pb.h": "ipc", "ipc/admin.pb.h": "ipc",
             "ipc/admin.grpc.pb.h": "ipc", "ipc/backend.pb.h": "ipc", "ipc/prompt.pb.h": "ipc",
             "ipc/agent.nanopb.h": "client-lib/src"}  # made there, for nobody else


def read_table(path):
    rules = {}
    for line in path.read_text().splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 3:
            allowed = [word.strip().strip("`") for word in cells[1].split(",") if word.strip() not in ("", "-")]
            forbidden = [word.strip().strip("`") for word in cells[2].split(",") if word.strip() not in ("", "-")]
            rules[cells[0]] = (allowed, forbidden)
    return rules


def part_of(path, rules):
    fitting = [part for part in rules if path == part or path.startswith(part + "/")]
    return max(fitting, key=len) if fitting else None


def check(root, rules):
    problems = []
    files = 0
    for top in ("agent", "providers", "ipc", "client-lib"):
        for source in sorted((root / top).rglob("*")):
            name = source.relative_to(root).as_posix()
            if source.suffix not in (".cc", ".h", ".c") or name.endswith("_test.cc"):
                continue
            files += 1
            part = part_of(name, rules)
            if part is None:
                problems.append(f"{name}: belongs to no part of the table")
                continue
            allowed, forbidden = rules[part]
            for number, line in enumerate(source.read_text().splitlines(), 1):
                match = INCLUDE.match(line)
                if not match:
                    continue
                target = match.group(2)
                if any(target.startswith(word) for word in forbidden):
                    problems.append(f"{name}:{number}: {part} may not include {target}")
                owner = part_of("client-lib/include/" + target, rules) if target.startswith("signet/") \
                    else GENERATED.get(target) or part_of(target, rules)
                if owner and owner != part and owner not in allowed:
                    problems.append(f"{name}:{number}: {part} may not include {target} of {owner}")
    return files, problems


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    root = pathlib.Path(sys.argv[1])
    rules = read_table(root / "docs" / "include-rules.md")
    if len(rules) < 10:
        sys.exit(f"docs/include-rules.md: only {len(rules)} rows understood")
    files, problems = check(root, rules)
    print("\n".join(problems))
    print(f"{files} files, {len(rules)} parts, {len(problems)} problems")
    sys.exit(1 if problems or files == 0 else 0)


if __name__ == "__main__":
    main()
