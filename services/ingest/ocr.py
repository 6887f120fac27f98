"""Letters of pages that are pictures: PDFium draws each page, Tesseract reads it, both in a sandbox of their own.

An option (`UPR_OCR`), for what a machine recognises is less sure than what is printed: it is marked, with how sure the
machine was, and refused below `LEAST_CONFIDENCE`.
"""

import csv
import io
import itertools
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pypdfium2
import structlog

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.isolation import forbid_more_processes
from services.ingest.parsers import read_document
from services.ingest.parsers.base import Content
from services.ingest.parsers.text.blocks import Block, DocumentText
from services.ingest.reading import Reading, ReadIssue
from services.ingest.sandbox import ReadFile, Sandbox, SandboxLimits
from services.ingest.settings import IngestSettings

log = structlog.get_logger(__name__)

WANTED_LANGUAGES = ("eng", "spa", "fra")
LEAST_CONFIDENCE = 60.0
"""Per cent, the mean of all words weighed by their letters: below, more than one word in ten is wrong."""

_DOTS_PER_INCH = 300  # what Tesseract's documentation asks for
_MOST_PIXELS = 40_000_000
_MOST_PAGES = 60
_SECONDS_FOR_ALL_PAGES = 900.0
_WORD = "5"
"""The level of a row that tells of a word, in Tesseract's tables."""
_LINE = ("block_num", "par_num", "line_num")


@dataclass(frozen=True)
class Recogniser:
    """Tesseract as it is installed here."""

    program: Path
    version: str
    languages: tuple[str, ...]
    data: Path


@cache
def installed_recogniser() -> Recogniser | None:
    """None where there is none, or none of its languages is ours."""
    program = shutil.which("tesseract")
    if program is None:
        return None
    said = _said(program, "--version")
    version = re.search(r"tesseract v?([\w.-]+)", said)
    listed = _said(program, "--list-langs")
    folder = re.search(r'"(.+?)"', listed)
    languages = tuple(each for each in WANTED_LANGUAGES if each in listed.split())
    if version is None or folder is None or not languages:
        return None
    return Recogniser(Path(program).resolve(), version[1], languages, Path(folder[1]))


def _said(program: str, argument: str) -> str:
    done = subprocess.run(  # noqa: S603 - what is on the path as tesseract
        [program, argument], capture_output=True, text=True, timeout=30, check=False
    )
    return done.stdout + done.stderr


def sandbox_of(settings: IngestSettings, workers: int | None = None) -> Sandbox:
    """The sandbox that the settings ask for; `workers`, where given, are as many as they say."""
    size = workers or settings.ingest_workers
    if not settings.ocr:
        return Sandbox(size, settings.parse_deadline_seconds)
    recogniser = installed_recogniser()
    if recogniser is None:
        log.warning("letters are not recognised: tesseract is not installed, or without English, Spanish and French")
        return Sandbox(size, settings.parse_deadline_seconds)
    return RecognisingSandbox(recogniser, size, settings.parse_deadline_seconds)


class RecognisingSandbox(Sandbox):
    """A sandbox that reads pages without text once more, letter by letter, in a second one with limits of its own."""

    def __init__(
        self,
        recogniser: Recogniser,
        workers: int | None = None,
        deadline_seconds: float = SandboxLimits.deadline_seconds,
    ) -> None:
        super().__init__(workers, deadline_seconds)
        # What starts a program is the loader of its libraries, which the kernel starts in its place.
        loaders = tuple(path.resolve() for folder in ("/lib64", "/lib") for path in Path(folder).glob("ld-*.so*"))
        limits = SandboxLimits(
            deadline_seconds=_SECONDS_FOR_ALL_PAGES,
            memory_bytes=2 * 2**30,
            readable=(recogniser.data,),
            programs=(recogniser.program, *loaders),
        )
        self._letters = Sandbox(1, limits=limits, read=RecognisingReader(recogniser))

    def close(self) -> None:
        """End the workers of both."""
        self._letters.close()
        super().close()

    def read_all(self, files: Iterable[Path]) -> Iterator[ReadFile]:
        """As ever, but for pages without text."""
        for outcome in super().read_all(files):
            if isinstance(outcome.result, UnreadableDocumentError) and outcome.result.code == "no_text":
                yield from self._letters.read_all([outcome.path])
            else:
                yield outcome


