"""Putting together, taking away, sharing out, fractions and ratios."""

# ruff: noqa: E501 (a wording is easier to judge on one line)

from __future__ import annotations

from tinygsm_kit.sources.templates.story import FOODS, HOLDERS, PLANTS, THINGS, Draw, Story, template

FRACTIONS = ((1, 2), (1, 3), (2, 3), (1, 4), (3, 4), (1, 5), (2, 5), (3, 5), (4, 5), (5, 6), (3, 8), (5, 8))


@template(1)
def put_together(draw: Draw) -> Story:
    (one, other), item, a, b = draw.people(2), draw.pick(THINGS), draw.whole(2, 99), draw.whole(2, 99)
    question = draw.say(
        f"{one.name} has {a} {item.many} and {other.name} has {b}. How many {item.many} do they have together?",
        f"{one.name} counts {a} {item.many}, {other.name} counts {b}. How many is that in all?",
    )
    return Story(question, (
        f"{one.name.lower()}_{item.variable} = {a}", f"{other.name.lower()}_{item.variable} = {b}",
        f"total_{item.variable} = {one.name.lower()}_{item.variable} + {other.name.lower()}_{item.variable}",
        f"return total_{item.variable}",
    ))  # fmt: skip


@template(1)
def give_away(draw: Draw) -> Story:
    (one, other), item, had = draw.people(2), draw.pick(THINGS), draw.whole(10, 100)
    given = draw.whole(2, had - 2)
    question = draw.say(
        f"{one.name} had {had} {item.many} and gave {given} of them to {other.name}. How many does {one.they} have left?",
        f"Out of {had} {item.many}, {one.name} gives {given} away. How many remain?",
    )
    return Story(question, (
        f"{item.variable} = {had}", f"given_away = {given}", f"{item.variable}_left = {item.variable} - given_away",
        f"return {item.variable}_left",
    ))  # fmt: skip


@template(1)
def equal_groups(draw: Draw) -> Story:
    item, holder, groups, each = draw.pick(FOODS + THINGS), draw.pick(HOLDERS), draw.whole(2, 40), draw.whole(2, 12)
    question = draw.say(
        f"There are {groups} {holder.many} with {each} {item.many} in each. How many {item.many} are there?",
        f"Every {holder.one} holds {each} {item.many}. How many {item.many} are in {groups} {holder.many}?",
    )
    return Story(question, (
        f"{holder.many} = {groups}", f"{item.variable}_per_{holder.one} = {each}",
        f"total_{item.variable} = {holder.many} * {item.variable}_per_{holder.one}", f"return total_{item.variable}",
    ))  # fmt: skip


@template(1)
def share_equally(draw: Draw) -> Story:
    item, children, each = draw.pick(FOODS + THINGS), draw.whole(2, 12), draw.whole(2, 25)
    question = draw.say(
        f"{children} children share {children * each} {item.many} equally. How many does each child get?",
        f"A teacher divides {children * each} {item.many} evenly among {children} children. How many {item.many} does each receive?",
    )
    return Story(question, (
        f"{item.variable} = {children * each}", f"children = {children}", f"{item.variable}_each = {item.variable} / children",
        f"return {item.variable}_each",
    ))  # fmt: skip


@template(1)
def left_over(draw: Draw) -> Story:
    item, holder, size = draw.pick(FOODS + THINGS), draw.pick(HOLDERS), draw.whole(3, 12)
    count = size * draw.whole(2, 20) + draw.whole(1, size - 1)
    question = draw.say(
        f"{count} {item.many} are packed into {holder.many} of {size}. How many {item.many} are left over?",
        f"Each {holder.one} must be filled with exactly {size} {item.many}. From {count} {item.many}, how many do not fit?",
    )
    return Story(question, (
        f"{item.variable} = {count}", f"{item.variable}_per_{holder.one} = {size}",
        f"left_over = {item.variable} % {item.variable}_per_{holder.one}", "return left_over",
    ))  # fmt: skip


