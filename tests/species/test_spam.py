"""Spam is held apart and never deleted; no reader is taken for a spammer. The labelled set and its labels are ours."""

import sys

import pytest

from config.fields import plain
from species import moderation, spam_score
from species.models import Comment, SpamWord
from species.spam_rules import MARKED_FROM, Arrival, suspicions
from species.weighing import form_stamp, most_alike, seconds_since, weigh
from tests.species.labelled_comments import REAL, SPAM
from tests.species.makers import make_comment, make_moderator


def weight(text: str, name: str = "Sam") -> int:
    arrival = Arrival(name=name, body=plain(text, keep_newlines=True), raw=text)
    return sum(suspicion.weight for suspicion in suspicions(arrival))


def test_labelled_set_is_as_large_as_we_say() -> None:
    assert (len(SPAM), sum(map(len, SPAM.values())), len(REAL)) == (8, 100, 100)
    assert len({*REAL, *(text for texts in SPAM.values() for text in texts)}) == 200


@pytest.mark.threat("C4", "C5")
def test_rules_hold_spam_and_call_no_reader_a_spammer(capsys: pytest.CaptureFixture[str]) -> None:
    spam = [weight(text) for texts in SPAM.values() for text in texts]
    real = [weight(text) for text in REAL]
    with capsys.disabled():
        sys.stdout.write(f"\n  spam: {summary(spam)}; real: {summary(real)}\n")
    assert sum(each > 0 for each in spam) >= 95
    assert [text for text, each in zip(REAL, real, strict=True) if each >= MARKED_FROM] == []
    assert sum(each > 0 for each in real) <= 5


def summary(weights: list[int]) -> str:
    held, marked = sum(each > 0 for each in weights), sum(each >= MARKED_FROM for each in weights)
    return f"{held} of {len(weights)} held, {marked} of them marked as spam"


@pytest.mark.parametrize(
    ("arrival", "expected"),
    [
        (Arrival("Sam", "What a cat"), 0),
        (Arrival("Sam", "What a cat", fell_into_trap=True), 60),
        (Arrival("Sam", "What a cat", seconds=1), 40),
        (Arrival("Sam", "What a cat", seconds=90_000), 0),
        (Arrival("Sam", "What a cat", seconds=None), 20),
        (Arrival("Sam", "What a cat", likeness=0.9), 40),
        (Arrival("Sam", "What a cat", likeness=0.9, like_spam=True), 80),
        (Arrival("Sam", "What a cat", learned=0.95), 50),
        (Arrival("Sam", "What a cat", learned=0.5), 0),
        (Arrival("cheap-shoes.com", "What a cat"), 50),
        (Arrival("Ольга", "Спасибо, очень красиво"), 0),
        (Arrival("Sam", "Zoë’s naïve café"), 0),
        (Arrival("Sam", "می‌خواهم بدانم"), 0),
        (Arrival("Sam", "👩‍👩‍👧 loved it"), 0),
    ],
)
def test_each_rule_weighs_what_it_should(arrival: Arrival, expected: int) -> None:
    assert sum(suspicion.weight for suspicion in suspicions(arrival)) == expected


@pytest.mark.threat("C4")
def test_form_says_truly_when_it_was_loaded() -> None:
    stamp = form_stamp()
    seconds = seconds_since(stamp)
    assert seconds is not None
    assert 0 <= seconds < 60
    assert [seconds_since(forged) for forged in ("", stamp[:-1], "1764000000", "x" * 5000)] == [None] * 4


@pytest.mark.django_db
def test_same_words_again_are_noticed_whoever_sends_them() -> None:
    make_comment("You will love our wonderful holiday houses by the sea.", email="a@example.org")
    assert most_alike("You will love our wonderful holiday homes by the sea!")[0] > 0.8
    assert most_alike("What do the cubs eat in their first winter?")[0] < 0.3
    Comment.objects.all().mark_spam(by=None)
    assert most_alike("You will love our wonderful holiday houses by the sea.") == (1.0, True)
    assert most_alike("Thank you!") == (0.0, False)


@pytest.mark.django_db
def test_score_learns_from_decisions_and_unlearns_what_is_taken_back() -> None:
    marek = make_moderator()
    spam = [make_comment(f"Lovely curtains number {n} from our shop", email=f"s{n}@example.org") for n in range(20)]
    real = [make_comment(f"Lovely cubs number {n} in the snow", email=f"r{n}@example.org") for n in range(20)]
    assert spam_score.score("Sam", "curtains") is None
    assert moderation.mark_spam([comment.pk for comment in spam], by=marek) == 20
    assert moderation.approve([comment.pk for comment in real], by=marek) == 20
    curtains, cubs = spam_score.score("Sam", "curtains from our shop"), spam_score.score("Sam", "cubs in the snow")
    assert curtains is not None
    assert cubs is not None
    assert (curtains > 0.95, cubs < 0.05) == (True, True)
    assert (
        "Its words are those of comments that moderators marked as spam."
        in weigh(name="Sam", shown_name="Sam", body="curtains from our shop").reasons
    )
    assert moderation.reopen([comment.pk for comment in spam], by=marek) == 20
    assert SpamWord.objects.get(digest="").spam == 0
    assert spam_score.score("Sam", "curtains") is None


@pytest.mark.django_db
def test_no_word_that_anybody_wrote_is_kept_to_learn_from() -> None:
    spam_score.learn("Ellie Smith", "I go to Oakfield", is_spam=False)
    assert all(len(word.digest) in (0, 16) and word.digest.isascii() for word in SpamWord.objects.all())
    assert not SpamWord.objects.filter(digest__in=["ellie", "smith", "oakfield"]).exists()
