"""database.py - all objects of a generated schema: dropping some, printing all in order."""
import dataclasses

from nouns import Enum, Label, Sequence, literal
from relations import Column, ColumnLike, Constraint, Index, Table, Trigger


@dataclasses.dataclass
class Database:
    objects: list = dataclasses.field(default_factory=list)   # schemas and what lives in them, oldest first

    def all(self, kind):
        return [node for node in self.objects if isinstance(node, kind)]

    def nodes(self):
        """Every node, parts included."""
        for node in self.objects:
            yield node
            yield from node.children() if hasattr(node, "children") else []
            yield from node.labels if isinstance(node, Enum) else []

    def drop(self, *gone):
        """Removes nodes and all that refers to them; a default that does so is only taken off its column."""
        gone = set(gone)
        size = -1
        while size != len(gone):
            size = len(gone)
            for node in self.nodes():
                self.drop_with(node, gone)
        self.remove(gone)

    @staticmethod
    def drop_with(node, gone):
        needs = node.refs() if not isinstance(node, Table) else {node.schema}
        if isinstance(node, (ColumnLike, Index, Trigger)):
            needs |= {node.owner}
        if isinstance(node, Sequence) and node.owned_by:
            needs |= {node.owned_by}
        if needs & gone:
            gone.add(node)
        if isinstance(node, Column) and node.default and node.default.refs() & gone:
            node.default = None

    def remove(self, gone):
        self.objects = [node for node in self.objects if node not in gone]
        for node in self.objects:
            for field in ("columns", "constraints", "indexes", "triggers", "policies", "labels", "outputs", "group"):
                if hasattr(node, field):
                    setattr(node, field, [part for part in getattr(node, field) if part not in gone])

    def release(self, node):
        """Drops what refers to a node and leaves the node."""
        users = {other for other in self.nodes() if other is not getattr(node, "owner", None)
                 and not isinstance(other, Table) and node in other.refs()}
        for column in (n for n in self.nodes() if isinstance(n, Column)):
            if column.default and node in column.default.refs():
                column.default = None
        for sequence in self.all(Sequence):
            if sequence.owned_by is node:
                sequence.owned_by = None
        self.drop(*users)

    def printable(self):
        """What gets a CREATE of its own."""
        for node in self.objects:
            yield node
            for part in node.children() if hasattr(node, "children") else []:
                if not isinstance(part, ColumnLike) and not (isinstance(part, Constraint) and part.is_inline):
                    yield part

    def statements(self):
        """The DDL, each statement after those it needs."""
        made, found, later = set(), [], []
        todo = list(self.printable())
        while todo:
            ready = [node for node in todo if all(owner_of(ref) in made or owner_of(ref) is node for ref in node.refs())]
            assert ready, f"a loop among {[node.name for node in todo]}"
            for node in ready:
                found += node.ddl()
                later += self.afterwards(node)
                made.add(node)
            todo = [node for node in todo if node not in made]
        return found + later

    @staticmethod
    def afterwards(node):
        parts = [node] + ([p for p in node.children() if isinstance(p, ColumnLike)
                           or (isinstance(p, Constraint) and p.is_inline)] if hasattr(node, "children") else [])
        for part in parts:
            yield from part.later() if hasattr(part, "later") else []
            if part.comment is not None and part.target():
                yield f"COMMENT ON {part.target()} IS {literal(part.comment)}"

    def sql(self):
        return "".join(statement + ";\n" for statement in self.statements())


def owner_of(node):
    """The printed node that brings a node along."""
    if isinstance(node, ColumnLike) or (isinstance(node, Constraint) and node.is_inline):
        return node.owner
    return node.enum if isinstance(node, Label) else node
