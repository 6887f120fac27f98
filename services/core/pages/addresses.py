"""The address of a page with one parameter more or less: every state of a page is an address that can be shared."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Address:
    """A path with query parameters, in their order."""

    path: str
    pairs: Pairs = ()

    def __str__(self) -> str:
        """As it stands in a link."""
        return f"{self.path}?{urlencode(self.pairs)}" if self.pairs else self.path

    def adding(self, name: str, value: str) -> "Address":
        """With one more value of a parameter; from the first page on."""
        return self._first_page([*self.pairs, (name, value)])

    def setting(self, name: str, value: str | None) -> "Address":
        """With this value of a parameter alone, or without it; from the first page on."""
        rest = [pair for pair in self.pairs if pair[0] != name]
        return self._first_page([*rest, (name, value)] if value is not None else rest)

    def without(self, name: str, value: str) -> "Address":
        """Without one value of a parameter; from the first page on."""
        return self._first_page([pair for pair in self.pairs if pair != (name, value)])

    def in_language(self, language: str) -> "Address":
        """The same page in another language."""
        return Address(self.path, (*(pair for pair in self.pairs if pair[0] != "lang"), ("lang", language)))

    def on_page(self, number: int) -> "Address":
        """Another page of the same list."""
        rest = tuple(pair for pair in self.pairs if pair[0] != "page")
        return Address(self.path, (*rest, ("page", str(number))) if number > 1 else rest)

    def at(self, path: str) -> "Address":
        """The same parameters at another path."""
        return Address(path, self.pairs)

    def only(self, names: Iterable[str]) -> "Address":
        """With these parameters alone."""
        kept = frozenset(names)
        return Address(self.path, tuple(pair for pair in self.pairs if pair[0] in kept))

    def leaving_out(self, *names: str) -> "Address":
        """Without these parameters."""
        return Address(self.path, tuple(pair for pair in self.pairs if pair[0] not in names))

    def _first_page(self, pairs: Iterable[tuple[str, str]]) -> "Address":
        return Address(self.path, tuple(pair for pair in pairs if pair[0] != "page"))
