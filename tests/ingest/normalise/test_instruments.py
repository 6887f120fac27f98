import pytest

from services.core.store.vocabularies import detailed_vocabulary
from services.ingest.normalise.instruments import instruments_in
from tests.ingest.normalise import upr_info

INSTRUMENTS = detailed_vocabulary("instrument")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Ratify the Convention against Torture", "cat"),
        ("Ratify CAT and its Optional Protocol", "cat opcat"),
        ("Ratify OP-CAT", "opcat"),
        ("Ratify CAT and accede to its Optional Protocol", "cat opcat"),
        ("Ratify the Optional Protocol to the Convention against Torture (OPCAT)", "opcat"),
        ("Ratify the Optional Protocol to the Convention against Torture (CAT)", "opcat"),
        ("Sign and ratify the Optional Protocols to CEDAW and CAT", "op-cedaw opcat"),
        ("Ratify the Optional Protocol to CEDAW and the ICRMW", "op-cedaw icrmw"),
        ("Ratify the Optional Protocol to the ICESCR and to the CRPD", "op-icescr op-crpd"),
        ("Accede to the CRPD and CEDAW and their Optional Protocols", "crpd cedaw op-crpd op-cedaw"),
        ("Ratify CEDAW and its Optional Protocol, CRC and OP-CAT", "cedaw op-cedaw crc opcat"),
        ("Accede to the ICCPR and its two Optional Protocols", "iccpr iccpr-op1 iccpr-op2"),
        ("Ratify the Second Optional Protocol to the ICCPR", "iccpr-op2"),
        ("Ratify the Optional Protocol to the ICCPR aiming at the abolition of the death penalty", "iccpr-op2"),
        ("Ratify ICCPR-OP2", "iccpr-op2"),
        ("Ratify the Optional Protocols to the Convention on the Rights of the Child", "crc-opac crc-opsc"),
        ("Ratify the third Optional Protocol to the CRC on a communications procedure", "crc-opic"),
        ("Ratify the Optional Protocol on the involvement of children in armed conflict", "crc-opac"),
        ("Ratify ILO Conventions Nos. 29, 87 and 169", "ilo-29 ilo-87 ilo-169"),
        ("Ratify Convention No. 189 on domestic workers", "ilo-189"),
        ("Sign the Rome Statute of the International Criminal Court", "rome-statute"),
        ("Ratify the 1954 and 1961 Conventions on statelessness", "statelessness-1954 statelessness-1961"),
        (("Ratify the International Convention on the Protection of the Rights of All Migrant Workers and Members of "
         "Their Families"), "icrmw"),
        (("Ratificar el Protocolo Facultativo de la Convención contra la Tortura y Otros Tratos o Penas Crueles, "
         "Inhumanos o Degradantes"), "opcat"),
        ("Ratificar el Convenio núm. 169 de la OIT y el Acuerdo de Escazú", "ilo-169 escazu-agreement"),
        ("Adherirse a la Convención sobre los Derechos de las Personas con Discapacidad y su Protocolo Facultativo",
         "crpd op-crpd"),
        ("Ratifier le Protocole facultatif se rapportant à la Convention contre la torture", "opcat"),
        ("Ratifier le Statut de Rome", "rome-statute"),
        ("Accede to the 1951 Convention relating to the Status of Refugees and its 1967 Protocol",
         "refugee-convention refugee-protocol-1967"),
        ("Ratify the Kampala amendments to the Rome Statute", "rome-statute-amendments"),
        ("Ratify ILO Conventions 155, 183 and 190", "ilo-155 ilo-183 ilo-190"),
        ("Align its plans with the SDGs and the 2030 Agenda", "agenda-2030"),
        # What names several at once, and what names none.
        ("Ratify the two International Covenants", "iccpr icescr"),
        ("Ratificar los dos Pactos Internacionales", "iccpr icescr"),
        ("Ratifier les deux Pactes internationaux", "iccpr icescr"),
        ("Ratify all core human rights treaties", ""),
        ("Ratificar los principales instrumentos de derechos humanos", ""),
        # Spanish and French.
        ("Ratificar la CEDAW y su Protocolo Facultativo", "cedaw op-cedaw"),
        ("Ratificar el Segundo Protocolo Facultativo del PIDCP", "iccpr-op2"),
        ("Ratificar los Convenios núms. 87, 98 y 189 de la OIT", "ilo-87 ilo-98 ilo-189"),
        (("Ratificar la Convención Interamericana para Prevenir, Sancionar y Erradicar la Violencia contra la Mujer "
          "(Convención de Belém do Pará)"), "belem-do-para"),
        ("Cumplir la Convención Americana sobre Derechos Humanos", "achr"),
        ("Aplicar las Reglas Nelson Mandela y las Reglas de Bangkok", "mandela-rules bangkok-rules"),
        ("Ratificar el Tratado sobre el Comercio de Armas y la Convención de Ottawa",
         "arms-trade-treaty mine-ban-convention"),
        ("Ratificar el Protocolo de Palermo y la Convención contra la Corrupción", "palermo-protocol uncac"),
        ("Adaptar la legislación a los Principios de París", "paris-principles"),
        (("Ratifier le deuxième Protocole facultatif se rapportant au Pacte international relatif aux droits civils "
          "et politiques"), "iccpr-op2"),
        ("Ratifier la Convention d’Istanbul et le Protocole de Maputo", "istanbul-convention maputo-protocol"),
        ("Ratifier la Convention n° 169 de l’OIT", "ilo-169"),
        ("Adhérer à la Convention relative au statut des réfugiés", "refugee-convention"),
        # The short form of a treaty is its committee's, too.
        ("Implement the recommendations of CEDAW", ""),
        ("Respond to the Committee on the Rights of the Child (CRC)", ""),
        ("Act on CERD recommendations", ""),
        ("Let the cat out of the bag", ""),
        ("Ratify an optional protocol", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_instruments_are_found(text: str, codes: str) -> None:
    assert instruments_in(text) == set(codes.split())


@pytest.mark.parametrize("code", INSTRUMENTS)
def test_each_is_found_under_its_own_names(code: str) -> None:
    for name in INSTRUMENTS[code]["names"].values():
        assert code in instruments_in(f"Ratify: {name}"), name
    for form in INSTRUMENTS[code].get("abbreviations", ()):
        assert code in instruments_in(f"Ratify {form.replace(' ', '-')}"), form


@pytest.mark.parametrize("code", INSTRUMENTS)
def test_each_says_where_it_stands(code: str) -> None:
    assert INSTRUMENTS[code]["source"]
    assert {"en", "es", "fr"} <= INSTRUMENTS[code]["names"].keys()
    assert INSTRUMENTS[code].get("protocol_to", "cat") in INSTRUMENTS


def test_texts_that_name_one_were_coded_as_about_instruments() -> None:
    distinct = {row["Text"]: row["Issue"] for row in upr_info.rows()}
    naming = [issue for text, issue in distinct.items() if instruments_in(text) - {"paris-principles"}]
    assert len(naming) > 5500
    assert sum("International instruments" in issue for issue in naming) / len(naming) >= 0.95
