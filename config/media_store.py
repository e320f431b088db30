"""Uploaded files in a bucket that speaks S3 instead of on a disk: switched on by MEDIA_STORE.

    s3://KEY:SECRET@s3.eu-west-2.amazonaws.com/our-pictures?region=eu-west-2&public=https://pictures.example.org

`public` is where visitors' browsers get the files from: the bucket's public address, or a CDN in front of it. Without
it they come from the endpoint itself. `s3+http://` is for a store on this very machine.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

FOR_EVER = "public, max-age=31536000, immutable"  # a file's name changes with its content


class NoStore(ImproperlyConfigured):
    """What is wrong with the address, in a sentence."""


@dataclass(frozen=True, slots=True)
class Store:
    endpoint: str
    bucket: str
    key: str
    secret: str
    region: str
    public: str

    @property
    def origin(self) -> str:
        """What the Content Security Policy has to allow pictures from."""
        parts = urlsplit(self.public)
        return f"{parts.scheme}://{parts.netloc}"

    def options(self) -> dict[str, Any]:
        """Of django-storages' S3Storage."""
        try:
            from botocore.config import Config
        except ImportError as error:
            raise NoStore("MEDIA_STORE needs the packages of requirements-optional.txt.") from error
        parts = urlsplit(self.public)
        return {
            "bucket_name": self.bucket,
            "access_key": self.key,
            "secret_key": self.secret,
            "endpoint_url": self.endpoint,
            "region_name": self.region,
            "custom_domain": f"{parts.netloc}{parts.path}".rstrip("/"),
            "url_protocol": f"{parts.scheme}:",
            "querystring_auth": False,
            "file_overwrite": False,
            "default_acl": None,
            "object_parameters": {"CacheControl": FOR_EVER},
            # Not all that speak S3 know the newer checksums; and nobody waits longer for a bucket than for Stripe.
            "client_config": Config(
                s3={"addressing_style": "path"},
                signature_version="s3v4",
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                connect_timeout=2,
                read_timeout=10,
                retries={"max_attempts": 2},
            ),
        }


def parse(address: str) -> Store:
    parts = urlsplit(address)
    asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    bucket = parts.path.strip("/")
    if parts.scheme not in {"s3", "s3+http"} or not (parts.hostname and bucket and parts.username and parts.password):
        raise NoStore("MEDIA_STORE has the form s3://KEY:SECRET@host/bucket?region=…&public=https://…")
    host = parts.netloc.rpartition("@")[2]
    endpoint = f"{'http' if parts.scheme == 's3+http' else 'https'}://{host}"
    return Store(
        endpoint=endpoint,
        bucket=bucket,
        key=unquote(parts.username),
        secret=unquote(parts.password),
        region=asked.get("region", "us-east-1"),
        public=asked.get("public", f"{endpoint}/{bucket}"),
    )
