"""The certificate is for everybody's name, says only what is true, and runs nothing that people typed."""

import struct
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from statistics import median
from typing import Any, cast

import pytest
import typst
from django.test import Client
from pypdf import PdfReader
from pypdf.generic import DictionaryObject, PdfObject, StreamObject

from adoptions import certificates
from adoptions.certificates import NAMELESS, Certificate, choose_letters, printable
from adoptions.models import Adoption, Gift
from config import typesetting
from species.figures.coat import ROSETTES, coat_svg
from species.headline import headline_fact, where_from
from species.models import Confidence, Fact, FactGroup, Section, Source, SourceKind, Species, Text
from tests.adoptions.pdf_ua import problems
from tests.makers import make_active_adoption, make_adoption, make_species, make_supporter

AWKWARD_NAMES = {
    "polish": "Łukasz Żółć",
    "diaeresis": "Zoë O’Brien-Nuñez",
    "turkish": "İbrahim Iğdır Şule",
    "vietnamese": "Nguyễn Thị Hồng",
    "cyrillic": "Анна Иванова",
    "greek": "Ελένη Παπαδοπούλου",
    "chinese": "王小明",
    "traditional chinese": "陳嘉慧與家人",
    "japanese": "山田 はなこ",
    "korean": "김민준",
    "arabic": "محمد بن عبد الرحمن",
    "persian": "مریم‌السادات",
    "hebrew": "נועה כהן",
    "hindi": "अनन्या शर्मा",
    "tamil": "தமிழரசி",
    "thai": "สมชาย ใจดี",
    "amharic": "ሰላም ተስፋዬ",
    "georgian": "ნინო ბერიძე",
    "emoji": "Sam 🐆 & 👩‍🚒",
    "mixed": "Ann محمد 王小明 Анна",
    "markup": '#read("/etc/passwd") *x* $a$ <b> \\ // "q"',
    "no space": "W" * 120,
    "very long": "The Very Reverend Bartholomew Featherstonehaugh-Cholmondeley and Family of Upper and Lower Slaughter",
    "one letter": "Q",
    "digits": "R2-D2 1234567890",
}


def make_certificate(name: str = "Amara Supporter", **values: str) -> Certificate:
    defaults = {
        "species": "Amur leopard",
        "scientific_name": "Panthera pardus orientalis",
        "date": "24 November 2026",
        "reference": "PM-7K4T9QXR",
        "address": "https://example.org/species/amur-leopard/",
        "fact": "Adults recorded in Russian protected areas: 129 adults",
        "fact_source": "Land of the Leopard, Russia. 2023 survey. Source: TASS, 2024",
    }
    return Certificate(name=printable(name), **{**defaults, **values})


@pytest.fixture
def no_system_fonts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever this machine has, the test's machine has our fonts alone."""
    ours = typesetting.fonts(False)
    monkeypatch.setattr(typesetting, "fonts", lambda has_system_fonts: ours)
    typesetting.compiler.cache_clear()
    yield
    typesetting.compiler.cache_clear()


def text_of(pdf: bytes) -> str:
    [page] = PdfReader(BytesIO(pdf)).pages
    return page.extract_text()


def dictionary(thing: PdfObject) -> DictionaryObject:
    return cast("DictionaryObject", thing.get_object())


def squeezed(text: str) -> str:
    return "".join(text.split())


# --- any name ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", AWKWARD_NAMES.values(), ids=AWKWARD_NAMES.keys())
def test_name_in_any_script_is_drawn_whole_with_our_own_fonts(name: str) -> None:
    assert choose_letters(printable(name)) == (name, False)
    pdf = certificates.render(make_certificate(name))
    assert len(pdf) <= 200_000
    assert len(PdfReader(BytesIO(pdf)).pages) == 1
    assert problems(pdf) == []


@pytest.mark.threat("O3")
@pytest.mark.parametrize("name", ["Zoë O’Brien-Nuñez", "Анна Иванова", "王小明", "김민준", '#read("/etc/passwd") $a$'])
def test_name_can_be_read_back_from_the_pdf(name: str) -> None:
    assert squeezed(name) in squeezed(text_of(certificates.render(make_certificate(name))))


