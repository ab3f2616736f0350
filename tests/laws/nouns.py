"""nouns.py - what a generated schema is made of, but for its relations, and the DDL of each.

A database is a graph: expressions, columns and types are held as objects, not
as names, so that a renamed or retyped object is right wherever it is used, and
one that is dropped takes along what cannot do without it (database.py).
"""
import dataclasses
import re

RESERVED = {"order", "user", "group", "table", "select", "check", "default", "end", "desc", "limit", "all"}


def quote(name):
    if re.fullmatch(r"[a-z_][a-z0-9_]*", name) and name not in RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def literal(text):
    return "'" + text.replace("'", "''") + "'"


@dataclasses.dataclass(eq=False)
class Node:
    """Anything that can be referred to."""
    name: str = ""
    comment: str = None

    def refs(self):
        """The nodes it cannot do without."""
        return set()


@dataclasses.dataclass(eq=False)
class Expr:
    """SQL text with nodes in it."""
    parts: list

    def refs(self):
        return {part for part in self.parts if isinstance(part, Node)}

    def render(self, aliases=None, prefix=""):
        """aliases: owner of a column -> the alias to qualify it with; prefix: the same for all."""
        return "".join(part if isinstance(part, str) else part.render(aliases, prefix) for part in self.parts)


@dataclasses.dataclass(eq=False)
class Type:
    """A column's type: a built-in one by its text, or a user's; family decides what can be done with it."""
    family: str
    text: str = ""
    node: Node = None
    is_array: bool = False

    def refs(self):
        return {self.node} if self.node else set()

    def render(self):
        return (self.node.qualified if self.node else self.text) + ("[]" if self.is_array else "")


@dataclasses.dataclass(eq=False)
class Schema(Node):
    def ddl(self):
        return [] if self.name == "public" else [f"CREATE SCHEMA {quote(self.name)}"]

    def target(self):
        return f"SCHEMA {quote(self.name)}"


@dataclasses.dataclass(eq=False)
class Object(Node):
    """A node that lives in a schema."""
    schema: Schema = None

    @property
    def qualified(self):
        return f"{quote(self.schema.name)}.{quote(self.name)}"

    def refs(self):
        return {self.schema}

    def target(self):
        return f"{self.word} {self.qualified}"

    def render(self, aliases=None, prefix=""):
        return self.qualified


@dataclasses.dataclass(eq=False)
class Label(Node):
    enum: Node = None

    def render(self, aliases=None, prefix=""):
        return f"{literal(self.name)}::{self.enum.qualified}"


@dataclasses.dataclass(eq=False)
class Enum(Object):
    labels: list = dataclasses.field(default_factory=list)
    word = "TYPE"

    def ddl(self):
        labels = ", ".join(literal(label.name) for label in self.labels)
        return [f"CREATE TYPE {self.qualified} AS ENUM ({labels})"]


@dataclasses.dataclass(eq=False)
class Domain(Object):
    base: Type = None
    default: Expr = None
    not_null: bool = False
    collation: str = None
    checks: dict = dataclasses.field(default_factory=dict)   # name -> Expr
    word = "DOMAIN"

    def refs(self):
        return super().refs() | self.base.refs() | set().union(*(expr.refs() for expr in self.checks.values()))

    def ddl(self):
        text = f"CREATE DOMAIN {self.qualified} AS {self.base.render()}"
        text += f" COLLATE {self.collation}" if self.collation else ""
        text += f" DEFAULT {self.default.render()}" if self.default else ""
        text += " NOT NULL" if self.not_null else ""
        return [text + "".join(f" CONSTRAINT {quote(name)} CHECK ({expr.render()})" for name, expr in self.checks.items())]


@dataclasses.dataclass(eq=False)
class Composite(Object):
    attributes: dict = dataclasses.field(default_factory=dict)   # name -> Type
    word = "TYPE"

    def refs(self):
        return super().refs() | set().union(*(of.refs() for of in self.attributes.values()))

    def ddl(self):
        inside = ", ".join(f"{quote(name)} {of.render()}" for name, of in self.attributes.items())
        return [f"CREATE TYPE {self.qualified} AS ({inside})"]


@dataclasses.dataclass(eq=False)
class Sequence(Object):
    options: dict = dataclasses.field(default_factory=dict)   # in the order of SEQUENCE_OPTIONS
    owned_by: Node = None
    word = "SEQUENCE"

    def ddl(self):
        return [f"CREATE SEQUENCE {self.qualified}" + sequence_options(self.options)]

    def later(self):
        if self.owned_by:
            yield f"ALTER SEQUENCE {self.qualified} OWNED BY {self.owned_by.owner.qualified}.{quote(self.owned_by.name)}"


SEQUENCE_OPTIONS = ("AS", "INCREMENT BY", "MINVALUE", "MAXVALUE", "START WITH", "CACHE", "CYCLE")


def sequence_options(options):
    return "".join(f" {word} {options[word]}".rstrip() for word in SEQUENCE_OPTIONS if word in options)


@dataclasses.dataclass(eq=False)
class Function(Object):
    """Function, procedure or trigger function.  role: pure, query, trigger or procedure."""
    role: str = "pure"
    arguments: list = dataclasses.field(default_factory=list)   # [name, Type, default text or None]
    returns: Expr = None          # None: a procedure
    family: str = ""              # of the result
    language: str = "sql"
    attributes: list = dataclasses.field(default_factory=list)  # IMMUTABLE, STRICT, ...
    body: Expr = None
    is_atomic: bool = False       # the body is parsed, not a string

    def refs(self):
        found = super().refs() | self.body.refs() | set().union(*(of.refs() for _, of, _ in self.arguments))
        return found | (self.returns.refs() if self.returns else set())

    @property
    def word(self):
        return "PROCEDURE" if self.role == "procedure" else "FUNCTION"

    def target(self):
        return f"{self.word} {self.qualified}({', '.join(of.render() for _, of, _ in self.arguments)})"

    def ddl(self):
        arguments = ", ".join(f"{quote(name)} {of.render()}" + (f" DEFAULT {default}" if default else "")
                              for name, of, default in self.arguments)
        text = f"CREATE {self.word} {self.qualified}({arguments})"
        text += f" RETURNS {self.returns.render()}" if self.returns else ""
        text += f" LANGUAGE {self.language}" + "".join(" " + word for word in self.attributes)
        body = self.body.render()
        return [f"{text}\n{body}" if self.is_atomic else f"{text}\nAS $body${body}$body$"]
