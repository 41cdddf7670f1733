"""What names, comments and questions say."""

import pytest

from tinygsm_kit.convert.trace.wording import Cues, from_comment, name_of


@pytest.mark.parametrize(
    ("variable", "label", "unit"),
    [
        ("tray_total", "tray total", ""),
        ("screwsPerBoard", "screws per board", ""),
        ("num_students", "number of students", ""),
        ("weeks_in_8_months", "weeks in 8 months", ""),
        ("trip_distance_miles", "trip distance", "miles"),
        ("total_hours", "total hours", ""),
        ("time_in_hours", "time", "hours"),
        ("garden_area_square_feet", "garden area", "square feet"),
        ("speed_miles_per_hour", "speed", "miles per hour"),
        ("miles_per_hour", "miles per hour", ""),
        ("total_cost_dollars", "total cost", ""),
        ("discount_percent", "discount percent", "percent"),
        ("price_after_percent_discount", "price after percent discount", ""),
        ("hourly_rate", "hourly rate", ""),
        ("day1", "day 1", ""),
        ("_private__name", "private name", ""),
        ("x", "x", ""),
    ],
)
def test_names_become_words(variable, label, unit):
    name = name_of(variable)
    assert (name.label, name.unit) == (label, unit)


@pytest.mark.parametrize(
    ("variable", "money"),
    [("ticket_price", True), ("cost_per_book", True), ("tickets_per_dollar", False), ("tax_rate", False), ("num_sales", False)],
)
def test_names_tell_money(variable, money):
    assert name_of(variable).money is money


def test_the_question_tells_dollars_from_per_cent_and_counts():
    cues = Cues("A shirt costs $1,250.50 or 30 dollars; 20% off, and 5 percent tax on 4 of them, $4 each.")
    assert cues.dollars == {1250.5, 30}  # 4 is both a price and a count
    assert cues.percents == {20, 5}


@pytest.mark.parametrize(
    ("question", "variable", "label"),
    [
        ("Beth has $5.", "beth_money", "Beth's money"),
        ("Then Beth ate some.", "beth_ate", "Beth ate"),
        ("How much did Emma pay?", "total_for_emma", "total for Emma"),
        ("Apples cost 3, and 4 apples are sold.", "total_apples", "total apples"),
    ],
)
def test_people_keep_their_capitals(question, variable, label):
    assert Cues(question).label(name_of(variable)) == label


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("How many apples does he have left?", "apples"),
        ("How much money did she spend? How many more cookies are left?", "more cookies"),
        ("How much is it?", ""),
        ("Find the sum.", ""),
    ],
)
def test_what_is_asked(question, asked):
    assert Cues(question).asked() == asked


@pytest.mark.parametrize(
    ("comment", "label"),
    [
        ("# Calculate the total cost of lunch", "total cost of lunch"),
        ("Total weight of both bags.", "total weight of both bags"),
        ("Let x be the number of apples", ""),
        ("3 * 4 = 12", ""),
        ("dollars", ""),
        ("Since the price_per_unit is known", ""),
    ],
)
def test_comments_name_numbers_only_where_they_are_names(comment, label):
    assert from_comment(comment) == label


def test_numbers_that_the_question_gives_need_no_introduction():
    cues = Cues("A dozen eggs cost 3,000 yen.")
    assert cues.gives(12, "12")
    assert cues.gives(3000, "3000")
    assert not cues.gives(7, "7")


def test_a_name_that_lost_its_apostrophe_gets_it_back():
    cues = Cues("Olivia is 20 and her brother, Ethan, is half her age.")
    assert cues.label(name_of("ethans_current_age")) == "Ethan's current age"
    assert cues.label(name_of("brothers_age")) == "brothers age"
