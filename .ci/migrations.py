"""Refuse migrations that take something away from the version before, unless they say since when nobody uses it.

A migration may create tables, and add what can be missing: columns that may be null or have a default, indexes. Drops,
renames, other types, NOT NULL and constraints on tables that were there need `contract = "0.2.0"` in the migration: the
release whose code no longer uses what goes. It must be out: so the version before can run beside (CONTRIBUTING.md).
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONTRACTING = {
    "drop_table", "drop_column", "drop_constraint", "rename_table",
    "create_unique_constraint", "create_check_constraint", "create_foreign_key", "create_primary_key",
    "create_exclude_constraint",
}  # fmt: skip
CHANGING = {"nullable": "False", "type_": None, "new_column_name": None}
"""Arguments of `alter_column` that contract: with this value, or with any."""
SQL = re.compile(
    r"\b(drop|rename|set\s+not\s+null|truncate|add\s+constraint|alter\s+column\s+\S+\s+(set\s+data\s+)?type)\b",
    re.IGNORECASE,
)


def main(root: Path = ROOT) -> int:
    """Print the faults; the exit status."""
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    released = {
        name for name, rest in re.findall(r"^## (\d\S*)(.*)", changelog, re.MULTILINE) if "unreleased" not in rest
    }
    paths = sorted((root / "migrations" / "versions").glob("*.py"))
    faults = [f"{path.name}: {fault}" for path in paths for fault in faults_of(path, released)]
    sys.stdout.writelines(f"{fault}\n" for fault in faults)
    if not faults:
        sys.stdout.write(f"migrations: {len(paths)} leave the version before at work\n")
    return 1 if faults else 0


def faults_of(path: Path, released: set[str]) -> Iterator[str]:
    """What is wrong with one migration."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    assigned = [node for node in module.body if isinstance(node, ast.Assign) and _name(node) == "contract"]
    contract = ast.literal_eval(assigned[0].value) if assigned else None
    upgrade = next(node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == "upgrade")
    taken = list(_contracting(upgrade))
    if contract is None:
        yield from (f'line {line}: {what} takes something away: say `contract = "…"`' for line, what in taken)
    elif contract not in released:
        yield f"contract = {contract!r} is no release that is out"


def _name(node: ast.Assign) -> str:
    return node.targets[0].id if isinstance(node.targets[0], ast.Name) else ""


def _contracting(upgrade: ast.FunctionDef) -> Iterator[tuple[int, str]]:
    calls = [node for node in ast.walk(upgrade) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    new = {_text(call, 0) for call in calls if call.func.attr == "create_table"}  # type: ignore[attr-defined]
    for call in calls:
        assert isinstance(call.func, ast.Attribute)
        what = call.func.attr
        table = _text(call, 1 if what.startswith("create_") and what != "create_table" else 0)
        if table not in new and _takes_away(what, call):
            yield call.lineno, f"op.{what}"


def _takes_away(what: str, call: ast.Call) -> bool:
    given = {each.arg: each.value for each in call.keywords}
    if what == "alter_column":
        return any(name in given and value in (None, ast.unparse(given[name])) for name, value in CHANGING.items())
    if what == "create_index":
        return "unique" in given and ast.unparse(given["unique"]) == "True"
    if what == "add_column":
        return "nullable=False" in ast.unparse(call) and "server_default" not in ast.unparse(call)
    if what == "execute":
        return SQL.search(ast.unparse(call)) is not None
    return what in CONTRACTING


def _text(call: ast.Call, place: int) -> str | None:
    argument = call.args[place] if len(call.args) > place else None
    return str(argument.value) if isinstance(argument, ast.Constant) else None


if __name__ == "__main__":
    sys.exit(main())
