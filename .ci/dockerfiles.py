"""Reads Dockerfiles and .dockerignore as far as ours go, for the proof of images and for the rules that tests hold."""

import fnmatch
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Step:
    """One instruction with its arguments, its continuation lines joined."""

    instruction: str
    arguments: str

    @property
    def words(self) -> list[str]:
        """The arguments of the exec form, or the words as a shell divides them."""
        return json.loads(self.arguments) if self.arguments.startswith("[") else shlex.split(self.arguments)


@dataclass
class Stage:
    """What stands between two FROM lines. `base` is as written."""

    base: str
    name: str | None
    steps: list[Step] = field(default_factory=list)

    def all(self, instruction: str) -> list[Step]:
        """Its steps of one kind."""
        return [step for step in self.steps if step.instruction == instruction]

    def one(self, instruction: str) -> Step:
        """The only step of a kind. Raises `ValueError` if there is none, or several."""
        (step,) = self.all(instruction)
        return step

    @property
    def environment(self) -> dict[str, str]:
        """What ENV sets."""
        pairs = [word.partition("=") for step in self.all("ENV") for word in step.words]
        return {name: value for name, _, value in pairs}


def steps(path: Path) -> list[Step]:
    """The instructions of a Dockerfile."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    logical = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    found = [line.split(maxsplit=1) for line in logical.splitlines() if line.strip()]
    return [Step(instruction.upper(), arguments.strip()) for instruction, arguments in found]


def stages(path: Path) -> list[Stage]:
    """The stages of a Dockerfile, the final one last."""
    found: list[Stage] = []
    for step in steps(path):
        if step.instruction == "FROM":
            base, _, name = re.match(r"(\S+)(\s+AS\s+(\S+))?$", step.arguments, re.IGNORECASE).groups()
            found.append(Stage(base, name))
        elif found:
            found[-1].steps.append(step)
    return found


def context(root: Path) -> Iterator[Path]:
    """The files that .dockerignore lets through, relative to `root`. The last pattern that matches decides."""
    patterns = [
        line.strip() for line in (root / ".dockerignore").read_text().splitlines() if line.strip() and line[0] != "#"
    ]
    deeper = {pattern[1:].split("/")[0] for pattern in patterns if pattern.startswith("!")}
    for top in sorted(root.iterdir()):
        if top.name in deeper or _is_let_through(Path(top.name), patterns):  # an environment has 50,000 files
            for path in sorted([top, *top.rglob("*")] if top.is_dir() else [top]):
                relative = path.relative_to(root)
                if path.is_file() and _is_let_through(relative, patterns):
                    yield relative


def _is_let_through(path: Path, patterns: list[str]) -> bool:
    kept = True
    for pattern in patterns:
        negated = pattern.startswith("!")
        if any(_matches(part, pattern.removeprefix("!")) for part in (path, *path.parents)):
            kept = negated
    return kept


def _matches(path: Path, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatch.fnmatch(path.name, pattern.removeprefix("**/"))
    return len(path.parts) == len(Path(pattern).parts) and fnmatch.fnmatch(str(path), pattern)
