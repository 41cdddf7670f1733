"""Buying, selling, earning and saving."""

# ruff: noqa: E501 (a wording is easier to judge on one line)

from __future__ import annotations

from tinygsm_kit.sources.templates.story import FOODS, GOODS, THINGS, Draw, Story, template

NOTES = (20, 50, 100)


@template(1)
def price_of_many(draw: Draw) -> Story:
    who, item, count, price = draw.person(), draw.pick(THINGS), draw.whole(2, 30), draw.whole(2, 15)
    question = draw.say(
        f"{who.name} buys {count} {item.many} at ${price} each. How much does {who.they} pay?",
        f"One {item.one} costs ${price}. How much do {count} {item.many} cost?",
        f"A shop sells {item.many} for ${price} apiece. What will {who.name} pay for {count} of them?",
    )
    return Story(question, (f"{item.variable} = {count}", f"price = {price}", f"cost = {item.variable} * price", "return cost"))


@template(3)
def trays_and_cases(draw: Draw) -> Story:
    who, trays, tray_cost = draw.person(), draw.whole(2, 20), draw.whole(5, 60)
    cases, case_cost = draw.whole(2, 20), draw.whole(5, 40)
    question = draw.say(
        f"{who.name} buys {trays} trays of food at ${tray_cost} each and {cases} cases of drinks at ${case_cost} each for a party. "
        f"How much does {who.they} spend in total?",
        f"For a party {who.name} orders {trays} trays of food and {cases} cases of drinks. A tray costs ${tray_cost} and a case "
        f"costs ${case_cost}. What is the total cost?",
    )
    return Story(question, (
        f"trays = {trays}", f"tray_cost = {tray_cost}", f"cases = {cases}", f"case_cost = {case_cost}",
        "tray_total = trays * tray_cost", "case_total = cases * case_cost", "total_cost = tray_total + case_total",
        "return total_cost",
    ))  # fmt: skip


def _shopping(draw: Draw, kinds: int) -> Story:
    who, items = draw.person(), draw.some(FOODS, kinds)
    counts, prices = [draw.whole(2, 12) for _ in items], [draw.whole(2, 9) for _ in items]
    told = [f"{count} {item.many} at ${price} each" for item, count, price in zip(items, counts, prices, strict=True)]
    basket = ", ".join(told[:-1]) + f" and {told[-1]}"
    question = draw.say(
        f"{who.name} buys {basket}. How much does {who.they} pay altogether?",
        f"At the market {who.name} puts {basket} into {who.their} basket. What is the total price?",
    )
    lines = [f"{item.variable}_cost = {count} * {price}" for item, count, price in zip(items, counts, prices, strict=True)]
    total = " + ".join(f"{item.variable}_cost" for item in items)
    return Story(question, (*lines, f"total_cost = {total}", "return total_cost"))


@template(3)
def shopping_two(draw: Draw) -> Story:
    return _shopping(draw, 2)


@template(5)
def shopping_three(draw: Draw) -> Story:
    return _shopping(draw, 3)


@template(7)
def shopping_four(draw: Draw) -> Story:
    return _shopping(draw, 4)


