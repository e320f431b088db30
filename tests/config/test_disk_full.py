"""No room, for uploads or for PostgreSQL: it is said, nothing is half written, and what was typed is kept."""

import errno
import io
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core import mail as outbox
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.mail import EmailMultiAlternatives
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse
from PIL import Image
from pytest_django import Settings

from adoptions.models import Adoption, Draft, StripeEvent
from config.mail import deliver, queue_mail
from config.models import Mail
from species import pictures
from species.models import Comment, Picture
from tests.adoptions.conftest import signed
from tests.makers import make_plan, make_species
from tests.species.makers import make_moderator
from tests.species.test_replying import REPLY, WORDS

ROOM = 200 * 1024


def noise(size: tuple[int, int] = (900, 600)) -> bytes:
    """A picture that no compression makes small: some 300 KB."""
    content = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(content, "JPEG", quality=92)
    return content.getvalue()


@pytest.fixture
def small_disk(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], object]]:
    """Uploads go to a disk of 200 KB; call it to make room. Who may mount none has large files fail half-way."""
    settings.MEDIA_ROOT = tmp_path
    mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(tmp_path)]
    if os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0:
        yield lambda: subprocess.check_call(["mount", "-o", "remount,size=32m", str(tmp_path)])
        subprocess.check_call(["umount", str(tmp_path)])
        return
    save = FileSystemStorage._save  # type: ignore[attr-defined]  # what storages override

    def half(self: FileSystemStorage, name: str, content: Any) -> str:
        if content.size < 120_000:
            return str(save(self, name, content))
        save(self, name, ContentFile(content.read(ROOM // 10)))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(FileSystemStorage, "_save", half)
        yield patch.undo


@contextmanager
def full_database(*tables: str) -> Iterator[None]:
    """PostgreSQL answers as it does when it cannot extend the file of a table; reading goes on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
            "'could not extend file \"base/1/2\": No space left on device' USING ERRCODE = 'disk_full'; END $$"
        )
        for table in tables:
            cursor.execute(
                f"CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION no_room()"
            )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION no_room CASCADE")


def sent_again(client: Client, page: Any) -> Any:
    """Press the one button of the page."""
    html = page.content.decode()
    [address] = re.findall(r'<form class="prose" method="post" action="([^"]+)">', html)
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', html)
    return client.post(unescape(address), {unescape(name): unescape(value) for name, value in fields})


def stored(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@pytest.mark.threat("X2")
@pytest.mark.django_db(transaction=True)
def test_upload_on_a_full_disk_is_told_keeps_the_words_and_leaves_no_half_file(
    small_disk: Callable[[], object], tmp_path: Path
) -> None:
    staff = Client(raise_request_exception=False)
    staff.force_login(make_moderator())
    add = reverse("admin:species_picture_add")
    typed = {
        "species": make_species().pk,
        "alt": "A leopard on a ridge",
        "author": "Ivan Petrov",
        "licence": "CC BY 4.0",
    }
    typed |= {"focal_x": 50, "focal_y": 50, "position": 1}

    def upload() -> Any:
        return staff.post(add, {**typed, "file": ContentFile(noise(), name="ridge.jpg")})

    page = upload()
    assert page.status_code == 503
    html = page.content.decode()
    assert "choose it again" in html
    assert "<blockquote>A leopard on a ridge</blockquote>" in html
    assert (Picture.objects.count(), stored(tmp_path)) == (0, [])
    form = sent_again(staff, page)  # without the file: the form asks for it, with the words in it
    assert form.status_code == 200
    assert 'value="A leopard on a ridge"' in form.content.decode()
    small_disk()
    assert upload().status_code == 302
    assert stored(tmp_path) == [Path(str(Picture.objects.get().file.name)).name]


@pytest.mark.threat("X2")
@pytest.mark.django_db(transaction=True)
def test_sizes_made_on_a_full_disk_are_made_whole_once_there_is_room(
    small_disk: Callable[[], object], tmp_path: Path
) -> None:
    taken = pictures.take(io.BytesIO(noise((400, 300))), size=1)
    picture = Picture.objects.create(
        species=make_species(), file=taken.file, width=400, height=300, alt="x", author="x", licence="CC0"
    )
    room = os.statvfs(tmp_path)
    (tmp_path / "ballast").write_bytes(b"x" * min(ROOM, room.f_bavail * room.f_frsize - 40_000))
    with pytest.raises(OSError, match="No space left"):
        default_storage.save("pictures/large.jpg", ContentFile(os.urandom(150_000)))
    assert stored(tmp_path) == sorted(["ballast", Path(str(picture.file.name)).name])
    small_disk()
    assert pictures.make_sizes(picture) == 1
    assert len(stored(tmp_path)) == 2 + len(picture.widths) * 2


@pytest.mark.threat("X2")
@pytest.mark.django_db(transaction=True)
def test_form_sent_to_a_full_database_comes_back_whole_and_is_taken_once_there_is_room() -> None:
    make_species()
    client = Client(raise_request_exception=False)
    with full_database("species_comment"):
        page = client.post("/species/amur-leopard/comments/", REPLY)
        assert client.get("/species/amur-leopard/").status_code == 200
    assert (page.status_code, page.headers["Retry-After"], Comment.objects.count()) == (503, "120", 0)
    assert page.headers["Cache-Control"] == "private, no-store"
    assert f"<blockquote>{WORDS['comment']}</blockquote>" in page.content.decode()
    assert sent_again(client, page).status_code == 303
    assert Comment.objects.get().body == WORDS["comment"]


@pytest.mark.threat("X2")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", ["adoptions_draft", "adoptions_adoption"])
def test_who_adopts_on_a_full_database_is_not_led_to_pay(amara_at: Client, table: str) -> None:
    page = amara_at.get("/adopt/amur-leopard/").content.decode()
    [attempt] = re.findall(r'name="attempt" value="([^"]+)"', page)
    answers = {"frequency": "once", "amount_once": "3600", "name": "Amara Supporter", "email": "amara@example.org"}
    answers |= {
        "is_gift": "me",
        "attempt": attempt,
        "step": "pay",
        "csrfmiddlewaretoken": amara_at.cookies["csrf"].value,
    }
    with full_database(table):
        refused = amara_at.post("/adopt/amur-leopard/", answers)
    assert refused.status_code == 503
    assert "Nobody pays twice" in refused.content.decode()
    assert (Adoption.objects.count(), Draft.objects.count()) == (0, int(table != "adoptions_draft"))
    kept = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', refused.content.decode()))
    assert kept == answers  # its token as well: the same button works when there is room


@pytest.fixture
def amara_at(transactional_db: None) -> Client:
    make_species()
    make_plan()
    return Client(raise_request_exception=False, enforce_csrf_checks=True)


@pytest.mark.threat("X2")
@pytest.mark.django_db(transaction=True)
def test_event_that_finds_no_room_is_refused_so_that_stripe_sends_it_again() -> None:
    client = Client(raise_request_exception=False)
    event = {"id": "evt_1", "object": "event", "type": "customer.created", "api_version": "x", "created": 1}
    event |= {"livemode": False, "data": {"object": {"id": "cus_1", "object": "customer"}}}
    with full_database("adoptions_stripeevent"):
        assert client.post("/stripe/webhook/", **signed(event)).status_code == 503
    assert not StripeEvent.objects.exists()
    assert client.post("/stripe/webhook/", **signed(event)).status_code == 200
    assert StripeEvent.objects.count() == 1


@pytest.mark.threat("X2")
@pytest.mark.django_db(transaction=True)
def test_mail_is_not_sent_while_it_could_not_be_written_down_and_goes_once_afterwards() -> None:
    context = {"code": "1", "link": "/", "minutes": 15}
    queue_mail("manage_link", to="amara@example.org", key="1", context=context)
    mail = Mail.objects.get()
    with full_database("config_mail"):
        with pytest.raises(OperationalError, match="No space left"):
            deliver.func(mail.pk)
        with pytest.raises(OperationalError, match="No space left"):
            queue_mail("manage_link", to="amara@example.org", key="2", context=context)
    assert (len(outbox.outbox), Mail.objects.get().state) == (0, "queued")
    deliver.func(mail.pk)
    deliver.func(mail.pk)
    assert ([type(one) for one in outbox.outbox], Mail.objects.get().state) == ([EmailMultiAlternatives], "sent")
