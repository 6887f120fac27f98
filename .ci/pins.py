"""Check requirements/*.txt without a network: no addresses, all hashed, and in step with pyproject.toml.

In step means: what the extra (or the dependency group) needs, followed through the packages installed here, is what its
file pins, at versions that satisfy whoever asks for them, and every file pins the same versions.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
OURS = "openupr"
ADDRESS = re.compile(r"://|^\s*-|@ ", re.MULTILINE)


def main() -> int:
    """Print the faults; the exit status."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    wanted = {name: [*project["project"]["dependencies"], *lines] for name, lines in extras.items()}
    wanted |= project.get("dependency-groups", {})
    paths = {name: ROOT / "requirements" / f"{name}.txt" for name in wanted}
    faults = [fault for path in paths.values() for fault in form_faults(path)]
    if not faults:  # else they could not be read
        pinned = {name: pins(path) for name, path in paths.items()}
        faults += [fault for name in wanted for fault in step_faults(name, wanted, pinned[name])]
        faults += version_faults(pinned)
    sys.stdout.writelines(f"requirements/{fault}\n" for fault in faults)
    if not faults:
        sys.stdout.write(f"requirements: {len(paths)} files agree with pyproject.toml\n")
    return 1 if faults else 0


def entries(path: Path) -> list[str]:
    """The requirements of a file, each with its continuation lines."""
    return path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()


def pins(path: Path) -> dict[str, Requirement]:
    """The requirements that apply on this machine, by canonical name."""
    found = [Requirement(entry.partition("--hash")[0]) for entry in entries(path)]
    return {canonicalize_name(each.name): each for each in found if each.marker is None or each.marker.evaluate()}


def form_faults(path: Path) -> Iterator[str]:
    """What a file must not look like: addresses of indexes are a matter of the machine that installs."""
    for entry in entries(path):
        requirement, _, hashes = entry.partition("--hash=sha256:")
        if ADDRESS.search(requirement):
            yield f"{path.name}: an address or an option: {requirement.strip()}"
        elif "==" not in requirement or not hashes:
            yield f"{path.name}: not pinned with hashes: {requirement.strip()}"


def step_faults(extra: str, wanted: dict[str, list[str]], pinned: dict[str, Requirement]) -> Iterator[str]:
    """Where a file pins something else than the extra needs."""
    needed: set[str] = set()
    todo = [Requirement(line) for line in wanted[extra]]
    seen: set[str] = set()
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        if str(requirement) in seen or not applies(requirement, ()):
            continue
        seen.add(str(requirement))
        if name == OURS:
            todo += [Requirement(line) for each in requirement.extras for line in wanted[each]]
            continue
        needed.add(name)
        if name not in pinned:
            yield f"{extra}.txt: {requirement} is missing"
        elif not requirement.specifier.contains(version_of(pinned[name]), prereleases=True):
            yield f"{extra}.txt: {pinned[name]} does not satisfy {requirement}"
        todo += needs_of(name, requirement.extras)
    yield from (f"{extra}.txt: nothing needs {name}" for name in sorted(pinned.keys() - needed))


def needs_of(name: str, extras: Iterable[str]) -> list[Requirement]:
    """What an installed package needs with these extras. One that is not installed is told as missing elsewhere."""
    try:
        requirements = [Requirement(line) for line in requires(name) or []]
    except PackageNotFoundError:
        return []
    found = [requirement for requirement in requirements if applies(requirement, extras)]
    for requirement in found:
        requirement.marker = None
    return found


def applies(requirement: Requirement, extras: Iterable[str]) -> bool:
    """Whether it counts on this machine, with these extras of the package that names it."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in (*extras, ""))


def version_of(requirement: Requirement) -> str:
    """The version that a pinned requirement names."""
    return str(requirement.specifier).removeprefix("==")


def version_faults(pinned: dict[str, dict[str, Requirement]]) -> Iterator[str]:
    """Packages that two files pin at different versions."""
    for name, requirement in pinned["dev"].items():
        for extra, others in pinned.items():
            if name in others and version_of(others[name]) != version_of(requirement):
                yield f"{extra}.txt: {others[name]}, but dev.txt has {version_of(requirement)}"


if __name__ == "__main__":
    sys.exit(main())
