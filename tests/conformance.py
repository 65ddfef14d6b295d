#!/usr/bin/python3
"""Does docs/conformance.md have every rule once, and for each one that is done tests that exist and are run?

usage: conformance.py REPOSITORY
"""
import ast
import functools
import pathlib
import re
import sys

PAGE = "docs/conformance.md"
ROWS = [f"EA{n}" for n in (*range(1, 15), *range(20, 51), *range(60, 73))] + \
    [f"R{n}" for n in range(1, 15)] + [f"CC{n}" for n in range(1, 41)] + \
    [f"A{n}" for n in range(1, 24)] + [f"SC{n}" for n in range(1, 23)] + \
    [f"B{n}" for n in range(1, 12)]
OF_HTTP = re.compile(r"(CC|A)\d")  # rows that have a column for HTTP/3
STATUSES = ("done", "not applicable")
CPP_TEST = re.compile(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", re.M)
CITATION = re.compile(r"`([A-Z]\w*\.\w+\*?)(?:/(\w+))?`")


@functools.cache
def words_of(cmake):
    """Its words, those that a foreach() makes too."""
    text = cmake.read_text(encoding="utf-8") if cmake.exists() else ""
    made = [text]
    for variable, items in re.findall(r"foreach\((\w+) ([^)]*)\)", text):
        for name, value in re.findall(r"\bset\((\w+) ([^)]+)\)", text):
            items = items.replace(f"${{{name}}}", value)
        made += [text.replace(f"${{{variable}}}", item) for item in items.split()]
    return set(re.findall(r"[\w.]+", "".join(made)))


def is_run(file):
    """CMake names a C++ test by its file, one in Python by its file or its module."""
    words = words_of(file.parent / "CMakeLists.txt")
    if file.suffix == ".cc":
        return file.name in words
    words = words | words_of(file.parent.parent / "CMakeLists.txt")
    return any(word.endswith((file.name, file.stem)) for word in words)


def tests_of(file, text):
    """The names of its tests: Suite.Name, Class.method."""
    if file.suffix == ".cc":
        return [".".join(match) for match in CPP_TEST.findall(text)]
    return [f"{node.name}.{name}" for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.ClassDef)
            for name in (*methods_of(node), *rows_of(node)) if name.startswith("test")]


def methods_of(class_):
    return [each.name for each in class_.body if isinstance(each, ast.FunctionDef)]


def rows_of(class_):
    """What @rows(check, NAME=...) makes (tests/support/python/rows.py). Of a name that is only made
    when it runs, the part before the first brace."""
    for table in class_.decorator_list:
        for keyword in getattr(table, "keywords", ()):
            if keyword.arg:
                yield f"test_{keyword.arg}"
            elif isinstance(keyword.value, ast.DictComp) and isinstance(keyword.value.key, ast.JoinedStr):
                yield f"test_{keyword.value.key.values[0].value}"


def find_tests(repository):
    """Each test with the texts of the files that hold it: one name may be in two."""
    found = {}
    folders = [each for each in repository.iterdir()
               if each.is_dir() and not each.name.startswith((".", "build"))]
    for file in (file for folder in folders for file in folder.rglob("*")):
        if file.name.endswith(("_test.cc", "_contract.cc", "_test.py")) and is_run(file):
            text = file.read_text(encoding="utf-8")
            for test in tests_of(file, text):
                found.setdefault(test, []).append(text)
    return found


def fits(name, cited):
    return name.startswith(cited[:-1]) if cited.endswith("*") else name == cited


def citation_faults_of(shown, tests):
    for test, case in CITATION.findall(shown):
        if not any(fits(name, test) for name in tests):
            yield f"there is no test {test} that CMake runs; correct the name, or write the test"
        elif case and not any(f'"{case}"' in text for text in tests[test]):
            yield f"{test} has no case \"{case}\"; correct the name, or add the case to its table"


def http3_faults_of(shown, tests):
    yield from citation_faults_of(shown, tests)
    if not CITATION.search(shown) and len(shown.split()) < 4:
        yield "no test shows it; name one, or say why it is the same"


def faults_of(row, status, shown, tests):
    cited = CITATION.findall(shown)
    yield from citation_faults_of(shown, tests)
    if status not in STATUSES:
        yield f"its status is \"{status}\"; make it one of: {', '.join(STATUSES)}"
    if status == "done" and not cited:
        yield "it is done, but no test shows it; name one as `Suite.Test`, `Suite.Test/Case` or `Suite.Te*`"
    if status == "not applicable" and len(shown.split()) < 4:
        yield "it is not applicable, but the last column does not say why"


def main():
    repository = pathlib.Path(sys.argv[1])
    tests = find_tests(repository)
    seen, faults = [], []
    for line in (repository / PAGE).read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|") or not re.fullmatch(r"[A-Z]+\d+", cells[0]):
            continue
        row = cells[0]
        seen.append(row)
        columns = ("id", "rule", "status", "tests", "tests over HTTP/3")[:5 if OF_HTTP.match(row) else 4]
        if len(cells) != len(columns):
            faults.append(f"row {row}: has {len(cells)} columns; needs {', '.join(columns)}")
            continue
        faults += [f"row {row}: {fault}" for fault in faults_of(row, cells[2], cells[3], tests)]
        if len(columns) == 5:
            faults += [f"row {row}: over HTTP/3: {fault}" for fault in http3_faults_of(cells[4], tests)]
    faults += [f"row {row}: is missing; add it" for row in ROWS if row not in seen]
    faults += [f"row {row}: is no row of the checklists; correct its id"
               for row in seen if row not in ROWS]
    faults += [f"row {row}: is there {seen.count(row)} times; leave one"
               for row in sorted(set(seen)) if seen.count(row) > 1]
    for fault in faults:
        print(f"{PAGE}: {fault}", file=sys.stderr)
    print(f"{len(seen)} rows, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
