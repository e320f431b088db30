"""What is drawn is as large, as many and as long as the numbers it stands for."""

import math
import re
from decimal import Decimal

import pytest

from species.figures import Figure
from species.figures.beside_a_person import CAT_BODY, CAT_SHOULDER, PERSON_HEIGHT, SizeData
from species.figures.counted_twice import OverlapData
from species.figures.day_and_night import ActivityData
from species.figures.each_dot_is_one import DotData, Survey
from species.figures.life_in_one_look import TRACK, LifeData
from species.figures.numbers_and_variety import BASE, TwoCharts
from species.figures.then_and_now import MapData

from .knowledge import Known, known


@pytest.fixture
def leopard() -> Known:
    return known("amur-leopard")


def data[Kind](figure: Figure, kind: type[Kind]) -> Kind:
    assert isinstance(figure.data, kind)
    return figure.data


def shown(found: Known) -> dict[tuple[str, str, str], Survey]:
    figure = data(found.figures()["each-dot-is-one"], DotData)
    return {(place.name, s.years, s.method): s for place in figure.places for s in place.shown}


# --- each dot is one --------------------------------------------------------------------------------------


def test_every_animal_counted_is_a_dot(leopard: Known) -> None:
    surveys = shown(leopard)
    full = surveys["Russia", "2023", "camera traps"]
    ranged = surveys["Russia and China", "2014–2015", "camera traps, joint model"]
    tracks = surveys["Russia", "2000", "snow tracks"]
    assert [(s.sure.number, s.best.number, s.most.number) for s in (full, ranged, tracks)] == [
        (129, 0, 0),
        (70, 14, 24),
        (14, 0, 5),
    ]


def test_dots_in_the_markup_are_as_many_as_the_numbers(leopard: Known) -> None:
    html = leopard.drawn("each-dot-is-one")
    surveys = shown(leopard).values()
    for kind, wanted in (
        ("dots__sure", sum(s.sure.number for s in surveys)),
        ("dots__best", sum(s.best.number for s in surveys)),
        ("dots__most", sum(s.best.number + s.most.number for s in surveys)),
    ):
        paths = re.findall(rf'<path class="{kind}" d="(m[^"]*)"', html)
        assert (kind, sum(path.count("h0") for path in paths)) == (kind, wanted)


def test_no_two_dots_of_a_survey_lie_on_each_other(leopard: Known) -> None:
    for survey in shown(leopard).values():
        places = []
        for dots in (survey.sure, survey.best, survey.most):
            x = y = 0
            for dx, dy in re.findall(r"m(-?\d+) (-?\d+)h0", dots.path):
                x, y = x + int(dx), y + int(dy)
                places.append((x, y))
        assert len(set(places)) == len(places) == survey.drawn
        assert max(y for _x, y in places) < survey.height


@pytest.mark.parametrize(
    ("slug", "title", "years", "dots"),
    [
        ("amur-leopard", "Each dot is one Amur leopard", "2023", 129),
        ("amur-tiger", "Each dot is ten animals", "2005", 50),
        ("snow-leopard", "Each dot is a hundred animals", "2016", 80),
    ],
)
def test_dot_stands_for_more_where_there_are_many(slug: str, title: str, years: str, dots: int) -> None:
    found = known(slug)
    drawn = [survey.drawn for (_place, when, _method), survey in shown(found).items() if when == years]
    assert (found.figures()["each-dot-is-one"].title, drawn) == (title, [dots])


def test_place_with_many_surveys_shows_few_and_lists_all(leopard: Known) -> None:
    places = data(leopard.figures()["each-dot-is-one"], DotData).places
    russia = next(place for place in places if place.name == "Russia")
    assert [survey.years for survey in russia.shown] == ["1972–1973", "2000", "2007–2008", "2014–2015", "2023"]
    assert len(russia.surveys) == sum(count.place == "Russia" for count in leopard.counts)


def test_dots_are_joined_by_no_line(leopard: Known) -> None:
    drawings = re.findall(r'<svg class="dots".*?</svg>', leopard.drawn("each-dot-is-one"), re.DOTALL)
    steps = {
        step for drawing in drawings for step in re.findall(r"[a-zA-Z]", "".join(re.findall(r' d="([^"]*)"', drawing)))
    }
    assert steps == {"m", "h", "M"}


# --- then and now -----------------------------------------------------------------------------------------


def test_squares_are_as_large_as_the_areas(leopard: Known) -> None:
    squares = {s.kind: s for s in data(leopard.figures()["then-and-now"], MapData).squares}
    areas = {"then": 361756, "between": 71971, "now": 10709}
    for kind, area in areas.items():
        share = (squares[kind].side / squares["then"].side) ** 2
        assert share == pytest.approx(area / areas["then"], abs=0.002)


