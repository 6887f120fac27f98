import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.domain.identifiers import normalised_text, unnumbered_recommendation_id


@pytest.mark.parametrize(
    "printed",
    [
        "Guarantee women's and children's rights (non-refoulement)",
        "Guarantee women’s and children’s rights (non‑refoulement)",
        "Guarantee women‘s and childrenʼs rights (non–refoulement)",
        "Guarantee women´s and children`s rights (non\u2010refoulement)",
        "Guarantee women\u2032s and children\uff07s rights (non\u2212refoulement)",
        "Guarantee women\u200b’s and chil\u00addren’s rights (non\u2011refoulement)",
        "\ufeffGuarantee\u00a0women’s  and\nchildren’s\u2028rights\t(non-refoulement);",
        "Guarantee “women’s” and «children’s» rights – (non-refoulement)…",
        "GUARANTEE WOMEN'S AND CHILDREN'S RIGHTS (NON—REFOULEMENT)",
        "\u202aGuarantee women’s\u202c and \u200fchildren’s\u200e rights (non-refoulement)",
        "Guarantee women’s and children’s rights \x00\ud800(non-refoulement)",
        "Ｇｕａｒａｎｔｅｅ women’s and children’s rights (non-refoulement)",
    ],
)
def test_what_is_printed_otherwise_is_the_same_text(printed: str) -> None:
    assert normalised_text(printed) == "guarantee womens and childrens rights non refoulement"
    assert unnumbered_recommendation_id("PER-2", printed) == "PER-2~ab31462809"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ﬁght traﬃcking", "fight trafficking"),
        ("Protección de los niños", "Protecci\u006f\u0301n de los nin\u0303os"),
        ("L’État d'Israël", "l'etat d’Israe\u0308l"),
        ("Straße", "STRASSE"),
        ("İzmir", "i\u0307zmir"),
        ("n.º 5", "N.o 5"),
    ],
)
def test_letters_are_folded(one: str, other: str) -> None:
    assert normalised_text(one) == normalised_text(other)


def test_other_scripts_keep_their_letters() -> None:
    texts = ["التصديق على الاتفاقية", "إلغاء عقوبة الإعدام", "批准公约", "废除死刑", "Ратифицировать", "Отменить"]
    assert len({unnumbered_recommendation_id("PER-2", text) for text in texts}) == len(texts)


@given(st.text() | st.text("aİßﬁ´’'`-‐ \u00ad\u0301\u0345ᾳ½ǰ̌ŉ🅰Ａ\ud800\x00_"))
def test_folding_a_folded_text_changes_nothing(text: str) -> None:
    folded = normalised_text(text)
    assert normalised_text(folded) == folded
    assert folded == " ".join(folded.split())
    folded.encode()  # no unpaired surrogate is left


@given(st.text())
def test_the_form_of_unicode_does_not_matter(text: str) -> None:
    assert len({normalised_text(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")}) == 1
