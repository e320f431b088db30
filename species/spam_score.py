"""Learn from moderators which words spam is made of: naive Bayes over digests of words, in one small table.

Until moderators have decided on enough of both kinds it says nothing. A decision that is taken back is unlearned.
"""

import math
import re
from collections.abc import Iterable
from hashlib import blake2b
from itertools import pairwise

from django.conf import settings
from django.db import connection

from .models import SpamWord
from .spam_rules import folded

ENOUGH = 20  # comments of each kind before the score speaks
MOST_TELLING = 15  # words that decide; the rest of a long comment says little
COMMENTS = ""  # the row that counts comments rather than a word
WORD = re.compile(r"\w{2,30}")
COUNT = """
INSERT INTO species_spamword AS known (digest, spam, real) VALUES {rows}
ON CONFLICT (digest) DO UPDATE SET
    spam = greatest(0, known.spam + %s), real = greatest(0, known.real + %s)
"""


def words(name: str, body: str) -> set[str]:
    """Digests of a comment's words and pairs of words: enough to recognise them, not to read them."""
    found = WORD.findall(folded(f"{name} {body}").lower())[:600]
    pairs = (f"{first} {second}" for first, second in pairwise(found))
    return {_digest(word) for word in {*found, *pairs}}


def _digest(word: str) -> str:
    return blake2b(word.encode(), key=settings.SECRET_KEY.encode()[:64], digest_size=8).hexdigest()


def learn(name: str, body: str, *, is_spam: bool, times: int = 1) -> None:
    """Count a decision, or with `times=-1` take it back."""
    digests = sorted({COMMENTS, *words(name, body)})  # in one order, so that two moderators cannot wait for each other
    spam, real = (times, 0) if is_spam else (0, times)
    rows = ", ".join(["(%s, greatest(0, %s), greatest(0, %s))"] * len(digests))
    values = [value for digest in digests for value in (digest, spam, real)]
    with connection.cursor() as cursor:
        cursor.execute(COUNT.format(rows=rows), [*values, spam, real])


def score(name: str, body: str) -> float | None:
    """How much the words are those of spam, from 0 to 1; None while too little has been decided."""
    known = {row.digest: row for row in SpamWord.objects.filter(digest__in=[COMMENTS, *words(name, body)])}
    total = known.pop(COMMENTS, None)
    if total is None or min(total.spam, total.real) < ENOUGH:
        return None
    return _combined(
        _chance(row.spam / total.spam, row.real / total.real, row.spam + row.real) for row in known.values()
    )


def _chance(in_spam: float, in_real: float, seen: int) -> float:
    """How likely a comment with this word is spam; a word seen seldom stays near one half."""
    raw = in_spam / (in_spam + in_real) if in_spam + in_real else 0.5
    return (0.5 + seen * raw) / (1 + seen)


def _combined(chances: Iterable[float]) -> float:
    telling = sorted(chances, key=lambda chance: -abs(chance - 0.5))[:MOST_TELLING]
    odds = sum(math.log(chance) - math.log(1 - chance) for chance in telling)
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, odds))))
