"""Closed lists of English words that verification and question analysis lean on.

What lives here are sets of plain words, nothing else. Words of other languages fall through
every list unharmed: then names, numbers and meaning decide alone.
"""

from __future__ import annotations


def word_set(words: str) -> frozenset[str]:
    """The words of a text separated by white space."""
    return frozenset(words.split())


FUNCTION_WORDS = word_set(
    """a an the this that these those such some any each every either neither both all no not nor
    and or but if then else so than as at by for from in into of off on onto out over per to up
    upon via with within without about above across after again against along among around before
    behind below beneath beside besides between beyond down during except inside like near
    outside since through throughout toward towards under until while whilst because although
    though unless whereas whether is am are was were be been being do does did doing done has have
    had having can could may might must shall should will would ought i me my mine myself we us
    our ours ourselves you your yours yourself he him his himself she her hers herself it its
    itself they them their theirs themselves one ones who whom whose which what when where why how
    there here also just only very too even still yet already ever never quite rather really more
    most much many few less least other another same own s t re ve ll d m don doesn didn isn aren
    wasn weren hasn haven hadn won wouldn couldn shouldn cannot et al etc eg ie"""
)

# Words of a question that say what is asked for, not what it is about.
ASKING_WORDS = word_set(
    """name tell give list describe explain state define identify find show please know called
    named mean meaning kind type sort following according use used using many much often long far
    old percent percentage amount number year date time person people place"""
)

# Verbs that say so little that a text may answer a question without them.
LIGHT_VERBS = word_set(
    """come comes came go goes went get gets got take takes took taken make makes made give gives
    gave given happen happens happened occur occurs occurred exist exists existed become becomes
    became belong belongs belonged work works worked need needs needed start starts started begin
    begins began"""
)

NEGATORS = word_set(
    """not no never none nobody nothing nowhere neither nor without cannot cant dont doesnt didnt
    isnt arent wasnt werent hasnt havent hadnt wont wouldnt couldnt shouldnt mustnt aint unable
    fail fails failed lack lacks lacked lacking absence absent hardly scarcely barely"""
)

PRONOUNS = word_set(
    """he she it they his her hers its their theirs him them this that these those such here there
    former latter both"""
)

# Quantifiers by strength. Claiming more than the evidence says is a fault; less is not.
QUANTIFIERS: dict[str, int] = {
    "no": 0, "none": 0, "few": 1, "some": 2, "several": 2, "certain": 2, "sometimes": 2,
    "occasionally": 2, "rarely": 1, "seldom": 1, "many": 3, "often": 3, "frequently": 3,
    "usually": 4, "most": 4, "mostly": 4, "generally": 4, "typically": 4, "majority": 4,
    "all": 5, "every": 5, "always": 5, "each": 5, "entirely": 5, "completely": 5, "only": 6,
    "never": 0, "minority": 1,
}  # fmt: skip

