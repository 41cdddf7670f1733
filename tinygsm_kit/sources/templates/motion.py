"""Speed, work, time, and other rates; conversion of units."""

# ruff: noqa: E501 (a wording is easier to judge on one line)

from __future__ import annotations

from tinygsm_kit.sources.templates.story import Draw, Story, template


@template(1)
def distance(draw: Draw) -> Story:
    what, speed, hours = draw.pick(("train", "car", "bus", "truck", "ship")), draw.whole(20, 120, 5), draw.whole(2, 12)
    question = draw.say(
        f"A {what} travels at {speed} km per hour for {hours} hours. How far does it go?",
        f"How many kilometres does a {what} cover in {hours} hours at {speed} km per hour?",
    )
    return Story(question, (f"speed = {speed}", f"hours = {hours}", "distance = speed * hours", "return distance"))


@template(1)
def travel_time(draw: Draw) -> Story:
    who, speed, hours = draw.person(), draw.whole(4, 90), draw.whole(2, 12)
    question = draw.say(
        f"{who.name} has to travel {speed * hours} miles at {speed} miles per hour. How many hours does it take?",
        f"At {speed} miles per hour, how many hours does {who.name} need for {speed * hours} miles?",
    )
    return Story(
        question, (f"miles = {speed * hours}", f"miles_per_hour = {speed}", "hours = miles / miles_per_hour", "return hours")
    )


@template(5)
def average_speed(draw: Draw) -> Story:
    who, first_hours, second_hours = draw.person(), draw.whole(2, 5), draw.whole(2, 5)
    mean, lift = draw.whole(30, 80), draw.whole(1, 4)
    first, second = mean + lift * second_hours, mean - lift * first_hours
    question = draw.say(
        f"{who.name} drives {first_hours} hours at {first} km per hour and then {second_hours} hours at {second} km per hour. What is "
        f"{who.their} average speed?",
        f"On a journey {who.name} goes {first} km per hour for {first_hours} hours, then {second} km per hour for {second_hours} hours. "
        "How many kilometres per hour is that on average?",
    )
    return Story(question, (
        f"first_distance = {first} * {first_hours}", f"second_distance = {second} * {second_hours}",
        "total_distance = first_distance + second_distance", f"total_hours = {first_hours} + {second_hours}",
        "average_speed = total_distance / total_hours", "return average_speed",
    ))  # fmt: skip


@template(2)
def meeting(draw: Draw) -> Story:
    what, a, b, hours = (
        draw.pick(("trains", "cars", "trucks", "buses")),
        draw.whole(30, 99),
        draw.whole(30, 99),
        draw.whole(2, 9),
    )
    question = draw.say(
        f"Two {what} start {(a + b) * hours} km apart and head for each other at {a} and {b} km per hour. After how many hours do they meet?",
        f"The distance between two {what} is {(a + b) * hours} km. One goes {a} km per hour, the other {b} km per hour towards it. How "
        "long does it take until they meet?",
    )
    return Story(question, (
        f"distance = {(a + b) * hours}", f"closing_speed = {a} + {b}", "hours = distance / closing_speed", "return hours",
    ))  # fmt: skip


@template(3)
def catching_up(draw: Draw) -> Story:
    (one, other), slow, faster, hours = draw.people(2), draw.whole(4, 40), draw.whole(2, 10), draw.whole(2, 6)
    lead = faster * hours
    question = draw.say(
        f"{one.name} is {lead} km ahead of {other.name} and rides at {slow} km per hour. {other.name} rides at {slow + faster} km per "
        f"hour. How far does {other.name} ride until {other.they} catches up?",
        f"{other.name} follows {one.name}, who has a lead of {lead} km. They ride at {slow + faster} and {slow} km per hour. After how "
        f"many kilometres has {other.name} caught up?",
    )
    return Story(question, (
        f"lead = {lead}", f"gain_per_hour = {slow + faster} - {slow}", "hours = lead / gain_per_hour",
        f"distance = {slow + faster} * hours", "return distance",
    ))  # fmt: skip


@template(2)
def rate_of_work(draw: Draw) -> Story:
    what, rate, hours, goal = (
        draw.pick(("toys", "bottles", "bricks", "cards", "screws")),
        draw.whole(3, 60),
        draw.whole(2, 9),
        draw.whole(2, 9),
    )
    question = draw.say(
        f"A machine makes {rate * hours} {what} in {hours} hours. How many does it make in {goal} hours?",
        f"In {hours} hours a machine turns out {rate * hours} {what}. At the same pace, how many {what} are ready after {goal} hours?",
    )
    return Story(question, (
        f"{what} = {rate * hours}", f"{what}_per_hour = {what} / {hours}", f"{what}_made = {what}_per_hour * {goal}",
        f"return {what}_made",
    ))  # fmt: skip


