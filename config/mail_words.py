"""The words of each kind of mail: ours in templates/emails/, or what staff put in their place.

Staff write the plain text; the HTML part is made of it, in the same layout. They may use whatever stands between
braces in our own words and nothing else, so a variable cannot be broken, and no template can do what ours does not.
"""

import logging
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

from django.conf import settings
from django.template import Context, Engine, TemplateSyntaxError, engines
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from .models import MailWords

logger = logging.getLogger(__name__)

EMAILS = settings.BASE_DIR / "templates" / "emails"
TOKEN = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
BODY = re.compile(r"\{% block body %\}(.*?)\{% endblock body %\}", re.DOTALL)
AROUND_SUBJECT = re.compile(r"\{% (?:end)?autoescape(?: off)? %\}")
ALWAYS = ("{{ charity.name }}", "{{ charity.phone }}", "{{ charity.reply_to }}")
OURS_ALONE = {
    "new_browser",
    "account_changed",
}  # who stole an account must not be able to soften what its owner is told
LOAD = "{% load money typed %}"
LINK = re.compile(r"https?://\S+")
REFERENCE = re.compile(r" \((?:PM|CP)-\w+\)$")


@dataclass(frozen=True)
class Rendered:
    subject: str
    text: str
    html: str


def kinds() -> list[str]:
    """Every kind of mail whose words staff may put in their own."""
    return sorted(folder.name for folder in EMAILS.iterdir() if folder.is_dir() and folder.name not in OURS_ALONE)


@cache
def shipped(kind: str) -> tuple[str, str]:
    """Our own subject and text, as staff begin with them."""
    found = BODY.search((EMAILS / kind / "body.txt").read_text())
    subject = AROUND_SUBJECT.sub("", (EMAILS / kind / "subject.txt").read_text())
    return subject.strip(), found.group(1) if found else ""


def tokens(words: str) -> list[str]:
    """All that stands between braces, spaced as we space it."""
    return [" ".join(token.split()) for token in TOKEN.findall(words)]


def usable(kind: str) -> list[str]:
    """What the words of a kind may hold between braces, in the order of our own."""
    return list(dict.fromkeys([*tokens(" ".join(shipped(kind))), *ALWAYS]))


def needed(kind: str) -> list[str]:
    """Without its links and codes a mail is of no use to anybody."""
    own = dict.fromkeys(tokens(shipped(kind)[1]))
    return [token for token in own if re.fullmatch(r"\{\{ (\w*url|code) \}\}", token)]


def has_room(token: str, subject: str, body: str) -> bool:
    """A link or code is a key: hung on to an address it goes elsewhere, and changed it is shown in the log of mails."""
    around = re.sub(r"\{%.*?%\}", "", " ".join(body.split()))
    spaced = re.sub(r"\{\{\s*(.*?)\s*\}\}", r"{{ \1 }}", around)
    key = re.escape(token)
    # Behind a link others may stand, in a condition; a link that is longer is still taken out of the log.
    clings = rf"[^\s(}}]{key}" if "url" in token else rf"[^\s(]{key}|{key}[\w{{]"
    return token not in tokens(subject) and not re.search(clings, spaced)


def problems(kind: str, subject: str, body: str) -> list[str]:
    """Why these words cannot be used, in sentences for whoever wrote them; empty if they can."""
    may = set(usable(kind))
    used = dict.fromkeys(tokens(f"{subject} {body}"))
    found = [f"{token} is not known in this mail." for token in used if token not in may]
    found += [f"{token} must stand in the text." for token in needed(kind) if token not in tokens(body)]
    found += [
        f"{token} is a key: it stands in the text by itself, with space around it, and not in the subject."
        for token in needed(kind)
        if not has_room(token, subject, body)
    ]
    if re.search(r"\{\{|\}\}|\{%|%\}|\{#", TOKEN.sub("", subject + body)):
        found.append("A brace is missing somewhere.")
    if found:
        return found
    try:
        drawn = draw(kind, subject, body, sample(kind))
    except TemplateSyntaxError as error:
        return [f"An {{% if %}} does not go with its {{% endif %}}: {str(error).partition(' at ')[0]}."]
    except Exception:  # noqa: BLE001  each filter has its own way to say that there is nothing for it to write
        return ["Something between braces has nothing to stand for where it is now. Compare with our own words."]
    return [] if drawn.subject else ["The subject is empty."]


@lru_cache(maxsize=256)
def can_be_used(kind: str, subject: str, body: str) -> bool:
    return not problems(kind, subject, body)


def unusable() -> list[str]:
    """The kinds whose edited words are not sent, because they no longer fit: ours are, until somebody looks."""
    known = MailWords.objects.filter(kind__in=kinds()).order_by("kind").values_list("kind", "subject", "body")
    return [kind for kind, subject, body in known if not can_be_used(kind, subject, body)]


def render(kind: str, context: dict[str, Any]) -> Rendered:
    """In the words of staff, if there are any that can be used, and otherwise in ours."""
    edited = None if kind in OURS_ALONE else MailWords.objects.filter(kind=kind).first()
    if edited and (drawn := as_edited(edited, context)):
        return drawn
    subject = one_line(render_to_string(f"emails/{kind}/subject.txt", context))
    text = render_to_string(f"emails/{kind}/body.txt", context)
    return Rendered(subject, text, render_to_string(f"emails/{kind}/body.html", {**context, "subject": subject}))


