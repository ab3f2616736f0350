"""choices.py - random names, types, options and expressions.

Expressions are made so that they stay valid when the type of a column changes
within its family.
"""
from database import Database
from nouns import Composite, Domain, Enum, Expr, Function, Schema, Sequence, Type

WORDS = ("account", "address", "device", "event", "invoice", "item", "message", "note", "payment", "price",
         "product", "region", "session", "shipment", "ticket", "visit")
ODD_WORDS = ("Mixed Case", "order", "user", 'qu"ote', "größe", "semi;colon", "UPPER", "$dollar$")
LABELS = ("new", "open", "paid", "sent", "it's late", "Done", "with space", "größer", "x", "cancelled")
COMMENTS = ("plain words", "it's quoted", "two\nlines", "back\\slash", "a $$ in it", "-- not a comment")

# Types that convert into each other without loss of the expressions over them.
TYPES = {
    "INT": ("smallint", "integer", "bigint"),
    "NUM": ("numeric", "numeric(10,2)", "numeric(14,4)", "double precision", "real"),
    "TEXT": ("text", "varchar(20)", "varchar(80)", "varchar"),
    "CHAR": ("char(3)", "char(8)"),
    "BOOL": ("boolean",),
    "DATE": ("date",),
    "TS": ("timestamp", "timestamptz", "timestamptz(3)"),
    "TIME": ("time", "time(3)"),
    "SPAN": ("interval", "interval(3)"),
    "UUID": ("uuid",),
    "JSON": ("jsonb",),
    "BYTES": ("bytea",),
    "NET": ("inet",),
    "RANGE": ("tstzrange",),
    "TEXTS": ("text[]", "varchar(20)[]"),
    "INTS": ("integer[]", "bigint[]"),
    "BITS": ("bit varying(8)", "bit varying(16)"),
    "VECTOR": ("tsvector",),
    "POINT": ("point",),
}
DEFAULTS = {
    "INT": ("0", "42", "-1", "(1 + 2)"), "NUM": ("0", "1.5", "'-3.25'"), "TEXT": ("''", "'it''s'", "upper('a')", "CURRENT_USER"),
    "CHAR": ("'abc'",), "BOOL": ("true", "false"), "DATE": ("CURRENT_DATE", "'2020-02-29'"), "TS": ("now()", "'2020-01-01'"),
    "TIME": ("'12:00'",), "SPAN": ("'1 day'",), "UUID": ("gen_random_uuid()",), "JSON": ("'{}'", "'{\"a\": [1, 2]}'"),
    "BYTES": ("'\\x00ff'",), "NET": ("'10.0.0.1'",), "RANGE": ("'empty'",), "TEXTS": ("'{}'", "ARRAY['a', 'b']"),
    "INTS": ("'{}'", "ARRAY[1, 2]"), "BITS": ("B'101'",), "VECTOR": ("''",), "POINT": ("'(0,0)'",), "ARRAY": ("'{}'",),
}
CONDITIONS = {
    "INT": ("{} > 0", "{} BETWEEN 1 AND 10", "{} IN (1, 2, 3)", "{} % 2 = 0", "({} + 1) * 2 <> 7"),
    "NUM": ("{} >= 0", "{} < 1000.5", "abs({}) < 100"),
    "TEXT": ("length({}) > 0", "{} <> ''", "{} LIKE 'a%'", "lower({}) = 'x'", "{} ~ '^[a-z]+$'", "{} IN ('a', 'b')"),
    "CHAR": ("{} <> 'x'",), "BOOL": ("{}", "NOT {}", "{} IS TRUE"), "DATE": ("{} > '2020-01-01'",), "TS": ("{} > '2020-01-01'",),
    "JSON": ("({} ->> 'k') IS NOT NULL", "{} ? 'k'"), "SPAN": ("{} > '1 hour'",), "TEXTS": ("cardinality({}) < 9",),
    "INTS": ("cardinality({}) < 9",), "RANGE": ("NOT isempty({})",),
}
SORTABLE = {"INT", "NUM", "TEXT", "CHAR", "BOOL", "DATE", "TS", "TIME", "SPAN", "UUID", "BYTES", "NET", "BITS", "ENUM"}
COLLATIONS = ('"C"', '"POSIX"', "ucs_basic")
ACTIONS = ("NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT")


