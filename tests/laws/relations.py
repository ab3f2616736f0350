"""relations.py - tables, views and all that hangs on them, and the DDL of each."""
import dataclasses

from nouns import Expr, Function, Node, Object, Type, literal, quote, sequence_options


class ColumnLike(Node):
    """A column of a table or of a view."""

    def render(self, aliases=None, prefix=""):
        alias = aliases.get(self.owner) if aliases else None
        return prefix + (f"{alias}." if alias else "") + quote(self.name)

    def target(self):
        return f"COLUMN {self.owner.qualified}.{quote(self.name)}"


@dataclasses.dataclass(eq=False)
class Column(ColumnLike):
    owner: Node = None
    type: Type = None
    not_null: bool = False
    default: Expr = None
    generated: Expr = None
    identity: str = None      # ALWAYS or BY DEFAULT
    identity_options: dict = dataclasses.field(default_factory=dict)
    collation: str = None
    storage: str = None
    compression: str = None
    statistics: int = None

    @property
    def family(self):
        """What expressions may take it for."""
        return "ARRAY" if self.type.is_array else self.type.family

    def refs(self):
        return self.type.refs() | (self.generated.refs() if self.generated else set())

    def text(self):
        text = f"{quote(self.name)} {self.type.render()}"
        text += f" COLLATE {self.collation}" if self.collation else ""
        text += f" DEFAULT {self.default.render()}" if self.default else ""
        text += f" GENERATED ALWAYS AS ({self.generated.render()}) STORED" if self.generated else ""
        if self.identity:
            options = sequence_options(self.identity_options)
            text += f" GENERATED {self.identity} AS IDENTITY" + (f" ({options.strip()})" if options else "")
        return text + (" NOT NULL" if self.not_null else "")

    def later(self):
        head = f"ALTER TABLE {self.owner.qualified} ALTER COLUMN {quote(self.name)} SET"
        for word, value in (("STORAGE", self.storage), ("COMPRESSION", self.compression), ("STATISTICS", self.statistics)):
            if value is not None:
                yield f"{head} {word} {value}"


@dataclasses.dataclass(eq=False)
class Constraint(Node):
    """name may be empty: the server gives one.  Foreign keys, and others not marked may_be_inline, are added later."""
    owner: Node = None
    kind: str = "CHECK"       # PRIMARY KEY, UNIQUE, CHECK, FOREIGN KEY, EXCLUDE
    columns: list = dataclasses.field(default_factory=list)
    expr: Expr = None         # of CHECK and EXCLUDE, all that stands in their parentheses
    key: Node = None          # the constraint a foreign key refers to
    before: str = ""          # between the kind and the columns: NULLS NOT DISTINCT, USING gist
    after: str = ""           # all that follows
    where: Expr = None        # of EXCLUDE
    include: list = dataclasses.field(default_factory=list)
    may_be_inline: bool = True

    @property
    def is_inline(self):
        """Of keys on the same columns, CREATE TABLE makes only one."""
        twins = [c for c in self.owner.constraints if c.kind in ("PRIMARY KEY", "UNIQUE") and c.columns == self.columns]
        return self.may_be_inline and (self.kind != "UNIQUE" or twins == [self])

    def refs(self):
        found = {self.owner, *self.columns, *self.include}
        found |= set().union(*(expr.refs() for expr in (self.expr, self.where) if expr))
        return found | ({self.key, self.key.owner, *self.key.columns} if self.key else set())

    def text(self):
        text = f"CONSTRAINT {quote(self.name)} " if self.name else ""
        inside = self.expr.render() if self.expr else ", ".join(quote(column.name) for column in self.columns)
        text += " ".join(filter(None, [self.kind, self.before, f"({inside})"]))
        if self.include:
            text += f" INCLUDE ({', '.join(quote(column.name) for column in self.include)})"
        if self.key:
            text += f" REFERENCES {self.key.owner.qualified} ({', '.join(quote(column.name) for column in self.key.columns)})"
        text += f" WHERE ({self.where.render()})" if self.where else ""
        return text + (" " + self.after if self.after else "")

    def ddl(self):
        return [f"ALTER TABLE {self.owner.qualified} ADD {self.text()}"]

    def target(self):
        return f"CONSTRAINT {quote(self.name)} ON {self.owner.qualified}" if self.name else None


