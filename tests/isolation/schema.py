"""schema.py - big schemas as SQL text."""


def literal(text):
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def busy(tables, version=1):
    """Tables with keys, indexes, foreign keys, views, a trigger and an enum; version 2 differs in each kind."""
    out = ["CREATE TYPE public.state AS ENUM ('new', 'paid'" + (", 'lost'" if version == 2 else "") + ")",
           "CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"]
    for i in range(tables):
        if version == 2 and i == tables - 1:
            continue
        kind = "bigint" if version == 2 and i % 100 == 1 else "integer"
        more = ", note text DEFAULT 'x' NOT NULL" if version == 2 and i % 100 == 2 else ""
        out.append(f"CREATE TABLE public.t{i} (id integer PRIMARY KEY, parent integer, amount {kind} DEFAULT {i} CHECK (amount >= 0), "
                   f"state public.state{more})")
        out.append(f"CREATE INDEX t{i}_parent ON public.t{i} (parent{', id' if version == 2 and i % 100 == 3 else ''})")
        if i % 10 == 0:
            out.append(f"CREATE TRIGGER t{i}_touch BEFORE UPDATE ON public.t{i} FOR EACH ROW EXECUTE FUNCTION public.touch()")
        if i > 0:
            out.append(f"ALTER TABLE public.t{i} ADD CONSTRAINT t{i}_fk FOREIGN KEY (parent) REFERENCES public.t{i - 1} (id)")
        if i % 10 == 1:
            out.append(f"CREATE VIEW public.v{i} AS SELECT a.id, b.amount FROM public.t{i} a JOIN public.t{i - 1} b ON b.id = a.parent"
                       + (" WHERE a.id > 0" if version == 2 and i % 100 == 1 else ""))
    if version == 2:
        out.append("CREATE TABLE public.fresh (id integer PRIMARY KEY, t integer REFERENCES public.t0 (id))")
    return out


def wide(tables):
    """Tables of 12 columns, 4 indexes and a foreign key each."""
    types = ["integer", "text", "numeric(10,2)", "timestamptz", "boolean", "jsonb"]
    out = []
    for i in range(tables):
        columns = "".join(f", c{j} {types[j % 6]}" for j in range(10))
        out.append(f"CREATE TABLE public.t{i} (id bigint PRIMARY KEY, parent bigint{columns})")
    for i in range(tables):
        out += [f"CREATE INDEX t{i}_i{k} ON public.t{i} (c{k}, c{k + 3})" for k in range(4)]
    for i in range(tables):
        out.append(f"ALTER TABLE public.t{i} ADD CONSTRAINT t{i}_fk FOREIGN KEY (parent) REFERENCES public.t{max(i - 1, 0)} (id)")
    return out


def text(statements):
    return "".join(f"{statement};\n" for statement in statements)
