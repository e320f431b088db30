"""Misconfiguration stops the start, with a sentence that says what to set."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.db import connections

from . import practice, retention


@register
def stripe_key_fits_the_environment(**kwargs: Any) -> list[CheckMessage]:
    """A live key moves money, so only production may hold one; a test key there would give adoptions away."""
    if (settings.DEBUG or settings.PRACTICE) and settings.STRIPE_LIVEMODE:
        return [
            Error(
                f"A live Stripe key is set while {'DEBUG' if settings.DEBUG else 'PRACTICE'} is on.",
                hint="Use a test key, or no key for the local stand-in, anywhere but in production.",
                id="pugmark.E001",
            )
        ]
    if not settings.DEBUG and not settings.PRACTICE and not settings.STRIPE_LIVEMODE:
        return [
            Error(
                "This is production (DEBUG is off) and STRIPE_SECRET_KEY is not a live key.",
                hint="Set the sk_live_ or rk_live_ key: adoptions paid with a test key would cost nothing. For a site "
                "to practise on, set PRACTICE=True.",
                id="pugmark.E002",
            )
        ]
    return []


@register
def stripe_standin_stays_on_a_laptop(**kwargs: Any) -> list[CheckMessage]:
    """The stand-in says "paid" to anybody."""
    if not settings.DEBUG and (settings.IS_STRIPE_STANDIN or settings.STRIPE_API_BASE != "https://api.stripe.com"):
        return [
            Error(
                "STRIPE_API_BASE or STRIPE_SECRET_KEY points production at something that is not Stripe.",
                hint="Unset STRIPE_API_BASE and set a live STRIPE_SECRET_KEY.",
                id="pugmark.E003",
            )
        ]
    return []


@register
def webhook_secrets_are_secrets(**kwargs: Any) -> list[CheckMessage]:
    """With an empty secret anyone could sign an event."""
    if not settings.STRIPE_WEBHOOK_SECRETS or not all(s.startswith("whsec_") for s in settings.STRIPE_WEBHOOK_SECRETS):
        return [
            Error(
                "STRIPE_WEBHOOK_SECRETS holds something that is not a signing secret.",
                hint="Set the endpoint's whsec_ signing secret (two, separated by a comma, while rotating).",
                id="pugmark.E004",
            )
        ]
    return []


@register
def mail_webhook_secrets_are_secrets(**kwargs: Any) -> list[CheckMessage]:
    """Whoever guesses one could make every present look undeliverable."""
    if all(len(secret) >= 32 for secret in settings.MAIL_WEBHOOK_SECRETS):
        return []
    return [
        Error(
            "MAIL_WEBHOOK_SECRETS holds a secret of fewer than 32 characters.",
            hint="Make one with: openssl rand -hex 32",
            id="pugmark.E007",
        )
    ]


@register
def metrics_token_is_a_secret(**kwargs: Any) -> list[CheckMessage]:
    if not settings.METRICS_TOKEN or len(settings.METRICS_TOKEN) >= 32:
        return []
    return [
        Error(
            "METRICS_TOKEN has fewer than 32 characters.", hint="Make one with: openssl rand -hex 32", id="pugmark.E021"
        )
    ]


@register
def news_has_a_ground(**kwargs: Any) -> list[CheckMessage]:
    if settings.NEWS_BASIS in {"consent", "soft_opt_in"}:
        return []
    return [
        Error(
            f"NEWS_BASIS is {settings.NEWS_BASIS!r}.",
            hint='Set "consent", or "soft_opt_in" if your adviser says that you may.',
            id="pugmark.E008",
        )
    ]


@register
def embedded_postgres_stays_on_a_laptop(**kwargs: Any) -> list[CheckMessage]:
    """It runs without fsync: a power cut may eat it."""
    if not settings.DEBUG and settings.DATABASES["default"]["ENGINE"] == "config.local.postgres":
        return [
            Error(
                "The embedded PostgreSQL is for development.",
                hint="Set DATABASE_URL to a PostgreSQL 14 or newer.",
                id="pugmark.E005",
            )
        ]
    return []


@register
def site_url_is_served_here(**kwargs: Any) -> list[CheckMessage]:
    """Links in mails are built from SITE_URL; Django refuses requests for hosts it does not know."""
    host = urlsplit(settings.SITE_URL).hostname or ""
    if settings.DEBUG or host in settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        return []
    return [
        Error(
            f"SITE_URL is on {host!r}, which is not in ALLOWED_HOSTS.",
            hint="Every link in our mails would answer 400.",
            id="pugmark.E006",
        )
    ]


@register
def akismet_is_asked_in_private(**kwargs: Any) -> list[CheckMessage]:
    """Its key and readers' words travel in the request."""
    address = urlsplit(settings.AKISMET_URL)
    if address.scheme == "https" or (settings.DEBUG and address.hostname == "127.0.0.1"):
        return []
    return [
        Error("AKISMET_URL does not begin with https.", hint="Leave it unset for Akismet's own.", id="pugmark.E014")
    ]


@register
def comments_shown_at_once_are_somebodys(**kwargs: Any) -> list[CheckMessage]:
    """A word we do not know would trust nobody, and whoever set it would believe it did."""
    unknown = sorted(set(settings.COMMENTS_SHOWN_AT_ONCE) - {"adopters", "known"})
    if not unknown:
        return []
    return [
        Error(
            f"COMMENTS_SHOWN_AT_ONCE names {', '.join(unknown)}.",
            hint="It takes adopters, known, or both with a comma between them.",
            id="pugmark.E011",
        )
    ]


@register
def staff_take_a_second_step(**kwargs: Any) -> list[CheckMessage]:
    """A password that staff use elsewhere too is stolen elsewhere, and opens every name and address here."""
    if settings.DEBUG or settings.STAFF_TWO_FACTOR:
        return []
    return [
        Error(
            "STAFF_TWO_FACTOR is off in production.",
            hint="Unset it. Staff scan a picture with an app on their phone at their next sign-in; it takes a minute.",
            id="pugmark.E009",
        )
    ]


@register
def every_column_has_a_time_to_go(**kwargs: Any) -> list[CheckMessage]:
    """A new column without a rule would be kept for ever, and nobody would have been told."""
    return [Error(fault, hint="Say so in config/retention.toml.", id="pugmark.E010") for fault in retention.faults()]


@register(Tags.database)
def database_lets_nobody_wait_for_ever(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """A pooler that ignores what we ask for at the start of a session loses our limits of time, and says nothing."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        with connections[alias].cursor() as cursor:
            for setting in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
                cursor.execute("SELECT current_setting(%s)", [setting])
                if cursor.fetchone() == ("0",):
                    found.append(
                        CheckWarning(
                            f"PostgreSQL gives this connection no {setting}.",
                            hint="Behind a pooler, set it for the role: see PgBouncer in config/deploy/SCALE.md.",
                            id="pugmark.W015",
                        )
                    )
    return found


@register(Tags.database)
def database_is_this_sites(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Practice on the real data, and real people in a practice site, are both beyond repair once they happened."""
    try:
        if "default" in (databases or ()):
            practice.check_database()
    except practice.WrongDatabaseError as error:
        return [Error(str(error), hint="Point DATABASE_URL at this site's own database.", id="pugmark.E016")]
    return []