@pytest.mark.threat("O3")
def test_name_is_never_run() -> None:
    text = text_of(certificates.render(make_certificate('#panic("x") #v.reference [*a*] @ref')))
    assert '#panic("x")#v.reference[*a*]@ref' in squeezed(text)


@pytest.mark.parametrize(
    ("typed", "drawn"),
    [
        ("Ann 𒀀𒁀 Lee", "Ann Lee"),
        ("𒀀", NAMELESS),
        ("Ann 𒀀́ Lee", "Ann Lee"),
    ],
    ids=["two letters", "nothing else", "with its mark"],
)
def test_letters_that_no_font_holds_are_left_out(typed: str, drawn: str, no_system_fonts: None) -> None:
    assert choose_letters(typed)[0] == drawn
    assert certificates.render(make_certificate(typed))[:5] == b"%PDF-"
    assert certificates.render_png(make_certificate(typed))[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Line\nbreak\tTab", "Line break Tab"),
        ("\u202egnp.exe\u202c Ann", "gnp.exe Ann"),
        ("A\u200bn\u2060n\ufeff", "Ann"),
        ("A\x00n\x1bn\x7f", "Ann"),
        ("Ann \ue000", "Ann"),
        ("👩🏽‍🚒", "👩‍🚒"),
        ("e\u0301", "é"),
        ("Z" + "\u0321\u0322\u0327\u0328" * 5, "Z\u0321\u0322\u0327"),
        ("x" * 500, "x" * 120),
        ("", NAMELESS),
        ("\u200e \u202e", NAMELESS),
    ],
)
def test_printable_keeps_what_can_be_seen_on_one_line(typed: str, kept: str) -> None:
    assert printable(typed) == kept


# --- the page ------------------------------------------------------------------------------------------------


def test_pdf_is_one_tagged_a4_page_in_english_with_a_title() -> None:
    pdf = PdfReader(BytesIO(certificates.render(make_certificate())))
    [page] = pdf.pages
    assert [round(float(side) / 72 * 25.4) for side in (page.mediabox.width, page.mediabox.height)] == [297, 210]
    catalogue = pdf.root_object
    assert str(dictionary(catalogue["/MarkInfo"])["/Marked"]) == "True"
    assert str(catalogue["/Lang"]) == "en-GB"
    assert pdf.metadata is not None
    assert pdf.metadata.title == "Certificate of adoption PM-7K4T9QXR"
    assert b"pdfuaid:part" in cast("StreamObject", catalogue["/Metadata"].get_object()).get_data()


def test_longest_words_of_every_kind_still_fit_on_one_page(settings: Any) -> None:
    settings.CHARITY = {**settings.CHARITY, "name": "Trust for Leopards and " * 4}
    certificate = make_certificate(
        "Bartholomew " * 10,
        species="Long-tailed animal " * 4,
        scientific_name="Panthera pardus " * 7,
        fact="Counted in protected areas of the east " * 4,
        fact_source="A publisher with a long name, and a place " * 9,
        address="https://example.org/species/" + "a" * 50 + "/",
        coat=coat_svg("PM-7K4T9QXR"),
    )
    assert len(PdfReader(BytesIO(certificates.render(certificate))).pages) == 1
    assert certificates.render_png(certificate)[:4] == b"\x89PNG"


def test_pdf_of_one_adoption_is_the_same_every_time() -> None:
    assert certificates.render(make_certificate()) == certificates.render(make_certificate())


def test_picture_to_share_is_1200_by_630() -> None:
    picture = certificates.render_png(make_certificate())
    assert struct.unpack(">II", picture[16:24]) == (1200, 630)


def test_certificate_is_drawn_within_300_milliseconds() -> None:
    certificates.render(make_certificate())
    times = []
    for name in AWKWARD_NAMES.values():
        start = time.perf_counter()
        certificates.render(make_certificate(name))
        times.append(time.perf_counter() - start)
    assert median(times) < 0.3


