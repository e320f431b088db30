"""Every setting of the site. A difference between two environments is an environment variable, read here.

Unset variables give a development site only where DEBUG is on; without it the site refuses to start and
says which variables are missing. The table of variables is in config/deploy/DEPLOY.md.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP

from config import media_store

BASE_DIR = Path(__file__).resolve().parent.parent
LOCAL_DIR = BASE_DIR / ".local"

env = environ.Env()
if (BASE_DIR / ".env").is_file():
    environ.Env.read_env(BASE_DIR / ".env")

DEBUG: bool = env.bool("DEBUG", default=False)

REQUIRED_IN_PRODUCTION = (
    "SECRET_KEY",
    "ALLOWED_HOSTS",
    "SITE_URL",
    "DATABASE_URL",
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRETS",
    "EMAIL_URL",
    "DEFAULT_FROM_EMAIL",
    "CHARITY_NAME",
    "CHARITY_NUMBER",
)
if not DEBUG:
    missing = [name for name in REQUIRED_IN_PRODUCTION if not env.str(name, default="").strip()]
    if missing:
        raise ImproperlyConfigured(
            f"Pugmark will not start half-configured. Set {', '.join(missing)} "
            "(see config/deploy/DEPLOY.md), or DEBUG=True for a development site."
        )

# --- the site ---------------------------------------------------------------------------------------------

PORT: int = env.int("PORT", default=8000)
# A development key need not be secret, but it must stay the same while signed links are in people's hands.
SECRET_KEY: str = env.str("SECRET_KEY", default="development-only-" + "not-a-secret-" * 3)
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
SITE_URL: str = env.str("SITE_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")
IS_SECURE_SITE = urlsplit(SITE_URL).scheme == "https"
CSRF_TRUSTED_ORIGINS = [SITE_URL]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "config",
    "adoptions",
    "species",
    "config.desk_app.DeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.sitemaps",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "django_otp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "config.desk_app.WorkConfig",
    "pgtrigger",
]

# Wraps the WSGI application (config/wsgi.py); what it hands out, the first middleware has remembered.
IN_FRONT_OF_DJANGO = "species.views.door.at_the_door"
MIDDLEWARE = [
    "species.views.door.remember_answers",
    "config.log.name_requests",
    "config.metrics.count_requests",
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.own_error_pages",
    "config.middleware.security_headers",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.refuse_unusable_requests",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.audit.keep",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "config.template_loading.WithoutIndentation",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context_processors.charity",
                "adoptions.context_processors.campaign",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- database ---------------------------------------------------------------------------------------------

if "DATABASE_URL" in env.ENVIRON:
    DATABASES = {"default": env.db_url("DATABASE_URL", engine="django.db.backends.postgresql")}
else:
    from config.local.postgres import DATABASE

    DATABASES = {"default": DATABASE}
DATABASES["default"].setdefault("CONN_MAX_AGE", 60)
DATABASES["default"].setdefault("CONN_HEALTH_CHECKS", True)
DATABASES["default"].setdefault("OPTIONS", {}).setdefault(
    "options",
    # A request that waits longer than this is already lost to the person; a lock held longer blocks everyone.
    "-c statement_timeout=15s -c lock_timeout=5s -c idle_in_transaction_session_timeout=30s",
)

# --- people, time, words ----------------------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
# The site is British English; others have pages of their own addresses, as far as somebody has written them.
LANGUAGES = [("en-gb", "English"), ("ru", "Русский")]
TIME_ZONE = "Europe/London"  # for people; the database is in UTC
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = "config.formats"
LOCALE_PATHS = [BASE_DIR / "species" / "locale"]  # of the templates' words as well: they stand outside of every app

# Whether new passwords of staff are looked for in a list of leaked ones, on the net: see config/passwords.py.
LEAKED_PASSWORDS: bool = env.bool("LEAKED_PASSWORDS", default=not DEBUG)
_COMMON = "django.contrib.auth.password_validation.CommonPasswordValidator"
# The first hashes; what the second has hashed is hashed anew when its owner signs in.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 15}},
    {"NAME": "config.passwords.LeakedPasswordValidator" if LEAKED_PASSWORDS else _COMMON},
    {"NAME": "config.passwords.OurWordsValidator"},
]

CHARITY = {
    "name": env.str("CHARITY_NAME", default="Demonstration Leopard Trust"),
    "number": env.str("CHARITY_NUMBER", default="0000000 (demonstration: not a real charity)"),
    "regulator": env.str("CHARITY_REGULATOR", default="the Charity Commission for England and Wales"),
    "address": env.str("CHARITY_ADDRESS", default="1 Example Street, Exampleton EX1 1EX"),
    "reply_to": env.str("CHARITY_REPLY_TO", default="supporters@example.org"),
    "phone": env.str("CHARITY_PHONE", default="01632 960000"),
    "is_demonstration": "CHARITY_NAME" not in env.ENVIRON,
}

# A site for learning: real forms and mails, Stripe's test key, a database of its own (config/practice.py).
PRACTICE: bool = env.bool("PRACTICE", default=False)
if PRACTICE:  # on every page, mail and paper, whatever its words
    CHARITY |= {"name": f"Practice: {CHARITY['name']}", "number": "none: this is for practice"}

# Whose comments appear without a moderator, where nothing holds them: "adopters", "known" (species/proved_writers.py).
REFUND_ALONE_PENCE: int = env.int("REFUND_ALONE_PENCE", default=10_000)
COMMENTS_SHOWN_AT_ONCE: list[str] = env.list("COMMENTS_SHOWN_AT_ONCE", default=[])

# A second opinion on comments, from a company: nothing is sent to it without a key (species/akismet.py).
AKISMET_KEY: str = env.str("AKISMET_KEY", default="")
AKISMET_URL: str = env.str("AKISMET_URL", default="https://rest.akismet.com/1.1/").rstrip("/") + "/"

# --- files ------------------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "config.stylesheet.StylesheetFinder",
]
MEDIA_URL = "media/"
MEDIA_ROOT = BASE_DIR / "media"
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "config.whole_files.WholeFileStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "config.static.CompressedModuleStorage"
    },
}
# Where `manage.py backup` keeps its folders: on another disk than the database, if you have one.
BACKUP_FOLDER = Path(env.str("BACKUP_FOLDER", default=str(LOCAL_DIR / "backups") if DEBUG else "/var/backups/pugmark"))
# Where uploads go instead of a folder of this machine: see config/media_store.py.
MEDIA_STORE: str = env.str("MEDIA_STORE", default="")
if MEDIA_STORE:
    _store = media_store.parse(MEDIA_STORE)
    STORAGES["default"] = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": _store.options()}
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_MAX_AGE = 0 if DEBUG else 3600
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 5

# --- background tasks -------------------------------------------------------------------------------------

TASKS = {"default": {"BACKEND": "config.tasks.RetryBackend", "QUEUES": ["default"]}}

# --- mail -------------------------------------------------------------------------------------------------

DEFAULT_FROM_EMAIL: str = env.str("DEFAULT_FROM_EMAIL", default="Pugmark <hello@example.org>")
# On what ground news is sent: "consent" (a box to tick) or "soft_opt_in" (for charities: a box to refuse).
NEWS_BASIS: str = env.str("NEWS_BASIS", default="consent")
# Signs what a mail service tells us of mails that came back: see config/bounces.py. Empty: nobody may.
MAIL_WEBHOOK_SECRETS: list[str] = env.list("MAIL_WEBHOOK_SECRETS", default=[])
MAILBOX_PORT: int = env.int("MAILBOX_PORT", default=PORT + 2)
MAILBOX_SMTP_PORT: int = env.int("MAILBOX_SMTP_PORT", default=PORT + 25)
_mail = env.email_url("EMAIL_URL", default=f"smtp://127.0.0.1:{MAILBOX_SMTP_PORT}")
MAILERS = {
    "default": {
        "BACKEND": _mail["EMAIL_BACKEND"],
        "OPTIONS": {
            "host": _mail["EMAIL_HOST"],
            "port": _mail["EMAIL_PORT"],
            "username": _mail["EMAIL_HOST_USER"],
            "password": _mail["EMAIL_HOST_PASSWORD"],
            "use_tls": _mail.get("EMAIL_USE_TLS", False),
            "use_ssl": _mail.get("EMAIL_USE_SSL", False),
            "timeout": 10,
        }
        if _mail["EMAIL_BACKEND"].endswith("smtp.EmailBackend")
        else {},
    }
}

# --- Stripe -----------------------------------------------------------------------------------------------

STANDIN_PORT: int = env.int("STANDIN_PORT", default=PORT + 1)
STANDIN_URL = f"http://127.0.0.1:{STANDIN_PORT}"
# The stand-in's key and secret are no secrets: they are accepted by nothing but our own process on this machine.
STANDIN_KEY = "sk_test_standin"
STANDIN_WEBHOOK_SECRET = "whsec_standin"  # noqa: S105
STRIPE_SECRET_KEY: str = env.str("STRIPE_SECRET_KEY", default=STANDIN_KEY)
STRIPE_WEBHOOK_SECRETS: list[str] = env.list("STRIPE_WEBHOOK_SECRETS", default=[STANDIN_WEBHOOK_SECRET])
IS_STRIPE_STANDIN = STRIPE_SECRET_KEY == STANDIN_KEY
STRIPE_API_BASE: str = env.str(
    "STRIPE_API_BASE", default=STANDIN_URL if IS_STRIPE_STANDIN else "https://api.stripe.com"
).rstrip("/")
STRIPE_LIVEMODE = STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_"))

# --- security ---------------------------------------------------------------------------------------------

# Chromium applies form-action to the redirect after a form as well, so the pages a form ends on are named here.
PAYMENT_PAGES = [STANDIN_URL] if IS_STRIPE_STANDIN else ["https://checkout.stripe.com", "https://billing.stripe.com"]
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:", *([_store.origin] if MEDIA_STORE else [])],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "manifest-src": [CSP.SELF],
    "form-action": [CSP.SELF, *PAYMENT_PAGES],
    "frame-ancestors": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "report-uri": ["/csp-reports/"],  # see config/policy_reports.py; `report-to` is not known to all browsers yet
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SECURE_SSL_REDIRECT = IS_SECURE_SITE
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if IS_SECURE_SITE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_SECURE_SITE
SECURE_HSTS_PRELOAD = IS_SECURE_SITE
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_SECURE_SITE
SESSION_COOKIE_NAME = "__Host-staff" if IS_SECURE_SITE else "staff"
CSRF_COOKIE_NAME = "__Host-csrf" if IS_SECURE_SITE else "csrf"
MESSAGE_STORAGE = "config.staff_messages.Messages"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "config.same_origin.csrf_failure"
SESSION_COOKIE_AGE = 8 * 3600
# A code beside the password, of all staff; where it is off, of those who have set it up. See config/second_step.py.
STAFF_TWO_FACTOR: bool = env.bool("STAFF_TWO_FACTOR", default=not DEBUG)
OTP_TOTP_ISSUER = CHARITY["name"]
OTP_TOTP_THROTTLE_FACTOR = OTP_STATIC_THROTTLE_FACTOR = 0  # guesses are counted by our own limiter
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"

# Whoever shows it may read the numbers of /metrics, which is not there for anybody else.
METRICS_TOKEN: str = env.str("METRICS_TOKEN", default="")
# "json" for whatever collects logs, "plain" for a person. What exceptions say is shown to developers alone.
LOG_FORMAT: str = env.str("LOG_FORMAT", default="plain" if DEBUG else "json")
if LOG_FORMAT not in {"plain", "json"}:
    raise ImproperlyConfigured("Set LOG_FORMAT to json or plain, or leave it unset.")
# Where errors are told, without anybody's name: see config/error_reports.py. Empty: nowhere.
SENTRY_DSN: str = env.str("SENTRY_DSN", default="")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"()": "config.log.Plain", "with_words": DEBUG}, "json": {"()": "config.log.Json"}},
    "filters": {"without_secrets": {"()": "config.log.WithoutSecrets"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["without_secrets"]},
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    # Django's own handler beside root's would say each line twice, and its own level would not listen to LOG_LEVEL.
    "loggers": {
        "django": {"handlers": [], "level": "NOTSET"},
        "stripe": {"level": "WARNING"},  # the library's own would say each address it asks, and answer commands between
        "django.server": {"handlers": ["console"], "level": "INFO", "propagate": False},  # runserver's requests
    },
}
