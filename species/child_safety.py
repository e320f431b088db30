"""Find what would let a stranger find a child, and make a version that can be published without it.

Adoptions are given to children, who write “I am Ellie, 8, from St Mary's”. What is found here is shown to a moderator
with its place marked; nothing is refused or changed by itself. It is better to mark a harmless word than to miss a
telephone number, so the rules lean that way, and a person decides.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Private(StrEnum):
    """What a stretch of text gives away; each value completes “It may hold …”."""

    EMAIL = "an email address"
    PHONE = "a telephone number"
    POSTCODE = "a postcode"
    ADDRESS = "a home address"
    SCHOOL = "the name of a school or club"
    ACCOUNT = "the name of an account"
    BIRTHDAY = "a date of birth"
    SURNAME = "a child's surname with their age"


@dataclass(frozen=True, slots=True)
class Finding:
    start: int
    end: int
    what: Private


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a text, and what it gives away, if anything: for marking it where it stands."""

    text: str
    what: Private | None = None


MASKS = {
    Private.EMAIL: "[email removed]",
    Private.PHONE: "[number removed]",
    Private.POSTCODE: "[postcode removed]",
    Private.ADDRESS: "[address removed]",
    Private.SCHOOL: "[school removed]",
    Private.ACCOUNT: "[account removed]",
    Private.BIRTHDAY: "[date removed]",
    Private.SURNAME: "[surname removed]",
}
MASK = re.compile("|".join(map(re.escape, MASKS.values())))

# Every repetition is bounded, so no text, however long or nasty, takes more than a moment.
_WORD = r"[^\W\d_][\w'’.-]{0,30}"
_CAPITAL = r"[A-ZÀ-ÖØ-Þ][\w'’-]{0,30}"
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]{0,6}"
_DIGIT_WORD = r"(?:zero|oh|nought|one|two|three|four|five|six|seven|eight|nine|double|triple)"
_AGE_WORD = r"(?:four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen)"
_CHILD_AGE = rf"(?:[3-9]|1[0-7]|{_AGE_WORD})"
_A_CHILD = r"(?:son|daughter|grandson|granddaughter|niece|nephew|child|boy|girl|brother|sister|pupil)"
_I_AM = r"I am|I['’]?m|my name is|my name['’]s"
_NO_UNIT = r"(?!\s?(?:%|km|metres|pounds|kg|of|times|hours|minutes|days|weeks|months))"
_STREET = r"street|road|avenue|lane|crescent|terrace|mews|gardens|cul-de-sac"
_STREET_CAPITAL = r"St|Rd|Ave|Ln|Cl|Dr|Close|Drive|Court|Way|Place|Grove|Row|Hill|Park|Square|Walk|Green|View|Rise"
_NO_SCHOOL_NAME = (
    r"(?!(?:The|Our|My|Your|A|An|This|That|At|In|From|To|And|High|Primary|Every|Their|His|Her|For|We|I)\b)"
)
_SCHOOL_KIND = (
    r"(?:Primary|Infants?|Juniors?|Secondary|Grammar|Nursery|Prep(?:aratory)?|Elementary|Middle|Academy|School|College"
    r"|High School|Playgroup|Sixth Form|Comprehensive|Kindergarten)"
)
_APPS = (
    r"snap(?:chat)?|insta(?:gram)?|tik ?tok|discord|roblox|whats ?app|telegram|kik|xbox|psn|fortnite|minecraft|skype"
)

