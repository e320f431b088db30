"""Uploads in a bucket: the same acts as on a disk, over S3's own protocol to a small server that speaks it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as project
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from pytest_django import Settings

from config import backups, media_store
from species import pictures
from tests.config.s3_server import BUCKET, Bucket, bucket
from tests.species.test_pictures import make_picture

ADDRESS = "s3://KEY:a%2Fb@s3.example.org/pictures-of-ours?region=eu-west-2&public=https://cdn.example.org/p"


@pytest.fixture
def store(settings: Settings) -> Iterator[Bucket]:
    with bucket() as server:
        address = f"s3+http://KEY:SECRET@{server.address}{BUCKET}?public=https://cdn.example.org"
        options = media_store.parse(address).options()
        s3 = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
        settings.STORAGES = {**project.STORAGES, "default": s3}
        yield server
        storages["default"].connection.meta.client.close()  # type: ignore[attr-defined]  # S3Storage's


@pytest.mark.django_db
def test_pictures_live_in_a_bucket_as_on_a_disk(store: Bucket) -> None:
    picture = make_picture()
    assert len(store.files) == 1 + 2 * len(picture.widths)
    name = str(picture.file.name)
    assert store.files[name][:2] == b"\xff\xd8"
    assert store.headers[name]["Cache-Control"] == media_store.FOR_EVER
    assert store.headers[name]["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=KEY/")
    assert picture.fallback_url.startswith(f"https://cdn.example.org/pictures/{picture.stem}-")
    assert pictures.make_sizes(picture) == 1  # again: nothing is left over beside it
    assert len(store.files) == 1 + 2 * len(picture.widths)
    assert pictures.sweep() == 0


@pytest.mark.django_db(transaction=True)
def test_backup_holds_what_is_in_the_bucket(store: Bucket, tmp_path: Path) -> None:
    default_storage.save("pictures/a.jpg", ContentFile(b"one"))
    default_storage.save("top.txt", ContentFile(b"two"))
    made = backups.make(tmp_path)
    assert {name: (made / "media" / name).read_bytes() for name in backups.read(made)["media"]} == store.files


def test_address_of_a_store_is_read() -> None:
    store = media_store.parse(ADDRESS)
    assert (store.endpoint, store.bucket, store.region) == ("https://s3.example.org", "pictures-of-ours", "eu-west-2")
    assert (store.key, store.secret, store.origin) == ("KEY", "a/b", "https://cdn.example.org")
    assert media_store.parse("s3://K:S@h/b").public == "https://h/b"


@pytest.mark.parametrize("address", ["s3://h/b", "s3://K:S@h", "https://K:S@h/b", "s3://K@h/b", "x"])
def test_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(media_store.NoStore, match="has the form"):
        media_store.parse(address)
