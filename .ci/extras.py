"""Install each extra alone, from its pinned file and a built wheel, and start that service by itself.

Proves for api, ingest and search: what the extra pins is enough to pass /readyz on an embedded database, and the
packages that only the other services need are not there. Run with the Python of the development environment.
"""

import contextlib
import http.client
import os
import re
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXTRAS = ("api", "ingest", "search")
READY_LIMIT = 60.0
"""Seconds until /readyz must answer 200."""


class ExtraError(Exception):
    """What does not hold, in words."""


def main() -> int:
    """Try all extras at once; the exit status."""
    with tempfile.TemporaryDirectory(prefix="upr-extras-") as folder, ThreadPoolExecutor(len(EXTRAS)) as pool:
        place = Path(folder)
        place.chmod(0o755)  # embedded PostgreSQL runs as another account where we are root
        wheel = built_wheel(place)
        outcomes = list(pool.map(lambda extra: outcome(extra, wheel, place / extra), EXTRAS))
    for extra, fault in zip(EXTRAS, outcomes, strict=True):
        sys.stdout.write(f"extra {extra}: {fault or 'installs and starts alone'}\n")
    return 1 if any(outcomes) else 0


def outcome(extra: str, wheel: Path, folder: Path) -> str | None:
    """What is wrong with an extra; None if nothing is."""
    try:
        python = installed(extra, wheel, folder)
        check_strangers(extra, python)
        check_others_are_told(extra, python, folder)
        check_start(extra, python, folder)
    except ExtraError as failure:
        return str(failure)
    return None


def built_wheel(folder: Path) -> Path:
    """The project as others install it, not as a link to these sources."""
    run([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)], cwd=ROOT)
    return next(folder.glob("*.whl"))


def installed(extra: str, wheel: Path, folder: Path) -> Path:
    """A new environment with the extra's pinned packages and the wheel; its Python."""
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--require-hashes", "--requirement", str(ROOT / "requirements" / f"{extra}.txt")], cwd=folder)
    run([*pip, "--no-deps", "--no-index", str(wheel)], cwd=folder)
    run([str(python), "-m", "pip", "check"], cwd=folder)
    return python


def check_strangers(extra: str, python: Path) -> None:
    """Packages that only other services need cannot be imported."""
    own = pinned(extra)
    foreign = {name for other in EXTRAS for name in pinned(other)} - own
    modules = {
        module
        for module, names in packages_distributions().items()
        if {canonical(name) for name in names} <= foreign and module.isidentifier()
    }
    if not modules:
        raise ExtraError("no module is foreign to it, which cannot be")
    code = (
        "import sys; from importlib.util import find_spec; print(*[name for name in sys.argv[1:] if find_spec(name)])"
    )
    found = run([str(python), "-I", "-c", code, *sorted(modules)]).strip()
    if found:
        raise ExtraError(f"packages of other services are there: {found}")


def check_others_are_told(extra: str, python: Path, folder: Path) -> None:
    """`upr` says of the other services that they are not installed, with status 2."""
    for other in EXTRAS:
        command = [str(python), "-m", "services.cli", other, "--help"]
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)
        if done.returncode != (0 if other == extra else 2):
            raise ExtraError(f"upr {other} --help ended with status {done.returncode}: {done.stdout}{done.stderr}")


def check_start(extra: str, python: Path, folder: Path) -> None:
    """`upr {extra} serve` passes /readyz on a new embedded database, and ends on SIGTERM with status 0."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("UPR_")}
    environment = {**inherited, "UPR_DATA_DIR": str(folder / "data"), f"UPR_{extra.upper()}_PORT": "0"}
    upr = str(python.with_name("upr"))
    run([upr, "db", "migrate"], cwd=folder, env=environment)
    with started([upr, extra, "serve"], folder, environment) as (service, log):
        wait_until_ready(service, log)
        service.terminate()
        if service.wait(30) != 0:
            raise ExtraError(f"serve ended with status {service.returncode} on SIGTERM:\n{log.read_text()}")


@contextlib.contextmanager
def started(
    command: list[str], folder: Path, environment: dict[str, str]
) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
    """A running service and its log; killed at the end if it still runs."""
    log = folder / "serve.log"
    with log.open("wb") as output:
        service = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
    try:
        yield service, log
    finally:
        service.kill()
        service.wait()


def wait_until_ready(service: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait for 200 from /readyz at the address that the service prints when it listens."""
    deadline = time.monotonic() + READY_LIMIT
    said = "nothing yet"
    while time.monotonic() < deadline:
        if service.poll() is not None:
            raise ExtraError(f"serve ended with status {service.returncode}:\n{log.read_text()}")
        if address := re.search(r"listening on http://([\d.]+):(\d+)", log.read_text()):
            status, said = answer(address[1], int(address[2]))
            if status == http.client.OK:
                return
        time.sleep(0.1)
    raise ExtraError(f"not ready after {READY_LIMIT:.0f} s: {said}\n{log.read_text()}")


def answer(host: str, port: int) -> tuple[int, str]:
    """Status and body of /readyz."""
    with contextlib.closing(http.client.HTTPConnection(host, port, timeout=10)) as connection:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")


def pinned(extra: str) -> set[str]:
    """Names of the packages in an extra's file."""
    lines = (ROOT / "requirements" / f"{extra}.txt").read_text(encoding="utf-8").splitlines()
    return {canonical(line.partition("==")[0]) for line in lines if "==" in line}


def canonical(name: str) -> str:
    """One spelling for the name of a package (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name.partition("[")[0]).lower()


def run(command: list[str], cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """Run to the end; what it printed. Raises `ExtraError` with all that it said if its status is not 0."""
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=cwd, env=env)
    if done.returncode != 0:
        raise ExtraError(f"{' '.join(command)} ended with status {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