@dataclasses.dataclass(eq=False)
class Index(Node):
    """Of a table or a materialized view; it lives in the schema of its owner."""
    owner: Node = None
    is_unique: bool = False
    method: str = "btree"
    parts: list = dataclasses.field(default_factory=list)     # [Expr, what follows it: opclass, DESC, ...]
    include: list = dataclasses.field(default_factory=list)
    options: str = ""
    where: Expr = None
    after: str = ""           # NULLS NOT DISTINCT

    def refs(self):
        found = {self.owner, *self.include} | set().union(*(expr.refs() for expr, _ in self.parts))
        return found | (self.where.refs() if self.where else set())

    @property
    def qualified(self):
        return f"{quote(self.owner.schema.name)}.{quote(self.name)}"

    def ddl(self):
        parts = ", ".join(part_text(expr) + (" " + rest if rest else "") for expr, rest in self.parts)
        text = f"CREATE {'UNIQUE ' if self.is_unique else ''}INDEX {quote(self.name)} ON {self.owner.qualified}"
        text += f" USING {self.method} ({parts})"
        if self.include:
            text += f" INCLUDE ({', '.join(quote(column.name) for column in self.include)})"
        text += " " + self.after if self.after else ""
        text += f" WITH ({self.options})" if self.options else ""
        return [text + (f" WHERE {self.where.render()}" if self.where else "")]

    def target(self):
        return f"INDEX {self.qualified}"


def is_plain(expr):
    """A column, and nothing done to it."""
    return len(expr.parts) == 1 and isinstance(expr.parts[0], ColumnLike)


def part_text(expr):
    return expr.render() if is_plain(expr) else f"({expr.render()})"


@dataclasses.dataclass(eq=False)
class Trigger(Node):
    owner: Node = None
    timing: str = "BEFORE"
    events: list = dataclasses.field(default_factory=list)
    update_of: list = dataclasses.field(default_factory=list)
    each: str = "ROW"
    when: Expr = None         # over columns, rendered as NEW.column
    function: Function = None
    arguments: list = dataclasses.field(default_factory=list)
    extra: str = ""           # REFERENCING ..., or DEFERRABLE ... of a constraint trigger
    is_constraint: bool = False
    enabled: str = ""         # DISABLE, ENABLE REPLICA, ENABLE ALWAYS

    def refs(self):
        return {self.owner, self.function, *self.update_of} | (self.when.refs() if self.when else set())

    def ddl(self):
        events = [e + (" OF " + ", ".join(quote(c.name) for c in self.update_of) if e == "UPDATE" and self.update_of else "")
                  for e in self.events]
        text = f"CREATE {'CONSTRAINT ' if self.is_constraint else ''}TRIGGER {quote(self.name)} {self.timing} {' OR '.join(events)}"
        text += f" ON {self.owner.qualified}" + (" " + self.extra if self.extra else "") + f" FOR EACH {self.each}"
        text += f" WHEN ({self.when.render(prefix='NEW.')})" if self.when else ""
        return [text + f" EXECUTE FUNCTION {self.function.qualified}({', '.join(map(literal, self.arguments))})"]

    def later(self):
        if self.enabled:
            yield f"ALTER TABLE {self.owner.qualified} {self.enabled} TRIGGER {quote(self.name)}"

    def target(self):
        return f"TRIGGER {quote(self.name)} ON {self.owner.qualified}"


@dataclasses.dataclass(eq=False)
class Policy(Node):
    owner: Node = None
    is_restrictive: bool = False
    command: str = "ALL"
    roles: str = "PUBLIC"
    using: Expr = None
    check: Expr = None

    def refs(self):
        return {self.owner} | set().union(*(expr.refs() for expr in (self.using, self.check) if expr))

    def ddl(self):
        text = f"CREATE POLICY {quote(self.name)} ON {self.owner.qualified}"
        text += " AS RESTRICTIVE" if self.is_restrictive else ""
        text += f" FOR {self.command} TO {self.roles}"
        text += f" USING ({self.using.render()})" if self.using else ""
        return [text + (f" WITH CHECK ({self.check.render()})" if self.check else "")]

    def target(self):
        return f"POLICY {quote(self.name)} ON {self.owner.qualified}"


