"""The word lists behind names and questions: abbreviations, units of measure, words of money, verbs, sentence openings."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _pairs(text: str) -> dict[str, str]:
    """`a: b c; d: e` as a dictionary."""
    entries = (entry.partition(":") for entry in text.split(";") if entry.strip())
    return {key.strip(): " ".join(value.split()) for key, _, value in entries}


SPELLED_OUT = _pairs(
    """num: number of; nums: numbers of; nr: number of; qty: quantity; amt: amount; avg: average; pct: percent; perc: percent;
    hrs: hours; hr: hour; mins: minutes; secs: seconds; lbs: pounds; lb: pound; oz: ounces; init: initial; orig: original;
    diff: difference; tot: total; rem: remaining; vol: volume; dist: distance; max: maximum; prev: previous; curr: current;
    cur: current; prob: probability; temp: temperature; yr: year; yrs: years; wk: week; wks: weeks; addl: additional;
    pts: points; pkg: package; pkgs: packages; doz: dozen; tbsp: tablespoons; tsp: teaspoons; equiv: equivalent; calc: ;
    calculated: ; val: value; sqft: square feet; sqm: square meters; sq: square; denom: denominator; numer: numerator;
    freq: frequency; req: required; std: standard; addtl: additional; excl: without; incl: including; vs: against;
    sqrt: square root of; mult: multiplied; div: divided; approx: approximate; perim: perimeter; circ: circumference"""
)
"""Abbreviations in variable names."""

UNITS = _pairs(
    """hours: hours; hour: hours; hrs: hours; minutes: minutes; mins: minutes; seconds: seconds; days: days; weeks: weeks;
    months: months; years: years; miles: miles; mile: miles; km: km; kilometers: kilometers; kilometres: kilometres;
    meters: meters; metres: metres; m: m; cm: cm; centimeters: centimeters; mm: mm; inches: inches; inch: inches; feet: feet;
    ft: feet; yards: yards; kg: kg; kilograms: kilograms; kgs: kg; g: g; grams: grams; mg: mg; pounds: pounds; lbs: pounds;
    ounces: ounces; oz: ounces; tons: tons; liters: liters; litres: litres; l: liters; ml: ml; milliliters: milliliters;
    gallons: gallons; quarts: quarts; pints: pints; cups: cups; mph: mph; kmh: km/h; kph: km/h; degrees: degrees; cents: cents;
    tablespoons: tablespoons; teaspoons: teaspoons; calories: calories; acres: acres; sqft: square feet;
    sqm: square meters; in: inches; min: minutes; hr: hours; sec: seconds; secs: seconds"""
)
"""Units of measure as the last word of a name, and how they are written behind a number."""

SINGULAR = _pairs("feet: foot; inches: inch; km: km; m: m; cm: cm; mm: mm; kg: kg; g: g; mg: mg; ml: ml; mph: mph; km/h: km/h")
"""Units whose singular is not the plural without its s."""

ALWAYS_UNITS = _words("km m cm mm ft kg kgs g mg l ml mph kmh kph sqft sqm")
"""Abbreviations that are never a noun of their own at the end of a name."""

AREAS = _words("square sq cubic")

MEASURED = _words(
    """time times duration distance length width height depth weight speed age perimeter radius diameter thickness volume
    mass capacity long tall trip drive travel in journey area circumference side base hypotenuse rainfall elevation altitude
    walked run ran driven traveled travelled walk swim"""
)
"""What has a unit behind it: `trip_distance_miles` is a distance, in miles."""

LENGTHS = _words(
    "distance length width height depth thickness radius diameter perimeter circumference side base elevation jump"
)
"""What is measured in inches: `door_height_in`."""

MONEY = _words(
    """price prices cost costs money dollars dollar earnings earning earned revenue profit profits salary salaries wage wages
    paid payment payments spent spending savings budget bill bills tip tips income expense expenses expenditure allowance
    fee fees cash usd bonus rent loan debt donation donations deposit interest sales discount tax refund commission worth
    balance subtotal fund funds pay charge fare subscription investment raised owed saved"""
)
"""Words in a name that make its number an amount of money, in a question about money."""

NOT_MONEY = _words(
    """rate percent percentage percentages pct ratio fraction factor multiplier proportion share number num count people
    hours hour minutes days weeks months years items units times probability decimal portion boxes tickets
    customers employees students workers books apples cups pounds miles gallons sold visitors quantity qty pieces"""
)

AS_PERCENT = _words("percent percentage percents percentages pct perc rate")
"""Words in a name that make a number below 1 a share in per cent."""

PERCENT = _words("percent percents percentage percentages pct perc")
"""Words in a name that make a larger number one of per cent."""

AMOUNTS = _words("amount value decimal increase decrease reduction number")
"""What a percentage gives when it is applied, or is turned into."""

GENERIC = _words(
    "result results answer answers res ans output out final value solution ret returned retval x y z n a b c d k p q r s t w"
)
"""Names that say nothing."""

NOT_POSSESSED = _words(
    """has have had ate eat eats spent spend spends paid pays pay got gets get sold sells gave gives bought buys made makes
    read reads ran runs needs need earns drinks drank won lost took takes left is was does did will would can should must and
    or to of in per for from with after before at on has by as than not sends sent kept keeps found finds put puts drove
    drives sang wrote writes built builds grew rode rides swam threw caught brought came went goes saw taught told wants
    saves picks uses owes gains loses shares plants bakes walks works sleeps finishes scored"""
)
"""What follows a person's name without 's: `john_ate` is "John ate", `john_share` "John's share"."""

OPENINGS = _words(
    """the a an if how what she he they it in on at there each every one two three four five six seven eight nine ten after
    before when for with his her their its this that these those some many all both out during today yesterday last next
    who where which why then find calculate determine given suppose assume student question problem total if assuming by
    from of to as since while once my our your we i you another other only so but and or not no at half twice later
    initially originally currently together per during let here is are was were do does did has have had will would can
    could should must being mr mrs ms dr"""
)
"""Capitalised at the beginning of a sentence without being a name."""

NUMBER_WORDS: dict[float, tuple[str, ...]] = {
    value: (word, *others)
    for value, (word, *others) in enumerate(
        (
            ("zero",), ("one",), ("two",), ("three", "third", "triple", "thrice"),
            ("four", "quarter", "quadruple"), ("five", "fifth"),
            ("six", "half a dozen"), ("seven",), ("eight",), ("nine", "ninth"), ("ten", "decade"), ("eleven",),
            ("twelve", "dozen", "twelfth"), ("thirteen",), ("fourteen",), ("fifteen",), ("sixteen",), ("seventeen",),
            ("eighteen",), ("nineteen",), ("twenty", "score"),
        )
    )
}  # fmt: skip
"""How a question may write a small number."""