def as_edited(edited: MailWords, context: dict[str, Any]) -> Rendered | None:
    """None where that cannot be: a mail goes out all the same."""
    if can_be_used(edited.kind, edited.subject, edited.body):
        try:
            return draw(edited.kind, edited.subject, edited.body, context)
        except Exception:  # whatever it is, ours have no part of it
            logger.exception("The words of %r could not be filled in; our own were sent.", edited.kind)
            return None
    logger.error("The words of %r can no longer be used; our own were sent.", edited.kind)
    return None


def draw(kind: str, subject: str, body: str, context: dict[str, Any]) -> Rendered:
    """Both parts of a mail in other words than ours."""
    line = one_line(plain_text(subject, context))
    words = plain_text(body, context)
    parts = {**context, "subject": line, "words": words, "words_in_html": in_html(REFERENCE.sub("", line), words)}
    text = render_to_string("emails/edited.txt", {**parts, "ours": f"emails/{kind}/body.txt"})
    return Rendered(line, text, render_to_string("emails/edited.html", {**parts, "ours": f"emails/{kind}/body.html"}))


def plain_text(source: str, context: dict[str, Any]) -> str:
    engine: Engine = engines["django"].engine  # type: ignore[attr-defined]  # the one backend we have
    return str(engine.from_string(LOAD + source).render(Context(context, autoescape=False)))


def one_line(words: str) -> str:
    return " ".join(words.split())


def in_html(heading: str, words: str) -> SafeString:
    """Paragraphs of plain text as HTML: nothing in them is run, and only a line that is an address becomes a link."""
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", words.replace("\r", "")) if part.strip()]
    return format_html(
        "<h1>{}</h1>\n{}", heading, format_html_join("\n", "<p>{}</p>", ((lines_in_html(p),) for p in paragraphs))
    )


def lines_in_html(paragraph: str) -> SafeString:
    lines = [line.strip() for line in paragraph.split("\n")]
    return format_html_join(SafeString("<br>"), "{}", ((line_in_html(line),) for line in lines))


def line_in_html(line: str) -> SafeString:
    if LINK.fullmatch(line):
        return format_html('<a href="{}">{}</a>', line, line)
    return format_html("{}", line)


# --- to look at before anything is sent ------------------------------------------------------------------------------

NAME = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*")
LOOP = re.compile(r"\{% for (.+?) in ")
SAMPLES: dict[str, Any] = {
    "name": "Amara Supporter",
    "certificate_name": "Ellie",
    "giver_name": "Amara Supporter",
    "common_name": "Amur leopard",
    "reference": "PM-7K4T9QXR",
    "price": "£5 a month",
    "get_frequency_display": "Every month",
    "before": "£3 a month",
    "code": "123456",
    "minutes": 10,
    "total": 2,
    "late": 1,
    "card_last4": "4242",
    "expires": "December 2026",
    "because": "",
    "state": "sent",
    "recipient_email": "ellie@example.org",
    "gift_aid": "Declared by Amara Supporter on 24 December 2026.",
    "skipped_on": datetime(2026, 11, 24, 8, tzinfo=UTC),
    "changes": [("Name", "Amara Supporter", "Amara Obi")],
    "notes": [{"title": "A new cub", "day": "24 December 2026", "url": "https://example.org/field-notes/a-new-cub/"}],
    "failed": [],
    "year": "2025–26",
    "finding": "We were wrong",
    "answer": "We sent you a letter that was meant for somebody else, and have corrected the address.",
    "lines": [
        {"day": "24 December 2025", "what": "Payment, Amur leopard", "amount_pence": 3600, "is_gift_aided": True}
    ],
}


def sample(kind: str) -> dict[str, Any]:
    """Made-up values for all that our words of a kind speak of."""
    context: dict[str, Any] = {}
    paths = {path for token in usable(kind) for path in NAME.findall(re.sub(r'"[^"]*"|\|\w+', "", token))}
    for path in sorted(paths):
        *holders, leaf = path.split(".")
        place = context
        for holder in holders:
            inner = place.get(holder)
            place[holder] = place = inner if isinstance(inner, dict) else {}
        place.setdefault(leaf, sample_of(leaf))
    for name in " ".join(LOOP.findall(shipped(kind)[1])).replace(",", " ").split():
        context.pop(name, None)  # it stands for something within its loop alone
    return context | {"charity": settings.CHARITY, "site_url": settings.SITE_URL}


def sample_of(leaf: str) -> Any:
    if leaf in SAMPLES:
        return SAMPLES[leaf]
    if leaf.endswith("url"):
        return f"{settings.SITE_URL}/"
    if leaf.endswith("pence"):
        return 3600
    if leaf.endswith(("_on", "_at", "until", "_by", "covers_from")):
        return datetime(2026, 12, 24, 8, tzinfo=UTC)
    return leaf.replace("_", " ")
