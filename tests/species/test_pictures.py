import io
import os
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from PIL import Image
from pytest_django.fixtures import Settings

from species import history, pictures, tasks
from species.models import Picture
from species.views.caching import memory
from tests.species.makers import make_field_note, make_moderator, make_species

HTML = b"<html><script>alert(1)</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="900" height="600"><script>alert(1)</script></svg>'


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_moderator())
    return client


def photograph(kind: str = "JPEG", size: tuple[int, int] = (900, 600), mode: str = "RGB", **how: Any) -> bytes:
    content = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(content, kind, **how)
    return content.getvalue()


def take(content: bytes) -> pictures.Taken:
    return pictures.take(io.BytesIO(content), size=len(content))


def make_picture(*, is_made: bool = True, **values: Any) -> Picture:
    taken = take(photograph(size=values.pop("size", (900, 600))))
    defaults = {"alt": "A leopard on a ridge", "author": "Ivan Petrov", "licence": "CC BY 4.0", "is_published": True}
    species = values.pop("species", None) or make_species()
    picture = Picture.objects.create(
        species=species, file=taken.file, width=taken.width, height=taken.height, **{**defaults, **values}
    )
    if is_made:
        pictures.make_sizes(picture)
        picture.refresh_from_db()
    return picture


def png_that_claims(width: int, height: int) -> bytes:
    """A few bytes that say they unpack to a picture of any size."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 999)) + chunk(b"IEND", b"")
    )


# --- what is taken in ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("JPEG", "RGB"), ("JPEG", "CMYK"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "I;16"), ("WEBP", "RGB")],
)
def test_picture_of_each_accepted_kind_becomes_a_clean_jpeg(kind: str, mode: str) -> None:
    taken = take(photograph(kind, mode=mode))
    with Image.open(taken.file) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (900, 600))


def test_where_the_camera_stood_is_gone_and_the_picture_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif.get_ifd(0x8825)[2] = (43.0, 10.0, 0.0)  # where a leopard was: nobody may learn it from us
    taken = take(photograph(exif=exif, comment=b"den at 43.1, 131.2"))
    with Image.open(taken.file) as image:
        assert (dict(image.getexif()), image.info.get("comment")) == ({}, None)
        assert image.size == (taken.width, taken.height) == (600, 900)


@pytest.mark.threat("F1")
def test_what_hides_behind_or_inside_a_picture_is_left_behind() -> None:
    taken = take(photograph(comment=HTML) + HTML + b"PK\x03\x04 a second file")
    content = taken.file.read()
    assert b"script" not in content
    assert b"PK\x03\x04" not in content


@pytest.mark.threat("F1")
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (SVG, "not a JPEG"),
        (HTML, "not a JPEG"),
        (b"", "not a JPEG"),
        (b"GIF89a" + HTML, "not a JPEG"),
        (b"\xff\xd8\xff\xe0" + HTML, "not a JPEG"),
        (photograph()[:3000], "not a JPEG"),
        (photograph("GIF", mode="P"), "not a JPEG"),
        (photograph("TIFF"), "not a JPEG"),
        (photograph("BMP"), "not a JPEG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 900 600\n", "not a JPEG"),
        (png_that_claims(900, 600), "not a JPEG"),
        (png_that_claims(4001, 3000), "12 megapixels"),
        (png_that_claims(60_000, 60_000), "12 megapixels"),
        (png_that_claims(2**31 - 1, 2**31 - 1), "12 megapixels"),
        (photograph(size=(199, 600)), "too small"),
        (photograph("WEBP", save_all=True, append_images=[Image.new("RGB", (900, 600))]), "moves"),
    ],
)
def test_hostile_or_unfit_file_is_refused_with_a_reason(content: bytes, reason: str) -> None:
    with pytest.raises(pictures.Refused, match=reason):
        take(content)


@pytest.mark.threat("F1")
def test_file_over_eight_megabytes_is_refused_unread() -> None:
    with pytest.raises(pictures.Refused, match="8 MB"):
        pictures.take(io.BytesIO(), size=8 * 1024 * 1024 + 1)


@pytest.mark.threat("F1")
@pytest.mark.parametrize("seed", range(40))
def test_damaged_picture_is_taken_or_refused_and_never_crashes(seed: int) -> None:
    kind = ("JPEG", "PNG", "WEBP")[seed % 3]
    content = bytearray(photograph(kind, size=(240, 240)))
    for step in range(1 + seed % 7):
        content[(seed * 7919 + step * 104_729) % len(content)] ^= 1 + seed
    try:
        start = take(bytes(content)).file.read(2)
    except pictures.Refused:
        start = b""
    assert start in {b"", b"\xff\xd8"}


# --- sizes ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("size", "widths"), [((2400, 1600), [480, 960, 1600]), ((900, 600), [480, 900]), ((300, 400), [300])]
)
def test_sizes_are_made_in_both_formats_and_never_larger(size: tuple[int, int], widths: list[int]) -> None:
    picture = make_picture(size=size)
    for width in widths:
        for extension in ("avif", "webp"):
            with default_storage.open(picture.name_of(width, extension)) as file, Image.open(file) as image:
                assert (image.format, image.width) == (extension.upper(), width)
                assert abs(image.height - size[1] * width / size[0]) <= 1
    assert len(default_storage.listdir("pictures")[1]) == 1 + 2 * len(widths)


@pytest.mark.django_db
def test_task_may_run_twice_and_after_its_picture_is_gone() -> None:
    picture = make_picture(is_made=False)
    tasks.make_sizes.func(picture.pk)
    tasks.make_sizes.func(picture.pk)
    assert Picture.objects.public().get() == picture
    picture.delete()
    tasks.make_sizes.func(picture.pk)
    assert Picture.objects.count() == 0


@pytest.mark.django_db
def test_sweep_deletes_old_files_of_no_picture_and_nothing_else(media: Path) -> None:
    kept, gone = make_picture(), make_picture(size=(600, 600))
    gone.delete()
    fresh = default_storage.save("pictures/fresh.jpg", take(photograph()).file)
    days_ago = time.time() - 3 * 24 * 3600
    for path in (media / "pictures").iterdir():
        if path.name != "fresh.jpg":
            os.utime(path, (days_ago, days_ago))
    tasks.sweep_pictures.func()
    left = set(default_storage.listdir("pictures")[1])
    assert left == {Path(fresh).name, *(name for name in left if name.startswith(kept.stem))}
    assert len(left) == 6


# --- in the admin and on the page ----------------------------------------------------------------------------


def upload(staff: Client, content: bytes, name: str = "leopard.jpg") -> Any:
    answers = {
        "species": make_species().pk, "file": SimpleUploadedFile(name, content, "image/jpeg"), "alt": "A leopard",
        "author": "Ivan Petrov", "licence": "CC BY 4.0", "licence_url": "https://creativecommons.org/licenses/by/4.0/",
        "source_url": "", "focal_x": 75, "focal_y": 0, "position": 1, "is_published": "on",
    }  # fmt: skip
    return staff.post(reverse("admin:species_picture_add"), answers)


@pytest.mark.django_db
def test_picture_uploaded_in_the_admin_is_shown_once_its_sizes_are_made(staff: Client) -> None:
    assert upload(staff, photograph()).status_code == 302
    picture = Picture.objects.get()
    assert "Pictures" not in Client().get("/species/amur-leopard/").content.decode()
    tasks.make_sizes.func(picture.pk)
    html = Client().get("/species/amur-leopard/").content.decode()
    picture.refresh_from_db()
    for words in (
        f'<source type="image/avif" srcset="/media/pictures/{picture.stem}-480.avif 480w, ',
        f'src="/media/pictures/{picture.stem}-900.webp" width="900" height="600" alt="A leopard" loading="lazy"',
        "photo__img--x75 photo__img--y0",
        "Photo: Ivan Petrov",
        '<a href="https://creativecommons.org/licenses/by/4.0/" rel="license">CC BY 4.0</a>',
    ):
        assert words in html


@pytest.mark.threat("F1")
@pytest.mark.django_db
@pytest.mark.parametrize(("content", "name"), [(SVG, "a.svg"), (HTML, "a.jpg"), (png_that_claims(9999, 9999), "a.png")])
def test_hostile_upload_is_refused_in_the_form_and_leaves_no_file(staff: Client, content: bytes, name: str) -> None:
    response = upload(staff, content, name)
    assert response.status_code == 200
    assert "file" in response.context["adminform"].form.errors
    assert (Picture.objects.count(), default_storage.exists("pictures")) == (0, False)


@pytest.mark.django_db
def test_form_of_a_picture_opens_and_keeps_its_file_when_only_words_change(staff: Client) -> None:
    picture = make_picture()
    address = reverse("admin:species_picture_change", args=[picture.pk])
    page = staff.get(address)
    assert f'src="{picture.fallback_url}"' in page.content.decode()
    values = {**page.context["adminform"].form.initial, "alt": "A leopard at dusk", "file": ""}
    assert staff.post(address, values).status_code == 302
    again = Picture.objects.get()
    assert (again.alt, again.file.name, again.made_at) == ("A leopard at dusk", picture.file.name, picture.made_at)


@pytest.mark.django_db
def test_credit_of_a_picture_has_a_history_and_comes_back_without_touching_the_file(staff: Client) -> None:
    picture = make_picture(author="Ivan Petrov")
    address = reverse("admin:species_picture_change", args=[picture.pk])
    values = {**staff.get(address).context["adminform"].form.initial, "author": "Anna Petrova", "file": ""}
    assert staff.post(address, values).status_code == 302
    said = staff.get(reverse("admin:species_picture_history", args=[picture.pk])).text
    assert ("Ivan Petrov" in said, "Anna Petrova" in said) == (True, True)
    found = history.revisions_of(picture).last()
    assert found
    staff.post(reverse("admin:species_picture_put_in_place", args=[picture.pk, found.pk]))
    again = Picture.objects.get()
    assert (again.author, again.file.name, again.made_at) == ("Ivan Petrov", picture.file.name, picture.made_at)
    assert "Photo: Ivan Petrov, CC BY 4.0" in staff.get("/species/amur-leopard/").text


@pytest.mark.django_db
@pytest.mark.parametrize("values", [{"is_published": False}, {"is_made": False}])
def test_page_without_pictures_to_show_has_no_section_for_them(client: Client, values: dict[str, bool]) -> None:
    make_picture(**values)
    assert 'id="pictures"' not in client.get("/species/amur-leopard/").content.decode()


@pytest.mark.django_db
def test_pictures_cost_the_page_no_query(client: Client) -> None:
    counts = []
    client.get(make_species().get_absolute_url())  # its content is remembered from here on
    for number in (0, 1, 2):
        memory.clear()
        for _ in range(number):
            make_picture(alt='"><script>')
        with CaptureQueriesContext(connection) as queries:
            html = client.get("/species/amur-leopard/").content.decode()
        counts.append(len(queries))
        assert '"><script>' not in html
    assert len(set(counts)) == 1


@pytest.mark.django_db
def test_picture_shown_without_its_author_is_impossible() -> None:
    with pytest.raises(IntegrityError, match="picture_shown_says_what_whose_and_how"):
        make_picture(author="")


@pytest.mark.django_db
def test_note_shows_its_picture_while_that_is_published(client: Client) -> None:
    picture = make_picture()
    note = make_field_note(picture=picture, published_at=timezone.now())
    assert "Photo: Ivan Petrov" in client.get(note.get_absolute_url()).content.decode()
    Picture.objects.update(is_published=False)
    assert "Photo:" not in client.get(note.get_absolute_url()).content.decode()
    picture.delete()
    assert client.get(note.get_absolute_url()).status_code == 200
