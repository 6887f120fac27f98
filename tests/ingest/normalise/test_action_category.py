import csv
import io
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.normalise.action_category import ALWAYS, action_category, features
from tests.ingest.normalise import upr_info


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("Seek technical assistance from the international community", 1),
        ("Share its good practices with other States", 1),
        ("Continue its efforts to reduce poverty", 2),
        ("Pursue its policy of gender equality", 2),
        ("Maintain the moratorium on executions", 2),
        ("Consider ratifying the Convention against Torture", 3),
        ("Study the possibility of acceding to the Convention", 3),
        ("Ensure the rights of all children", 4),
        ("Take measures to combat violence against women", 4),
        ("Intensify the fight against trafficking", 4),
        ("Ratify the Convention against Torture", 5),
        ("Establish a national human rights institution", 5),
        ("Abolish the death penalty", 5),
        # Two verbs at the start: the second.
        ("Continue and strengthen its efforts to protect migrants", 4),
        # A general action with a specific example.
        ("Improve women's rights by amending the family code", 5),
        # Words before the verb, and other forms of it.
        ("In line with its earlier commitments, ratify the Rome Statute", 5),
        ("That the Government should ratify the Rome Statute", 5),
        ("Swiftly ratify the Rome Statute", 5),
        ("Ratification of the Rome Statute", 5),
        ("Step-up its efforts to combat racism", 4),
        ("Re-examine the law", 3),
    ],
)
def test_english_actions(text: str, category: int) -> None:
    assert action_category(text) == category


@pytest.mark.parametrize(
    ("text", "language", "category"),
    [
        ("Solicitar asistencia técnica", "es", 1),
        ("Seguir proporcionando recursos a la Defensoría", "es", 2),
        ("Considerar la posibilidad de ratificar la Convención", "es", 3),
        ("Garantizar los derechos de la infancia", "es", 4),
        ("Adoptar las medidas necesarias contra la trata", "es", 4),
        ("Adoptar una ley contra la discriminación", "es", 5),
        ("Continuar y reforzar la lucha contra la trata", "es", 4),
        ("Rápidamente ratificar el Estatuto de Roma", "es", 5),
        ("Poursuivre ses efforts", "fr", 2),
        ("Envisager de ratifier la Convention", "fr", 3),
        ("Prendre des mesures contre la traite", "fr", 4),
        ("Poursuivre et renforcer la lutte contre la pauvreté", "fr", 4),
        ("Ratifier le Statut de Rome", "fr", 5),
        ("Mettre en œuvre le plan d’action", "fr", 5),
        # Requests that are whole sentences.
        ("Que ratifique la Convención", "es", 5),
        ("Que el Estado siga reforzando las medidas", "es", 2),
        ("Que considere la posibilidad de ratificar la Convención", "es", 3),
        ("Garantice el acceso a la justicia", "es", 4),
        ("Investigue todas las denuncias", "es", 5),
        ("Que le Gouvernement ratifie la Convention", "fr", 5),
        ("Qu’il prenne des mesures", "fr", 4),
        # Words before the order.
        ("De conformidad con sus compromisos, ratificar el Estatuto de Roma", "es", 5),
        ("Conformément à ses engagements, ratifier la Convention", "fr", 5),
        # A general action with a specific example, and one without.
        ("Mejorar la situación de las mujeres modificando el código de familia", "es", 5),
        ("Intensificar sus esfuerzos mediante la aprobación de una ley", "es", 5),
        ("Hacer todo lo posible por ratificar la Convención", "es", 4),
        ("Renforcer la protection, notamment en adoptant une loi", "fr", 5),
        ("Diseñar actividades de formación", "es", 5),
        ("Consolidar las políticas de prevención", "es", 4),
        ("Poner fin a la impunidad", "es", 5),
        ("No escatimar esfuerzos contra la trata", "es", 4),
        ("Mettre fin à l’impunité", "fr", 5),
    ],
)
def test_spanish_and_french_actions(text: str, language: str, category: int) -> None:
    assert action_category(text, language) == category


def test_what_asks_for_nothing_has_no_category() -> None:
    assert action_category("") is None
    assert action_category("…") is None
    assert action_category("El clima es templado", "es") is None
    assert action_category("Ратифицировать Конвенцию", "ru") is None


@given(st.text())
def test_any_text_can_be_judged(text: str) -> None:
    assert action_category(text) in (None, 1, 2, 3, 4, 5)
    assert action_category(text, "es") in (None, 1, 2, 3, 4, 5)


def test_the_evidence_is_named_as_texts_show_it() -> None:
    table = files("services.ingest.normalise.lookups") / "action_evidence.csv"
    names = {row["evidence"] for row in csv.DictReader(io.StringIO(table.read_text(encoding="utf-8")))}
    assert ALWAYS in names
    shown = features("Take steps to improve the prisons by building new ones")
    assert {"start take", "start take steps to", "near steps", "by building", "start take … by -ing"} <= shown
    assert shown & names


def test_it_agrees_with_coding_by_hand_of_sessions_that_nothing_was_learned_from() -> None:
    rows = [row for row in upr_info.rows() if int(row["Session"]) >= 18]
    agreed = sum(str(action_category(row["Text"])) == row["Action"] for row in rows)
    assert len(rows) == 7984
    assert agreed / len(rows) >= 0.89
