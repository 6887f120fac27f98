"""deploy/env.example names every setting, with what it is by itself."""

import json
import textwrap
from collections.abc import Callable
from pathlib import Path

from pydantic_core import PydanticUndefined, to_jsonable_python

from services.core.runtime.settings import CoreSettings
from tests.deploy.files import DEPLOY, SETTINGS_OF

HEAD = """\
# Settings of OpenUPR, each with what it is where it is not set. Take away the `#` of those that you set.
# docker compose reads this as deploy/.env, systemd as /etc/openupr/env. docs/settings.md says the same as a table.
# What is secret (UPR_DATABASE_URL, UPR_MEILI_KEY, UPR_WEBHOOK_PROXY) belongs into files: see UPR_SECRETS_DIR.
"""
TITLES = {"core": "Every service", "api": "API and webhooks", "search": "Search", "ingest": "Ingest"}


def example() -> str:
    known: set[str] = set()
    parts = [HEAD]
    for name, kind in ({"core": CoreSettings} | SETTINGS_OF).items():
        parts.append(f"\n\n# ---- {TITLES[name]}\n")
        for setting, field in kind.model_fields.items():
            if setting in known:
                continue
            known.add(setting)
            assert field.description
            assert field.default is not PydanticUndefined
            lines = textwrap.wrap(field.description, 116, break_long_words=False, break_on_hyphens=False)
            parts.append("\n" + "".join(f"# {line}\n" for line in lines))
            parts.append(f"#UPR_{setting.upper()}={_written(field.default)}\n")
    return "".join(parts)


def _written(default: object) -> str:
    plain = to_jsonable_python(default)
    if plain is None:
        return ""
    return plain if isinstance(plain, str) else json.dumps(plain)


def test_it_is_complete(matches_golden: Callable[[Path, bytes], None]) -> None:
    matches_golden(DEPLOY / "env.example", example().encode())


def test_each_line_can_be_set_as_it_stands(monkeypatch) -> None:
    lines = [line[1:] for line in example().splitlines() if line.startswith("#UPR_")]
    for line in lines:
        name, _, value = line.partition("=")
        if value:
            monkeypatch.setenv(name, value)
    for kind in SETTINGS_OF.values():
        assert kind() == kind.model_construct(), kind