@template(2)
def change_from_note(draw: Draw) -> Story:
    who, item, note = draw.person(), draw.pick(FOODS), draw.pick(NOTES)
    price = draw.whole(2, 9)
    count = draw.whole(2, (note - 1) // price)
    question = draw.say(
        f"{who.name} buys {count} {item.many} at ${price} each and pays with a ${note} note. How much change does {who.they} get?",
        f"A {item.one} costs ${price}. {who.name} takes {count} of them and hands over ${note}. What is {who.their} change?",
    )
    return Story(question, (
        f"note = {note}", f"{item.variable} = {count}", f"price = {price}", f"cost = {item.variable} * price",
        "change = note - cost", "return change",
    ))  # fmt: skip


@template(4)
def change_after_two_purchases(draw: Draw) -> Story:
    who, (first, second) = draw.person(), draw.some(FOODS, 2)
    a, price_a, b, price_b = draw.whole(2, 7), draw.whole(2, 6), draw.whole(2, 7), draw.whole(2, 6)
    question = draw.say(
        f"{who.name} has $100. {who.they.capitalize()} buys {a} {first.many} for ${price_a} each and {b} {second.many} for "
        f"${price_b} each. How much money is left?",
        f"With $100 in {who.their} purse, {who.name} pays for {a} {first.many} at ${price_a} apiece and {b} {second.many} at "
        f"${price_b} apiece. How many dollars does {who.they} still have?",
    )
    return Story(question, (
        "money = 100", f"{first.variable}_cost = {a} * {price_a}", f"{second.variable}_cost = {b} * {price_b}",
        f"spent = {first.variable}_cost + {second.variable}_cost", "money_left = money - spent", "return money_left",
    ))  # fmt: skip


@template(3)
def discount(draw: Draw) -> Story:
    item, price, percent = draw.pick(GOODS), draw.whole(20, 400, 20), draw.pick((5, 10, 15, 20, 25, 30, 40, 50))
    question = draw.say(
        f"A {item.one} that costs ${price} is on sale with {percent}% off. What is the sale price?",
        f"A shop takes {percent}% off the price of a {item.one}. It used to cost ${price}. How much does it cost now?",
    )
    return Story(question, (
        f"price = {price}", f"percent_off = {percent}", "discount = price * percent_off / 100", "sale_price = price - discount",
        "return sale_price",
    ))  # fmt: skip


@template(6)
def discount_and_tax(draw: Draw) -> Story:
    item, price = draw.pick(GOODS), draw.whole(100, 900, 100)
    percent, tax = draw.pick((10, 20, 25, 30, 40, 50)), draw.pick((4, 5, 6, 8, 10))
    question = draw.say(
        f"A {item.one} costs ${price}. It is reduced by {percent}%, and then {tax}% sales tax is added. What does it cost in the end?",
        f"With a coupon for {percent}% off, how much must you pay for a {item.one} at ${price} when the sales tax is {tax}%?",
    )
    return Story(question, (
        f"price = {price}", f"discount = price * {percent} / 100", "reduced_price = price - discount",
        f"tax = reduced_price * {tax} / 100", "final_price = reduced_price + tax", "return final_price",
    ))  # fmt: skip


@template(3)
def sales_tax(draw: Draw) -> Story:
    item, price, percent = draw.pick(GOODS), draw.whole(20, 500, 10), draw.pick((5, 6, 8, 10, 20))
    question = draw.say(
        f"The price of a {item.one} is ${price} before a sales tax of {percent}%. How much is it with the tax?",
        f"A {item.one} is marked ${price}, and {percent}% tax is added at the till. What does the customer pay?",
    )
    return Story(question, (
        f"price = {price}", f"tax = price * {percent} / 100", "total_price = price + tax", "return total_price",
    ))  # fmt: skip


@template(2)
def weeks_to_save(draw: Draw) -> Story:
    who, item, weekly, weeks, saved = draw.person(), draw.pick(GOODS), draw.whole(3, 25), draw.whole(2, 20), draw.whole(5, 60)
    price = weekly * weeks + saved
    question = draw.say(
        f"{who.name} wants a {item.one} that costs ${price}. {who.they.capitalize()} has ${saved} and saves ${weekly} a week. "
        "After how many weeks is there enough money?",
        f"A {item.one} costs ${price}. {who.name} has saved ${saved} so far and puts away ${weekly} every week. In how many weeks "
        f"can {who.they} buy it?",
    )
    return Story(question, (
        f"price = {price}", f"saved = {saved}", f"saved_per_week = {weekly}", "still_needed = price - saved",
        "weeks = still_needed / saved_per_week", "return weeks",
    ))  # fmt: skip


@template(5)
def overtime_pay(draw: Draw) -> Story:
    who, hours, rate, extra = draw.person(), draw.whole(20, 40), draw.whole(10, 30, 2), draw.whole(2, 12)
    question = draw.say(
        f"{who.name} earns ${rate} an hour, and one and a half times as much for overtime. Last week {who.they} worked {hours} "
        f"regular hours and {extra} hours of overtime. How much did {who.they} earn?",
        f"A job pays ${rate} an hour for regular work and 1.5 times that for overtime. What is {who.name} paid for {hours} regular "
        f"hours and {extra} overtime hours?",
    )
    return Story(question, (
        f"hourly_rate = {rate}", f"regular_pay = {hours} * hourly_rate", "overtime_rate = hourly_rate * 3 / 2",
        f"overtime_pay = {extra} * overtime_rate", "total_pay = regular_pay + overtime_pay", "return total_pay",
    ))  # fmt: skip


@template(3)
def profit_after_stall_fee(draw: Draw) -> Story:
    who, item, cost, count = draw.person(), draw.pick(FOODS), draw.whole(2, 6), draw.whole(15, 80)
    price, fee = cost + draw.whole(2, 6), draw.whole(5, 25)
    question = draw.say(
        f"{who.name} bakes {item.many} for ${cost} each and sells {count} of them for ${price} each. The stall costs ${fee}. "
        f"What is {who.their} profit?",
        f"Each {item.one} costs {who.name} ${cost} and sells for ${price}. After selling {count} and paying ${fee} for the stall, "
        f"how much has {who.they} earned?",
    )
    return Story(question, (
        f"gain_per_{item.one} = {price} - {cost}", f"gain = gain_per_{item.one} * {count}", f"profit = gain - {fee}",
        "return profit",
    ))  # fmt: skip


@template(4)
def bill_with_tip(draw: Draw) -> Story:
    friends, percent = draw.whole(2, 8), draw.pick((10, 20, 25, 50))
    bill = draw.whole(5, 60) * friends * 4
    question = draw.say(
        f"{friends} friends share a restaurant bill of ${bill} and leave a tip of {percent}%. How much does each of them pay?",
        f"A meal for {friends} costs ${bill}, to which they add a {percent}% tip. They split it evenly. What is each share?",
    )
    return Story(question, (
        f"bill = {bill}", f"tip = bill * {percent} / 100", "total = bill + tip", f"share = total / {friends}", "return share",
    ))  # fmt: skip


@template(2)
def price_from_pack(draw: Draw) -> Story:
    item, pack, unit, count = draw.pick(THINGS), draw.whole(2, 12), draw.whole(2, 9), draw.whole(13, 40)
    question = draw.say(
        f"A pack of {pack} {item.many} costs ${pack * unit}. At the same price for each, how much do {count} {item.many} cost?",
        f"You get {pack} {item.many} for ${pack * unit}. What would {count} {item.many} cost at that rate?",
    )
    return Story(question, (
        f"pack_price = {pack * unit}", f"pack_size = {pack}", f"price_per_{item.one.replace(' ', '_')} = pack_price / pack_size",
        f"cost = price_per_{item.one.replace(' ', '_')} * {count}", "return cost",
    ))  # fmt: skip


@template(4)
def phone_plan(draw: Draw) -> Story:
    who, base, included = draw.person(), draw.whole(10, 40), draw.whole(100, 500, 50)
    extra, cents = draw.whole(10, 120, 10), draw.pick((5, 10, 15, 20, 25))
    question = draw.say(
        f"{who.name}'s phone plan costs ${base} a month with {included} minutes included. Each further minute costs {cents} cents. "
        f"Last month {who.they} talked for {included + extra} minutes. How many dollars was the bill?",
        f"A phone company asks ${base} a month for {included} minutes and {cents} cents for every minute beyond. What does "
        f"{who.name} pay, in dollars, for {included + extra} minutes?",
    )
    return Story(question, (
        f"extra_minutes = {included + extra} - {included}", f"extra_cents = extra_minutes * {cents}",
        "extra_dollars = extra_cents / 100", f"bill = {base} + extra_dollars", "return bill",
    ))  # fmt: skip


@template(4)
def fundraiser(draw: Draw) -> Story:
    adults, adult, children, child = draw.whole(10, 80), draw.whole(5, 15), draw.whole(10, 90), draw.whole(2, 4)
    raised = adults * adult + children * child
    goal = raised + draw.whole(20, 500, 5)
    event = draw.pick(("concert", "play", "fair", "school show", "film night"))
    question = draw.say(
        f"Tickets for a {event} cost ${adult} for adults and ${child} for children. {adults} adults and {children} children come. "
        f"The goal is ${goal}. How many dollars are still missing?",
        f"A class wants to raise ${goal} with a {event}. It sells {adults} adult tickets at ${adult} and {children} child tickets "
        f"at ${child}. How much more money does it need?",
    )
    return Story(question, (
        f"adult_tickets = {adults} * {adult}", f"child_tickets = {children} * {child}",
        "raised = adult_tickets + child_tickets", f"missing = {goal} - raised", "return missing",
    ))  # fmt: skip


@template(4)
def simple_interest(draw: Draw) -> Story:
    who, deposit, percent, years = draw.person(), draw.whole(100, 5_000, 100), draw.whole(2, 9), draw.whole(2, 10)
    question = draw.say(
        f"{who.name} puts ${deposit} into an account with {percent}% simple interest a year. How much is in it after {years} years?",
        f"A bank pays {percent}% simple interest each year on a deposit of ${deposit}. What is the account worth after {years} years?",
    )
    return Story(question, (
        f"deposit = {deposit}", f"interest_per_year = deposit * {percent} / 100", f"interest = interest_per_year * {years}",
        "balance = deposit + interest", "return balance",
    ))  # fmt: skip


@template(6)
def coins(draw: Draw) -> Story:
    who, quarters, dimes, nickels = draw.person(), draw.whole(2, 20), draw.whole(2, 20), draw.whole(2, 20)
    question = draw.say(
        f"{who.name} has {quarters} quarters, {dimes} dimes and {nickels} nickels. How many dollars is that?",
        f"In {who.name}'s piggy bank there are {quarters} quarters, {dimes} dimes and {nickels} nickels. What are they worth in dollars?",
    )
    return Story(question, (
        f"quarter_cents = {quarters} * 25", f"dime_cents = {dimes} * 10", f"nickel_cents = {nickels} * 5",
        "total_cents = quarter_cents + dime_cents + nickel_cents", "dollars = total_cents / 100", "return dollars",
    ))  # fmt: skip
