"""The embedded PostgreSQL, with real processes that are really killed."""

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from services.core.domain.errors import SettingsError, UnavailableError
from services.core.runtime.postgres import database_url, embedded_postgres
from services.core.runtime.postgres.binaries import installed_package
from services.core.runtime.postgres.embedded import is_guarded
from services.core.runtime.settings import CoreSettings

ROOT = Path(__file__).parents[3]
HOLD = """
import sys
from pathlib import Path
from services.core.runtime.postgres import embedded_postgres
with embedded_postgres(Path(sys.argv[1]), durable=False) as url:
    print(url, flush=True)
    sys.stdin.read()
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture(scope="module")
def module_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="upr-test-") as parent:
        yield Path(parent) / "postgres"


@pytest.fixture
def folder(module_folder: Path) -> Iterator[Path]:
    """A folder for a cluster, made by the first test that uses it. Every test leaves it without processes."""
    yield module_folder
    assert eventually(lambda: not is_guarded(module_folder))
    assert servers(module_folder) == []


def eventually(condition: Callable[[], object], seconds: float = 8.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def servers(folder: Path) -> list[int]:
    """Every process that works in the cluster's folder: the postmaster and its children."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and (entry / "cwd").readlink() == folder.resolve() / "cluster":
                found.append(int(entry.name))
    return found


def postmaster(folder: Path) -> int:
    return int((folder / "cluster" / "postmaster.pid").read_text().splitlines()[0])


def guardian(folder: Path) -> int:
    """The guardian is the postmaster's parent."""
    status = Path(f"/proc/{postmaster(folder)}/stat").read_text()
    return int(status.rpartition(")")[2].split()[1])


