"""The docs say what the code does."""

import re
from pathlib import Path

import pytest

from services.api.settings import ApiSettings
from services.core.runtime.settings import CoreSettings
from services.ingest.settings import IngestSettings
from services.search.settings import SearchSettings

REPOSITORY = Path(__file__).parents[1]
CODES = re.compile(
    r"(?:UnreadableDocumentError|ReadIssue|_issue|_refused)\("
    r'(?:\s*(?:digest, )?"(?:error|warning|info)",)?\s*"(?!error|warning|info)([a-z_]+)"'
)
SETTINGS = (CoreSettings, ApiSettings, SearchSettings, IngestSettings)


def test_every_code_of_ingest_is_explained() -> None:
    explained = set(re.findall(r"`([a-z_]+)`", (REPOSITORY / "docs/ingest.md").read_text()))
    used: set[str] = set()
    for path in (REPOSITORY / "services/ingest").rglob("*.py"):
        used |= set(CODES.findall(path.read_text()))
    assert len(used) > 20
    assert used - explained == set()


@pytest.mark.parametrize("page", [*sorted(REPOSITORY.glob("docs/**/*.md")), REPOSITORY / "README.md"], ids=str)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def settings_rows() -> list[str]:
    """The lines of docs/settings.md, as the settings say."""
    known: dict[str, str] = {}
    for kind in SETTINGS:
        for name, field in kind.model_fields.items():
            default = "unset" if field.default is None else f"`{field.default}`"
            known.setdefault(name, f"| `UPR_{name.upper()}` | {default} | {field.description} |")
    return list(known.values())


def test_every_setting_is_described_as_it_is() -> None:
    lines = (REPOSITORY / "docs/settings.md").read_text().splitlines()
    described = [line for line in lines if line.startswith("| `UPR_")]
    assert sorted(described) == sorted(settings_rows())
