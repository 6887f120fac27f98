"""Where the files of deploy/ are, and what settings there are."""

import sys
from pathlib import Path
from typing import Any

import yaml

from services.api.settings import ApiSettings
from services.core.runtime.settings import CoreSettings
from services.ingest.settings import IngestSettings
from services.search.settings import SearchSettings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SERVICES = ("api", "ingest", "search")
SETTINGS_OF: dict[str, type[CoreSettings]] = {"api": ApiSettings, "ingest": IngestSettings, "search": SearchSettings}

if str(ROOT / ".ci") not in sys.path:
    sys.path.append(str(ROOT / ".ci"))


def variables(kind: type[CoreSettings]) -> set[str]:
    """The names of a service's settings, as the environment has them."""
    return {f"UPR_{name.upper()}" for name in kind.model_fields}


class _Override(list[Any]):
    """A list that takes the place of what it is merged with."""


class _Loader(yaml.SafeLoader):
    """Knows compose's `!override`."""


_Loader.add_constructor("!override", lambda loader, node: _Override(loader.construct_sequence(node)))


def compose(*names: str) -> dict[str, Any]:
    """Compose files, merged as compose merges them: mappings by key, lists put together unless overridden."""
    whole: dict[str, Any] = {}
    for name in names:
        whole = _merged(whole, yaml.load((DEPLOY / name).read_text(), Loader=_Loader))
    return whole


def _merged(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return one | {key: _merged(one[key], value) if key in one else value for key, value in other.items()}
    if isinstance(one, list) and isinstance(other, list) and not isinstance(other, _Override):
        return [*one, *other]
    return list(other) if isinstance(other, _Override) else other