# Pairs of opposites; each side may hold several forms. Compared after stemming.
OPPOSITES: tuple[tuple[str, str], ...] = (
    (
        "increase increases increased increasing rise rises rose risen rising grow "
        "grew grown growth raise raised gain gains gained up higher upregulated "
        "upregulate elevated elevate enhance enhances enhanced boost boosts boosted",
        "decrease decreases decreased decreasing fall falls fell fallen falling "
        "decline declines declined declining drop drops dropped shrink shrank reduce "
        "reduces reduced reduction down lower lowers lowered downregulated "
        "downregulate diminish diminished impair impairs impaired loss lose loses "
        "lost",
    ),
    (
        "more greater larger bigger most exceed exceeds exceeded above over",
        "less fewer smaller least below under",
    ),
    (
        "before earlier prior precede precedes preceded",
        "after later following subsequent follow follows followed",
    ),
    ("first earliest oldest", "last latest final newest youngest"),
    ("largest biggest highest greatest longest tallest", "smallest lowest shortest least"),
    ("high", "low"),
    ("long", "short"),
    ("fast faster quick quicker rapid rapidly", "slow slower slowly"),
    ("hot warm hotter warmer", "cold cool colder cooler"),
    ("old older ancient", "young younger new modern"),
    ("north northern", "south southern"),
    ("east eastern", "west western"),
    ("inside internal inner indoor", "outside external outer outdoor"),
    (
        "start starts started begin begins began begun open opens opened launch launched",
        "end ends ended stop stops stopped finish finished close closes closed",
    ),
    ("win wins won victory winner", "lose loses lost defeat defeated loser"),
    (
        "accept accepts accepted approve approves approved approval allow allows "
        "allowed permit permits permitted",
        "reject rejects rejected refuse refuses refused deny denies denied forbid "
        "forbids forbidden prohibit prohibits prohibited ban bans banned prevent "
        "prevents prevented",
    ),
    ("support supports supported", "oppose opposes opposed"),
    ("positive positively", "negative negatively"),
    (
        "activate activates activated activation promote promotes promoted stimulate "
        "stimulates stimulated induce induces induced",
        "inhibit inhibits inhibited inhibition suppress suppresses suppressed block blocks blocked",
    ),
    ("cause causes caused", "prevent prevents prevented cure cures cured"),
    ("present presence", "absent absence"),
    ("include includes included including", "exclude excludes excluded excluding"),
    ("buy buys bought acquire acquired purchase purchased", "sell sells sold"),
    ("profit profits", "loss losses"),
    (
        "benefit beneficial advantage good better best",
        "harm harmful disadvantage bad worse worst detrimental",
    ),
    ("safe safety", "dangerous unsafe danger hazardous"),
    (
        "success successful succeed succeeded successfully",
        "failure fail failed unsuccessful",
    ),
    ("true correct accurate", "false incorrect wrong inaccurate"),
    ("possible able", "impossible unable"),
    ("legal lawful", "illegal unlawful"),
    ("necessary required mandatory compulsory", "unnecessary optional voluntary"),
    ("common frequent", "rare uncommon infrequent"),
    (
        "male man men father son brother husband king",
        "female woman women mother daughter sister wife queen",
    ),
    ("public", "private"),
    ("rich wealthy", "poor"),
    ("strong stronger strongest", "weak weaker weakest"),
    ("easy easier simple", "difficult hard harder complex"),
    ("maximum max", "minimum min"),
    ("majority", "minority"),
    ("agree agrees agreed", "disagree disagrees disagreed"),
    ("enable enables enabled", "disable disables disabled"),
    ("add adds added", "remove removes removed delete deleted subtract"),
    ("sensitive", "resistant insensitive"),
    ("dominant", "recessive"),
    ("acute", "chronic"),
    ("same identical similar", "different dissimilar distinct"),
    ("born", "died"),
    ("left", "right"),
    ("import imports imported", "export exports exported"),
    ("alive living", "dead"),
)