def test_areas_by_date_hold_the_often_quoted_one_with_its_year(leopard: Known) -> None:
    statements = leopard.figures()["then-and-now"].sources
    found = next(statement for statement in statements if "2,500" in statement.value)
    assert (found.value, found.when, found.where, found.how_sure) == (
        "under 2,500\N{NO-BREAK SPACE}km²",
        "from a survey in 2000",
        "south-west Primorye only",
        "Not sure",
    )


def test_close_up_shows_protected_areas_and_region_the_frame(leopard: Known) -> None:
    maps = data(leopard.figures()["then-and-now"], MapData)
    assert [(area.letter, area.name) for area in maps.core.areas] == [
        ("A", "Land of the Leopard National Park"),
        ("B", "Kedrovaya Pad Biosphere Reserve"),
        ("C", "Northeast China Tiger and Leopard National Park"),
    ]
    frame = maps.region.frame
    assert frame
    assert (frame.width / maps.region.width) == pytest.approx(0.645 / 1.865, abs=0.01)
    assert maps.core.frame is None


def test_scale_bar_is_as_long_as_it_says(leopard: Known) -> None:
    maps = data(leopard.figures()["then-and-now"], MapData)
    assert [(view.scale.text, view.scale.length) for view in (maps.region, maps.core)] == [
        ("200\N{NO-BREAK SPACE}km", round(200 / 1.865)),
        ("100\N{NO-BREAK SPACE}km", round(100 / 0.645)),
    ]


# --- beside a person --------------------------------------------------------------------------------------


def test_person_and_animal_have_one_scale(leopard: Known) -> None:
    size = data(leopard.figures()["beside-a-person"], SizeData)
    step = size.person_scale * PERSON_HEIGHT / 170
    assert size.cat_scale_y * CAT_SHOULDER / step == pytest.approx((64 + 78) / 2, abs=0.2)
    assert size.cat_scale_x * CAT_BODY / step == pytest.approx((107 + 136) / 2, abs=0.2)
    assert (size.ground - size.band_y) / step == pytest.approx(78, abs=0.2)
    assert size.band_height / step == pytest.approx(78 - 64, abs=0.2)


def test_both_stay_inside_the_drawing_whatever_the_sizes(leopard: Known) -> None:
    leopard.correct("body-male-length", low=Decimal(180), high=Decimal(260))
    size = data(leopard.figures()["beside-a-person"], SizeData)
    assert size.cat_x > size.person_x * 2
    assert size.person_y >= 0


def test_animal_has_spots_only_where_a_fact_says_so(leopard: Known) -> None:
    assert "cat__rosettes" in leopard.drawn("beside-a-person")
    del leopard.facts["coat-rosettes"]
    assert "cat__rosettes" not in leopard.drawn("beside-a-person")


# --- counted twice ----------------------------------------------------------------------------------------


def test_circles_are_as_large_as_the_counts(leopard: Known) -> None:
    overlap = data(leopard.figures()["counted-twice"], OverlapData)
    assert (overlap.one.radius / overlap.other.radius) ** 2 == pytest.approx(129 / 80, rel=0.001)
    apart = overlap.other.x - overlap.one.x
    assert abs(overlap.one.radius - overlap.other.radius) < apart < overlap.one.radius + overlap.other.radius


def test_lens_lies_on_both_circles(leopard: Known) -> None:
    overlap = data(leopard.figures()["counted-twice"], OverlapData)
    x, y = map(float, re.findall(r"M([\d.]+) ([\d.]+)", overlap.lens)[0])
    for circle in overlap.circles:
        assert math.dist((x, y), (circle.x, overlap.y)) == pytest.approx(circle.radius, abs=0.2)


def test_sum_of_the_two_counts_is_written_nowhere(leopard: Known) -> None:
    words = re.sub(r"<[^>]*>", " ", leopard.drawn("counted-twice"))
    assert ("129" in words, "80" in words, "209" in words) == (True, True, False)


def test_caution_travels_with_the_number_in_the_circle(leopard: Known) -> None:
    overlap = data(leopard.figures()["counted-twice"], OverlapData)
    assert [(circle.caution, circle.number) for circle in overlap.circles] == [("", "129"), ("about", "80")]


# --- day and night ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "active"),
    [
        ("most active by day and at dawn and dusk", ["day", "twilight"]),
        ("mostly nocturnal", ["night"]),
        ("crepuscular", ["twilight"]),
    ],
)
def test_bands_follow_the_words_of_the_fact(leopard: Known, words: str, active: list[str]) -> None:
    leopard.correct("activity-camera", value=words)
    bands = data(leopard.figures()["day-and-night"], ActivityData).bands
    assert [band.slug for band in bands if band.in_cameras] == active


def test_day_and_night_is_absent_when_the_fact_names_no_band(leopard: Known) -> None:
    leopard.correct("activity-camera", value="hard to say")
    assert "day-and-night" not in leopard.figures()


