"""make.py - makes random objects and adds them to a database.

Every method that adds returns the node, or None where the database has nothing
to make it of.
"""
from choices import ACTIONS, COLLATIONS, CONDITIONS, DEFAULTS, LABELS, SORTABLE, Choices, enum_of, nextval
from nouns import Composite, Domain, Enum, Expr, Function, Label, Schema, Sequence, Type
from relations import Column, Constraint, Index, Output, Policy, Table, Trigger, View


class Maker(Choices):
    def add(self, node):
        self.db.objects.append(node)
        return node

    # Types, sequences, functions.

    def schema(self, name=None):
        return self.add(Schema(name or self.name(), None if name else self.comment()))

    def enum(self):
        enum = self.add(Enum(**self.base()))
        labels = self.rng.sample(LABELS, self.rng.randint(2, 5))
        enum.labels = [Label(label, enum=enum) for label in labels]
        return enum

    def domain(self):
        over = self.pick(self.db.all(Domain)) if self.chance(0.2) else None
        base = Type(over.base.family, node=over) if over else self.builtin(("INT", "TEXT", "NUM"))
        domain = Domain(**self.base(), base=base, not_null=self.chance(0.15))
        if base.family == "TEXT" and self.chance(0.3):
            domain.collation = self.pick(COLLATIONS)
        if self.chance(0.3):
            domain.default = Expr([self.pick(DEFAULTS[base.family])])
        for _ in range(self.rng.randint(0, 2)):
            domain.checks[self.name()] = self.domain_check(base)
        return self.add(domain)

    def domain_check(self, base):
        function = self.pick(f for f in self.functions("pure") if f.family == "BOOL")
        if base.family == "INT" and function and self.chance(0.3):
            return Expr([function, "(VALUE)"])
        return Expr([self.pick(CONDITIONS[base.family]).format("VALUE")])

    def composite(self):
        node = Composite(**self.base())
        for _ in range(self.rng.randint(1, 4)):
            node.attributes[self.name()] = self.type()
        return self.add(node)

    def sequence(self):
        options = self.sequence_choices()
        if self.chance(0.3):
            options["AS"] = self.pick(("smallint", "integer", "bigint"))
        return self.add(Sequence(**self.base(), options=options))

    def attributes(self, volatility):
        found = [volatility]
        for word in ("STRICT", "PARALLEL SAFE", "COST 7", "SECURITY DEFINER", "LEAKPROOF", "SET search_path TO 'pg_catalog'"):
            if self.chance(0.12):
                found.append(word)
        return found

    def pure_function(self):
        """Without tables: for defaults, checks, indexes, policies and view columns."""
        kind = self.pick(("INT", "INT", "TEXT", "BOOL", "ENUM"))
        function = Function(**self.base(), role="pure", attributes=self.attributes("IMMUTABLE"))
        inner = self.pick(f for f in self.functions("pure") if f.family == "INT")
        bigint, text = Type("INT", "bigint"), Type("TEXT", "text")
        if kind == "INT":
            function.arguments, function.family = [["x", bigint, None]], "INT"
            called = Expr([inner, "($1) + 1"]) if inner and self.chance(0.3) else Expr([f"$1 + {self.rng.randint(1, 99)}"])
        elif kind == "TEXT":
            function.arguments, function.family = [["t", text, None]], "TEXT"
            called = Expr([self.pick(("upper($1)", "$1 || '!'", "btrim($1)"))])
        elif kind == "ENUM" and self.db.all(Enum):
            enum = self.pick(self.db.all(Enum))
            function.arguments, function.family = [["e", Type("ENUM", node=enum), None]], "TEXT"
            called = Expr(["CASE WHEN $1 = ", self.pick(enum.labels), " THEN 'first' ELSE 'other' END"]) if enum.labels else Expr(["'none'"])
        else:
            function.arguments, function.family = [["x", bigint, None]], "BOOL"
            called = Expr([f"$1 > {self.rng.randint(-9, 0)}"])
        result = {"INT": "bigint", "TEXT": "text", "BOOL": "boolean"}[function.family]
        function.returns = Expr([result])
        if kind == "INT" and self.chance(0.4):
            function.arguments.append(["extra", bigint, str(self.rng.randint(0, 9))])
        self.write_body(function, called)
        return self.add(function)

    def write_body(self, function, result):
        """The body that returns an expression, in one of four ways to say so."""
        roll = self.rng.random()
        function.language, function.is_atomic = "sql", False
        if roll < 0.4:
            function.body = Expr(["SELECT ", *result.parts])
        elif roll < 0.6:
            function.language, function.body = "plpgsql", Expr([" BEGIN RETURN ", *result.parts, "; END "])
        else:
            function.is_atomic = True
            function.body = Expr(["RETURN ", *result.parts] if roll < 0.8 else ["BEGIN ATOMIC SELECT ", *result.parts, "; END"])

    def query_function(self):
        """Reads a table, takes its row type or gives it."""
        table = self.pick(self.db.all(Table))
        if table is None:
            return None
        function = Function(**self.base(), role="query", attributes=self.attributes(self.pick(("STABLE", "VOLATILE"))))
        integers = [column for column in table.columns if column.family == "INT"]
        kind = self.pick(("count", "setof", "row", "table") if integers else ("count", "setof", "row"))
        if kind == "count":
            function.returns, function.family, body = Expr(["bigint"]), "INT", ["SELECT count(*) FROM ", table]
        elif kind == "setof":
            function.returns, body = Expr(["SETOF ", table]), ["SELECT * FROM ", table]
        elif kind == "row":
            function.arguments = [["r", Type("ROW", node=table), None]]
            function.returns, body = Expr(["text"]), ["SELECT $1::text"]
        else:
            column = self.pick(integers)
            function.returns, body = Expr(["TABLE(value bigint)"]), ["SELECT ", column, "::bigint FROM ", table]
        function.is_atomic = kind in ("count", "table") and self.chance(0.4)
        function.body = Expr(["BEGIN ATOMIC ", *body, "; END"] if function.is_atomic else body)
        return self.add(function)

    def trigger_function(self):
        body = self.pick((" BEGIN RETURN NEW; END ", "\nBEGIN\n  -- nothing to do\n  RETURN coalesce(NEW, OLD);\nEND\n"))
        return self.add(Function(**self.base(), role="trigger", returns=Expr(["trigger"]), language="plpgsql", body=Expr([body])))

    def procedure(self):
        arguments = [["a", Type("INT", "integer"), None], ["b", self.type(), "NULL" if self.chance(0.5) else None]]
        return self.add(Function(**self.base(), role="procedure", language="plpgsql", arguments=arguments,
                                 body=Expr([f" BEGIN PERFORM {self.rng.randint(1, 9)}; END "])))

    # Tables.

    def table(self):
        table = self.add(Table(**self.base(), is_unlogged=self.chance(0.08)))
        self.key_column(table)
        for _ in range(self.rng.randint(1, 6)):
            self.column(table)
        if self.chance(0.15):
            table.options = self.pick(("fillfactor=70", "autovacuum_enabled=false", "fillfactor=90, toast.autovacuum_enabled=false"))
        if self.chance(0.2):
            table.flags = self.pick(({"ENABLE"}, {"ENABLE", "FORCE"}, {"FORCE"}))
        if self.chance(0.1):
            table.replica_identity = self.pick(("FULL", "NOTHING"))
        for method, share in ((self.unique, 0.4), (self.check, 0.6), (self.check, 0.3), (self.exclude, 0.3), (self.foreign_key, 0.6),
                              (self.foreign_key, 0.3), (self.index, 0.7), (self.index, 0.4), (self.index, 0.2)):
            if self.chance(share):
                method(table)
        return table

    def key_column(self, table):
        """The first column and a primary key on it, in the ways people make one."""
        kind = self.pick(("identity", "identity", "serial", "uuid", "plain", "none"))
        of = Type("UUID", "uuid") if kind == "uuid" else Type("INT", self.pick(("integer", "bigint")))
        column = Column("id", self.comment(), owner=table, type=of, not_null=True)
        table.columns.append(column)
        if kind == "identity":
            column.identity = self.pick(("ALWAYS", "BY DEFAULT"))
            column.identity_options = self.sequence_choices() if self.chance(0.4) else {}
        elif kind == "serial":
            sequence = self.sequence()
            sequence.options.pop("AS", None)
            sequence.schema, sequence.owned_by = table.schema, column
            column.default = nextval(sequence)
        elif kind == "uuid":
            column.default = Expr(["gen_random_uuid()"])
        if kind != "none":
            self.constraint(table, kind="PRIMARY KEY", columns=[column])

    def column(self, table):
        column = Column(self.name(), self.comment(), owner=table, type=self.type())
        roll = self.rng.random()
        if roll < 0.35:
            column.default = self.default(column.type)
        elif roll < 0.47:
            column.generated, family = self.scalar(self.pick(c for c in table.columns if not c.generated) or column)
            if column.generated:
                column.type = Type(family, {"INT": "bigint", "TEXT": "text"}[family])
        column.not_null = self.chance(0.3)
        if column.type.family == "TEXT" and not column.type.node and not column.type.is_array and self.chance(0.15):
            column.collation = self.pick(COLLATIONS)
        if column.type.family in ("TEXT", "JSON", "BYTES") and not column.type.is_array:
            column.storage = self.pick(("EXTERNAL", "MAIN", "EXTENDED")) if self.chance(0.1) else None
            column.compression = "pglz" if self.chance(0.1) else None
        column.statistics = self.pick((10, 500)) if self.chance(0.08) else None
        table.columns.append(column)
        return column

    def constraint(self, table, **fields):
        fields.setdefault("name", self.name() if self.chance(0.6) else "")
        constraint = Constraint(comment=self.comment() if fields["name"] else None, owner=table, **fields)
        table.constraints.append(constraint)
        return constraint

    def unique(self, table):
        columns = [column for column in table.columns if column.family in SORTABLE]
        if not columns:
            return None
        columns = self.rng.sample(columns, min(len(columns), self.rng.randint(1, 2)))
        others = [column for column in table.columns if column not in columns]
        return self.constraint(table, kind="UNIQUE", columns=columns, before="NULLS NOT DISTINCT" if self.chance(0.2) else "",
                               include=self.rng.sample(others, 1) if others and self.chance(0.2) else [],
                               after=self.pick(("DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED")) if self.chance(0.15) else "")

    def check(self, table):
        is_late = self.chance(0.2)
        after = self.pick(("NOT VALID", "NO INHERIT")) if is_late else ""
        return self.constraint(table, kind="CHECK", expr=self.condition(table.columns), after=after, may_be_inline=not is_late)

    def exclude(self, table):
        ranges = [column for column in table.columns if column.family == "RANGE"]
        sortable = [column for column in table.columns if column.family in SORTABLE]
        if ranges:
            return self.constraint(table, kind="EXCLUDE", before="USING gist", expr=Expr([self.pick(ranges), " WITH &&"]))
        if not sortable or self.chance(0.7):
            return None
        where = self.condition(table.columns) if self.chance(0.3) else None
        return self.constraint(table, kind="EXCLUDE", before="USING btree", expr=Expr([self.pick(sortable), " WITH ="]), where=where)

    def foreign_key(self, table):
        """To any key of one or two columns; columns to refer with are made."""
        keys = [key for other in self.db.all(Table) for key in other.constraints
                if key.kind in ("PRIMARY KEY", "UNIQUE") and not key.before and not key.after
                and (table.is_unlogged or not other.is_unlogged)
                and all(column.family in ("INT", "TEXT", "UUID") and not column.type.node for column in key.columns)]
        key = self.pick(keys)
        if key is None:
            return None
        columns = []
        for target in key.columns:
            columns.append(Column(self.name(), owner=table, type=Type(target.type.family, target.type.text), collation=target.collation))
        table.columns += columns
        after = [self.pick(("MATCH FULL",))] if self.chance(0.1) else []
        if self.chance(0.5):
            action = self.pick(ACTIONS)
            after.append(f"ON DELETE {action}")
        if self.chance(0.3):
            after.append(f"ON UPDATE {self.pick(ACTIONS)}")
        if self.chance(0.2):
            after.append(self.pick(("DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED")))
        if self.chance(0.15):
            after.append("NOT VALID")
        return self.constraint(table, kind="FOREIGN KEY", columns=columns, key=key, after=" ".join(after), may_be_inline=False)

    def index(self, relation):
        """On a table or a materialized view."""
        columns = relation.columns if isinstance(relation, Table) else relation.outputs
        index = Index(self.name(), self.comment(), owner=relation)
        column = self.pick(columns)
        if column is None:
            return None
        if column.family in ("JSON", "TEXTS", "INTS", "VECTOR"):
            index.method, opclass = "gin", "jsonb_path_ops" if column.family == "JSON" and self.chance(0.5) else ""
            index.parts = [[Expr([column]), opclass]]
        elif column.family in ("RANGE", "POINT"):
            index.method, index.parts = "gist", [[Expr([column]), ""]]
        elif column.family in SORTABLE:
            self.sorted_index(index, [c for c in columns if c.family in SORTABLE and c is not column], column)
        else:
            return None
        if self.chance(0.3):
            index.where = self.condition(columns)
        relation.indexes.append(index)
        return index

    def sorted_index(self, index, others, column):
        index.method = self.pick(("btree", "btree", "btree", "btree", "hash", "brin"))
        if index.method == "brin" and column.family not in ("INT", "TS", "DATE") or index.method == "hash" and column.family == "BITS":
            index.method = "btree"
        expr = self.scalar(column)[0] if self.chance(0.3) else None
        index.parts = [[expr or Expr([column]), ""]]
        if index.method == "btree":
            self.sorted_details(index, others, column, has_expression=expr is not None)
        if index.method != "brin" and self.chance(0.1):
            index.options = "fillfactor=80"

    def sorted_details(self, index, others, column, has_expression):
        if column.family == "TEXT" and not has_expression and self.chance(0.3):
            index.parts[0][1] = "text_pattern_ops"
        elif self.chance(0.3):
            index.parts[0][1] = self.pick(("DESC", "DESC NULLS LAST", "ASC NULLS FIRST"))
        others = self.rng.sample(others, min(len(others), self.rng.randint(0, 2)))
        index.parts += [[Expr([other]), self.pick(("", "", "DESC"))] for other in others[:1]]
        index.include = others[1:]
        index.is_unique = self.chance(0.25)
        if index.is_unique and self.chance(0.2):
            index.after = "NULLS NOT DISTINCT"

    # Views and what watches over rows.

    def view(self, is_materialized=False):
        source = self.pick(node for node in self.db.objects if isinstance(node, (Table, View)) and outputs_of(node))
        if source is None:
            return None
        view = View(**self.base(), sources=[source], is_materialized=is_materialized)
        self.add(view)
        self.view_columns(view)
        if is_materialized:
            view.after = "WITH NO DATA" if self.chance(0.4) else ""
            view.options = "fillfactor=80" if self.chance(0.2) else ""
            for _ in range(self.rng.randint(0, 2)):
                self.index(view)
        else:
            view.options = self.pick(("security_barrier=true", "security_invoker=true")) if self.chance(0.2) else ""
            if self.chance(0.3):
                view.after = self.pick(("WITH CHECK OPTION", "WITH LOCAL CHECK OPTION"))
        return view

    def view_columns(self, view):
        """What a view selects, anew."""
        view.join, view.group, view.shape, view.outputs = None, [], "plain", []
        columns = outputs_of(view.sources[0])
        view.where = self.condition(columns) if self.chance(0.5) else None
        if self.chance(0.2):
            self.grouped_columns(view, [column for column in columns if column.family in SORTABLE])
        if not view.outputs:
            self.join(view)
            for column in self.rng.sample(columns, self.rng.randint(1, min(4, len(columns)))):
                self.output(view, column)
            if len(view.sources) > 1:
                self.output(view, self.pick(outputs_of(view.sources[1])))
            view.shape = self.pick(("plain", "plain", "plain", "with", "union"))

    def grouped_columns(self, view, columns):
        if columns:
            column = self.pick(columns)
            view.group = [Output(self.name(), owner=view, family=column.family, expr=Expr([column]))]
            view.outputs = view.group + [Output(self.name(), owner=view, family="INT", expr=Expr(["count(*)"]))]

    def join(self, view):
        view.sources = view.sources[:1]
        other = self.pick(n for n in self.db.objects if isinstance(n, (Table, View)) and n is not view and n is not view.sources[0]
                          and view not in n.refs() and not depends(n, view))
        if other is None or self.chance(0.7):
            return
        left = self.pick(c for c in outputs_of(view.sources[0]) if c.family == "INT")
        right = self.pick(c for c in outputs_of(other) if c.family == "INT")
        if left and right:
            view.sources.append(other)
            view.join = Expr([left, " = ", right])

    def output(self, view, column):
        expr, family = self.scalar(column) if self.chance(0.25) else (None, None)
        node = Output(self.name(), self.comment(), owner=view, family=family or column.family, expr=expr or Expr([column]))
        view.outputs.append(node)
        return node

    def trigger(self):
        views = [view for view in self.db.all(View) if not view.is_materialized]
        relation = self.pick(views) if views and self.chance(0.15) else self.pick(self.db.all(Table))
        function = self.pick(self.functions("trigger"))
        if relation is None or function is None:
            return None
        trigger = Trigger(self.name(), self.comment(), owner=relation, function=function)
        trigger.events = self.rng.sample(("INSERT", "UPDATE", "DELETE"), self.rng.randint(1, 3))
        trigger.arguments = ["an argument", "it's"][:self.rng.randint(0, 2)]
        if isinstance(relation, View):
            trigger.timing = "INSTEAD OF"
        else:
            self.table_trigger(trigger, [column for column in relation.columns if not column.generated])
        relation.triggers.append(trigger)
        return trigger

    def table_trigger(self, trigger, columns):
        trigger.timing = self.pick(("BEFORE", "AFTER"))
        trigger.each = self.pick(("ROW", "ROW", "STATEMENT"))
        trigger.enabled = self.pick(("DISABLE", "ENABLE REPLICA", "ENABLE ALWAYS")) if self.chance(0.3) else ""
        roll = self.rng.random()
        if trigger.timing == "AFTER" and roll < 0.2:
            trigger.events = ["UPDATE"]
            trigger.extra = "REFERENCING OLD TABLE AS before NEW TABLE AS after"
            trigger.each = "STATEMENT"
        elif trigger.timing == "AFTER" and trigger.each == "ROW" and roll < 0.4:
            trigger.is_constraint, trigger.extra = True, "DEFERRABLE INITIALLY DEFERRED"
        elif "UPDATE" in trigger.events and roll < 0.7:
            trigger.update_of = self.rng.sample(columns, min(len(columns), self.rng.randint(1, 2)))
        if trigger.each == "ROW" and "DELETE" not in trigger.events and self.chance(0.4):
            trigger.when = self.condition(columns)

    def policy(self):
        table = self.pick(self.db.all(Table))
        if table is None:
            return None
        policy = Policy(self.name(), self.comment(), owner=table, is_restrictive=self.chance(0.2),
                        command=self.pick(("ALL", "SELECT", "INSERT", "UPDATE", "DELETE")),
                        roles=self.pick(("PUBLIC", "PUBLIC", "pg_monitor", "pg_monitor, pg_read_all_data")))
        if policy.command != "INSERT":
            policy.using = self.policy_condition(table)
        if policy.command in ("ALL", "INSERT", "UPDATE") and (policy.command == "INSERT" or self.chance(0.5)):
            policy.check = self.policy_condition(table)
        table.policies.append(policy)
        return policy

    def policy_condition(self, table):
        other = self.pick(self.db.all(Table))
        if self.chance(0.25):
            return Expr(["EXISTS (SELECT FROM ", other, " z)"])
        return self.condition(table.columns)

    # All of it.

    def database(self):
        self.schema("public")
        for method, low, high in ((self.schema, 0, 2), (self.enum, 1, 3), (self.pure_function, 2, 5), (self.domain, 0, 3),
                                  (self.composite, 0, 2), (self.sequence, 0, 2), (self.table, 2, 6), (self.query_function, 0, 3),
                                  (self.trigger_function, 1, 2), (self.procedure, 0, 1), (self.view, 1, 4)):
            for _ in range(self.rng.randint(low, high)):
                method()
        for method, low, high in ((lambda: self.view(is_materialized=True), 0, 2), (self.trigger, 0, 4), (self.policy, 0, 4)):
            for _ in range(self.rng.randint(low, high)):
                method()
        return self.db


def outputs_of(relation):
    return relation.columns if isinstance(relation, Table) else relation.outputs


def depends(node, on):
    """Does a view read another, at any distance?"""
    return isinstance(node, View) and (on in node.sources or any(depends(source, on) for source in node.sources))