RULES: tuple[tuple[Private, re.Pattern[str]], ...] = (
    (Private.EMAIL, re.compile(r"[\w.+%-]{1,64}[@＠][\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")),
    (
        Private.EMAIL,
        re.compile(
            r"\b[\w.+-]{2,64}\s{0,3}(?:\(at\)|\[at\]|\{at\}|\bat\b|@)\s{0,3}[\w-]{2,40}\s{0,3}"
            r"(?:\(dot\)|\[dot\]|\{dot\}|\bdot\b|\.)\s{0,3}"
            r"(?:com|co\s{0,2}(?:\.|dot)\s{0,2}uk|co|org|net|uk|eu|me|io|de|fr|ie)\b",
            re.IGNORECASE,
        ),
    ),
    # British numbers first, then those that name their country, then seven digits and more said as words.
    (Private.PHONE, re.compile(r"(?<![\w.,])(?:\(?\+?44\)?|0044|\(?0)(?:[\s().–-]{0,3}\d){8,10}(?![\d,])")),
    (Private.PHONE, re.compile(r"(?<!\w)\+\d(?:[\s().–-]{0,3}\d){7,14}(?!\d)")),
    (Private.PHONE, re.compile(rf"\b(?:{_DIGIT_WORD}[\s,.-]{{1,3}}){{6,14}}{_DIGIT_WORD}\b", re.IGNORECASE)),
    (
        Private.PHONE,
        re.compile(
            r"\b(?:call|text|ring|phone|number|mobile|tel|dial)\b[^\n\d]{0,25}(\d(?:[\s-]{0,2}\d){5,12})", re.IGNORECASE
        ),
    ),
    (
        Private.POSTCODE,
        re.compile(
            r"\b(?:GIR ?0AA|(?:[A-PR-UWYZ]\d[\dA-HJKPSTUW]?|[A-PR-UWYZ][A-HK-Y]\d[\dABEHMNPRVWXY]?)"
            r"\s{0,2}\d[ABD-HJLNP-UW-Z]{2})\b"
        ),
    ),
    (
        Private.POSTCODE,
        re.compile(
            r"\b(?:[a-pr-uwyz][a-hk-y]\d[\dabehmnprvwxy]?\s{0,2}\d(?!th\b|nd\b|rd\b|st\b)[abd-hjlnp-uw-z]{2}"
            r"|[a-pr-uwyz]\d{1,2}\s\d(?!th\b|nd\b|rd\b|st\b)[abd-hjlnp-uw-z]{2})\b"
        ),
    ),
    (Private.POSTCODE, re.compile(r"\bpost ?code\b(?: is)?:?\s{1,3}(?=\w{0,4}\d)(\w{2,4}\s?\w{3})\b", re.IGNORECASE)),
    (
        Private.ADDRESS,
        re.compile(rf"\b\d{{1,4}}[a-z]?,?\s{{1,3}}(?:{_WORD}\s{{1,3}}){{1,3}}(?:{_STREET})\b", re.IGNORECASE),
    ),
    (
        Private.ADDRESS,
        re.compile(rf"\b\d{{1,4}}[A-Za-z]?,?\s{{1,3}}(?:{_CAPITAL}\s{{1,3}}){{1,3}}(?:{_STREET_CAPITAL})\b"),
    ),
    (Private.ADDRESS, re.compile(r"\b(?:flat|apartment)\s{1,3}\d{1,4}[a-z]?\b[^\n.!?]{0,40}", re.IGNORECASE)),
    (
        Private.ADDRESS,
        re.compile(
            r"\b(?:I|we) live (?:at|on|next to|opposite|near|behind|beside)\s{1,3}((?:[\w'’-]{1,30}\s{0,3}){1,5})",
            re.IGNORECASE,
        ),
    ),
    (
        Private.SCHOOL,
        re.compile(
            rf"\b{_NO_SCHOOL_NAME}(?:{_CAPITAL}\.?|of|the|and|&|C\.?E\.?|R\.?C\.?)"
            rf"(?:\s{{1,2}}(?:{_CAPITAL}\.?|of|the|and|&)){{0,5}}?\s{{1,2}}{_SCHOOL_KIND}(?:\s{{1,2}}{_SCHOOL_KIND}){{0,2}}\b"
        ),
    ),
    (
        Private.SCHOOL,
        re.compile(rf"\bst\.?\s{{1,2}}{_WORD}['’]?s['’]?(?=\W|$)(?:\s{{1,2}}{_SCHOOL_KIND}){{0,2}}", re.IGNORECASE),
    ),
    (
        Private.SCHOOL,
        re.compile(
            r"\b(?:go to|goes to|attend|attends|pupils? at|student at|school is|school is called|class at)\s{1,3}"
            rf"((?!the\b|a\b|my\b|bed\b|see\b)(?:{_CAPITAL}\s{{0,2}}){{1,4}})"
        ),
    ),
    (
        Private.SCHOOL,
        re.compile(
            r"\b(?:[a-z'’-]{2,20} ){1,3}(?:primary|infants?|junior|secondary|grammar|prep) school\b", re.IGNORECASE
        ),
    ),
    (Private.SCHOOL, re.compile(rf"\b(?:Mrs?|Ms|Miss)\.?\s{_CAPITAL}['’]s?\s(?:class|form)\b")),
    (
        Private.SCHOOL,
        re.compile(
            rf"\b\d{{1,3}}(?:st|nd|rd|th)\s(?:{_CAPITAL}\s){{1,3}}(?:Scouts?|Cubs|Beavers|Brownies|Guides|Rainbows)\b"
        ),
    ),
    (
        Private.ACCOUNT,
        re.compile(
            rf"\b(?:{_APPS})\b(?:\s(?:name|user ?name|id|tag|is|me|at|handle)){{0,3}}\s{{0,2}}"
            r"(?:[:=@-]\s{0,2}){0,2}"
            r"(?=[\w.-]{0,30}[\d_.])([\w.-]{3,31})",
            re.IGNORECASE,
        ),
    ),
    (
        Private.ACCOUNT,
        re.compile(
            rf"\b(?:add|follow|dm|message|find)\s(?:me|us)\s(?:on|at)\s(?:{_APPS})\b[^\n.!?]{{0,40}}", re.IGNORECASE
        ),
    ),
    (Private.ACCOUNT, re.compile(r"(?<![\w@.])@[A-Za-z_][\w.]{2,30}\b")),
    (
        Private.BIRTHDAY,
        re.compile(
            r"\b(?:born|birthday|date of birth|dob|d\.o\.b)\b[^\n\d]{0,20}"
            rf"(\d{{1,2}}(?:st|nd|rd|th)?\s{{0,2}}(?:of\s)?(?:{_MONTH}|[/.-]\s?\d{{1,2}})(?:\s?[/.,-]?\s?\d{{2,4}})?)",
            re.IGNORECASE,
        ),
    ),
    (
        Private.SURNAME,
        re.compile(
            rf"\b(?i:{_I_AM}|this is|called|named|from)\s{{1,2}}{_CAPITAL}\s{{1,2}}({_CAPITAL}(?:\s{{1,2}}{_CAPITAL})?)"
            r"(?=,?\s{0,2}(?i:(?:and\s|who\s)?(?:I['’]?m|I am|is|am)?\s?(?:aged?)?\s?"
            rf"\(?{_CHILD_AGE}\b{_NO_UNIT}))"
        ),
    ),
    (
        Private.SURNAME,
        re.compile(
            rf"\b{_CAPITAL}\s{{1,2}}({_CAPITAL})"
            rf"(?=\s?\({_CHILD_AGE}\)|,?\s(?i:aged?)\s{_CHILD_AGE}\b|,\s?{_CHILD_AGE}(?:[,.!]|\s*$))"
        ),
    ),
)

