"""Text in LaTeX: what is escaped, what becomes a command, and that braces stay in balance whatever comes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.citations.latex import in_latex


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("A/HRC/22/15, para. 116.17", "A/HRC/22/15, para. 116.17"),
        ("R&D 100 % #1 $5 a_b", r"R\&D 100 \% \#1 \$5 a\_b"),
        (
            "{a} \\b ~c ^d",
            r"\textbraceleft{}a\textbraceright{} \textbackslash{}b \textasciitilde{}c \textasciicircum{}d",
        ),
        ("Perú", r"Per{\'{u}}"),
        ("Côte d’Ivoire", r"C{\^{o}}te d'Ivoire"),
        ("Türkiye, Çankaya", r"T{\"{u}}rkiye, {\c{C}}ankaya"),
        ("San José, í", r"San Jos{\'{e}}, {\'{\i}}"),
        ("¿Qué? – “sí”…", r"{\textquestiondown}Qu{\'{e}}? -- ``s{\'{\i}}''{\ldots}"),
        ("Åland, Łódź, Ø", r"{\r{A}}land, {\L}{\'{o}}d{\'{z}}, {\O}"),
        ("ế", r"{\'{\^{e}}}"),
        ("Белару́сь 中国 한국 é", "Белару́сь 中国 한국 {\\'{e}}"),
        ("a\nb\x07c\u2028d", "a b c d"),
        ("a\u00a0b\u00adc", "a~bc"),
        ('"a" <b> |', r"''a'' \textless{}b\textgreater{} \textbar{}"),
    ],
)
def test_written(text: str, written: str) -> None:
    assert in_latex(text) == written


@given(st.text())
def test_braces_are_in_balance_and_nothing_stands_bare(text: str) -> None:
    written = in_latex(text)
    depth = 0
    for letter in written:
        depth += {"{": 1, "}": -1}.get(letter, 0)
        assert depth >= 0
    assert depth == 0
    assert "\n" not in written
    for special in "#$%&_":
        assert written.count(special) == written.count(f"\\{special}") == text.count(special)


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x17F, exclude_categories=["Cc"])))
def test_latin_letters_with_accents_become_ascii(text: str) -> None:
    assert not [each for each in in_latex(text) if each in "áéíóúñçãõâêôàèùëïüÁÉÍÓÚÑÇ"]
