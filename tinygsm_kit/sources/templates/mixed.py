"""Longer stories that mix operations, of six to eight steps."""

# ruff: noqa: E501 (a wording is easier to judge on one line)

from __future__ import annotations

from tinygsm_kit.sources.templates.story import FOODS, Draw, Story, template


@template(8)
def school_trip(draw: Draw) -> Story:
    classes, pupils, teachers = draw.whole(2, 6), draw.whole(15, 30), draw.whole(3, 9)
    ticket, lunch, bus = draw.whole(4, 15), draw.whole(2, 6), draw.whole(100, 400, 20)
    gift = draw.whole(20, 90, 5)
    place = draw.pick(("museum", "zoo", "castle", "aquarium", "science centre"))
    question = draw.say(
        f"{classes} classes of {pupils} pupils go to a {place} with {teachers} teachers. A ticket is ${ticket} for everyone and a lunch "
        f"for each pupil ${lunch}. The buses cost ${bus}. The classes share the cost evenly, in whole dollars rounded down, and each gets "
        f"${gift} from the parents. How many dollars does a class have to pay?",
        f"A trip to the {place}: {classes} classes with {pupils} pupils each and {teachers} teachers. Everyone needs a ticket for "
        f"${ticket}, every pupil a lunch for ${lunch}, and the buses are ${bus}. The classes share the cost evenly, rounded down "
        f"to whole dollars, and the parents give ${gift} to each class. How many dollars remain for a class?",
    )
    return Story(question, (
        f"pupils = {classes} * {pupils}", f"people = pupils + {teachers}", f"tickets = people * {ticket}", f"lunches = pupils * {lunch}",
        f"total_cost = tickets + lunches + {bus}", f"cost_per_class = total_cost // {classes}",
        f"class_pays = cost_per_class - {gift}", "return class_pays",
    ))  # fmt: skip


@template(8)
def farm_week(draw: Draw) -> Story:
    hens, eggs, cows, milk = draw.whole(5, 40), draw.whole(3, 6), draw.whole(2, 12), draw.whole(8, 25)
    egg_price, milk_price, feed = draw.pick((2, 3, 4)), draw.pick((1, 2)), draw.whole(10, 60, 5)
    question = draw.say(
        f"On a farm {hens} hens lay {eggs} eggs each a week, and {cows} cows give {milk} litres of milk each a day. Eggs sell at "
        f"${egg_price} for 3, milk at ${milk_price} a litre, and the feed costs ${feed} a week. How much does the farm make in a week?",
        f"A farmer has {hens} hens with {eggs} eggs a week each and {cows} cows with {milk} litres a day each. Three eggs bring "
        f"${egg_price}, a litre of milk ${milk_price}. Feed is ${feed} a week. What is left after a week?",
    )
    if hens * eggs % 3:
        return farm_week(draw)
    return Story(question, (
        f"eggs = {hens} * {eggs}", f"egg_money = eggs / 3 * {egg_price}", f"litres_per_day = {cows} * {milk}",
        "litres = litres_per_day * 7", f"milk_money = litres * {milk_price}", "income = egg_money + milk_money",
        f"money_left = income - {feed}", "return money_left",
    ))  # fmt: skip


@template(8)
def party_budget(draw: Draw) -> Story:
    who, guests, pizza, slices = draw.person(), draw.whole(4, 24, 2), draw.whole(8, 18), draw.whole(2, 4)
    drinks, price, cake = draw.whole(2, 3), draw.whole(1, 3), draw.whole(15, 45)
    budget = draw.whole(500, 900, 10)
    question = draw.say(
        f"{who.name} invites {guests} guests. Each eats {slices} slices of pizza and has {drinks} drinks at ${price}. A pizza of 8 slices "
        f"costs ${pizza}, and the cake costs ${cake}. How much of {who.their} ${budget} is left?",
        f"For a party {who.name} has ${budget}. {guests} guests take {slices} slices of pizza and {drinks} drinks each. A drink is "
        f"${price}, a pizza with 8 slices is ${pizza}, and a cake is ${cake}. How much money remains?",
    )
    if guests * slices % 8:
        return party_budget(draw)
    return Story(question, (
        f"slices = {guests} * {slices}", "pizzas = slices / 8", f"pizza_cost = pizzas * {pizza}", f"drinks = {guests} * {drinks}",
        f"drink_cost = drinks * {price}", f"spent = pizza_cost + drink_cost + {cake}", f"money_left = {budget} - spent",
        "return money_left",
    ))  # fmt: skip


@template(5)
def orchard(draw: Draw) -> Story:
    who, item = (
        draw.person(),
        draw.pick([food for food in FOODS if food.one in ("apple", "orange", "pear", "peach", "plum", "lemon")]),
    )
    trees, each, rotten, box = draw.whole(3, 20), draw.whole(20, 90), draw.whole(2, 12), draw.whole(6, 24)
    price = draw.whole(4, 15)
    question = draw.say(
        f"{who.name} picks {each} {item.many} from each of {trees} trees. {rotten} from every tree are bad. The good ones are packed in "
        f"boxes of {box}, and each full box sells for ${price}. How much does {who.they} get for the full boxes?",
        f"Each of {trees} trees gives {each} {item.many}, of which {rotten} are bad. {who.name} fills boxes with {box} good ones and "
        f"sells every full box for ${price}. What do the full boxes bring?",
    )
    return Story(question, (
        f"picked = {trees} * {each}", f"bad = {trees} * {rotten}", f"good_{item.variable} = picked - bad",
        f"full_boxes = good_{item.variable} // {box}", f"income = full_boxes * {price}",
        "return income",
    ))  # fmt: skip


@template(6)
def water_bottles(draw: Draw) -> Story:
    team, players, days, sips = (
        draw.pick(("football", "hockey", "rugby", "rowing")),
        draw.whole(8, 20),
        draw.whole(2, 6),
        draw.whole(2, 5),
    )
    bottle, pack, price = draw.pick((250, 500)), draw.pick((6, 12)), draw.whole(3, 9)
    bottles = players * days * sips
    if bottles % pack:
        return water_bottles(draw)
    question = draw.say(
        f"A {team} team of {players} trains for {days} days. Each player drinks {sips} bottles of {bottle} ml a day. Bottles come in packs "
        f"of {pack} for ${price}. The team gets $5 off for each day. How much does it pay?",
        f"{players} players of a {team} team drink {sips} bottles of {bottle} ml each on {days} days. A pack of {pack} bottles costs "
        f"${price}, and there is a reduction of $5 a day. What does the team pay?",
    )
    if bottles // pack * price <= 5 * days:
        return water_bottles(draw)
    return Story(question, (
        f"bottles_per_day = {players} * {sips}", f"bottles = bottles_per_day * {days}", f"packs = bottles / {pack}",
        f"full_price = packs * {price}", f"reduction = 5 * {days}", "price = full_price - reduction", "return price",
    ))  # fmt: skip