@dataclass(frozen=True)
class RecognisingReader:
    """Reads PDFs of pictures, with the parser whose kind of document their letters make. Runs in the sandbox."""

    recogniser: Recogniser

    def __call__(self, content: Content) -> Reading:
        """Raises `UnreadableDocumentError`: `ocr_unsure`, `no_text`, and what `read_document` raises."""
        recogniser = self.recogniser
        text, confidence = self._text(content.data)
        told = f"tesseract {recogniser.version} recognised the letters with a mean confidence of {confidence:.0f} %"
        if confidence < LEAST_CONFIDENCE:
            raise UnreadableDocumentError("ocr_unsure", f"the pages are pictures; {told}")
        reading = read_document(_RecognisedContent(content.name, content.data, text))
        mark = {"engine": "tesseract", "version": recogniser.version, "confidence": round(confidence / 100, 3)}
        issue = ReadIssue("info", "recognised_text", f"the pages are pictures; {told}")
        return replace(reading, document=replace(reading.document, ocr=mark), issues=(*reading.issues, issue))

    def _text(self, data: bytes) -> tuple[DocumentText, float]:
        """The lines of all pages, and how sure the words are, in per cent, weighed by their letters."""
        with pypdfium2.PdfDocument(data) as document:
            if len(document) > _MOST_PAGES:
                raise UnreadableDocumentError("no_text", f"over {_MOST_PAGES} pages of pictures are not recognised")
            lines = [line for number in range(len(document)) for line in self._page(document, number)]
            pages = len(document)
        letters = sum(line.letters for line in lines)
        if not letters:
            raise UnreadableDocumentError("no_text", "no letters are recognised on the pages")
        confidence = sum(line.letters * line.confidence for line in lines) / letters
        return DocumentText(blocks=tuple(line.block for line in lines), pages=pages), confidence

    def _page(self, document: Any, number: int) -> list["_Line"]:
        page = document[number]
        width, height = page.get_size()
        scale = min(_DOTS_PER_INCH / 72, (_MOST_PIXELS / max(width * height, 1)) ** 0.5)
        picture = page.render(scale=scale, grayscale=True)
        return list(_lines(self._words(_portable_graymap(picture)), number + 1, scale))

    def _words(self, picture: bytes) -> list[dict[str, str]]:
        languages = "+".join(self.recogniser.languages)
        program = str(self.recogniser.program)
        done = subprocess.run(  # noqa: S603 - the program that was found on the path
            [program, "stdin", "stdout", "-l", languages, "--tessdata-dir", str(self.recogniser.data), "tsv"],
            input=picture, stdout=subprocess.PIPE, check=False,
            env={"OMP_THREAD_LIMIT": "1"}, preexec_fn=forbid_more_processes,
        )  # fmt: skip
        if done.returncode:
            raise UnreadableDocumentError("no_text", f"tesseract ended with {done.returncode} on a page")
        table = io.StringIO(done.stdout.decode("utf-8", "replace"))
        return [row for row in csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE) if row["level"] == _WORD]


class _RecognisedContent(Content):
    """A file with the text that was recognised in the place of the one that it does not have."""

    def __init__(self, name: str, data: bytes, recognised: DocumentText) -> None:
        super().__init__(name, data)
        self.__dict__["text"] = recognised


@dataclass(frozen=True)
class _Line:
    block: Block
    letters: int
    confidence: float


def _lines(words: Iterable[dict[str, str]], page: int, scale: float) -> Iterator[_Line]:
    for _, found in itertools.groupby(words, key=lambda word: [word[name] for name in _LINE]):
        line = [word for word in found if (word["text"] or "").strip()]
        letters = sum(len(word["text"]) for word in line)
        if letters:
            sure = sum(len(word["text"]) * float(word["conf"]) for word in line) / letters
            text = " ".join(word["text"].strip() for word in line)
            yield _Line(Block(text, page, x=round(int(line[0]["left"]) / scale, 1)), letters, sure)


def _portable_graymap(picture: Any) -> bytes:
    """The simplest format that Tesseract reads (Netpbm's pgm), without the padding of PDFium's rows."""
    data, stride, width = bytes(picture.buffer), picture.stride, picture.width
    rows = (data[row * stride : row * stride + width] for row in range(picture.height))
    return b"P5 %d %d 255\n" % (width, picture.height) + b"".join(rows)
