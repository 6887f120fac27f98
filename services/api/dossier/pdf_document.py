"""A dossier as a PDF: tagged, with bookmarks, language and title, links and numbered references (ADR 0009)."""

import json
import re
import subprocess
import sys
import threading
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from services.api.dossier.telling import Telling, plain
from services.core.domain.errors import UnavailableError
from services.core.pages.words import Words

PDF_TYPE = "application/pdf"
_PROGRAM = Path(__file__).with_name("typesetting.py")
_PATIENCE = 60
"""Seconds until what is being set is given up, and until nobody waits any longer for a turn."""
_ONE = threading.Lock()
"""One is set at a time: it takes a blink, and memory beside that of the service."""
_LONG = re.compile(r"\S{91,}")
_PIECE = 30
"""Letters of a long word after which a line may end: what sets the lines breaks no word elsewhere."""
_MAY_BREAK = "\N{ZERO WIDTH SPACE}"


def write_pdf(file: IO[bytes], telling: Telling, dataset: dict[str, Any]) -> None:
    """Write a dossier into a file. `dataset` is the state of the data.

    Raises `UnavailableError` where it takes too long or too much memory.
    """
    words = Words(telling.language)
    told = {
        **_breaking(asdict(telling)),
        "dataset": plain(telling.about[0].line),
        "cite": words("search.cite"),
        "page": words("dossier.page_of", page="\0", pages="\0").split("\0"),
    }
    asked = {
        "told": told,
        "made_at": int(datetime.fromisoformat(dataset["as_of"]).timestamp()),
        "missing_letters": words("dossier.missing_letters"),
    }
    file.write(_typeset(json.dumps(asked).encode()))


def _typeset(asked: bytes) -> bytes:
    command = [sys.executable, "-I", str(_PROGRAM)]
    if not _ONE.acquire(timeout=_PATIENCE):
        raise UnavailableError("Too many PDFs are being made at the moment.")
    try:
        done = subprocess.run(command, input=asked, capture_output=True, timeout=_PATIENCE, check=True)  # noqa: S603
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        raise UnavailableError("This PDF could not be made: there is too much in it for one.") from error
    finally:
        _ONE.release()
    return done.stdout


def _breaking(told: Any, name: str = "") -> Any:
    """The same with places in long words where lines may end; addresses stay as they are."""
    if isinstance(told, dict):
        return {key: _breaking(value, key) for key, value in told.items()}
    if isinstance(told, (list, tuple)):
        return [_breaking(each, name) for each in told]
    if isinstance(told, str) and name != "address":
        return _LONG.sub(_in_pieces, told)
    return told


def _in_pieces(word: re.Match[str]) -> str:
    return _MAY_BREAK.join(word[0][at : at + _PIECE] for at in range(0, len(word[0]), _PIECE))
