"""Writes small reports in Spanish and French of an invented review, laid out as the United Nations lay theirs out."""

from dataclasses import dataclass

from samples.write import Pages, Paragraph


@dataclass(frozen=True)
class Translation:
    """The words of one report. `listed` are the recommendations under the lead-in of the same place."""

    language: str
    title: tuple[str, ...]
    introduction: tuple[str, ...]
    summary: tuple[str, str, str]
    dialogue: tuple[str, ...]
    conclusions: str
    lead_ins: tuple[str, str, str]
    listed: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
    closing: str
    pledges: tuple[str, ...]
    annex: str


SPANISH = Translation(
    language="es",
    title=(
        "Consejo de Derechos Humanos",
        "Tema 6 de la agenda",
        "Examen periódico universal",
        "Informe del Grupo de Trabajo sobre el Examen",
        "Periódico Universal*",
        "Costamar",
    ),
    introduction=(
        (
            "El Grupo de Trabajo sobre el Examen Periódico Universal, establecido en virtud de la resolución 5/1 del"
            " Consejo de Derechos Humanos, celebró su 48º período de sesiones del 20 al 31 de enero de 2025. El "
            "examen de Costamar se llevó a cabo en la 13ª sesión, el 28 de enero de 2025. En su 17ª sesión, "
            "celebrada el 31 de enero de 2025, el Grupo de Trabajo aprobó el informe sobre Costamar."
        ),
        (
            "El 8 de enero de 2025, el Consejo de Derechos Humanos eligió al siguiente grupo de relatores (troika) "
            "para facilitar el examen de Costamar: Gran Alba y San Ivo, Nambeya y Pelagia."
        ),
        "De conformidad con el párrafo 15 se publicaron los siguientes documentos.",
    ),
    summary=(
        "I. Resumen de los debates del proceso de examen",
        "A. Exposición del Estado examinado",
        "B. Diálogo interactivo y respuestas del Estado examinado",
    ),
    dialogue=(
        (
            "Durante el diálogo interactivo, 3 delegaciones formularon declaraciones. Las recomendaciones formuladas"
            " durante el diálogo figuran en la sección II del presente informe."
        ),
        "Alderia acogió con beneplácito la ley de 2022.",
        "El Perú elogió a Costamar.",
        "La República de Corea preguntó por las cárceles.",
    ),
    conclusions="II. Conclusiones y/o recomendaciones",
    lead_ins=(
        (
            "Las recomendaciones formuladas durante el diálogo interactivo que se enumeran a continuación han sido "
            "examinadas por Costamar y cuentan con su apoyo:"
        ),
        (
            "Las siguientes recomendaciones serán examinadas por Costamar, que les dará respuesta a su debido "
            "tiempo, pero a más tardar en el 59º período de sesiones del Consejo de Derechos Humanos:"
        ),
        "Costamar ha tomado nota de las recomendaciones que figuran a continuación:",
    ),
    listed=(
        (
            (
                "Dotar al mecanismo nacional de prevención de la tortura de presupuesto y personal propios (Alderia)"
                " (Orvania);"
            ),
            (
                "Ratificar el Convenio núm. 169 (Perú, Bolivia (Estado Plurinacional de) y Trinidad y Tabago); "
                "considerar la posibilidad de adherirse a la Convención (República Islámica del Irán)."
            ),
        ),
        ("Abolir la pena de muerte (Bellmare (República Federal de)) (Türkiye).",),
        ("Retirar sus reservas a la Convención (CEDAW) (Arabia Saudí) (Países Bajos (Reino de los)).",),
    ),
    closing="Todas las conclusiones y/o recomendaciones que figuran en el presente informe reflejan la posición del "
    "Estado o de los Estados que las han formulado y/o del Estado examinado.",
    pledges=("III. Promesas y compromisos voluntarios", "Costamar se comprometió a presentar un informe cada año."),
    annex="Anexo",
)