@dataclasses.dataclass(eq=False)
class Table(Object):
    columns: list = dataclasses.field(default_factory=list)
    constraints: list = dataclasses.field(default_factory=list)
    indexes: list = dataclasses.field(default_factory=list)
    triggers: list = dataclasses.field(default_factory=list)
    policies: list = dataclasses.field(default_factory=list)
    is_unlogged: bool = False
    options: str = ""
    flags: set = dataclasses.field(default_factory=set)   # ENABLE, FORCE (row level security)
    replica_identity: str = ""
    word = "TABLE"

    def inline(self):
        return [constraint for constraint in self.constraints if constraint.is_inline]

    def refs(self):
        """All that CREATE TABLE needs to be there."""
        found = super().refs()
        for column in self.columns:
            found |= column.refs() | (column.default.refs() if column.default else set())
        for constraint in self.inline():
            found |= constraint.refs()
        return {node for node in found if getattr(node, "owner", None) is not self and node is not self}

    def ddl(self):
        inside = ",\n    ".join([column.text() for column in self.columns] + [c.text() for c in self.inline()])
        text = f"CREATE {'UNLOGGED ' if self.is_unlogged else ''}TABLE {self.qualified} (\n    {inside}\n)"
        return [text + (f" WITH ({self.options})" if self.options else "")]

    def later(self):
        for flag in sorted(self.flags):
            yield f"ALTER TABLE {self.qualified} {flag} ROW LEVEL SECURITY"
        if self.replica_identity:
            yield f"ALTER TABLE {self.qualified} REPLICA IDENTITY {self.replica_identity}"

    def children(self):
        return [*self.columns, *self.constraints, *self.indexes, *self.triggers, *self.policies]


@dataclasses.dataclass(eq=False)
class Output(ColumnLike):
    """A column of a view."""
    owner: Node = None
    family: str = ""
    expr: Expr = None


@dataclasses.dataclass(eq=False)
class View(Object):
    """View or materialized view: one or two relations, joined, filtered, grouped."""
    outputs: list = dataclasses.field(default_factory=list)
    sources: list = dataclasses.field(default_factory=list)   # tables and views, aliased a, b
    join: Expr = None
    where: Expr = None
    group: list = dataclasses.field(default_factory=list)     # outputs grouped by
    shape: str = "plain"      # plain, with, union
    options: str = ""
    after: str = ""           # WITH CHECK OPTION, WITH NO DATA
    is_materialized: bool = False
    indexes: list = dataclasses.field(default_factory=list)
    triggers: list = dataclasses.field(default_factory=list)

    @property
    def word(self):
        return "MATERIALIZED VIEW" if self.is_materialized else "VIEW"

    def refs(self):
        found = super().refs() | set(self.sources)
        for expr in [output.expr for output in self.outputs] + [self.join, self.where]:
            found |= expr.refs() if expr else set()
        return found

    def query(self):
        aliases = dict(zip(self.sources, "ab"))
        outputs = ", ".join(f"{output.expr.render(aliases)} AS {quote(output.name)}" for output in self.outputs)
        text = f"SELECT {outputs}\n FROM {self.sources[0].qualified} a"
        if self.join:
            text += f"\n JOIN {self.sources[1].qualified} b ON {self.join.render(aliases)}"
        text += f"\n WHERE {self.where.render(aliases)}" if self.where else ""
        if self.group:
            text += "\n GROUP BY " + ", ".join(output.expr.render(aliases) for output in self.group)
        if self.shape == "with":
            text = f"WITH w AS (\n{text}\n) SELECT * FROM w"
        return f"{text}\n UNION ALL\n{text}" if self.shape == "union" else text

    @property
    def is_checkable(self):
        """Only a view of one table's rows can check what is written through it."""
        is_simple = isinstance(self.sources[0], Table) and not self.join and not self.group and self.shape == "plain"
        return is_simple and any(is_plain(output.expr) for output in self.outputs)

    @property
    def is_populated(self):
        """One that reads an unpopulated materialized view cannot be populated itself."""
        return self.after != "WITH NO DATA" and all(s.is_populated for s in self.sources if isinstance(s, View))

    def ddl(self):
        text = f"CREATE {self.word} {self.qualified}" + (f" WITH ({self.options})" if self.options else "")
        after = "" if "CHECK" in self.after and not self.is_checkable else self.after
        after = "WITH NO DATA" if self.is_materialized and not self.is_populated else after
        return [f"{text} AS\n{self.query()}" + (f"\n {after}" if after else "")]

    def children(self):
        return [*self.outputs, *self.indexes, *self.triggers]