def kill(*pids: int) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def value(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return row[0]


@contextlib.contextmanager
def another_process(folder: Path, script: str = HOLD) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process that holds a lease, as a terminal would start it; and the URL it got."""
    with subprocess.Popen(
        [sys.executable, "-c", script, str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
        process.kill()


# --- using it


def test_a_cluster_lives_as_long_as_the_block(folder: Path) -> None:
    with embedded_postgres(folder) as url:
        assert value(url, "SELECT 40 + 2") == 42
        assert servers(folder)
    assert not is_guarded(folder)
    assert servers(folder) == []


def test_it_is_set_up_as_the_product_needs_it(folder: Path) -> None:
    expected = {
        "server_encoding": "UTF8",
        "data_checksums": "on",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "listen_addresses": "",
        "max_connections": "100",
        "shared_buffers": "64MB",
        "idle_in_transaction_session_timeout": "1min",
        "TimeZone": "UTC",
        "password_encryption": "scram-sha-256",
    }
    with embedded_postgres(folder) as url:
        assert {name: value(url, f"SHOW {name}") for name in expected} == expected
        locale = "SELECT concat(datlocprovider, ' ', datlocale) FROM pg_database WHERE datname = current_database()"
        assert value(url, locale) == "b C.UTF-8"
        assert value(url, "SELECT lower('ÑANDÚ')") == "ñandú"


def test_sqlalchemy_takes_the_url(folder: Path) -> None:
    with embedded_postgres(folder) as url:
        engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
        with engine.connect() as connection:
            assert connection.execute(text("SELECT current_user")).scalar() == "openupr"
        engine.dispose()


def test_only_the_password_opens_it(folder: Path) -> None:
    with embedded_postgres(folder) as url:
        password = (folder / "password").read_text()
        assert len(password) >= 32
        assert stat.S_IMODE((folder / "password").stat().st_mode) == 0o600
        assert stat.S_IMODE((folder / "cluster").stat().st_mode) == 0o700
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(url.replace(password, "wrong"))
        with pytest.raises(psycopg.OperationalError, match="no password supplied"):
            psycopg.connect(url.replace(f":{password}", ""), passfile="/nonexistent")


def test_a_lost_password_is_replaced(folder: Path) -> None:
    with embedded_postgres(folder) as url:
        former = (folder / "password").read_text()
    (folder / "password").unlink()
    with embedded_postgres(folder) as url:
        assert value(url, "SELECT 1") == 1
        assert former not in url


def test_data_survives(folder: Path) -> None:
    with embedded_postgres(folder) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'Ñ' AS letter")
    with embedded_postgres(folder) as url:
        assert value(url, "SELECT letter FROM kept") == "Ñ"


def test_it_starts_in_no_time(folder: Path) -> None:
    took = []
    for _ in range(3):
        started = time.monotonic()
        with embedded_postgres(folder):
            took.append(time.monotonic() - started)
    assert min(took) < 1.5


def test_a_cluster_for_tests_skips_durability(folder: Path) -> None:
    with embedded_postgres(folder, durable=False) as url:
        assert {value(url, f"SHOW {name}") for name in ("fsync", "full_page_writes", "synchronous_commit")} == {"off"}
        with pytest.raises(SettingsError, match="without durability"), embedded_postgres(folder, durable=True):
            pass
        assert value(url, "SELECT 1") == 1


def test_settings_decide_where_the_database_is(folder: Path) -> None:
    with database_url(CoreSettings(data_dir=folder.parent)) as url:
        assert f"host={folder}/socket" in url
    with database_url(CoreSettings(database_url="postgresql://elsewhere/upr", data_dir=folder.parent)) as url:
        assert url == "postgresql://elsewhere/upr"
        assert not is_guarded(folder)


def test_nothing_is_embedded_where_a_database_is_given() -> None:
    script = (
        "import sys\n"
        "from services.core.runtime.postgres import database_url\n"
        "from services.core.runtime.settings import CoreSettings\n"
        "with database_url(CoreSettings(database_url='postgresql://elsewhere/upr')): pass\n"
        "print([name for name in sys.modules if name.startswith(('embedded_postgres', 'psycopg'))"
        " or name.startswith('services.core.runtime.postgres.')])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- sharing it


def test_a_second_user_shares_the_server_and_may_outlive_the_first(folder: Path) -> None:
    with another_process(folder) as (first, url):
        with embedded_postgres(folder, durable=False) as mine:
            assert mine == url
            server = postmaster(folder)
            first.communicate()
            assert first.returncode == 0
            assert value(mine, "SELECT 1") == 1
            assert postmaster(folder) == server
        assert servers(folder) == []


def test_simultaneous_starts_end_up_with_one_server(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", HOLD, folder], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    try:
        urls = {start.stdout.readline().strip() for start in starts if start.stdout}
        assert len(urls) == 1
        assert value(urls.pop(), "SELECT 1") == 1
        assert len({os.getpgid(pid) for pid in servers(folder) if pid == postmaster(folder)}) == 1
    finally:
        for start in starts:
            start.communicate()
    assert [start.returncode for start in starts] == [0, 0, 0, 0]
    assert servers(folder) == []


def test_starting_while_it_stops(folder: Path) -> None:
    holders = []
    for _ in range(5):
        with contextlib.ExitStack() as stack:
            holder, url = stack.enter_context(another_process(folder))
            assert value(url, "SELECT 1") == 1
            holders.append(holder)
            # killed here; the next one starts before the server has noticed


def test_ctrl_c_in_the_terminal_reaches_the_users_only(folder: Path) -> None:
    with another_process(folder) as (owner, _), embedded_postgres(folder, durable=False) as url:
        os.killpg(owner.pid, signal.SIGINT)
        assert owner.wait(10) != 0
        time.sleep(0.2)
        assert value(url, "SELECT 1") == 1
        assert os.getsid(guardian(folder)) == os.getsid(postmaster(folder))
        assert os.getsid(guardian(folder)) not in {os.getsid(0), os.getsid(os.getppid())}


# --- being killed


def test_nothing_outlives_a_killed_owner(folder: Path) -> None:
    with another_process(folder) as (owner, _):
        assert servers(folder)
        owner.kill()
        assert eventually(lambda: not servers(folder) and not is_guarded(folder))


def test_a_forked_child_does_not_hold_its_killed_parents_lease(folder: Path) -> None:
    script = HOLD.replace(
        "    sys.stdin.read()", "    import os, time\n    os.fork() or time.sleep(20)\n    sys.stdin.read()"
    )
    with another_process(folder, script) as (owner, _):
        time.sleep(0.2)  # for the fork
        owner.kill()
        assert eventually(lambda: not servers(folder))
        os.killpg(owner.pid, signal.SIGKILL)


def test_the_server_ends_with_a_killed_guardian_and_starts_again(folder: Path) -> None:
    with another_process(folder) as (_, url):
        value(url, "SELECT 1")
        kill(guardian(folder))
        assert eventually(lambda: not servers(folder))
        with embedded_postgres(folder, durable=False) as mine:
            assert value(mine, "SELECT 1") == 1


def test_a_start_right_after_a_killed_guardian(folder: Path) -> None:
    with another_process(folder):
        server = postmaster(folder)
        kill(guardian(folder))
        with embedded_postgres(folder, durable=False) as mine:
            assert value(mine, "SELECT 1") == 1
            assert postmaster(folder) != server


def test_a_guardian_told_to_end_stops_the_server_in_good_order(folder: Path) -> None:
    with another_process(folder):
        os.kill(guardian(folder), signal.SIGTERM)
        assert eventually(lambda: not is_guarded(folder))
    assert not (folder / "cluster" / "postmaster.pid").exists()
    assert "database system is shut down" in (folder / "server.log").read_text().splitlines()[-1]


def test_a_guardian_ends_with_a_killed_server(folder: Path) -> None:
    with another_process(folder):
        kill(postmaster(folder))
        assert eventually(lambda: not is_guarded(folder))
    with embedded_postgres(folder, durable=False) as url:
        assert value(url, "SELECT 1") == 1


def test_what_was_committed_survives_when_everything_is_killed(folder: Path) -> None:
    with embedded_postgres(folder) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE committed (n int)")
    durable = HOLD.replace("durable=False", "durable=True")
    with another_process(folder, durable) as (owner, url):
        with psycopg.connect(url) as connection:
            connection.execute("INSERT INTO committed VALUES (7)")
        keeper = guardian(folder)
        os.kill(keeper, signal.SIGSTOP)
        kill(*servers(folder), keeper, owner.pid)
    assert (folder / "cluster" / "postmaster.pid").exists()
    with embedded_postgres(folder) as url:
        assert value(url, "SELECT n FROM committed") == 7


def test_a_server_without_a_guardian_is_stopped_first(folder: Path) -> None:
    """Where the kernel cannot tie the server to its guardian, it survives a kill -9 of him."""
    with embedded_postgres(folder):
        pass
    if not _reachable_for_the_account(folder):
        pytest.skip("the account of the server cannot enter the temporary folder")
    with subprocess.Popen(
        [installed_package() / "pginstall/bin/postgres", "-D", folder / "cluster", "-k", folder / "socket"],
        stderr=subprocess.DEVNULL,
        **account_of(folder),
    ) as orphan:
        notice = folder / "cluster" / "postmaster.pid"
        assert eventually(lambda: notice.exists() and "ready" in notice.read_text())
        with embedded_postgres(folder) as url:
            assert value(url, "SELECT 1") == 1
            assert orphan.wait(5) == 0


def account_of(folder: Path) -> dict[str, Any]:
    """Arguments for `subprocess` to run something as the server's account."""
    owner = (folder / "cluster").stat()
    return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}


