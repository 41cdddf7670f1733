"""Lengths, areas and volumes."""

# ruff: noqa: E501 (a wording is easier to judge on one line)

from __future__ import annotations

from tinygsm_kit.sources.templates.story import PLANTS, Draw, Story, template

PLACES = ("garden", "field", "playground", "yard", "park", "meadow")


@template(1)
def rectangle_area(draw: Draw) -> Story:
    what, length, width = draw.pick((*PLACES, "room", "carpet", "wall")), draw.whole(3, 60), draw.whole(2, 12)
    question = draw.say(
        f"A {what} is {length} metres long and {width} metres wide. What is its area in square metres?",
        f"How many square metres does a {what} of {length} by {width} metres have?",
    )
    return Story(question, (f"length = {length}", f"width = {width}", "area = length * width", "return area"))


@template(2)
def rectangle_perimeter(draw: Draw) -> Story:
    what, length, width = draw.pick(PLACES), draw.whole(5, 90), draw.whole(2, 60)
    question = draw.say(
        f"A {what} is {length} metres long and {width} metres wide. How long is a walk once around it?",
        f"What is the perimeter, in metres, of a rectangular {what} that measures {length} by {width} metres?",
    )
    return Story(question, (f"length = {length}", f"width = {width}", "perimeter = 2 * (length + width)", "return perimeter"))


@template(2)
def square_side(draw: Draw) -> Story:
    what, side = draw.pick(PLACES), draw.whole(2, 150)
    question = draw.say(
        f"The fence around a square {what} is {4 * side} metres long. What is the area of the {what} in square metres?",
        f"A square {what} has a perimeter of {4 * side} metres. How many square metres does it cover?",
    )
    return Story(question, (f"perimeter = {4 * side}", "side = perimeter / 4", "area = side * side", "return area"))


@template(3)
def cost_of_a_fence(draw: Draw) -> Story:
    what, length, width, price = draw.pick(PLACES), draw.whole(5, 60), draw.whole(3, 40), draw.whole(3, 25)
    question = draw.say(
        f"A fence costs ${price} a metre. What does it cost to fence a {what} {length} metres long and {width} metres wide?",
        f"A {what} of {length} by {width} metres gets a fence all around, at ${price} a metre. How much is that?",
    )
    return Story(question, (
        f"perimeter = 2 * ({length} + {width})", f"price_per_metre = {price}", "cost = perimeter * price_per_metre", "return cost",
    ))  # fmt: skip


@template(3)
def tiles_for_a_floor(draw: Draw) -> Story:
    room, tile, along, across = (
        draw.pick(("kitchen", "bathroom", "hall", "terrace")),
        draw.whole(2, 5),
        draw.whole(3, 20),
        draw.whole(3, 15),
    )
    length, width = tile * along, tile * across
    question = draw.say(
        f"The floor of a {room} is {length} feet by {width} feet. How many square tiles with sides of {tile} feet cover it?",
        f"A {room} measuring {length} by {width} feet is laid with tiles of {tile} by {tile} feet. How many tiles are needed?",
    )
    return Story(question, (
        f"floor_area = {length} * {width}", f"tile_area = {tile} * {tile}", "tiles = floor_area / tile_area", "return tiles",
    ))  # fmt: skip


@template(5)
def path_around(draw: Draw) -> Story:
    what, length, width, path = (
        draw.pick(("pool", "lawn", "pond", "flower bed")),
        draw.whole(6, 40),
        draw.whole(4, 30),
        draw.whole(1, 3),
    )
    price, delivery = draw.whole(3, 12), draw.whole(20, 90, 10)
    question = draw.say(
        f"A {what} of {length} by {width} metres lies in the middle of an area of {length + 2 * path} by {width + 2 * path} metres; the "
        f"rest is a path. Stones for the path cost ${price} a square metre, and their delivery ${delivery}. What is the total cost?",
        f"Around a {what} that is {length} by {width} metres runs a path; with it the area is {length + 2 * path} by "
        f"{width + 2 * path} metres. How much do the stones for it cost at ${price} a square metre, plus ${delivery} for "
        "delivery?",
    )
    return Story(question, (
        f"outer_area = {length + 2 * path} * {width + 2 * path}", f"inner_area = {length} * {width}",
        "path_area = outer_area - inner_area", f"path_cost = path_area * {price}", f"total_cost = path_cost + {delivery}",
        "return total_cost",
    ))  # fmt: skip


@template(2)
def box_volume(draw: Draw) -> Story:
    what, length, width, height = (
        draw.pick(("box", "tank", "crate", "chest")),
        draw.whole(3, 30),
        draw.whole(2, 9),
        draw.whole(2, 9),
    )
    question = draw.say(
        f"A {what} is {length} cm long, {width} cm wide and {height} cm high. What is its volume in cubic centimetres?",
        f"How many cubic centimetres does a {what} of {length} by {width} by {height} cm hold?",
    )
    return Story(question, (f"base_area = {length} * {width}", f"volume = base_area * {height}", "return volume"))


@template(5)
def painting_walls(draw: Draw) -> Story:
    length, width, height, per_can = draw.whole(4, 12), draw.whole(3, 9), draw.pick((2, 3, 4)), draw.pick((5, 6, 8, 10))
    door = draw.whole(1, 6)
    area = 2 * (length + width) * height - door
    if area <= per_can:
        return painting_walls(draw)
    question = draw.say(
        f"A room is {length} metres long, {width} metres wide and {height} metres high. Its walls are painted, except for {door} square "
        f"metres of doors. A can is enough for {per_can} square metres. How many cans are emptied completely?",
        f"The walls of a room of {length} by {width} metres, {height} metres high, have {door} square metres of doors that are not "
        f"painted. One can covers {per_can} square metres. How many full cans are used up?",
    )
    return Story(question, (
        f"around = 2 * ({length} + {width})", f"wall_area = around * {height}", f"painted_area = wall_area - {door}",
        f"full_cans = painted_area // {per_can}", "return full_cans",
    ))  # fmt: skip


@template(2)
def triangle_area(draw: Draw) -> Story:
    what, base, height = draw.pick(("sail", "flag", "roof window", "flower bed")), draw.whole(4, 40, 2), draw.whole(3, 25)
    question = draw.say(
        f"A {what} is a triangle with a base of {base} feet and a height of {height} feet. What is its area in square feet?",
        f"How many square feet of cloth cover a triangular {what}, {base} feet at the base and {height} feet high?",
    )
    return Story(question, (f"base = {base}", f"height = {height}", "area = base * height / 2", "return area"))


@template(3)
def plants_in_rows(draw: Draw) -> Story:
    plant, rows, each, lost = draw.pick(PLANTS), draw.whole(4, 25), draw.whole(4, 12), draw.whole(2, 9)
    price = draw.whole(2, 9)
    question = draw.say(
        f"{rows} rows of {each} {plant.many} are planted. {lost} of them die. The others are sold at ${price} each. How much money is that?",
        f"A gardener has {rows} rows with {each} {plant.many} each, loses {lost}, and sells the rest for ${price} apiece. What does the "
        "gardener take in?",
    )
    return Story(question, (
        f"{plant.variable} = {rows} * {each}", f"{plant.variable}_left = {plant.variable} - {lost}",
        f"income = {plant.variable}_left * {price}", "return income",
    ))  # fmt: skip
