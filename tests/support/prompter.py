"""A person who does as a script says: signetd with tests/support/scripted_prompter in the places of
its prompters.
"""
import os
import pathlib
import shutil

from tests.support.stand import BIN


def _link(source, target):
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


class Prompter:
    """Gives the stand's agent, which must not run yet, programs of its own: it looks for prompters
    beside itself, and nowhere else."""

    def __init__(self, stand, place='display = ":77"'):
        self.folder = stand.dir / "programs"
        self.folder.mkdir()
        for program in ("signetd", "signet-backend"):
            _link(BIN / program, self.folder / program)
        for program in ("signet-prompter", "signet-prompter-tty"):
            _link(BIN.parent / "tests" / "scripted_prompter", self.folder / program)
        stand.agent_programs = self.folder
        stand.prompts = f"[prompts]\n{place}\n"

    def does(self, *lines, program="signet-prompter"):
        """From now on; forgets what happened before."""
        (self.folder / f"{program}.log").unlink(missing_ok=True)
        (self.folder / f"{program}.script").write_text("".join(f"{line}\n" for line in lines))

    def log(self, program="signet-prompter"):
        file = self.folder / f"{program}.log"
        return file.read_text().splitlines() if file.exists() else []

    def prompts(self):
        return sum(line.startswith("started") for line in self.log())

    def shown(self):
        return [line for line in self.log() if line.startswith("got show")]