def _reachable_for_the_account(folder: Path) -> bool:
    if os.geteuid() != 0:
        return True
    folder.parent.chmod(0o711)
    folder.chmod(0o711)
    return all(parent.stat().st_mode & 0o001 for parent in (folder, *folder.parents, *installed_package().parents))


def test_a_process_that_got_the_servers_number_is_left_alone(folder: Path) -> None:
    with embedded_postgres(folder):
        pass
    account = (folder / "cluster").stat()
    with subprocess.Popen(["sleep", "60"], **account_of(folder)) as stranger:
        notice = folder / "cluster" / "postmaster.pid"
        notice.write_text(f"{stranger.pid}\n/somewhere\n1700000000\n5432\n\n\n 1234567 1\nready   \n")
        os.chown(notice, account.st_uid, account.st_gid)
        with embedded_postgres(folder) as url:
            assert value(url, "SELECT 1") == 1
            assert stranger.poll() is None
        stranger.kill()


# --- folders


def test_a_path_too_long_for_a_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30) / ("longer" * 20) / "postgres"
    with embedded_postgres(folder, durable=False) as url:
        assert value(url, "SELECT 1") == 1
        place = Path(url.partition("host=")[2].partition("&")[0])
        assert len(str(place)) < 90
        with embedded_postgres(folder, durable=False) as again:
            assert again == url
    assert not place.parent.exists()
    assert servers(folder) == []


