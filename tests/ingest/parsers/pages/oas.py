"""The site of the Inter-American Commission, as far as it is known: an old layout of tables, Windows's code page."""

NOTE = "<!-- Sample, not a page of the Organization of American States. Its States are invented. -->"
_MASTHEADS = {
    "es": ("Comisión Interamericana de Derechos Humanos", "Audiencias Públicas"),
    "en": ("Inter-American Commission on Human Rights", "Public Hearings"),
    "pt": ("Comissão Interamericana de Direitos Humanos", "Audiências Públicas"),
    "fr": ("Commission interaméricaine des droits de l'homme", "Audiences publiques"),
}
_PATHS = {
    "es": "/es/cidh/sesiones/audiencia.asp",
    "en": "/en/cidh/sesiones/audiencia.asp",
    "pt": "/pt/cidh/sesiones/audiencia.asp",
    "fr": "/fr/cidh/sessions/audience.asp",
}
_LABELS = {
    "es": ("Fecha", "Estado", "Organizaciones solicitantes", "Modalidad", "Idiomas", "Video"),
    "en": ("Date", "State", "Requesting organizations", "Modality", "Languages", "Video"),
    "pt": ("Data", "Estado", "Organizações solicitantes", "Modalidade", "Idiomas", "Vídeo"),
    "fr": ("Date", "État", "Organisations requérantes", "Modalité", "Langues", "Vidéo"),
}
PERIODS = {
    "es": "{}º Período de Sesiones",
    "en": "{}th Period of Sessions",
    "pt": "{}º Período de Sessões",
    "fr": "{}e Période de sessions",
}


def layout(language: str, body: str, links: str = "") -> bytes:
    """A page of the site around a body: unclosed cells, a table in a table, no declared character set."""
    commission, hearings = _MASTHEADS[language]
    return f"""<html>
{NOTE}
<head><title>OEA :: CIDH</title><script>var lang = "{language}"; document.write("<h1>Menú</h1>")</script></head>
<body><table width=900 border=0><tr><td colspan=2><b>{commission}</b>
<tr><td valign=top><a href="/{language}/cidh/">{hearings}</a><br>{links}
<td><table><tr><td>{body}</td></tr></table>
<p>La CIDH es un órgano principal y autónomo de la Organización de los Estados Americanos.
</table></body>""".encode("cp1252", "xmlcharrefreplace")


def shell(language: str = "es") -> bytes:
    """What the site answers for a number that no hearing has: its layout, with 200."""
    return layout(language, "&nbsp;<br>")


def hearing(
    number: int,
    title: str,
    *,
    language: str = "es",
    period: int = 191,
    date: str = "8 de noviembre de 2024",
    state: str = "",
    requesters: str = "",
    modality: str = "Híbrida",
    languages: str = "Español, Portugués",
    paragraphs: tuple[str, ...] = (),
) -> bytes:
    """The page of a hearing: title, labels in a table, paragraphs."""
    day, under_review, asked, how, spoken, recorded = _LABELS[language]
    rows = [
        (day, date), (under_review, state), (asked, requesters), (how, modality), (spoken, languages),
        (recorded, '<a href="https://video.example.org/v/1">YouTube</a>'),
    ]  # fmt: skip
    table = "".join(f"<tr><td><b>{label}:</b><td>{value}" for label, value in rows if value)
    text = "".join(f"<p align=justify>{each}" for each in paragraphs)
    links = "".join(f'<a href="{path}?Hearing={number}">{code}</a> ' for code, path in _PATHS.items())
    body = f"<h3>{PERIODS[language].format(period)}</h3><h2>{title}</h2><table>{table}</table>{text}"
    return layout(language, body, links)


def annex(
    entries: list[tuple[str, str]], *, number: str = "264A", year: int = 2024, language: str = "es", period: int = 191
) -> bytes:
    """The annex of a press release: a heading and a paragraph a hearing. A heading without a paragraph is a country."""
    path = f"/{language}/cidh/jsForm/?File=/{language}/cidh/prensa/comunicados/{year}/{number}.asp"
    parts = "".join(
        f"<p><strong>{heading}</strong></p>" + (f"<p>{text}</p>" if text else "") for heading, text in entries
    )
    opening = {"es": "8 de noviembre de 2024", "en": "November 8, 2024"}.get(language, "")
    body = f"<p>{opening}</p><p>{PERIODS[language].format(period)}: Anexo</p>{parts}"
    return layout(language, body, f'<a href="{path}">{language}</a>')


FOLLOW_UP = hearing(
    3774,
    "Regional: Mecanismos nacionales de implementación y seguimiento",
    requesters="Coalición EPU de Prueba; Colectivo de Ensayo (COE);<br>Paz, Desarrollo y Derechos Humanos",
    paragraphs=(
        "Las organizaciones señalaron que los mecanismos nacionales carecen de presupuesto y de participación.",
        "La CIDH destacó la importancia de la implementación, el “seguimiento” y la participación – y agradeció.",
    ),
)
FOLLOW_UP_EN = hearing(
    3774,
    "Regional: National mechanisms for implementation and follow-up",
    language="en",
    date="November 8, 2024",
    requesters="UPR Coalition of Trial",
    modality="Hybrid",
    languages="Spanish, Portuguese",
    paragraphs=(
        "The organizations pointed out that the national mechanisms lack a budget, and that nobody else takes part.",
    ),
)
PRISONS = hearing(
    3775,
    "Costamar y Tierralta: Condiciones de detención",
    date="11/11/2024",
    requesters="Comité A, Comité B y Comité C",
    modality="Presencial",
    languages="Español",
)
FORESTS_FR = hearing(
    3776,
    "Défenseurs des forêts",
    language="fr",
    date="12 novembre 2024",
    state="Costamar",
    modality="Virtuelle",
    languages="Français",
)
RIVERS_PT = hearing(
    3777,
    "Audiência de ofício: rios da região amazônica e direitos",
    language="pt",
    date="13 de novembro de 2024",
    state="Ruritânia",
    modality="Virtual",
    languages="Português",
)
ANNEX = annex(
    [
        ("Regional: Mecanismos nacionales de implementación y seguimiento",
         "Las organizaciones señalaron la falta de presupuesto. La CIDH destacó el papel de la sociedad civil."),
        ("Costamar", ""),
        ("Condiciones de detención",
         "La audiencia fue solicitada por Comité de Prisiones de Prueba (CPP) y Red de Ensayo (RDE). El Estado habló."),
        ("Tierralta: Pueblos indígenas y minería (de oficio)",
         "El Estado presentó su plan. La CIDH preguntó por la consulta previa a los pueblos y por las aguas del río."),
    ]
)  # fmt: skip
ANNEX_EN = annex(
    [
        ("Regional: National mechanisms for implementation and follow-up",
         "The organizations pointed to the lack of a budget. The IACHR stressed the role of civil society in them."),
        ("Costamar", ""),
        ("Conditions of detention",
         "The State informed of the works. The IACHR recalled its visits, and asked for figures of three years."),
        ("Tierralta: Indigenous peoples and mining (ex officio)",
         "The State presented its plan. The IACHR asked for consultation of the peoples, and for the river's water."),
    ],
    language="en",
)  # fmt: skip