@template(3)
def filling_a_tank(draw: Draw) -> Story:
    inflow, outflow, minutes, start = draw.whole(12, 60), draw.whole(2, 11), draw.whole(3, 40), draw.whole(10, 200, 5)
    question = draw.say(
        f"A tank holds {start} litres. {inflow} litres flow in and {outflow} litres flow out every minute. How many litres are in it "
        f"after {minutes} minutes?",
        f"Every minute a tank gains {inflow} litres and loses {outflow}. It starts with {start} litres. How much is in it {minutes} "
        "minutes later?",
    )
    return Story(question, (
        f"gain_per_minute = {inflow} - {outflow}", f"gain = gain_per_minute * {minutes}", f"litres = {start} + gain", "return litres",
    ))  # fmt: skip


@template(2)
def hours_and_minutes(draw: Draw) -> Story:
    who, hours, minutes = draw.person(), draw.whole(2, 9), draw.whole(5, 55, 5)
    what = draw.pick(("hike", "flight", "film marathon", "bike tour", "drive", "concert"))
    question = draw.say(
        f"A {what} takes {hours} hours and {minutes} minutes. How many minutes is that?",
        f"{who.name}'s {what} lasted {hours} hours and {minutes} minutes. Give the time in minutes.",
    )
    return Story(question, (f"minutes = {hours} * 60", f"total_minutes = minutes + {minutes}", "return total_minutes"))


@template(2)
def kilograms_to_grams(draw: Draw) -> Story:
    food, kilograms, portion = (
        draw.pick(("rice", "flour", "nuts", "sugar", "coffee")),
        draw.whole(2, 60),
        draw.pick((50, 100, 125, 200, 250)),
    )
    question = draw.say(
        f"How many bags of {portion} grams can be filled from {kilograms} kilograms of {food}?",
        f"{kilograms} kilograms of {food} are packed in bags of {portion} grams. How many bags are there?",
    )
    return Story(question, (
        f"kilograms = {kilograms}", "grams = kilograms * 1000", f"bags = grams / {portion}", "return bags",
    ))  # fmt: skip


@template(4)
def feet_and_inches(draw: Draw) -> Story:
    who, feet, inches = draw.person(), draw.whole(3, 12), draw.whole(2, 11)
    cut = draw.whole(2, 15)
    question = draw.say(
        f"{who.name} has a board {feet} feet and {inches} inches long and saws off {cut} inches twice. How many inches are left?",
        f"From a ribbon of {feet} feet {inches} inches, {who.name} cuts two pieces of {cut} inches each. How many inches remain?",
    )
    return Story(question, (
        f"length = {feet} * 12 + {inches}", f"cut_off = 2 * {cut}", "inches_left = length - cut_off", "return inches_left",
    ))  # fmt: skip


@template(3)
def pages_left(draw: Draw) -> Story:
    who, daily, days, speed = draw.person(), draw.whole(5, 40), draw.whole(3, 14), draw.whole(2, 15)
    pages = daily * days + speed * draw.whole(3, 20)
    question = draw.say(
        f"A book has {pages} pages. {who.name} reads {daily} pages a day for {days} days, then {speed} pages a day. How many more days "
        "does the rest take?",
        f"{who.name} reads {daily} of a book's {pages} pages on each of {days} days and slows down to {speed} pages a day. In how many "
        "further days is the book finished?",
    )
    return Story(question, (
        f"pages_read = {daily} * {days}", f"pages_left = {pages} - pages_read", f"days_left = pages_left / {speed}", "return days_left",
    ))  # fmt: skip


@template(2)
def fuel_cost(draw: Draw) -> Story:
    who, per_litre, litres, price = draw.person(), draw.whole(8, 20), draw.whole(5, 60), draw.pick((1.25, 1.5, 1.75, 2))
    question = draw.say(
        f"A car goes {per_litre} km on a litre of petrol, which costs ${price:.2f}. What does the petrol for {per_litre * litres} km cost?",
        f"{who.name} drives {per_litre * litres} km. {who.their.capitalize()} car needs a litre for every {per_litre} km, and a litre "
        f"costs ${price:.2f}. How much does {who.they} spend on petrol?",
    )
    return Story(question, (
        f"litres = {per_litre * litres} / {per_litre}", f"price_per_litre = {price}", "cost = litres * price_per_litre", "return cost",
    ))  # fmt: skip


@template(3)
def hours_of_practice(draw: Draw) -> Story:
    who, minutes, days, weeks = draw.person(), draw.whole(10, 90, 5), draw.whole(2, 7), draw.pick((4, 8, 12, 24))
    what = draw.pick(("the violin", "chess", "swimming", "Spanish", "dancing"))
    question = draw.say(
        f"{who.name} practises {what} for {minutes} minutes on {days} days of every week. How many hours is that in {weeks} weeks?",
        f"For {weeks} weeks {who.name} spends {minutes} minutes a day on {what}, {days} days a week. How many hours does it come to?",
    )
    return Story(question, (
        f"minutes_per_week = {minutes} * {days}", f"total_minutes = minutes_per_week * {weeks}", "hours = total_minutes / 60", "return hours",
    )) if minutes * days * weeks % 15 == 0 else hours_of_practice(draw)  # fmt: skip
