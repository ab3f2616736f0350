"""mutate.py - changes a random database, one mutation at a time, so that it still loads."""
from choices import COLLATIONS, LABELS, SORTABLE, TYPES, enum_of, nextval
from make import outputs_of
from nouns import Composite, Domain, Enum, Expr, Function, Label, Object, Schema, Sequence, Type
from relations import Column, Constraint, Index, Policy, Table, Trigger, View

# Families a column can go to, and the server can take its values along.
CASTS = {"INT": ("NUM", "TEXT"), "NUM": ("INT", "TEXT"), "TEXT": ("INT", "UUID", "DATE", "JSON", "CHAR"), "DATE": ("TS", "TEXT"),
         "TS": ("DATE", "TEXT"), "JSON": ("TEXT",), "BOOL": ("TEXT",), "CHAR": ("TEXT",), "UUID": ("TEXT",), "ENUM": ("TEXT", "ENUM")}


class Mutator:
    """Each method named change_* makes one change and says what, or returns None where it has nothing to change."""

    def __init__(self, maker):
        self.maker = maker
        self.rng, self.pick, self.chance = maker.rng, maker.pick, maker.chance
        self.changes = [getattr(self, name) for name in sorted(dir(self)) if name.startswith("change_")]

    @property
    def db(self):
        return self.maker.db

    def mutate(self, count):
        done = []
        while len(done) < count:
            said = self.pick(self.changes)()
            if said:
                done.append(said)
        return done

    def some(self, kind):
        return self.pick(node for node in self.db.nodes() if isinstance(node, kind))

    def some_column(self, *families):
        return self.pick(c for c in self.db.nodes() if isinstance(c, Column) and (not families or c.family in families))

    # Any object.

    def change_by_adding(self):
        maker = self.maker
        method = self.pick((maker.schema, maker.enum, maker.domain, maker.composite, maker.sequence, maker.pure_function, maker.table,
                            maker.query_function, maker.trigger_function, maker.procedure, maker.view, maker.trigger, maker.policy,
                            lambda: maker.view(is_materialized=True)))
        node = method()
        return node and f"add {type(node).__name__} {node.name}"

    def change_by_adding_to_table(self):
        maker, table = self.maker, self.some(Table)
        method = self.pick((maker.column, maker.column, maker.unique, maker.check, maker.exclude, maker.foreign_key, maker.index))
        node = method(table) if table else None
        return node and f"add {type(node).__name__} {node.name} to {table.name}"

    def change_by_dropping(self):
        node = self.pick(node for node in self.db.objects if node.name != "public" and not isinstance(node, Schema))
        return node and self.drop(node)

    def change_by_dropping_part(self):
        return self.drop(self.some((Column, Constraint, Index, Trigger, Policy)))

    def drop(self, node):
        if node:
            self.db.drop(node)
        return node and f"drop {type(node).__name__} {node.name}"

    def change_schemas(self):
        """Drops one with all it holds; now and then public."""
        node = self.some(Schema)
        if node.name == "public" and self.chance(0.8) or len(self.db.all(Schema)) == 1:
            return None
        if node.name == "public":
            for inside in [n for n in self.db.objects if isinstance(n, Object) and n.schema is node]:
                self.db.drop(inside)
            return "empty schema public"
        return self.drop(node)

    def change_name(self):
        node = self.pick(n for n in self.db.nodes() if n.name and n.name != "public" and not isinstance(n, Label))
        if node is None:
            return None
        old, node.name = node.name, self.maker.name()
        return f"rename {type(node).__name__} {old} to {node.name}"

    def change_place(self):
        node, schema = self.some(Object), self.some(Schema)
        if node is None or schema is node.schema or isinstance(node, Sequence) and node.owned_by:
            return None
        node.schema = schema
        for sequence in self.db.all(Sequence):
            if sequence.owned_by and sequence.owned_by.owner is node:
                sequence.schema = schema
        return f"move {type(node).__name__} {node.name} to {schema.name}"

    def change_comment(self):
        node = self.pick(n for n in self.db.nodes() if n.name != "public" and hasattr(n, "target") and n.target())
        if node is None:
            return None
        node.comment = None if node.comment and self.chance(0.5) else self.maker.pick(("new words", "it's other", ""))
        node.comment = node.comment or None
        return f"comment on {type(node).__name__} {node.name}"

    # Types, sequences, functions.

    def change_enum(self):
        enum = self.some(Enum)
        if enum is None:
            return None
        free = [label for label in LABELS + ("extra", "more") if label not in {old.name for old in enum.labels}]
        kind = self.pick(("add", "add", "remove", "reorder", "rename"))
        if kind == "add" and free:
            enum.labels.insert(self.rng.randint(0, len(enum.labels)), Label(self.pick(free), enum=enum))
        elif kind == "remove" and len(enum.labels) > 1:
            self.db.drop(self.pick(enum.labels))
        elif kind == "reorder":
            self.rng.shuffle(enum.labels)
        elif kind == "rename" and free and enum.labels:
            self.pick(enum.labels).name = self.pick(free)
        else:
            return None
        return f"{kind} a label of enum {enum.name}"

    def change_domain(self):
        domain = self.some(Domain)
        if domain is None:
            return None
        kind = self.pick(("default", "not null", "add check", "drop check", "type"))
        if kind == "default":
            domain.default = None if domain.default else self.maker.default(Type(domain.base.family, "domain"))
        elif kind == "not null":
            domain.not_null = not domain.not_null
        elif kind == "add check":
            domain.checks[self.maker.name()] = self.maker.domain_check(domain.base)
        elif kind == "drop check" and domain.checks:
            del domain.checks[self.pick(domain.checks)]
        else:
            domain.base = self.maker.builtin((domain.base.family,))
        return f"change the {kind} of domain {domain.name}"

    def change_composite(self):
        node = self.some(Composite)
        if node is None:
            return None
        kind = self.pick(("add", "drop", "retype"))
        if kind == "add":
            node.attributes[self.maker.name()] = self.maker.builtin()
        elif kind == "drop" and len(node.attributes) > 1:
            del node.attributes[self.pick(node.attributes)]
        else:
            node.attributes[self.pick(node.attributes)] = self.maker.builtin()
        return f"{kind} an attribute of type {node.name}"

    def change_sequence(self):
        sequence = self.some(Sequence)
        if sequence is None:
            return None
        kept = {word: sequence.options[word] for word in ("AS",) if word in sequence.options}
        sequence.options = {**kept, **self.maker.sequence_choices()}
        return f"change sequence {sequence.name}"

    def change_function_body(self):
        function = self.pick(self.maker.functions("pure"))
        if function is None:
            return None
        results = {"INT": f"$1 * {self.rng.randint(2, 9)}", "TEXT": "lower($1)", "BOOL": f"$1 <> {self.rng.randint(2, 9)}"}
        enum = function.arguments[0][1].family == "ENUM"
        self.maker.write_body(function, Expr(["$1::text" if enum else results[function.family]]))
        return f"change the body of {function.name}"

    def change_function_signature(self):
        function = self.some(Function)
        if function is None:
            return None
        kind = self.pick(("attributes", "argument name", "argument", "result"))
        is_plain = function.role == "pure" and function.family == "INT"
        if kind == "attributes" and function.role != "procedure":
            function.attributes = self.maker.attributes("IMMUTABLE" if function.role == "pure" else "VOLATILE")
        elif kind == "argument name" and function.arguments and function.role != "procedure":
            function.arguments[0][0] = self.maker.name()
        elif kind == "argument" and is_plain and len(function.arguments) < 3:
            function.arguments.append([self.maker.name(), Type("INT", "bigint"), "7"])
        elif kind == "result" and is_plain:
            function.returns = Expr(["integer" if function.returns.parts == ["bigint"] else "bigint"])
        else:
            return None
        return f"change the {kind} of function {function.name}"

    # Tables and columns.

    def change_table(self):
        table = self.some(Table)
        if table is None:
            return None
        kind = self.pick(("persistence", "options", "row security", "replica identity"))
        if kind == "persistence":
            keys = [c for c in self.db.nodes() if isinstance(c, Constraint) and c.key and table in (c.owner, c.key.owner)]
            self.db.drop(*keys)
            table.is_unlogged = not table.is_unlogged
        elif kind == "options":
            table.options = self.pick(("", "fillfactor=60", "autovacuum_enabled=false, fillfactor=75"))
        elif kind == "row security":
            table.flags = table.flags ^ {self.pick(("ENABLE", "FORCE"))}
        else:
            table.replica_identity = self.pick(("", "FULL", "NOTHING"))
        return f"change the {kind} of table {table.name}"

    def change_column_type(self):
        """Within the family: all that uses the column stays."""
        column = self.some_column()
        if column is None or column.type.is_array or column.family not in TYPES:
            return None
        domains = [domain for domain in self.db.all(Domain) if domain.base.family == column.family]
        if domains and not column.identity and self.chance(0.2):
            column.type, column.collation = Type(column.family, node=self.pick(domains)), None
        else:
            column.type = self.maker.builtin((column.family,))
        return f"change the type of {column.owner.name}.{column.name} to {column.type.render()}"

    def change_column_family(self):
        """To another kind of type: what uses the column goes."""
        column = self.some_column(*CASTS)
        if column is None or column.type.is_array or column.identity or column.generated:
            return None
        family = self.pick(CASTS[column.family])
        enums = [enum for enum in self.db.all(Enum) if enum is not column.type.node]
        if family == "ENUM" and not enums:
            return None
        self.db.release(column)
        column.type = Type("ENUM", node=self.pick(enums)) if family == "ENUM" else self.maker.builtin((family,))
        column.collation = column.storage = column.compression = None
        column.default = self.maker.default(column.type) if self.chance(0.4) else None
        return f"change the type of {column.owner.name}.{column.name} to {column.type.render()}"

    def change_column_property(self):
        column = self.some_column()
        if column is None:
            return None
        kind = self.pick(("default", "not null", "collation", "storage", "compression", "statistics"))
        is_key = any(c.kind == "PRIMARY KEY" and column in c.columns for c in column.owner.constraints)
        if kind == "default" and not column.identity and not column.generated:
            column.default = None if column.default and self.chance(0.5) else self.maker.default(column.type)
        elif kind == "not null" and not is_key and not column.identity:
            column.not_null = not column.not_null
        elif kind == "collation" and column.family == "TEXT" and not column.type.node:
            column.collation = None if column.collation else self.pick(COLLATIONS)
        elif kind == "storage" and column.family in ("TEXT", "JSON", "BYTES"):
            column.storage = self.pick((None, "EXTERNAL", "MAIN"))
        elif kind == "compression" and column.family in ("TEXT", "JSON", "BYTES"):
            column.compression = None if column.compression else "pglz"
        elif kind == "statistics":
            column.statistics = self.pick((None, 0, 50))
        else:
            return None
        return f"change the {kind} of {column.owner.name}.{column.name}"

    def change_identity(self):
        column = self.some_column("INT")
        if column is None or column.generated or column.type.node:
            return None
        if column.identity and self.chance(0.3):
            column.identity, column.identity_options = None, {}
        elif not any(other.identity for other in column.owner.columns) or column.identity:
            column.identity, column.default, column.not_null = self.pick(("ALWAYS", "BY DEFAULT")), None, True
            column.identity_options = self.maker.sequence_choices() if self.chance(0.5) else {}
        return f"change the identity of {column.owner.name}.{column.name}"

    def change_generated(self):
        column = self.pick(c for c in self.db.nodes() if isinstance(c, Column) and c.generated)
        if column is None:
            return None
        if self.chance(0.4):
            column.generated = None
            return f"make {column.owner.name}.{column.name} a plain column"
        base = self.pick(c for c in column.owner.columns if not c.generated and c.family == column.family)
        if base is None:
            return None
        column.generated = self.maker.scalar(base)[0]
        return f"change the expression of {column.owner.name}.{column.name}"

    def change_serial(self):
        """A plain integer column gets a sequence of its own."""
        column = self.some_column("INT")
        if column is None or column.identity or column.generated or column.default or column.type.node:
            return None
        sequence = self.maker.sequence()
        sequence.schema, sequence.owned_by = column.owner.schema, column
        sequence.options.pop("AS", None)
        column.default = nextval(sequence)
        return f"make {column.owner.name}.{column.name} a serial"

    # What hangs on tables.

    def change_constraint(self):
        constraint = self.some(Constraint)
        if constraint is None:
            return None
        if constraint.kind == "CHECK":
            constraint.expr = self.maker.condition(constraint.owner.columns)
        elif constraint.kind == "FOREIGN KEY":
            constraint.after = self.pick(("", "ON DELETE CASCADE", "ON DELETE SET NULL ON UPDATE CASCADE", "DEFERRABLE", "NOT VALID",
                                          f"ON DELETE SET NULL ({constraint.columns[0].render()})", "DEFERRABLE INITIALLY DEFERRED"))
        elif constraint.kind == "EXCLUDE":
            constraint.where = None if constraint.where else self.maker.condition(constraint.owner.columns)
        else:
            self.db.release(constraint)
            more = [c for c in constraint.owner.columns if c.family in SORTABLE and c not in constraint.columns]
            constraint.columns = constraint.columns[-1:] + more[:1]
            constraint.include = []
            for column in constraint.columns if constraint.kind == "PRIMARY KEY" else []:
                column.not_null = True
        return f"change {constraint.kind} {constraint.name} of {constraint.owner.name}"

    def change_index(self):
        index = self.some(Index)
        if index is None:
            return None
        if self.chance(0.4):
            index.where = None if index.where else self.maker.condition(outputs_of(index.owner))
        elif index.method == "btree" and self.chance(0.6):
            index.is_unique, index.after = not index.is_unique, ""
        else:
            index.options = "" if index.options or index.method not in ("btree", "hash", "gist") else "fillfactor=75"
        return f"change index {index.name}"

    def change_trigger(self):
        trigger = self.some(Trigger)
        if trigger is None:
            return None
        if isinstance(trigger.owner, Table) and self.chance(0.5):
            trigger.enabled = self.pick([s for s in ("", "DISABLE", "ENABLE REPLICA", "ENABLE ALWAYS") if s != trigger.enabled])
        elif self.chance(0.5):
            trigger.arguments = [] if trigger.arguments else ["one"]
        else:
            trigger.function = self.pick(self.maker.functions("trigger"))
        return f"change trigger {trigger.name}"

    def change_policy(self):
        policy = self.some(Policy)
        if policy is None:
            return None
        kind = self.pick(("roles", "condition", "sense"))
        if kind == "roles":
            policy.roles = self.pick([r for r in ("PUBLIC", "pg_monitor", "pg_monitor, pg_read_all_data") if r != policy.roles])
        elif kind == "sense":
            policy.is_restrictive = not policy.is_restrictive
        elif policy.using:
            policy.using = self.maker.policy_condition(policy.owner)
        else:
            policy.check = self.maker.policy_condition(policy.owner)
        return f"change the {kind} of policy {policy.name}"

    # Views.

    def change_view_query(self):
        """What it selects, all of it; what reads the old columns goes."""
        view = self.some(View)
        if view is None or not outputs_of(view.sources[0]):
            return None
        for output in view.outputs:
            self.db.release(output)
        self.maker.view_columns(view)
        return f"change the query of {view.name}"

    def change_view_columns(self):
        view = self.some(View)
        if view is None or view.group:
            return None
        kind = self.pick(("append", "remove", "reorder", "filter"))
        columns = outputs_of(view.sources[0])
        if kind == "append" and columns:
            self.maker.output(view, self.pick(columns))
        elif kind == "remove" and len(view.outputs) > 1:
            gone = self.pick(view.outputs)
            self.db.release(gone)
            view.outputs.remove(gone)
        elif kind == "reorder":
            self.rng.shuffle(view.outputs)
        else:
            view.where = None if view.where else self.maker.condition(columns)
        return f"{kind} columns of {view.name}"

    def change_view_option(self):
        view = self.some(View)
        if view is None:
            return None
        if view.is_materialized:
            view.options = "" if view.options else "fillfactor=70"
        elif self.chance(0.5):
            view.options = self.pick(("", "security_barrier=true", "security_invoker=true, security_barrier=true"))
        else:
            view.after = "" if view.after else "WITH CASCADED CHECK OPTION"
            return f"change the options of {view.name}"