# --- numbers and variety ----------------------------------------------------------------------------------


def test_only_counts_of_one_series_place_and_method_are_joined(leopard: Known) -> None:
    series = data(leopard.figures()["numbers-and-variety"], TwoCharts).numbers.series
    main = next(one for one in series if one.is_main)
    assert (main.name, [point.text for point in main.points if point.is_labelled]) == (
        "Russia: camera traps",
        ["57", "129"],
    )
    assert sum(one.is_main for one in series) == 1
    assert not any("China" in one.name for one in series)
    assert main.path.count("L") == len(main.points) - 1


def test_axes_begin_at_nothing(leopard: Known) -> None:
    charts = data(leopard.figures()["numbers-and-variety"], TwoCharts)
    before, after = charts.variety.series[0].points
    assert (BASE - after.y) / (BASE - before.y) == pytest.approx(0.33 / 0.54, abs=0.01)
    first, *_others, last = next(one for one in charts.numbers.series if one.is_main).points
    assert (BASE - first.y) / (BASE - last.y) == pytest.approx(57 / 129, abs=0.01)


def test_measurements_of_different_sources_are_not_joined(leopard: Known) -> None:
    assert data(leopard.figures()["numbers-and-variety"], TwoCharts).variety.series[0].is_joined
    other = leopard.facts["shoulder"].__dict__["_prefetched_objects_cache"]
    leopard.facts["gen-het-2020"].__dict__["_prefetched_objects_cache"] = other
    assert not data(leopard.figures()["numbers-and-variety"], TwoCharts).variety.series[0].is_joined
    assert leopard.drawn("numbers-and-variety").count('class="chart__line"') == len(
        data(leopard.figures()["numbers-and-variety"], TwoCharts).numbers.series
    )


# --- life in one look -------------------------------------------------------------------------------------


def test_slice_of_the_plate_is_as_large_as_the_share(leopard: Known) -> None:
    plate = data(leopard.figures()["life-in-one-look"], LifeData).plate
    assert plate
    x, y = map(float, re.findall(r"1 ([\d.]+) ([\d.]+)z", plate.sector)[0])
    turn = math.atan2(x - 50, 50 - y) % (2 * math.pi)
    assert turn / (2 * math.pi) == pytest.approx(0.87, abs=0.001)


@pytest.mark.parametrize(("share", "slices"), [(Decimal(100), 2), (Decimal(40), 1)])
def test_whole_plate_is_drawn_as_two_halves(leopard: Known, share: Decimal, slices: int) -> None:
    leopard.correct("diet-ru-share", point=share)
    plate = data(leopard.figures()["life-in-one-look"], LifeData).plate
    assert plate
    assert plate.sector.count("A") == slices


def test_strip_of_a_cub_is_to_scale(leopard: Known) -> None:
    cub = data(leopard.figures()["life-in-one-look"], LifeData).cub
    assert cub
    months = 24 * 30.44
    eyes, den, mother = cub.events
    assert (eyes.words, den.words, mother.words) == (
        "Eyes open at 7–10 days",
        "Leave the den at 2–3 months",
        "Leave their mother at 18 months to 2 years",
    )
    assert (den.x, den.x + den.width) == pytest.approx((TRACK * 2 / 24, TRACK * 3 / 24), abs=0.5)
    assert (eyes.x, eyes.width) == pytest.approx((TRACK * 7 / months, TRACK * 3 / months), abs=0.2)
    assert (mother.x, mother.x + mother.width) == pytest.approx((TRACK * 18 / 24, TRACK), abs=0.5)


def test_strip_follows_facts_that_are_numbers_too(leopard: Known) -> None:
    leopard.correct("cub-leave", value="", low=Decimal(12), high=Decimal(36), unit="months")
    cub = data(leopard.figures()["life-in-one-look"], LifeData).cub
    assert cub
    assert cub.events[-1].words == "Leave their mother: 12 to 36\N{NO-BREAK SPACE}months"
    assert cub.events[-1].x == pytest.approx(TRACK / 3)


def test_half_of_the_figure_stands_alone(leopard: Known) -> None:
    del leopard.facts["litter"]
    figure = leopard.figures()["life-in-one-look"]
    assert (figure.title, data(figure, LifeData).cub) == ("What it eats", None)
    assert 'class="cub"' not in figure.html


def test_number_of_a_survey_carries_the_caution_of_its_fact() -> None:
    numbers = {(place, years): survey.number for (place, years, _method), survey in shown(known("amur-tiger")).items()}
    assert (numbers["Russia", "2019"], numbers["China", "2024"]) == ("over 580", "about 70")


def test_places_with_most_animals_come_first() -> None:
    figure = known("snow-leopard").figures()["each-dot-is-one"]
    assert data(figure, DotData).places[0].name == "World"
    assert figure.summary.startswith("World, 2016: 7,463 to 7,980")
