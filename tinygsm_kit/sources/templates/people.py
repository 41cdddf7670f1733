"""Comparisons, ages, percentages of groups, averages."""

# ruff: noqa: E501 (a wording is easier to judge on one line)

from __future__ import annotations

from tinygsm_kit.sources.templates.story import THINGS, Draw, Story, template

TIMES = {
    2: "twice",
    3: "three times",
    4: "four times",
    5: "five times",
    6: "six times",
    7: "seven times",
    8: "eight times",
    9: "nine times",
}


@template(1)
def times_as_many(draw: Draw) -> Story:
    (one, other), item, count, times = draw.people(2), draw.pick(THINGS), draw.whole(2, 30), draw.whole(2, 9)
    question = draw.say(
        f"{one.name} has {count} {item.many}. {other.name} has {TIMES[times]} as many. How many {item.many} does {other.name} have?",
        f"{other.name} owns {TIMES[times]} as many {item.many} as {one.name}, who owns {count}. How many does {other.name} own?",
    )
    return Story(question, (
        f"{one.name.lower()}_{item.variable} = {count}",
        f"{other.name.lower()}_{item.variable} = {times} * {one.name.lower()}_{item.variable}",
        f"return {other.name.lower()}_{item.variable}",
    ))  # fmt: skip


@template(2)
def times_as_many_together(draw: Draw) -> Story:
    (one, other), item, count, times = draw.people(2), draw.pick(THINGS), draw.whole(2, 30), draw.whole(2, 9)
    question = draw.say(
        f"{one.name} has {count} {item.many}. {other.name} has {TIMES[times]} as many. How many {item.many} do they have together?",
        f"{other.name} has {TIMES[times]} as many {item.many} as {one.name}. If {one.name} has {count}, how many have both in all?",
    )
    return Story(question, (
        f"{one.name.lower()}_{item.variable} = {count}",
        f"{other.name.lower()}_{item.variable} = {times} * {one.name.lower()}_{item.variable}",
        f"together = {one.name.lower()}_{item.variable} + {other.name.lower()}_{item.variable}", "return together",
    ))  # fmt: skip


@template(4)
def three_compared(draw: Draw) -> Story:
    (a, b, c), item, count = draw.people(3), draw.pick(THINGS), draw.whole(3, 25)
    times, more = draw.whole(2, 5), draw.whole(2, 20)
    question = draw.say(
        f"{a.name} has {count} {item.many}. {b.name} has {TIMES[times]} as many as {a.name}, and {c.name} has {more} more than "
        f"{b.name}. How many {item.many} do the three have together?",
        f"{c.name} has {more} more {item.many} than {b.name}. {b.name} has {TIMES[times]} as many as {a.name}, who has {count}. "
        f"How many {item.many} are there in all?",
    )
    names = [f"{who.name.lower()}_{item.variable}" for who in (a, b, c)]
    return Story(question, (
        f"{names[0]} = {count}", f"{names[1]} = {times} * {names[0]}", f"{names[2]} = {names[1]} + {more}",
        f"total = {names[0]} + {names[1]} + {names[2]}", "return total",
    ))  # fmt: skip


@template(2)
def more_than(draw: Draw) -> Story:
    (one, other), item, count, more = draw.people(2), draw.pick(THINGS), draw.whole(3, 80), draw.whole(2, 40)
    question = draw.say(
        f"{one.name} collected {count} {item.many}. {other.name} collected {more} more than {one.name}. How many {item.many} did they "
        "collect altogether?",
        f"{other.name} found {more} more {item.many} than {one.name}, who found {count}. How many did they find together?",
    )
    return Story(question, (
        f"{one.name.lower()}_{item.variable} = {count}",
        f"{other.name.lower()}_{item.variable} = {one.name.lower()}_{item.variable} + {more}",
        f"total = {one.name.lower()}_{item.variable} + {other.name.lower()}_{item.variable}", "return total",
    ))  # fmt: skip


@template(3)
def fewer_than_double(draw: Draw) -> Story:
    (one, other), count = draw.people(2), draw.whole(10, 60)
    fewer = draw.whole(2, count - 2)
    question = draw.say(
        f"{one.name} has ${fewer} less than twice the money that {other.name} has. {other.name} has ${count}. How many dollars do they "
        "have together?",
        f"{other.name} has ${count}. {one.name} has double that, less ${fewer}. What do the two have in all?",
    )
    return Story(question, (
        f"{other.name.lower()}_money = {count}", f"{one.name.lower()}_money = 2 * {other.name.lower()}_money - {fewer}",
        f"total_money = {one.name.lower()}_money + {other.name.lower()}_money", "return total_money",
    ))  # fmt: skip


@template(2)
def age_in_future(draw: Draw) -> Story:
    (one, other), age, years, older = draw.people(2), draw.whole(5, 40), draw.whole(2, 20), draw.whole(2, 15)
    question = draw.say(
        f"{one.name} is {age} years old. {other.name} is {older} years older. How old will {other.name} be in {years} years?",
        f"{other.name} is {older} years older than {one.name}, who is {age}. What will {other.name}'s age be {years} years from now?",
    )
    return Story(question, (
        f"{one.name.lower()}_age = {age}", f"{other.name.lower()}_age = {one.name.lower()}_age + {older}",
        f"age_then = {other.name.lower()}_age + {years}", "return age_then",
    ))  # fmt: skip