def test_nothing_above_the_folder_changes(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    parents = [private, *private.parents]
    before = [(each.stat().st_mode, each.stat().st_uid, each.stat().st_gid) for each in parents]
    with embedded_postgres(private / "data" / "postgres", durable=False) as url:
        assert value(url, "SELECT 1") == 1
    assert [(each.stat().st_mode, each.stat().st_uid, each.stat().st_gid) for each in parents] == before
    assert (private / "data" / "postgres").stat().st_uid == os.geteuid()


def test_a_folder_with_odd_letters(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path / "a b&c%20é?'#", durable=False) as url:
        assert value(url, "SELECT 1") == 1


def test_a_cluster_of_another_version_is_refused(folder: Path) -> None:
    with embedded_postgres(folder):
        pass
    version = folder / "cluster" / "PG_VERSION"
    version.write_text("15\n")
    try:
        with pytest.raises(SettingsError, match="15, and this is PostgreSQL 18: dump it"), embedded_postgres(folder):
            pass
    finally:
        version.write_text("18\n")


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster" / "thesis.txt").write_text("precious")
    with pytest.raises(SettingsError, match="no PostgreSQL cluster"), embedded_postgres(tmp_path):
        pass
    assert (tmp_path / "cluster" / "thesis.txt").read_text() == "precious"


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres").write_text("")
    with pytest.raises(SettingsError, match="UPR_DATA_DIR"), embedded_postgres(tmp_path / "postgres"):
        pass


def test_an_interrupted_initdb_is_done_again(tmp_path: Path) -> None:
    (tmp_path / "cluster.unfinished").mkdir()
    (tmp_path / "cluster.unfinished" / "PG_VERSION").write_text("18\n")
    with embedded_postgres(tmp_path, durable=False) as url:
        assert value(url, "SELECT 1") == 1


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    with embedded_postgres(folder):
        pass
    control = folder / "cluster" / "global" / "pg_control"
    control.rename(control.with_name("mislaid"))
    try:
        with pytest.raises(UnavailableError, match=r"did not start .*global/pg_control"), embedded_postgres(folder):
            pass
    finally:
        control.with_name("mislaid").rename(control)


def test_a_guardian_that_cannot_live_says_why(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.core.runtime.postgres.embedded._ROOT", folder / "nothing")
    with pytest.raises(UnavailableError, match="No module named 'services'"), embedded_postgres(folder):
        pass


def test_windows_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(SettingsError, match="UPR_DATABASE_URL"), embedded_postgres(tmp_path):
        pass


@as_root
def test_a_full_disk_is_named(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from services.core.domain.errors import UprError\n"
        "from services.core.runtime.postgres import embedded_postgres\n"
        "try:\n    with embedded_postgres(Path(sys.argv[1]) / 'postgres'): pass\n"
        "except UprError as error: print(error.code, error.detail)"
    )
    mount = f'mount -t tmpfs -o size=20m none "{tmp_path}" || exit 77; exec "$0" -c "$1" "{tmp_path}"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mount, sys.executable, script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode in {1, 77}:
        pytest.skip("no small file system can be mounted here")
    assert done.stdout.startswith("unavailable")
    assert "No space left on device" in done.stdout


# --- accounts


@as_root
def test_root_lends_an_account_and_keeps_the_folder(folder: Path) -> None:
    with embedded_postgres(folder) as url:
        assert Path(f"/proc/{postmaster(folder)}").stat().st_uid == (folder / "cluster").stat().st_uid != 0
        assert folder.stat().st_uid == (folder / "password").stat().st_uid == 0
        capabilities = Path(f"/proc/{postmaster(folder)}/status").read_text()
        assert "CapEff:\t0000000000000000" in capabilities
        assert value(url, "SELECT 1") == 1


@as_root
def test_a_cluster_that_root_restored_is_handed_over(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path, durable=False):
        pass
    for path in (tmp_path / "cluster", *(tmp_path / "cluster").rglob("*")):
        os.chown(path, 0, 0)
    with embedded_postgres(tmp_path, durable=False) as url:
        assert value(url, "SELECT 1") == 1


@as_root
def test_programs_below_a_private_folder_are_copied(tmp_path: Path) -> None:
    site = tmp_path / "site"
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        original = installed_package().parent / name
        shutil.copytree(original, site / name, ignore=shutil.ignore_patterns("include", "*.py", "*.a"))
    shelves = [Path("/var/cache/openupr"), Path(tempfile.gettempdir()) / "openupr"]
    before = {shelf: set(shelf.glob("*")) if shelf.exists() else None for shelf in shelves}
    try:
        with subprocess.Popen(
            [sys.executable, "-c", HOLD, tmp_path / "postgres"],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{ROOT}"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            assert value(process.stdout.readline().strip(), "SELECT 1") == 1
            program = Path(f"/proc/{postmaster(tmp_path / 'postgres')}/exe").readlink()
            assert not program.is_relative_to(tmp_path)
            process.communicate()
    finally:
        for shelf, contents in before.items():
            for copy in set(shelf.glob("*")) - (contents or set()):
                shutil.rmtree(copy)
            if contents is None and shelf.exists():
                shelf.rmdir()


@as_root
@pytest.mark.parametrize(
    ("become", "detail"),
    [
        (["--inh-caps=-all", "--bounding-set=-all"], "root may not become the user upr-postgres"),
        (["--reuid=54321", "--clear-groups"], "The user number 54321 has no name"),
    ],
    ids=["a root without capabilities", "a user without a name"],
)
def test_accounts_that_cannot_work_are_told_what_to_do(
    become: list[str], detail: str, ordinary_user: tuple[list[str], Path]
) -> None:
    python, home = ordinary_user
    os.chown(home, 54321 if "--reuid=54321" in become else 0, 0)
    done = subprocess.run(
        ["setpriv", *become, *python[-2:], HOLD, home / "postgres"],
        env=_importable(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert detail in done.stderr
    assert "UPR_DATABASE_URL" in done.stderr


@pytest.fixture
def ordinary_user() -> Iterator[tuple[list[str], Path]]:
    """A command prefix that runs Python as an ordinary user, and a folder of theirs."""
    if os.geteuid() != 0:
        with tempfile.TemporaryDirectory() as home:
            yield [sys.executable, "-c"], Path(home)
        return
    import pwd  # noqa: PLC0415

    nobody = pwd.getpwnam("nobody")
    become = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    same_version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/{same_version}", f"/usr/local/bin/{same_version}"):
        with contextlib.suppress(OSError):
            trial = [*become, python, "-c", _TRIAL]
            if subprocess.run(trial, env=_importable(), check=False, capture_output=True).returncode == 0:
                break
    else:
        pytest.skip("an ordinary user cannot run this Python or read this folder")
    with tempfile.TemporaryDirectory() as home:
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
        yield [*become, python, "-c"], Path(home)


_TRIAL = "import subprocess, sys, psycopg, services.core; subprocess.run([sys.executable, '-c', ''], check=True)"


def _importable() -> dict[str, str]:
    return {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join([str(ROOT), *(p for p in sys.path if p)])}


def test_an_ordinary_user_runs_it_alone(ordinary_user: tuple[list[str], Path]) -> None:
    python, home = ordinary_user
    folder = home / "postgres"
    with subprocess.Popen(
        [*python, HOLD, folder], env=_importable(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert value(process.stdout.readline().strip(), "SELECT 1") == 1
        owner = home.stat().st_uid
        assert owner != 0
        assert {path.stat().st_uid for path in (folder, folder / "cluster", folder / "password")} == {owner}
        assert Path(f"/proc/{postmaster(folder)}").stat().st_uid == owner
        process.kill()
        assert eventually(lambda: not servers(folder))


@as_root
def test_root_and_an_ordinary_user_share_the_users_cluster(ordinary_user: tuple[list[str], Path]) -> None:
    python, home = ordinary_user
    folder = home / "postgres"
    user = [*python, HOLD, str(folder)]
    subprocess.run(user, env=_importable(), stdin=subprocess.DEVNULL, capture_output=True, check=True)
    with embedded_postgres(folder, durable=False) as url:
        done = subprocess.run(user, env=_importable(), input="", capture_output=True, text=True, check=True)
        assert done.stdout.strip() == url
    assert {path.stat().st_uid for path in (folder, *folder.iterdir())} == {home.stat().st_uid}
    subprocess.run(user, env=_importable(), stdin=subprocess.DEVNULL, capture_output=True, check=True)


@as_root
def test_an_ordinary_user_is_refused_roots_cluster(ordinary_user: tuple[list[str], Path]) -> None:
    python, home = ordinary_user
    with embedded_postgres(home / "shared" / "postgres", durable=False):
        pass
    done = subprocess.run(
        [*python, HOLD, home / "shared" / "postgres"], env=_importable(), capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "SettingsError" in done.stderr
    assert "Permission denied" in done.stderr
    assert "UPR_DATA_DIR" in done.stderr
