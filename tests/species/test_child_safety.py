"""What a child might give away is found, marked and masked, and what is only about animals is left alone."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from species.child_safety import (
    MASKS,
    Private,
    find,
    first_name,
    masked,
    reasons,
    segments,
)

GIVEN_AWAY = [
    ("I am Ellie, 8, from St Mary's", Private.SCHOOL, "I am Ellie, 8, from [school removed]"),
    ("We are Class 3B at Oakfield Primary School", Private.SCHOOL, "We are Class 3B at [school removed]"),
    ("I go to Oakfield Academy", Private.SCHOOL, "I go to [school removed]"),
    ("i go to oakfield primary school", Private.SCHOOL, None),
    ("Mrs Patel's class say hello", Private.SCHOOL, "[school removed] say hello"),
    ("1st Exeter Brownies made a poster", Private.SCHOOL, "[school removed] made a poster"),
    ("Lily is 6 and goes to Hillside Infants", Private.SCHOOL, None),
    ("My email is ellie@example.com, write", Private.EMAIL, "My email is [email removed], write"),
    ("email me at ellie at gmail dot com", Private.EMAIL, "email me at [email removed]"),
    ("ring 07700 900123", Private.PHONE, "ring [number removed]"),
    ("call +44 7700 900 123 now", Private.PHONE, "call [number removed] now"),
    ("(01632) 960 001 is ours", Private.PHONE, "[number removed] is ours"),
    ("oh seven seven double zero nine one two three", Private.PHONE, "[number removed]"),
    ("We are in LS1 4AP", Private.POSTCODE, "We are in [postcode removed]"),
    ("postcode is ls1 4ap", Private.POSTCODE, "postcode is [postcode removed]"),
    ("I live at 12 Acacia Avenue, Leeds", Private.ADDRESS, "I live at [address removed], Leeds"),
    ("3 Rose Close is where we are", Private.ADDRESS, "[address removed] is where we are"),
    ("I live on Maple Lane", Private.ADDRESS, "I live on [address removed]"),
    ("add me on snapchat: tiger_boy09", Private.ACCOUNT, None),
    ("my insta is @leopardgirl", Private.ACCOUNT, "my insta is [account removed]"),
    ("My birthday is 4 May 2017", Private.BIRTHDAY, "My birthday is [date removed]"),
    ("I was born on 04/05/2016", Private.BIRTHDAY, "I was born on [date removed]"),
    ("I am Ellie Smith and I am 8", Private.SURNAME, "I am Ellie [surname removed] and I am 8"),
    ("I am 8. My name is Ellie Smith.", Private.SURNAME, "I am 8. My name is Ellie [surname removed]."),
    ("From Ellie Smith, age 8", Private.SURNAME, "From Ellie [surname removed], age 8"),
    ("Tom Brown (9) drew it", Private.SURNAME, "Tom [surname removed] (9) drew it"),
    ("my name is Sam Green, I'm nine", Private.SURNAME, "my name is Sam [surname removed], I'm nine"),
]
HARMLESS = [
    "There were 84 leopards in 2015 and 130 in 2022.",
    "The range is 10,709 km² in 3 provinces.",
    "A female of 15 years was seen in Land of the Leopard National Park.",
    "The leopard is 8 years old.",
    "I live in Leeds and I love this.",
    "I am Ellie, 8, and I love leopards",
    "In the 1970s only 30 were left; see page 12 of the report.",
    "We saw one on 3 May 2024 near Vladivostok.",
    "The school trip was great.",
    "St Petersburg is far from there.",
    "Hunting in Primorye. Hunchun National Park 15 animals",
    "Miquelle 2010 and Wang 12 years apart",
    "I gave £36 in 2024, order 20241105.",
    "Why do they have 5 toes in front and 4 behind?",
    "They walk 12 km a day, sometimes 20.",
]


@pytest.mark.parametrize(("text", "what", "safe"), GIVEN_AWAY)
def test_what_gives_a_child_away_is_found_and_masked(text: str, what: Private, safe: str | None) -> None:
    assert what in {finding.what for finding in find(text)}
    assert MASKS[what] in masked(text)
    if safe is not None:
        assert masked(text) == safe


@pytest.mark.parametrize("text", HARMLESS)
def test_what_gives_nobody_away_is_left_alone(text: str) -> None:
    assert (find(text), masked(text), reasons(name="Sam Green", body=text)) == ((), text, ())


def test_reasons_are_sentences_and_say_each_thing_once() -> None:
    body = "I am 8, write to ellie@example.com or ellie2@example.com"
    assert reasons(name="Ellie Smith", body=body) == (
        "It may hold an email address.",
        "It may hold a child's surname with their age.",
    )
    assert reasons(name="ellie@example.com", body="Hello") == ("It may hold an email address.",)


def test_segments_are_the_text_cut_where_something_begins() -> None:
    cut = segments("Ring 07700 900123 please")
    assert [(segment.text, segment.what) for segment in cut] == [
        ("Ring ", None),
        ("07700 900123", Private.PHONE),
        (" please", None),
    ]


PIECES = st.sampled_from([text for text, _, _ in GIVEN_AWAY] + HARMLESS + ["\n", ", ", ". ", "School", "St ", "@", "0"])


@given(st.lists(PIECES, max_size=6).map("".join) | st.text(max_size=300))
@settings(max_examples=400, deadline=None)
def test_masking_leaves_nothing_to_find_and_changes_nothing_twice(text: str) -> None:
    safe = masked(text)
    assert find(safe) == ()
    assert masked(safe) == safe
    assert "".join(segment.text for segment in segments(text)) == text


@pytest.mark.threat("P5")
@pytest.mark.parametrize("text", ["a" * 5000, "A " * 2500, "1 " * 2500, "a.b@" * 1250, "one " * 1250, "St " * 1600])
def test_long_and_nasty_texts_take_no_time(text: str) -> None:
    begun = time.perf_counter()
    masked(text[:5000])
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ellie Smith", "Ellie"),
        ("Ellie", "Ellie"),
        ("Mrs Patel", "Mrs Patel"),
        ("Dr. Jane Goodwin", "Dr. Jane"),
        ("李明", "李明"),
        ("محمد علي", "محمد"),
        ("O'Brien", "O'Brien"),
    ],
)
def test_first_name_is_what_readers_see(name: str, shown: str) -> None:
    assert first_name(name) == shown