FRENCH = Translation(
    language="fr",
    title=(
        "Conseil des droits de l’homme",
        "Point 6 de l’ordre du jour",
        "Examen périodique universel",
        "Rapport du Groupe de travail sur l’Examen",
        "périodique universel*",
        "Costamar",
    ),
    introduction=(
        (
            "Le Groupe de travail sur l’Examen périodique universel, créé par la résolution 5/1 du Conseil des "
            "droits de l’homme, a tenu sa quarante-huitième session du 20 au 31 janvier 2025. L’Examen concernant "
            "Costamar a eu lieu à la 13e séance, le 28 janvier 2025. À sa 17e séance, le 31 janvier 2025, le Groupe "
            "de travail a adopté le présent rapport concernant Costamar."
        ),
        (
            "Le 8 janvier 2025, afin de faciliter l’Examen concernant Costamar, le Conseil des droits de l’homme "
            "avait constitué le groupe de rapporteurs (troïka) suivant : Grande-Alba-et-Saint-Ivo, Nambeya et "
            "Pélagie."
        ),
        "Conformément au paragraphe 15, les documents ci-après avaient été établis.",
    ),
    summary=(
        "I. Résumé des débats",
        "A. Exposé de l’État objet de l’Examen",
        "B. Dialogue et réponses de l’État objet de l’Examen",
    ),
    dialogue=(
        (
            "Au cours du dialogue, 3 délégations ont fait des déclarations. Les recommandations faites à cette "
            "occasion figurent à la section II du présent rapport."
        ),
        "L’Aldérie a salué la loi de 2022.",
        "Le Pérou a félicité Costamar.",
        "La République de Corée a posé une question sur les prisons.",
    ),
    conclusions="II. Conclusions et/ou recommandations",
    lead_ins=(
        (
            "Les recommandations formulées au cours du dialogue et énumérées ci-après ont été examinées par Costamar"
            " et recueillent son adhésion :"
        ),
        (
            "Les recommandations ci-après seront examinées par Costamar, qui y répondra en temps voulu, et au plus "
            "tard à la cinquante-neuvième session du Conseil des droits de l’homme :"
        ),
        "Costamar a pris note des recommandations ci-après :",
    ),
    listed=(
        (
            (
                "Doter le mécanisme national de prévention de la torture d’un budget et d’un personnel propres "
                "(Aldérie) (Orvanie) ;"
            ),
            (
                "Ratifier la Convention no 169 (Pérou, Bolivie (État plurinational de) et Trinité-et-Tobago) ; "
                "envisager d’adhérer à la Convention (Iran (République islamique d’))."
            ),
        ),
        ("Abolir la peine de mort (Bellmare (République fédérale de)) (Türkiye).",),
        ("Retirer ses réserves à la Convention (CEDAW) (Arabie saoudite) (Pays-Bas (Royaume des)).",),
    ),
    closing="Toutes les conclusions et/ou recommandations figurant dans le présent rapport reflètent la position de "
    "l’État ou des États les ayant formulées, ou de l’État objet de l’Examen.",
    pledges=("III. Engagements exprimés volontairement", "Costamar s’est engagé à présenter un rapport chaque année."),
    annex="Annexe",
)


def report_pdf(words: Translation) -> bytes:
    """The report as a PDF: a title page, then the text."""
    pages = Pages("A/HRC/99/901", "GE.25-99901 (E)", words.title[-1])
    for place, line in enumerate(words.title):
        pages.line(90, 700 - 20 * place, line, 14, bold=True)
    pages.turn()
    number = 0
    for text, numbered in _paragraphs(words):
        if numbered is None:
            pages.paragraph(Paragraph(text, left=90, first=90, size=14, bold=True))
            continue
        number += numbered
        label = f"{number}." if numbered else ""
        pages.paragraph(Paragraph(text.replace("#", str(number)), number=label))
    return pages.done()


def _paragraphs(words: Translation) -> list[tuple[str, bool | None]]:
    """Each paragraph, and whether it is numbered; None for headings."""
    first, presentation, dialogue = words.summary
    paragraphs: list[tuple[str, bool | None]] = [(text, True) for text in words.introduction]
    paragraphs += [(first, None), (presentation, None), ("Costamar …", True), (dialogue, None)]
    paragraphs += [(text, True) for text in words.dialogue]
    paragraphs.append((words.conclusions, None))
    for lead_in, listed in zip(words.lead_ins, words.listed, strict=True):
        paragraphs.append((lead_in, True))
        paragraphs += [(f"#.{place} {text}", False) for place, text in enumerate(listed, 1)]
    heading, pledge = words.pledges
    return [*paragraphs, (words.closing, True), (heading, None), (pledge, True), (words.annex, None), ("…", False)]
