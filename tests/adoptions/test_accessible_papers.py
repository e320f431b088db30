"""Our papers are read aloud as well as looked at: each is checked against PDF/UA, and so is the check."""

from collections.abc import Callable
from io import BytesIO
from typing import Any, cast

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, ContentStream, NameObject

from adoptions import certificates, receipts
from species.figures.coat import coat_svg
from tests.adoptions.pdf_ua import dictionary, problems, walk
from tests.adoptions.test_certificates import make_certificate
from tests.makers import make_active_adoption, make_payment, make_supporter

COAT = coat_svg("PM-7K4T9QXR")


def test_certificate_with_its_coat_keeps_the_rules() -> None:
    assert problems(certificates.render(make_certificate(coat=COAT))) == []


def test_certificate_of_a_species_without_coat_and_fact_keeps_the_rules() -> None:
    assert problems(certificates.render(make_certificate(fact="", fact_source=""))) == []


@pytest.mark.django_db
def test_receipt_keeps_the_rules() -> None:
    payment = make_active_adoption(supporter=make_supporter("Zoë 王小明 محمد")).payments.get()
    make_payment(payment.adoption, kind="refund", amount_pence=-600, charge=payment)
    assert problems(receipts.render(payment)) == []


# --- the check sees what it is there for ---------------------------------------------------------------------------


def spoilt(change: Callable[[PdfWriter], Any]) -> list[str]:
    writer = PdfWriter(clone_from=PdfReader(BytesIO(certificates.render(make_certificate(coat=COAT)))))
    change(writer)
    written = BytesIO()
    writer.write(written)
    return problems(written.getvalue())


def drop(key: str) -> Callable[[PdfWriter], Any]:
    return lambda writer: writer.root_object.pop(key)


def drop_from_page(key: str) -> Callable[[PdfWriter], Any]:
    return lambda writer: writer.pages[0].pop(NameObject(key))


def unmark(writer: PdfWriter) -> None:
    """The words and pictures stay, and belong to nothing any more."""
    page = writer.pages[0]
    content = ContentStream(page.get_contents(), writer)
    content.operations = [step for step in content.operations if step[1] not in {b"BDC", b"BMC", b"EMC"}]
    page[NameObject("/Contents")] = content


def strike_from_fonts(key: str) -> Callable[[PdfWriter], Any]:
    def strike(writer: PdfWriter) -> None:
        for font in map(dictionary, dictionary(dictionary(writer.pages[0]["/Resources"])["/Font"]).values()):
            font.pop(NameObject(key), None)

    return strike


def strike_from_elements(key: str) -> Callable[[PdfWriter], Any]:
    def strike(writer: PdfWriter) -> None:
        for element in walk(dictionary(writer.root_object["/StructTreeRoot"])["/K"]):
            element.pop(NameObject(key), None)

    return strike


def strike_from_links(key: str) -> Callable[[PdfWriter], Any]:
    def strike(writer: PdfWriter) -> None:
        for link in cast(ArrayObject, writer.pages[0]["/Annots"]):
            dictionary(link).pop(NameObject(key))

    return strike


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda writer: None, None),
        (drop("/Lang"), "names no language"),
        (drop("/MarkInfo"), "does not say that it is tagged"),
        (drop("/StructTreeRoot"), "no structure"),
        (drop("/ViewerPreferences"), "asked to show the title"),
        (drop("/Metadata"), "follows PDF/UA-1"),
        (drop_from_page("/Tabs"), "tabulator"),
        (unmark, "neither tagged nor an artifact"),
        (strike_from_fonts("/ToUnicode"), "cannot be read back"),
        (strike_from_fonts("/DescendantFonts"), "is not in it"),
        (strike_from_elements("/Alt"), "no words in its place"),
        (strike_from_links("/Contents"), "says nothing of itself"),
        (strike_from_links("/StructParent"), "belongs to no element"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_spoilt_is_seen(change: Callable[[PdfWriter], Any], problem: str | None) -> None:
    found = spoilt(change)
    assert found == [] if problem is None else any(problem in sentence for sentence in found), found
