"""Damages files as the world does, and as somebody would who means harm. Everything follows from a seed."""

import io
import random
import re
import zipfile
from collections.abc import Callable
from itertools import pairwise

import pypdfium2

Mutate = Callable[[bytes, random.Random], bytes]

ODD = (
    *("\x00", "\ufffe", "\u202e", "\u200f", "\u2028", "\u00ad", "\ufeff", "e\u0301" * 50, "\U0001f4a5", "𝟙𝟜𝟘.𝟙"),
    *(
        "(" * 500,
        "((((Chile)" * 60,
        "1." * 300,
        "140.1-140." + "9" * 80,
        "A/HRC/99/" + "9" * 50,
        "é" * 3000,
        "\n" * 500,
    ),
)
"""Texts that somebody's code stumbles over."""

SIGNS = ('"', ",", "[", "{", "}", "]", "\\ud800", "\\u0000", "null", "1e999", "\r")
ENTITIES = ("&#0;", "&#xD800;", "&#xFFFE;", "&#x202E;", "&lol;", "&amp;" * 100, "<![CDATA[", "]]>", "<!-- ")


def truncated(data: bytes, dice: random.Random) -> bytes:
    """Cut off anywhere, more often near either end."""
    places = (dice.randrange(len(data)), dice.randrange(64), -dice.randint(1, min(2000, len(data))))
    return data[: dice.choice(places) or 1]


def flipped(data: bytes, dice: random.Random) -> bytes:
    """Some bytes are others."""
    damaged = bytearray(data)
    for _ in range(dice.choice((1, 5, 50, 500))):
        damaged[dice.randrange(len(damaged))] = dice.randrange(256)
    return bytes(damaged)


def shuffled(data: bytes, dice: random.Random) -> bytes:
    """Pieces in another order, some twice, some missing."""
    cuts = sorted({0, len(data), *(dice.randrange(len(data)) for _ in range(dice.randint(1, 12)))})
    pieces = [data[start:end] for start, end in pairwise(cuts)]
    return b"".join(dice.choices(pieces, k=len(pieces)))


def struck_out(data: bytes, dice: random.Random) -> bytes:
    """A stretch of it is zeros, or random."""
    start = dice.randrange(len(data))
    length = min(dice.choice((1, 64, 512, 8192)), len(data) - start)
    return data[:start] + dice.choice((bytes(length), dice.randbytes(length))) + data[start + length :]


def noise(data: bytes, dice: random.Random) -> bytes:
    """Nothing but its first bytes is left."""
    return data[: dice.randrange(64)] + dice.randbytes(dice.choice((0, 100, 10_000)))


def other_numbers(data: bytes, dice: random.Random) -> bytes:
    """Numbers in it are huge, negative or nothing: lengths, counts, references."""
    numbers = list(re.finditer(rb"\d+", data))
    for found in sorted(dice.sample(numbers, min(len(numbers), dice.randint(1, 20))), key=lambda one: -one.start()):
        other = dice.choice((b"0", b"1", b"-1", b"65536", b"2147483647", b"99999999999", found[0] + b"0"))
        data = data[: found.start()] + other + data[found.end() :]
    return data


ANY: tuple[Mutate, ...] = (truncated, flipped, shuffled, struck_out, noise, other_numbers)


def other_pages(data: bytes, dice: random.Random) -> bytes:
    """A PDF's pages in another order, some twice, some missing."""
    with pypdfium2.PdfDocument(data) as document, pypdfium2.PdfDocument.new() as made:
        made.import_pages(document, dice.choices(range(len(document)), k=max(1, len(document) + dice.randint(-3, 2))))
        out = io.BytesIO()
        made.save(out)
    return out.getvalue()


def parts(data: bytes) -> dict[str, bytes]:
    """The members of an archive, by name."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archive_of(members: dict[str, bytes]) -> bytes:
    """An archive of these members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def other_part(data: bytes, dice: random.Random) -> bytes:
    """One member of an archive is damaged, or missing."""
    members = parts(data)
    name = dice.choice([each for each in members if members[each]])
    if dice.random() < 0.1:
        del members[name]
    else:
        members[name] = dice.choice((*ANY, other_markup, other_markup, other_markup))(members[name], dice)
    return archive_of(members)


def other_markup(data: bytes, dice: random.Random) -> bytes:
    """XML whose elements are moved, doubled, dropped or filled with odd texts."""
    text = data.decode("utf-8", "replace")
    for _ in range(dice.choice((1, 5, 30))):
        tags = [found.start() for found in re.finditer("<", text)] or [0]
        start, end = sorted(dice.choices(tags, k=2))
        end = min(end, start + 5000)
        way = dice.randrange(4)
        if way == 0:
            text = text[:start] + text[end:]
        elif way == 1:
            text = text[:end] + text[start:end] + text[end:]
        elif way == 2:
            text = text[:start] + dice.choice(ENTITIES) + text[start:]
        else:
            text = text.replace(">", ">" + _escaped(dice.choice(ODD)), 1 + dice.randrange(3))
    return text.encode("utf-8", "replace")


def _escaped(text: str) -> str:
    return text.replace("\x00", "&#0;").replace("&", "&amp;")


def odd_texts(data: bytes, dice: random.Random) -> bytes:
    """Odd texts anywhere in a text file."""
    text = data.decode("utf-8", "replace")
    for _ in range(dice.choice((1, 10, 100))):
        at = dice.randrange(len(text))
        text = text[:at] + dice.choice((*ODD, *SIGNS)) + text[at:]
    return text.encode(dice.choice(("utf-8", "utf-8", "utf-16", "latin-1", "mac_roman")), "replace")


def mutations_of(data: bytes) -> tuple[Mutate, ...]:
    """What can be done to a file, by what it is."""
    if data.startswith(b"%PDF"):
        return (*ANY, other_pages)
    if data.startswith(b"PK"):
        return (*ANY, other_part, other_part, other_part, other_part)
    if data.startswith(b"\xd0\xcf"):
        return ANY
    return (*ANY, odd_texts, odd_texts, odd_texts)