MONTHS: dict[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "january jan", "february feb", "march mar", "april apr", "may", "june jun",
            "july jul", "august aug", "september sept sep", "october oct", "november nov",
            "december dec",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip

NUMBER_WORDS: dict[str, float] = {
    "zero": 0, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14,
    "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20,
    "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90, "dozen": 12,
}  # fmt: skip

ORDINAL_WORDS: dict[str, float] = {
    "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
    "ninth": 9, "tenth": 10, "eleventh": 11, "twelfth": 12, "twentieth": 20,
}  # fmt: skip

SCALES: dict[str, float] = {
    "hundred": 1e2, "thousand": 1e3, "k": 1e3, "million": 1e6, "millions": 1e6, "mn": 1e6,
    "billion": 1e9, "billions": 1e9, "bn": 1e9, "trillion": 1e12, "tn": 1e12,
}  # fmt: skip

CURRENCIES: dict[str, str] = {
    "$": "USD", "us$": "USD", "usd": "USD", "dollar": "USD", "dollars": "USD", "€": "EUR",
    "eur": "EUR", "euro": "EUR", "euros": "EUR", "£": "GBP", "gbp": "GBP", "pound": "GBP",
    "pounds": "GBP", "¥": "JPY", "yen": "JPY", "₹": "INR", "rs": "INR", "rupees": "INR",
    "chf": "CHF", "francs": "CHF", "cents": "cent", "cent": "cent",
}  # fmt: skip

# Unit -> (dimension, factor to the dimension's base unit).
UNITS: dict[str, tuple[str, float]] = {
    "mm": ("length", 1e-3), "millimetre": ("length", 1e-3), "millimetres": ("length", 1e-3),
    "millimeters": ("length", 1e-3), "cm": ("length", 1e-2), "centimetres": ("length", 1e-2),
    "centimeters": ("length", 1e-2), "metre": ("length", 1), "metres": ("length", 1),
    "meter": ("length", 1), "meters": ("length", 1), "km": ("length", 1e3),
    "kilometre": ("length", 1e3), "kilometres": ("length", 1e3), "kilometer": ("length", 1e3),
    "kilometers": ("length", 1e3), "inch": ("inch", 1), "inches": ("inch", 1),
    "foot": ("foot", 1), "feet": ("foot", 1), "ft": ("foot", 1), "yard": ("yard", 1),
    "yards": ("yard", 1), "mile": ("mile", 1), "miles": ("mile", 1), "mi": ("mile", 1),
    "g": ("mass", 1e-3), "gram": ("mass", 1e-3), "grams": ("mass", 1e-3), "kg": ("mass", 1),
    "kilogram": ("mass", 1), "kilograms": ("mass", 1), "mg": ("mass", 1e-6),
    "milligrams": ("mass", 1e-6), "µg": ("mass", 1e-9), "tonne": ("mass", 1e3),
    "tonnes": ("mass", 1e3), "ton": ("ton", 1), "tons": ("ton", 1), "lb": ("lb", 1),
    "lbs": ("lb", 1), "ounce": ("ounce", 1), "ounces": ("ounce", 1), "oz": ("ounce", 1),
    "ml": ("volume", 1e-3), "millilitres": ("volume", 1e-3), "l": ("volume", 1),
    "litre": ("volume", 1), "litres": ("volume", 1), "liter": ("volume", 1),
    "liters": ("volume", 1), "gallon": ("gallon", 1), "gallons": ("gallon", 1),
    "ms": ("time", 1e-3), "milliseconds": ("time", 1e-3), "seconds": ("time", 1),
    "sec": ("time", 1), "minute": ("time", 60), "minutes": ("time", 60), "min": ("time", 60),
    "hour": ("time", 3600), "hours": ("time", 3600), "day": ("day", 1), "days": ("day", 1),
    "week": ("day", 7), "weeks": ("day", 7), "month": ("month", 1), "months": ("month", 1),
    "year": ("month", 12), "years": ("month", 12), "decades": ("month", 120),
    "centuries": ("month", 1200), "kb": ("bytes", 1e3), "mb": ("bytes", 1e6),
    "gb": ("bytes", 1e9), "tb": ("bytes", 1e12), "bytes": ("bytes", 1), "hz": ("hertz", 1),
    "khz": ("hertz", 1e3), "mhz": ("hertz", 1e6), "ghz": ("hertz", 1e9), "w": ("watt", 1),
    "kw": ("watt", 1e3), "mw": ("watt", 1e6), "watts": ("watt", 1), "volts": ("volt", 1),
    "v": ("volt", 1), "km/h": ("km/h", 1), "mph": ("mph", 1), "°c": ("celsius", 1),
    "°f": ("fahrenheit", 1), "degrees": ("degree", 1), "acres": ("acre", 1),
    "hectares": ("hectare", 1), "ha": ("hectare", 1), "kcal": ("kcal", 1),
    "calories": ("kcal", 1), "bp": ("bp", 1), "times": ("times", 1), "fold": ("times", 1),
}  # fmt: skip
