"""Sets a dossier as a PDF: a program of its own, JSON in, PDF out, which `pdf_document` runs.

Apart from the service, so that what it allocates goes when it ends, and no text of whatever size can take the service
with it. It knows nothing of the rest of the project.
"""

import json
import resource
import sys
from pathlib import Path
from typing import Literal

import typst

MOST_MEMORY = 448 << 20
"""Bytes of address space. A dossier of 1,200 recommendations needs most of it, and 250 MB in memory."""
MOST_SECONDS = 30
"""Of the processor."""
_NOWHERE = "/nonexistent"
"""Where packages would be looked for: the template uses none, and none is ever fetched."""


def main() -> None:
    """Write the PDF of what standard input tells to standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    asked = json.loads(sys.stdin.buffer.read())
    sys.stdout.buffer.write(_set(asked["told"], asked["made_at"], asked["missing_letters"]))


def _set(told: dict[str, object], made_at: int, missing_letters: str) -> bytes:
    """By PDF/UA-1, which allows no letter that the fonts lack; with such letters without its mark, and saying so."""
    try:
        return _compiled({**told, "missing_letters": None}, made_at, "ua-1")
    except typst.TypstError:
        return _compiled({**told, "missing_letters": missing_letters}, made_at, None)


def _compiled(told: dict[str, object], made_at: int, standard: Literal["ua-1"] | None) -> bytes:
    template = Path(__file__).with_name("template.typ")
    compiler = typst.Compiler(
        str(template),
        root=str(template.parent),
        ignore_system_fonts=True,
        sys_inputs={"told": json.dumps(told)},
        package_path=_NOWHERE,
        package_cache_path=_NOWHERE,
    )
    written = compiler.compile(format="pdf", pdf_standards=standard, timestamp=made_at)
    assert isinstance(written, bytes)
    return written


if __name__ == "__main__":
    main()