class Choices:
    """The random choices of a database's maker; they add nothing to it."""

    def __init__(self, rng):
        self.rng = rng
        self.db = Database()
        self.count = 0

    def chance(self, share):
        return self.rng.random() < share

    def pick(self, choices):
        choices = list(choices)
        return self.rng.choice(choices) if choices else None

    def name(self):
        self.count += 1
        word = self.pick(ODD_WORDS) if self.chance(0.12) else self.pick(WORDS)
        return f"{word}_{self.count}" if " " not in word else f"{word} {self.count}"

    def comment(self):
        return self.pick(COMMENTS) if self.chance(0.2) else None

    def base(self):
        """Fields of every object in a schema."""
        return dict(name=self.name(), comment=self.comment(), schema=self.pick(self.db.all(Schema)))

    def builtin(self, families=TYPES):
        family = self.pick(families)
        return Type(family, self.pick(TYPES[family]))

    def type(self):
        """Any type a column can have."""
        roll = self.rng.random()
        if roll < 0.15 and self.db.all(Enum):
            return Type("ENUM", node=self.pick(self.db.all(Enum)), is_array=self.chance(0.15))
        if roll < 0.25 and self.db.all(Domain):
            domain = self.pick(self.db.all(Domain))
            return Type(domain.base.family, node=domain, is_array=self.chance(0.1))
        if roll < 0.3 and self.db.all(Composite):
            return Type("ROW", node=self.pick(self.db.all(Composite)), is_array=self.chance(0.3))
        return self.builtin() if self.chance(0.5) else self.builtin(("INT", "TEXT", "TS", "BOOL", "NUM", "UUID"))

    def sequence_choices(self):
        """Options of a sequence that go together."""
        options = {}
        if self.chance(0.3):
            options["INCREMENT BY"] = self.pick((2, 5, 10))
        if self.chance(0.3):
            options["START WITH"] = self.pick((10, 100))
        if self.chance(0.2):
            options["MINVALUE"] = self.pick((1, 5))
        if self.chance(0.2):
            options["MAXVALUE"] = self.pick((1000, 30000))
        if self.chance(0.2):
            options["CACHE"] = self.pick((10, 20))
        if self.chance(0.2):
            options["CYCLE"] = ""
        if options.get("MINVALUE", 1) > options.get("START WITH", 5):
            del options["MINVALUE"]
        return options

    def functions(self, role):
        return [function for function in self.db.all(Function) if function.role == role]

    def condition(self, columns):
        """A boolean expression over some columns."""
        column = self.pick(columns)
        if column is None:
            return Expr(["true"])
        one = self.simple_condition(column)
        if self.chance(0.25):
            other = self.simple_condition(self.pick(columns))
            one = Expr(["(", *one.parts, self.pick((") AND (", ") OR (")), *other.parts, ")"])
        return one

    def simple_condition(self, column):
        predicate = self.pick(f for f in self.functions("pure") if f.family == "BOOL")
        if column.family == "INT" and predicate and self.chance(0.25):
            return Expr([predicate, "(", column, ")"])
        enum = enum_of(column)
        if enum and enum.labels and self.chance(0.8):
            return Expr([column, self.pick((" = ", " <> ", " >= ")), self.pick(enum.labels)])
        before, after = self.pick(CONDITIONS.get(column.family, ("{} IS NOT NULL",))).split("{}")
        return Expr([before, column, after])

    def scalar(self, column):
        """An immutable expression over a column and its family, or None."""
        function = self.pick(f for f in self.functions("pure") if f.arguments[0][1].family == column.family
                             and f.arguments[0][1].node in (None, enum_of(column)) and f.family != "BOOL")
        if function and column.family in ("INT", "TEXT", "ENUM") and self.chance(0.5):
            return Expr([function, "(", column, ")"]), function.family
        if column.family == "INT":
            return Expr([column, f" + {self.rng.randint(1, 9)}"]), "INT"
        if column.family == "TEXT":
            return Expr([self.pick(("lower(", "btrim(")), column, ")"]), "TEXT"
        if column.family == "JSON":
            return Expr(["(", column, " ->> 'k')"]), "TEXT"
        return None, None

    def default(self, of):
        if of.is_array:
            return Expr(["'{}'"])
        if of.family == "ENUM":
            return Expr([self.pick(of.node.labels)]) if of.node.labels else None
        function = self.pick(f for f in self.functions("pure") if f.family == of.family and f.arguments[0][1].family == of.family)
        if function and of.node is None and of.text in ("bigint", "text", "varchar") and self.chance(0.4):
            return Expr([function, "(1)" if of.family == "INT" else "('a')"])
        if of.text in ("integer", "bigint") and self.db.all(Sequence) and self.chance(0.15):
            sequence = self.pick(self.db.all(Sequence))
            return nextval(sequence) if "'" not in sequence.qualified else None
        return Expr([self.pick(DEFAULTS[of.family])]) if of.family in DEFAULTS else None


def nextval(sequence):
    return Expr(["nextval('", sequence, "'::regclass)"])


def enum_of(column):
    of = getattr(column, "type", None)
    return of.node if of and isinstance(of.node, Enum) and not of.is_array else None