@template(1)
def full_holders(draw: Draw) -> Story:
    item, holder, size = draw.pick(FOODS + THINGS), draw.pick(HOLDERS), draw.whole(3, 12)
    count = size * draw.whole(2, 20) + draw.whole(1, size - 1)
    question = draw.say(
        f"How many {holder.many} can be filled completely with {count} {item.many} if each takes {size}?",
        f"A {holder.one} is full with {size} {item.many}. There are {count} {item.many}. How many {holder.many} become full?",
    )
    return Story(question, (
        f"{item.variable} = {count}", f"{item.variable}_per_{holder.one} = {size}",
        f"full_{holder.many} = {item.variable} // {item.variable}_per_{holder.one}", f"return full_{holder.many}",
    ))  # fmt: skip


@template(4)
def trips_needed(draw: Draw) -> Story:
    who, seats = draw.pick(("students", "fans", "guests", "hikers")), draw.whole(8, 60)
    people = seats * draw.whole(2, 9) + draw.whole(1, seats - 1)
    vehicle = draw.pick(("bus/buses", "boat/boats", "van/vans")).split("/")
    question = draw.say(
        f"{people} {who} go on a trip. A {vehicle[0]} has {seats} seats. How many {vehicle[1]} are needed?",
        f"Each {vehicle[0]} carries {seats} {who}. How many {vehicle[1]} must be ordered for {people} {who}?",
    )
    return Story(question, (
        f"{who} = {people}", f"seats = {seats}", f"full_{vehicle[1]} = {who} // seats",
        f"{who}_left = {who} - full_{vehicle[1]} * seats",
        f"# the {who} who are left need one more {vehicle[0]}",
        f"if {who}_left > 0:", f"    return full_{vehicle[1]} + 1", f"return full_{vehicle[1]}",
    ))  # fmt: skip


@template(2)
def give_and_receive(draw: Draw) -> Story:
    (one, other), item, had, found = draw.people(2), draw.pick(THINGS), draw.whole(12, 80), draw.whole(3, 40)
    given = draw.whole(2, had - 2)
    question = draw.say(
        f"{one.name} has {had} {item.many}. {one.they.capitalize()} gives {given} to {other.name} and then finds {found} more. "
        f"How many {item.many} does {one.name} have now?",
        f"After giving {given} of {one.their} {had} {item.many} to {other.name}, {one.name} gets {found} new ones. How many does "
        f"{one.they} have in the end?",
    )
    return Story(question, (
        f"{item.variable} = {had}", f"after_giving = {item.variable} - {given}", f"{item.variable}_now = after_giving + {found}",
        f"return {item.variable}_now",
    ))  # fmt: skip


@template(3)
def bake_eat_and_share(draw: Draw) -> Story:
    who, item, trays, friends = draw.person(), draw.pick(FOODS), draw.whole(2, 9), draw.whole(2, 8)
    each = draw.whole(6, 24)
    most = (trays * each - 2) // friends
    eaten = trays * each - friends * draw.whole(max(1, most - 3), most)
    question = draw.say(
        f"{who.name} bakes {trays} trays of {each} {item.many}. The family eats {eaten} of them, and the rest is shared equally by "
        f"{friends} friends. How many {item.many} does each friend get?",
        f"From {trays} trays with {each} {item.many} each, {eaten} are eaten at once. {friends} friends share what is left evenly. "
        "How many does each of them get?",
    )
    return Story(question, (
        f"{item.variable} = {trays} * {each}", f"{item.variable}_left = {item.variable} - {eaten}",
        f"{item.variable}_each = {item.variable}_left / {friends}", f"return {item.variable}_each",
    ))  # fmt: skip


@template(2)
def fraction_of(draw: Draw) -> Story:
    who, item, (top, bottom) = draw.person(), draw.pick(THINGS + FOODS), draw.pick(FRACTIONS)
    count = bottom * draw.whole(3, 20)
    question = draw.say(
        f"{who.name} has {count} {item.many}. {top}/{bottom} of them are old. How many {item.many} are old?",
        f"Of {count} {item.many}, {who.name} sells {top}/{bottom}. How many does {who.they} sell?",
    )
    return Story(question, (
        f"{item.variable} = {count}", f"one_part = {item.variable} / {bottom}", f"number = one_part * {top}", "return number",
    ))  # fmt: skip


