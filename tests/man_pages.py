#!/usr/bin/python3
"""Are the manual pages about these programs? Compares them with --help and with the sources.

usage: man_pages.py REPOSITORY PROGRAM-FOLDER
"""
import pathlib
import re
import subprocess
import sys

OPTION = re.compile(r"--[a-z][a-z-]*")
EVERYWHERE = {"--help", "--version"}


def run_help(program, *command):
    return subprocess.run([program, *command, "--help"], capture_output=True, text=True,
                          check=True).stdout


def options_of(text):
    """What a help text lists."""
    return set(re.findall(r"^ +(?:-\w,)?(--[a-z][a-z-]*)", text, re.M))


def subcommands_of(text):
    listed = text.partition("Subcommands:\n")[2].partition("\n\n")[0]
    return re.findall(r"^  (\w+) ", listed, re.M)


def commands_of(program, *command):
    """Each command that has no subcommands, with its options."""
    text = run_help(program, *command)
    subcommands = subcommands_of(text)
    if not subcommands:
        return {" ".join(command): options_of(text) - EVERYWHERE}
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
    terms = {option for line in defined(page) if line.startswith(("*-", "*--")) for option in OPTION.findall(line)}
    shown = options_of(run_help(program))
    return differ(f"{name}: options", terms - EVERYWHERE, shown - EVERYWHERE)


def check_commands(page, program):
    described = {}
    for line in defined(page):
        command = re.match(r"\*signet ([a-z ]+)\*", line)
        if command:
            described[command[1]] = set(OPTION.findall(line))
    real = commands_of(program)
    wrong = differ("signet: commands", set(described), set(real))
    for command in set(described) & set(real):
        wrong += differ(f"signet {command}", described[command], real[command])
    return wrong


def check_exit_codes(page, program):
    codes = set(re.findall(r"^\|?\[? *\|? +(\d+)$", page, re.M))
    return differ("signet: exit codes", codes,
                  set(re.findall(r"^ +(\d)  ", run_help(program).partition("Exit codes:")[2], re.M)))


def check_configuration(root, page):
    """Each key that the reader of the configuration knows is defined in the page."""
    known = set()
    for source in ("configuration.cc", "toml_reader.cc"):
        for keys in re.findall(r"OnlyKeys\(\{(.*?)\}\)", (root / "agent/policy" / source).read_text(), re.S):
            known |= set(re.findall(r'"(\w+)"', keys))
    defines = {line.strip("*") for line in defined(page)} | set(re.findall(r"^# \[+(\w+)\]+", page, re.M))
    return differ("signet.toml: keys", defines, known)


def main():
    root, programs = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    pages = {path.name.removesuffix(".scd"): path.read_text() for path in (root / "docs/man").glob("*.scd")}
    wrong = []
    for name in ("signet.1", "signetd.8", "signet-fetch.1", "signet-gateway.1"):
        wrong += check_options(name, pages[name], programs / name.rsplit(".", 1)[0])
    wrong += check_commands(pages["signet.1"], programs / "signet")
    wrong += check_exit_codes(pages["signet.1"], programs / "signet")
    wrong += check_configuration(root, pages["signet.toml.5"])
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