def test_eight_threads_at_once_each_get_their_own_name() -> None:
    texts: dict[str, str] = {}

    def work(name: str) -> None:
        texts[name] = text_of(certificates.render(make_certificate(name)))

    threads = [threading.Thread(target=work, args=(f"Person {n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [name in text for name, text in texts.items()] == [True] * 8


def test_fault_in_a_template_is_not_hidden() -> None:
    with pytest.raises(typst.TypstError):
        typesetting.compile_page(certificates.TEMPLATES / "certificate.typ", {}, format="pdf")


# --- of an adoption ------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_certificate_carries_the_supporters_name_and_the_day_in_london() -> None:
    adoption = make_active_adoption(supporter=make_supporter("Zoë Supporter"))
    adoption.activated_at = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)
    certificate = certificates.of(adoption)
    assert (certificate.name, certificate.date) == ("Zoë Supporter", "1 July 2026")
    assert certificate.reference == adoption.reference
    assert certificate.address == "http://127.0.0.1:8000/species/amur-leopard/"
    assert (certificate.fact, certificate.fact_source) == ("", "")


@pytest.mark.django_db
def test_certificate_of_a_gift_carries_the_recipients_name() -> None:
    adoption = make_active_adoption(is_gift=True)
    Gift.objects.create(adoption=adoption, recipient_name="Ellie")
    assert certificates.of(adoption).name == "Ellie"


@pytest.mark.django_db
def test_page_says_who_what_when_and_that_it_is_symbolic() -> None:
    certificate = certificates.of(make_active_adoption())
    text = " ".join(text_of(certificates.render(certificate)).split())
    for words in (
        "Certificate of adoption",
        "Amara Supporter",
        "has adopted the Amur leopard",
        "Panthera pardus orientalis",
        certificate.date,
        certificate.reference,
        "This adoption is symbolic",
        "Demonstration Leopard Trust",
        "Charity number 0000000",
        certificate.address,
        "To check it: http://127.0.0.1:8000/certificates/",
    ):
        assert words in text


# --- as a page, as a picture, and checked --------------------------------------------------------------------------


@pytest.mark.threat("L5")
@pytest.mark.django_db
def test_page_and_picture_are_for_whoever_holds_the_address(client: Client) -> None:
    adoption = make_active_adoption(supporter=make_supporter("Ann <b>王小明"))
    here = f"/adoptions/{adoption.token}/"
    page = client.get(f"{here}certificate/")
    assert "Ann &lt;b&gt;王小明</bdi> has adopted the Amur leopard" in page.content.decode()
    assert f'content="http://127.0.0.1:8000{here}certificate.png"' in page.content.decode()
    picture = client.get(f"{here}certificate.png")
    assert (picture.headers["Content-Type"], picture.content[:4]) == ("image/png", b"\x89PNG")
    assert len(picture.content) <= 200_000
    for response in (page, picture):
        assert (response.headers["Cache-Control"], response.headers["X-Robots-Tag"]) == ("private, no-store", "noindex")
    assert not client.cookies
    for end in ("certificate/", "certificate.png"):
        assert client.get(f"/adoptions/{'x' * 32}/{end}").status_code == 404
        assert client.get(f"/adoptions/{make_adoption().token}/{end}").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("read", ["PM-{}", " PM {} ", "{}", "lower"])
def test_certificate_is_checked_by_its_number_and_tells_nobody_a_name(client: Client, read: str) -> None:
    adoption = make_active_adoption(supporter=make_supporter("Zoë Supporter"))
    reference = adoption.reference
    typed = reference.lower() if read == "lower" else read.format(reference[3:])
    page = client.get("/certificates/", {"reference": typed}).content.decode()
    assert "Yes, it is from us" in page
    assert "Amur leopard</a>, since" in page
    for secret in ("Zoë", "amara@example.org", "36", adoption.token):
        assert secret not in page.replace(reference, "").replace(typed, "")


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["PM-22222222", "PM-", "7", "<script>", "ＰＭ－7K4T9QXR", "PM-7K4T9QXR" * 3, " "])
def test_number_we_do_not_know_is_said_to_be_unknown(client: Client, typed: str) -> None:
    response = client.get("/certificates/", {"reference": typed})
    assert (response.status_code, "We know no certificate" in response.content.decode()) == (404, True)


@pytest.mark.django_db
def test_adoption_that_was_never_paid_has_no_certificate_to_check(client: Client) -> None:
    assert client.get("/certificates/", {"reference": make_adoption().reference}).status_code == 404


@pytest.mark.django_db
def test_certificate_of_an_adoption_that_is_over_is_still_genuine(client: Client) -> None:
    adoption = make_active_adoption()
    Adoption.objects.filter(pk=adoption.pk).end(at=datetime(2026, 12, 1, tzinfo=UTC))
    page = client.get("/certificates/", {"reference": adoption.reference}).content.decode()
    assert "ended in December 2026" in page


# --- its fact ------------------------------------------------------------------------------------------------


def make_fact(species: Species, key: str, point: int | None, **values: object) -> Fact:
    defaults = {"group": FactGroup.POPULATION, "label": f"Counted {key}", "unit": "adults", "period": "2023"}
    fact = Fact.objects.create(
        species=species, key=key, point=point, confidence=Confidence.MEDIUM, **{**defaults, **values}
    )
    source, _ = Source.objects.get_or_create(
        key="count", defaults={"title": "A count", "publisher": "Some Park", "year": 2024, "kind": SourceKind.REPORT}
    )
    fact.sources.add(source)
    return fact


def put_in_glance(fact: Fact, *, position: int = 0, **values: object) -> None:
    Text.objects.create(
        species=fact.species,
        section=Section.AT_A_GLANCE,
        key=fact.key,
        title="Number",
        body=f"{{{fact.key}}} [^{fact.key}]",
        position=position,
        **values,
    )


@pytest.mark.django_db
def test_fact_is_the_number_that_the_page_puts_first() -> None:
    species = make_species()
    put_in_glance(make_fact(species, "second", 80), position=2)
    put_in_glance(make_fact(species, "first", 1290, qualifier="about", place="all of Russia"), position=1)
    make_fact(species, "elsewhere", 5)
    certificate = certificates.of(make_active_adoption(species=species))
    assert certificate.fact == "Counted first: about 1,290 adults"
    assert certificate.fact_source == "All of Russia. 2023. Source: Some Park, 2024"


@pytest.mark.django_db
def test_fact_that_is_no_number_of_animals_or_not_shown_is_passed_over() -> None:
    species = make_species()
    put_in_glance(make_fact(species, "weight", 45, group=FactGroup.BODY))
    put_in_glance(make_fact(species, "trend", None, value="rising"))
    put_in_glance(make_fact(species, "draft", 3), is_published=False)
    put_in_glance(make_fact(make_species("amur-tiger"), "tigers", 750))
    sourceless = make_fact(species, "sourceless", 7)
    sourceless.sources.clear()
    put_in_glance(sourceless)
    assert headline_fact(species) is None


@pytest.mark.django_db
def test_coat_is_that_of_the_reference_and_only_on_a_species_with_rosettes() -> None:
    adoption = make_active_adoption()
    assert certificates.of(adoption).coat == ""
    make_fact(adoption.species, ROSETTES, None, group=FactGroup.BODY, value="rosettes")
    certificate = certificates.of(adoption)
    assert certificate.coat == coat_svg(adoption.reference)
    pdf = certificates.render(certificate)
    assert len(pdf) <= 200_000
    assert "grown from the reference" in text_of(pdf)


@pytest.mark.django_db
def test_fact_of_a_source_without_a_year_names_the_publisher_alone() -> None:
    fact = make_fact(make_species(), "first", 129, period="2023 survey")
    fact.sources.update(year=None)
    assert where_from(fact) == "2023 survey. Source: Some Park"