@template(3)
def sum_of_ages(draw: Draw) -> Story:
    (child, parent), age, times = draw.people(2), draw.whole(4, 15), draw.whole(2, 5)
    years = draw.whole(2, min(12, times * age - 1))
    question = draw.say(
        f"{child.name} is {age}. {parent.name} is {TIMES[times]} as old, and their neighbour is {years} years younger than "
        f"{parent.name}. What is the sum of the ages of {child.name} and the neighbour?",
        f"{parent.name} is {TIMES[times]} as old as {child.name}, who is {age}. A neighbour is {years} years younger than "
        f"{parent.name}. How old are the neighbour and {child.name} together?",
    )
    return Story(question, (
        f"{child.name.lower()}_age = {age}", f"{parent.name.lower()}_age = {times} * {child.name.lower()}_age",
        f"neighbour_age = {parent.name.lower()}_age - {years}", f"sum_of_ages = {child.name.lower()}_age + neighbour_age",
        "return sum_of_ages",
    ))  # fmt: skip


@template(3)
def percent_of_group(draw: Draw) -> Story:
    group = draw.pick(("students", "guests", "workers", "players", "members", "visitors"))
    count, percent = draw.whole(20, 400, 20), draw.pick((5, 10, 15, 20, 25, 30, 35, 40, 60, 75, 80))
    what = draw.pick(("wear glasses", "come by bus", "like chess", "drink tea", "play an instrument", "own a bicycle"))
    question = draw.say(
        f"Of {count} {group}, {percent}% {what}. How many {group} do not {what}?",
        f"There are {count} {group}. {percent}% of them {what}; the others do not. How many are the others?",
    )
    return Story(question, (
        f"{group} = {count}", f"some = {group} * {percent} / 100", f"others = {group} - some", "return others",
    ))  # fmt: skip


@template(3)
def percent_increase(draw: Draw) -> Story:
    place, count = draw.pick(("village", "school", "club", "library", "zoo")), draw.whole(100, 4_000, 100)
    percent = draw.whole(2, 60)
    thing = {"village": "inhabitants", "school": "students", "club": "members", "library": "books", "zoo": "animals"}[place]
    question = draw.say(
        f"A {place} had {count} {thing} last year. This year there are {percent}% more. How many {thing} are there now?",
        f"The number of {thing} of a {place} grows by {percent}% from {count}. How many does it have then?",
    )
    return Story(question, (
        f"{thing} = {count}", f"increase = {thing} * {percent} / 100", f"{thing}_now = {thing} + increase", f"return {thing}_now",
    ))  # fmt: skip


@template(2)
def what_percent(draw: Draw) -> Story:
    who, total = draw.person(), draw.pick((10, 20, 25, 40, 50, 80, 200))
    part = draw.whole(2, total - 1)
    thing = draw.pick(("questions", "shots", "riddles", "throws", "tasks"))
    question = draw.say(
        f"{who.name} got {part} of {total} {thing} right. What percentage is that?",
        f"Out of {total} {thing}, {who.name} managed {part}. What percent of the {thing} did {who.they} manage?",
    )
    return Story(question, (
        f"{thing} = {total}", f"right = {part}", f"percent = right * 100 / {thing}", "return percent",
    ))  # fmt: skip


def _average(draw: Draw, count: int) -> Story:
    who, mean = draw.person(), draw.whole(50, 90)
    offsets = [draw.whole(-15, 15) for _ in range(count - 1)]
    values = [mean + offset for offset in offsets] + [mean - sum(offsets)]
    listed = ", ".join(map(str, values[:-1])) + f" and {values[-1]}"
    what = draw.pick(("points", "minutes", "pages", "metres", "stamps"))
    question = draw.say(
        f"On {count} days {who.name} recorded {listed} {what}. What is the average?",
        f"{who.name}'s results are {listed} {what}. How many {what} is that on average?",
    )
    return Story(question, (f"total = {' + '.join(map(str, values))}", f"average = total / {count}", "return average"))


@template(3)
def average_of_three(draw: Draw) -> Story:
    return _average(draw, 3)


@template(4)
def average_of_four(draw: Draw) -> Story:
    return _average(draw, 4)


@template(4)
def score_for_average(draw: Draw) -> Story:
    who, mean = draw.person(), draw.whole(60, 88)
    first, second = mean + draw.whole(-12, 12), mean + draw.whole(-12, 12)
    third = mean + draw.whole(0, 5)
    question = draw.say(
        f"{who.name} scored {first}, {second} and {third} in three tests. What must {who.they} score in the fourth for an average of {mean}?",
        f"After tests with {first}, {second} and {third} points, which fourth score gives {who.name} an average of exactly {mean}?",
    )
    return Story(question, (
        f"points_needed = 4 * {mean}", f"points_so_far = {first} + {second} + {third}",
        "fourth_score = points_needed - points_so_far", "return fourth_score",
    ))  # fmt: skip
