#!/usr/bin/python3
"""Installs into a folder of its own and uses what is there: programs, library, units.

usage: installation.py REPOSITORY CMAKE BUILD-FOLDER C-COMPILER
"""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

import readme_example

PATIENCE = 60
PROGRAMS = ("signet", "signetd", "signet-fetch", "signet-gateway")
PAGES = ("man1/signet.1", "man1/signet-fetch.1", "man1/signet-gateway.1", "man5/signet.toml.5",
         "man8/signetd.8", "man8/signet-backend.8", "man8/signet-prompter.8",
         "man8/signet-prompter-tty.8")


def output(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=PATIENCE,
                          **options)
    if done.returncode != 0:
        sys.exit(f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def check_library(root, prefix, compiler):
    [found] = prefix.glob("lib*/**/pkgconfig/signet.pc")
    assert (found.parent.parent / "libsignet.so.0").is_symlink(), "libsignet.so has no SOVERSION"
    flags = output("pkg-config", "--define-prefix", "--cflags", "--libs", found).split()
    with tempfile.TemporaryDirectory() as folder:
        readme_example.build(root, compiler, flags, folder)
    return {"LD_LIBRARY_PATH": str(found.parent.parent)}


def check_provider(prefix, libraries):
    """OpenSSL loads the provider where the configuration that comes with it has it."""
    configuration = (prefix / "share/signet/openssl.cnf").read_text()
    [module] = prefix.glob("lib*/**/ossl-modules/signet.so")
    text, count = re.subn(r"^module = /\S*/ossl-modules/signet\.so$", f"module = {module}", configuration,
                          flags=re.M)
    assert count == 1
    with tempfile.TemporaryDirectory() as folder:
        here = pathlib.Path(folder, "openssl.cnf")
        here.write_text(text)
        said = output("openssl", "list", "-providers", env=dict(os.environ, OPENSSL_CONF=str(here), **libraries))
    assert "name: Signet" in said and "OpenSSL Default Provider" in said, said


def check_units(prefix):
    """systemd finds nothing to say about them."""
    with tempfile.TemporaryDirectory() as folder:
        for manager in ("system", "user"):
            units = shutil.copytree(prefix / "lib/systemd" / manager, pathlib.Path(folder, manager))
            service = units / "signetd.service"
            # Where the units would be in place the program would be, too.
            text, count = re.subn(r"^ExecStart=\S+", f"ExecStart={prefix}/bin/signetd", service.read_text(),
                                  flags=re.M)
            assert count == 1
            service.write_text(text)
            said = output("systemd-analyze", f"--{manager}", "verify", "--man=no", *sorted(units.iterdir()),
                          env=dict(os.environ, XDG_RUNTIME_DIR=folder))
            if said:
                sys.exit(f"the {manager}'s units: {said}")


def settings_of(unit):
    return dict(line.split("=", 1) for line in unit.read_text().splitlines() if "=" in line)


def check_exit_codes(prefix, environment):
    """systemd starts the agent again for all but the failures that would only come again."""
    lasting = [subprocess.run([prefix / "bin/signetd", *arguments], env=environment, capture_output=True,
                              timeout=PATIENCE).returncode
               for arguments in (("--nonsense",), ("--config", "/nonexistent/signet.toml"))]
    for manager in ("system", "user"):
        service = settings_of(prefix / "lib/systemd" / manager / "signetd.service")
        assert service["RestartPreventExitStatus"] == "{} {}".format(*lasting), (manager, lasting)


def check_system_user(prefix):
    """The system's agent runs as a user that sysusers makes."""
    user = settings_of(prefix / "lib/systemd/system/signetd.service")["User"]
    with tempfile.TemporaryDirectory() as root:
        pathlib.Path(root, "etc").mkdir()
        said = output("systemd-sysusers", "--dry-run", f"--root={root}", "-",
                      input=(prefix / "lib/sysusers.d/signet.conf").read_text())
    assert f"Creating user '{user}' (Signet " in said, said


def check_dbus(prefix):
    """Only the system agent's user and root may have the name, and who reads about it finds it."""
    user = settings_of(prefix / "lib/systemd/system/signetd.service")["User"]
    policy = xml.etree.ElementTree.parse(prefix / "share/dbus-1/system.d/org.signet.Agent1.conf")
    owners = {one.get("user") for one in policy.iter("policy") if one.find("allow").get("own")}
    assert owners == {user, "root"}, owners
    described = xml.etree.ElementTree.parse(prefix / "share/dbus-1/interfaces/org.signet.Agent1.xml")
    assert "org.signet.Agent1" in [one.get("name") for one in described.iter("interface")]


def listens(file):
    """Whoever asks is the first client: signetd starts."""
    with socket.socket(socket.AF_UNIX) as visitor:
        return visitor.connect_ex(str(file)) == 0


def check_agent(prefix, libraries, manager):
    """The agent starts on the sockets that the units name, where a client looks for them, finds its
    backend, and makes a key."""
    units = prefix / "lib/systemd" / manager
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "signet.toml").write_text('[[backend]]\nname = "file"\ntype = "software"\n')
        environment = dict(os.environ, XDG_RUNTIME_DIR=str(folder), **libraries)
        environment.pop("SIGNET_RUNTIME_DIR", None)
        if manager == "system":
            outside = {name: value for name, value in environment.items() if name != "XDG_RUNTIME_DIR"}
            assert "/run/signet" in output(prefix / "bin/signetd", "--help", env=outside)
            assert "--runtime-dir /run/signet " in settings_of(units / "signetd.service")["ExecStart"]
        sockets = [settings_of(unit) for unit in sorted(units.glob("*.socket"))]
        names = [socket["FileDescriptorName"] for socket in sockets]
        # %t is $XDG_RUNTIME_DIR for a user and /run for the system; here, the test's folder for both.
        runtime = "%t/" if manager == "user" else "/run/"
        files = []
        for socket in sockets:
            assert socket["ListenStream"] == f"{runtime}signet/{socket['FileDescriptorName']}", socket
            files.append(folder / socket["ListenStream"].removeprefix(runtime))
        (folder / "signet").mkdir(mode=0o700)
        listening = [f"--listen={file}" for file in files]
        with subprocess.Popen(
                ["systemd-socket-activate", *listening, f"--fdname={':'.join(names)}", prefix / "bin/signetd",
                 "--config", folder / "signet.toml", "--runtime-dir", folder / "signet", "--state-dir",
                 folder / "state"],
                env=environment, stderr=subprocess.PIPE, text=True) as agent:
            try:
                end = time.monotonic() + PATIENCE
                while not all(listens(file) for file in files):
                    if time.monotonic() > end or agent.poll() is not None:
                        sys.exit("systemd-socket-activate does not listen")
                    time.sleep(0.02)
                said = output(prefix / "bin/signet", "identity", "create", "laptop", "--backend", "file",
                              "--kind", "device", env=environment)
                assert "laptop" in said, said
            finally:
                agent.terminate()
                log = agent.communicate(timeout=PATIENCE)[1]
    assert f"signetd: ready in {folder / 'signet'}:" in log, log


def main():
    root, cmake, build, compiler = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        prefix = pathlib.Path(folder)
        output(cmake, "--install", build, "--prefix", prefix)
        libraries = check_library(pathlib.Path(root), prefix, compiler)
        for program in PROGRAMS:
            assert "sage" in output(prefix / "bin" / program, "--help", env=dict(os.environ, **libraries))
        for program in ("signet", "signetd"):
            said = output(prefix / "bin" / program, "--version", env=dict(os.environ, **libraries))
            assert re.fullmatch(program + r" \d+\.\d+\.\d+\n", said), said
        for page in PAGES:
            assert (prefix / "share/man" / page).stat().st_size > 500, page
        check_provider(prefix, libraries)
        check_units(prefix)
        check_exit_codes(prefix, dict(os.environ, **libraries))
        check_system_user(prefix)
        check_dbus(prefix)
        for manager in ("system", "user"):
            check_agent(prefix, libraries, manager)


if __name__ == "__main__":
    main()
