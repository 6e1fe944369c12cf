"""Rules in a configuration: what changes of some files ask for beyond all others."""

from typing import get_args

from fleet.config.keys import Key, read_table, table_schema
from fleet.config.kinds import CHECK_NAME, FLAG, GLOBS, Kind, choice, list_of, name, whole
from fleet.config.reading import Value
from fleet.core.assessment import Risk
from fleet.core.policy import Land, Rule

PERSON = name(
    "the name of a person, of letters, digits and . _ @ + -", "[A-Za-z0-9][\\w.@+-]{0,59}"
)
RULE_KEYS = (
    Key(
        "name",
        name("a name of letters, digits, dots and dashes", CHECK_NAME),
        "what the rule is called where it is given as a reason",
        required=True,
    ),
    Key("paths", GLOBS, "a change that touches any of these files", required=True),
    Key("land", choice(*get_args(Land)), "with `review`, it needs a person", absent="as the rest"),
    Key("approvals", whole(1, 20), "by so many different people", absent="one"),
    Key(
        "reviewers",
        list_of(PERSON, "a list of names of people"),
        "whose approval counts",
    ),
    Key("lines", whole(1, 10**7), "with more changed lines, it needs a person", absent="no limit"),
    Key("files", whole(1, 10**6), "with more changed files, it needs a person", absent="no limit"),
    Key("risk", choice(*get_args(Risk)), "with a higher risk, it needs a person", absent="any"),
    Key(
        "strict", FLAG, "whether an approval is asked for again when the target moved in its files"
    ),
    Key("alone", FLAG, "whether it is never checked or landed together with others"),
)


def _read_rules(value: Value) -> list[dict[str, object]]:
    rules, lines = [], dict[object, int]()
    for item in value.items("a list of rules"):
        rule = read_table(item, RULE_KEYS)
        if (given := str(rule["name"]).casefold()) in lines:
            raise item.error(f'the rule on line {lines[given]} is called "{given}" already')
        lines[given] = item.line
        if not rule["paths"]:
            raise item.error("the rule has no paths", hint='for every file, write: paths: "**"')
        rules.append(rule)
    return rules


RULES = Kind(
    "a list of rules",
    _read_rules,
    {"type": "array", "items": table_schema(RULE_KEYS, Rule("", ()))},
    lambda rules: list(rules) if isinstance(rules, tuple) else rules,
)