@template(3)
def fraction_left(draw: Draw) -> Story:
    who, item, (top, bottom) = draw.person(), draw.pick(THINGS + FOODS), draw.pick(FRACTIONS)
    count = bottom * draw.whole(3, 20)
    question = draw.say(
        f"{who.name} has {count} {item.many} and gives {top}/{bottom} of them away. How many are left?",
        f"A shop has {count} {item.many}. It sells {top}/{bottom} of them on Monday. How many {item.many} remain?",
    )
    return Story(question, (
        f"{item.variable} = {count}", f"gone = {item.variable} * {top} / {bottom}", f"{item.variable}_left = {item.variable} - gone",
        f"return {item.variable}_left",
    ))  # fmt: skip


@template(4)
def two_fractions_in_turn(draw: Draw) -> Story:
    who, item, a, b = draw.person(), draw.pick(THINGS), draw.whole(2, 6), draw.whole(2, 6)
    words = {2: "half", 3: "a third", 4: "a quarter", 5: "a fifth", 6: "a sixth"}
    count = a * b * draw.whole(2, 12)
    question = draw.say(
        f"{who.name} has {count} {item.many}. {who.they.capitalize()} gives {words[a]} of them to a friend and then {words[b]} of "
        f"the rest to {who.their} cousin. How many {item.many} does {who.they} keep?",
        f"From {count} {item.many}, {words[a]} is sold on Saturday, and {words[b]} of what is left on Sunday. How many are left?",
    )
    return Story(question, (
        f"{item.variable} = {count}", f"first_share = {item.variable} / {a}", f"rest = {item.variable} - first_share",
        f"second_share = rest / {b}", f"{item.variable}_kept = rest - second_share", f"return {item.variable}_kept",
    ))  # fmt: skip


@template(3)
def ratio_of_two(draw: Draw) -> Story:
    (one, other), a, b, part = draw.people(2), draw.whole(2, 7), draw.whole(1, 6), draw.whole(2, 20)
    a += a == b
    question = draw.say(
        f"{one.name} and {other.name} share ${(a + b) * part} in the ratio {a}:{b}. How many dollars does {one.name} get?",
        f"${(a + b) * part} is divided between {one.name} and {other.name} as {a} to {b}. What is {one.name}'s share?",
    )
    return Story(question, (
        f"parts = {a} + {b}", f"dollars_per_part = {(a + b) * part} / parts", f"share = {a} * dollars_per_part", "return share",
    ))  # fmt: skip


@template(5)
def ratio_difference(draw: Draw) -> Story:
    flowers, b, extra, part = draw.some(PLANTS, 2), draw.whole(2, 6), draw.whole(1, 5), draw.whole(2, 15)
    a = b + extra
    first, second = flowers
    question = draw.say(
        f"A garden has {(a + b) * part} plants: {first.many} and {second.many} in the ratio {a}:{b}. How many more {first.many} than "
        f"{second.many} are there?",
        f"For every {a} {first.many} there are {b} {second.many} in a bed of {(a + b) * part} plants. By how many do the "
        f"{first.many} outnumber the {second.many}?",
    )
    return Story(question, (
        f"parts = {a} + {b}", f"plants_per_part = {(a + b) * part} / parts", f"{first.variable} = {a} * plants_per_part",
        f"{second.variable} = {b} * plants_per_part", f"difference = {first.variable} - {second.variable}", "return difference",
    ))  # fmt: skip


@template(2)
def recipe_for_more(draw: Draw) -> Story:
    who, serves, each, guests = draw.person(), draw.whole(2, 8), draw.whole(15, 90, 5), draw.whole(9, 24)
    food = draw.pick(("rice", "flour", "pasta", "sugar", "beans", "oats"))
    question = draw.say(
        f"A recipe for {serves} people needs {serves * each} grams of {food}. How many grams does {who.name} need for {guests} people?",
        f"{who.name} cooks for {guests} guests. The recipe takes {serves * each} grams of {food} for {serves}. How many grams of "
        f"{food} are needed?",
    )
    return Story(question, (
        f"grams = {serves * each}", f"grams_per_person = grams / {serves}", f"grams_needed = grams_per_person * {guests}",
        "return grams_needed",
    ))  # fmt: skip
