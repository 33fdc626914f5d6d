"""Runs JavaScript without a browser, in the Node.js that comes with Playwright."""

from pathlib import Path
import subprocess

import playwright

NODE = Path(playwright.__file__).parent / "driver" / "node"


def run_node(*arguments: str, given: str = "", cwd: Path | None = None) -> str:
    """Run a program and return its output; raise with its error output if it fails."""
    done = subprocess.run(
        [str(NODE), *arguments],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
    )
    assert not done.returncode, done.stderr
    return done.stdout