SAYS_A_CHILDS_AGE = re.compile(
    rf"\b(?:I am|I['’]?m|im|aged|my age is|age:|{_A_CHILD}(?:\s\w{{1,20}})?(?:,| is))\s{{1,2}}"
    rf"(?:only\s|just\s|nearly\s|almost\s)?{_CHILD_AGE}\b{_NO_UNIT}"
    rf"|\b{_CHILD_AGE}[\s-]years?[\s-]old\s(?:\w{{1,20}}\s)?{_A_CHILD}\b"
    r"|\b(?:I am|I['’]m|im) in year (?:\d{1,2}|\w{3,6})\b",
    re.IGNORECASE,
)
NAMES_ITSELF = re.compile(rf"\b(?i:{_I_AM}|love from|from)\s{{1,2}}{_CAPITAL}\s{{1,2}}({_CAPITAL})(?=\W|$)")
TITLES = {"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "sir", "dame", "rev"}


def find(text: str) -> tuple[Finding, ...]:
    """Everything a stranger could use, in the order of the text; no two overlap, the earlier rule wins."""
    taken: list[Finding] = []
    # A mask is not what it masks, whatever words stand in it.
    kept_out = [match.span() for match in MASK.finditer(text)]
    for finding in _all(text):
        if any(finding.start < end and finding.end > start for start, end in kept_out):
            continue
        if all(finding.end <= other.start or finding.start >= other.end for other in taken):
            taken.append(finding)
    return tuple(sorted(taken, key=lambda finding: finding.start))


def _all(text: str) -> Iterator[Finding]:
    rules = RULES
    if SAYS_A_CHILDS_AGE.search(text):
        rules += ((Private.SURNAME, NAMES_ITSELF),)
    for what, rule in rules:
        for match in rule.finditer(text):
            group = 1 if rule.groups and match.group(1) else 0
            start, end = match.span(group)
            end = start + len(text[start:end].rstrip())
            if end > start:
                yield Finding(start, end, what)


def says_a_childs_age(text: str) -> bool:
    return bool(SAYS_A_CHILDS_AGE.search(text))


def reasons(*, name: str, body: str) -> tuple[str, ...]:
    """Why a comment must be looked at before anybody else sees it, in sentences for a moderator."""
    kinds = dict.fromkeys(finding.what for text in (body, name) for finding in find(text))
    if says_a_childs_age(body) and has_surname(name):
        kinds[Private.SURNAME] = None
    return tuple(f"It may hold {kind.value}." for kind in kinds)


def masked(text: str) -> str:
    """The same text with each finding replaced by what it was; masking again changes nothing."""
    while findings := find(text):
        for finding in reversed(findings):
            text = f"{text[: finding.start]}{MASKS[finding.what]}{text[finding.end :]}"
    return text


def segments(text: str) -> tuple[Segment, ...]:
    """The text cut where something private begins and ends."""
    cut: list[Segment] = []
    at = 0
    for finding in find(text):
        if finding.start > at:
            cut.append(Segment(text[at : finding.start]))
        cut.append(Segment(text[finding.start : finding.end], finding.what))
        at = finding.end
    if at < len(text):
        cut.append(Segment(text[at:]))
    return tuple(cut)


def first_name(name: str) -> str:
    """What readers see unless the writer asks for more: the first word, with the title where it begins with one."""
    words = name.split()
    wanted = 2 if len(words) > 1 and words[0].lower().rstrip(".") in TITLES else 1
    return " ".join(words[:wanted])


def has_surname(name: str) -> bool:
    return len(name.split()) > 1 and first_name(name) != name
