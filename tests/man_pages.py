#!/usr/bin/python3
"""Are the manual pages about these programs? Compares them with --help and with the sources, and has
groff read them.

usage: man_pages.py REPOSITORY PROGRAM-FOLDER
"""
import pathlib
import re
import shutil
import subprocess
import sys

OPTION = re.compile(r"--[a-z][a-z-]*")


def run_help(program, *command):
    return subprocess.run([program, *command, "--help"], capture_output=True, text=True,
                          check=True).stdout


def options_of(text):
    """What a help text lists."""
    return set(re.findall(r"^ +(?:-\w, ?)?(--[a-z][a-z-]*)", text, re.M))


def arguments_of(text):
    """The positional arguments of a help text."""
    listed = text.partition("Positionals:\n")[2].partition("\n\n")[0]
    return set(re.findall(r"^  (\S+)", listed, re.M))


def subcommands_of(text):
    listed = text.partition("Subcommands:\n")[2].partition("\n\n")[0]
    return re.findall(r"^  (\w+) ", listed, re.M)


def commands_of(program, *command):
    """Each command that has no subcommands, with its options and arguments."""
    text = run_help(program, *command)
    subcommands = subcommands_of(text)
    if not subcommands:
        return {" ".join(command): (options_of(text) | arguments_of(text)) - {"--help"}}
    found = {}
    for subcommand in subcommands:
        found |= commands_of(program, *command, subcommand)
    return found


def differ(what, page, program):
    return [f"{what}: {name} is not in the page" for name in sorted(program - page)] + [
        f"{what}: {name} is in the page only" for name in sorted(page - program)]


def defined(page):
    """The terms that the page defines: bold, at the beginning of a line that an indented one follows."""
    lines = page.splitlines()
    return [line for line, after in zip(lines, lines[1:]) if line.startswith("*") and after.startswith("\t")]


def check_options(name, page, program):
    """A short form is tried: not every help text lists them. None does without --help itself."""
    terms = {option for line in defined(page) if line.startswith("*-") for option in OPTION.findall(line)}
    wrong = differ(f"{name}: options", terms, options_of(run_help(program)) | {"--help"})
    for short in re.findall(r"^\*(-\w)\*", page, re.M):
        if subprocess.run([program, short], capture_output=True, check=False).returncode != 0:
            wrong.append(f"{name}: {short} is in the page only")
    return wrong


def check_commands(page, program):
    described = {}
    for line in defined(page):
        command = re.match(r"\*signet ([a-z ]+)\*(.*)", line)
        if command:
            # The underlined words before the first option: *import* _NAME_ _CHAIN.pem_ [*--x* _Y_]
            arguments = re.match(r"(?: \[?_[^_]+_\]?)*", command[2])[0]
            described[command[1]] = set(OPTION.findall(line)) | set(re.findall(r"_([^_]+)_", arguments))
    real = commands_of(program)
    wrong = differ("signet: commands", set(described), set(real))
    for command in set(described) & set(real):
        wrong += differ(f"signet {command}", described[command], real[command])
    return wrong


def check_exit_codes(page, program):
    codes = set(re.findall(r"^\|?\[? *\|? +(\d+)$", page, re.M))
    return differ("signet: exit codes", codes,
                  set(re.findall(r"^ +(\d)  ", run_help(program).partition("Exit codes:")[2], re.M)))


def check_configuration(name, page, *sources):
    """Each key that the reader of the configuration knows is defined in the page."""
    known = set()
    for source in sources:
        for keys in re.findall(r"OnlyKeys\(\s*\{(.*?)\}\)", source.read_text(), re.S):
            known |= set(re.findall(r'"(\w+)"', keys))
        table = source.read_text().partition("RuleKey kRuleKeys[] = {")[2]
        known |= set(re.findall(r'^    \{"(\w+)",', table, re.M))
        known |= set(re.findall(r'known.push_back\("(\w+)"\)', source.read_text()))
    defines = {term for line in defined(page) for term in re.findall(r"\*([a-z0-9_]+)\*(?=,|$)", line)}
    defines |= set(re.findall(r"^#+ \[+(\w+)\]+", page, re.M))
    return differ(f"{name}: keys", defines, known)


def check_form(name, page):
    """What groff warns of, once scdoc has made a manual page."""
    if not shutil.which("scdoc") or not shutil.which("groff"):
        print(f"{name}: scdoc or groff is not installed: not read")
        return []
    made = subprocess.run(["scdoc"], input=page, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        return [f"{name}: scdoc: {made.stderr.strip()}"]
    read = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z"], input=made.stdout, capture_output=True,
                          text=True, check=False)
    return [f"{name}: groff: {line}" for line in read.stderr.splitlines()]


def main():
    root, programs = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    pages = {path.name.removesuffix(".scd"): path.read_text() for path in (root / "docs/man").glob("*.scd")}
    wrong = []
    for name, page in sorted(pages.items()):
        wrong += check_form(name, page)
    for name in ("signet.1", "signetd.8", "signet-fetch.1", "signet-gateway.1", "signet-backend.8",
                 "signet-prompter.8", "signet-prompter-tty.8"):
        wrong += check_options(name, pages[name], programs / name.rsplit(".", 1)[0])
    wrong += check_commands(pages["signet.1"], programs / "signet")
    wrong += check_exit_codes(pages["signet.1"], programs / "signet")
    policy = root / "agent/policy"
    wrong += check_configuration("signet.toml.5", pages["signet.toml.5"], policy / "configuration.cc",
                                 policy / "toml_reader.cc", policy / "rule_keys.cc", policy / "bus_reader.cc")
    wrong += check_configuration("signet-gateway.1", pages["signet-gateway.1"],
                                 *sorted((root / "client-lib/tools").glob("*_configuration.cc")))
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
