/*
 * depend.c
 *		What depends on what, what it is called in comments, what it inherits.
 */
#include "kints_norm.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "base/base.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_description.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_inherits.h"
#include "commands/extension.h"
#include "inspect/inspect.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* One that a table inherits from. */
typedef struct Parent
{
	KnTable *of;
	int32 place;
	const char *name;
} Parent;

static List *parents; /* Parent *, while pg_inherits is read */

static void note_dependency(KnInspect *in, HeapTuple row, TupleDesc shape);
static void read_comment(KnInspect *in, HeapTuple row, TupleDesc shape);
static bool read_column_comment(KnInspect *in, Form_pg_description form, const char *comment);
static void fill_comments(KnInspect *in);
static void read_parent(KnInspect *in, HeapTuple row, TupleDesc shape);
static void place_parents(void);
static int compare_parents(const ListCell *a, const ListCell *b);
static void attach_index(KnInspect *in, Oid child, Oid parent);
static void match_dependency(KnInspect *in, const KnDependency *dependency);
static void note_extension(KnInspect *in, const KnObject *object, Oid extension);
static KnObject *extension_of(KnInspect *in, const KnAddress *address);
static void depend_on_schema(KnInspect *in);

/* Loads pg_depend: its rows, extension members, owners of sequences. */
void
inspect_read_dependencies(KnInspect *in)
{
	in->dependencies = palloc(sizeof(KnDependency) * 1024);
	inspect_scan(in, DependRelationId, note_dependency);
}

static void
note_dependency(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_depend form = (Form_pg_depend) GETSTRUCT(row);
	KnDependency *dependency;

	(void) shape;
	/* What initdb made is pinned, and of no interest as an object. */
	if (form->objid < FirstNormalObjectId)
		return;
	if (in->dependency_count >= 1024 && (in->dependency_count & (in->dependency_count - 1)) == 0)
		in->dependencies =
			repalloc_huge(in->dependencies, sizeof(KnDependency) * (Size) in->dependency_count * 2);
	dependency = &in->dependencies[in->dependency_count++];
	dependency->from = (KnAddress){ form->classid, form->objid, form->objsubid };
	dependency->to = (KnAddress){ form->refclassid, form->refobjid, form->refobjsubid };
	dependency->type = form->deptype;

	if (form->deptype == DEPENDENCY_EXTENSION)
	{
		KnAddress member = { form->classid, form->objid, 0 };

		((KnMember *) hash_search(in->members, &member, HASH_ENTER, NULL))->extension =
			form->refobjid;
	}
	else if (form->classid == RelationRelationId && form->objsubid == 0 &&
			 form->refclassid == RelationRelationId && form->refobjsubid > 0 &&
			 (form->deptype == DEPENDENCY_AUTO || form->deptype == DEPENDENCY_INTERNAL))
	{
		KnOwned *owned = hash_search(in->owned, &form->objid, HASH_ENTER, NULL);

		owned->column = dependency->to;
		owned->type = form->deptype;
	}
}

void
inspect_comments(KnInspect *in)
{
	inspect_scan(in, DescriptionRelationId, read_comment);
	fill_comments(in);
}

static void
read_comment(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_description form = (Form_pg_description) GETSTRUCT(row);
	KnObject *object;

	object = inspect_lookup(in, form->classoid, form->objoid, 0);
	if (object == NULL)
		return;
	if (form->objsubid != 0 &&
		read_column_comment(in, form, read_string(row, shape, Anum_pg_description_description)))
		return;
	object = inspect_lookup(in, form->classoid, form->objoid, form->objsubid);
	if (form->classoid == RelationRelationId && object->kind == KN_CONSTRAINT)
		((KnConstraint *) object)->index_comment =
			read_string(row, shape, Anum_pg_description_description);
	else if (form->classoid == ConstraintRelationId && object->kind == KN_DOMAIN)
	{
		KnDomain *domain = (KnDomain *) object;
		char *name = get_constraint_name(form->objoid);
		ListCell *constraint;
		ListCell *comment;

		forboth(constraint, domain->constraints, comment, domain->comments)
		{
			if (name != NULL && strcmp(lfirst(constraint), name) == 0)
				lfirst(comment) = (char *) read_string(row, shape, Anum_pg_description_description);
		}
	}
	else if (form->classoid == RelationRelationId && object->kind == KN_COLUMN &&
			 form->objsubid == 0)
		((KnColumn *) object)->identity_comment =
			read_string(row, shape, Anum_pg_description_description);
	else if (object->kind != KN_EXTENSION)
		object->comment = read_string(row, shape, Anum_pg_description_description);
}

/* A comment on a column that is no object: of a view or a composite type. */
static bool
read_column_comment(KnInspect *in, Form_pg_description form, const char *comment)
{
	KnRelation *relation = inspect_relation(in, form->objoid);

	if (form->classoid != RelationRelationId || relation == NULL || form->objsubid < 0 ||
		form->objsubid > relation->attribute_count || relation->object == NULL ||
		relation->object->kind == KN_TABLE)
		return false;
	relation->attributes[form->objsubid - 1].comment = comment;
	return true;
}

static void
fill_comments(KnInspect *in)
{
	HASH_SEQ_STATUS status;
	KnRelation *relation;

	hash_seq_init(&status, in->relations);
	while ((relation = hash_seq_search(&status)) != NULL)
	{
		List *comments = NIL;

		if (relation->object == NULL || relation->object->kind == KN_TABLE)
			continue;
		for (int i = 0; i < relation->attribute_count; i++)
		{
			if (relation->attributes[i].name != NULL)
				comments = lappend(comments, (char *) relation->attributes[i].comment);
		}
		if (relation->object->kind == KN_VIEW)
			((KnView *) relation->object)->comments = comments;
		else if (relation->object->kind == KN_MATVIEW)
			((KnMatview *) relation->object)->comments = comments;
		else if (relation->object->kind == KN_COMPOSITE)
			((KnComposite *) relation->object)->comments = comments;
	}
}

void
inspect_inheritance(KnInspect *in)
{
	parents = NIL;
	inspect_scan(in, InheritsRelationId, read_parent);
	place_parents();
}

static void
read_parent(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_inherits form = (Form_pg_inherits) GETSTRUCT(row);
	KnRelation *child = inspect_relation(in, form->inhrelid);
	const char *parent;
	KnTable *table;

	(void) shape;
	if (child == NULL)
		return;
	if (child->relkind == RELKIND_INDEX || child->relkind == RELKIND_PARTITIONED_INDEX)
	{
		attach_index(in, form->inhrelid, form->inhparent);
		return;
	}
	if (child->object == NULL || child->object->kind != KN_TABLE)
		return;
	table = (KnTable *) child->object;
	parent = name_qualified(get_namespace_name(get_rel_namespace(form->inhparent)),
							get_rel_name(form->inhparent));
	if (child->is_partition)
		table->partition_of = parent;
	else
	{
		Parent *entry = palloc(sizeof(Parent));

		entry->of = table;
		entry->place = form->inhseqno;
		entry->name = parent;
		parents = lappend(parents, entry);
	}
	schema_depend(table, inspect_lookup(in, RelationRelationId, form->inhparent, 0));
}

/* In the order of the columns that come from them, wherever their rows lie. */
static void
place_parents(void)
{
	ListCell *cell;

	list_sort(parents, compare_parents);
	foreach(cell, parents)
	{
		Parent *parent = lfirst(cell);

		parent->of->inherits = lappend(parent->of->inherits, (char *) parent->name);
	}
	parents = NIL;
}

static int
compare_parents(const ListCell *a, const ListCell *b)
{
	return ((Parent *) lfirst(a))->place - ((Parent *) lfirst(b))->place;
}

/* An index of a partition; one behind a constraint follows that. */
static void
attach_index(KnInspect *in, Oid child, Oid parent)
{
	KnObject *index = inspect_lookup(in, RelationRelationId, child, 0);

	if (index != NULL && index->kind == KN_INDEX)
		((KnIndex *) index)->attached_to =
			name_qualified(get_namespace_name(get_rel_namespace(parent)), get_rel_name(parent));
}

/* Matches the rows of pg_depend against the objects that were read. */
void
inspect_dependencies(KnInspect *in)
{
	for (int i = 0; i < in->dependency_count; i++)
		match_dependency(in, &in->dependencies[i]);
	depend_on_schema(in);
}

static void
match_dependency(KnInspect *in, const KnDependency *dependency)
{
	KnObject *from =
		inspect_lookup(in, dependency->from.class, dependency->from.object, dependency->from.sub);
	KnObject *to;

	if (from == NULL || dependency->type == DEPENDENCY_EXTENSION)
		return;
	if (dependency->type == DEPENDENCY_AUTO_EXTENSION)
		note_extension(in, from, dependency->to.object);
	to = inspect_lookup(in, dependency->to.class, dependency->to.object, dependency->to.sub);
	if (to == NULL)
		to = extension_of(in, &dependency->to);
	if (to == NULL || to == from)
		return;
	/* OWNED BY is a property of the sequence, said after both are there. */
	if (from->kind == KN_SEQUENCE && (to->kind == KN_COLUMN || to->kind == KN_TABLE))
		return;
	/* A table depends on what its columns need through them. */
	if (from->kind == KN_TABLE && to->kind == KN_COLUMN)
		return;
	schema_depend(from, to);
}

/* ALTER ... DEPENDS ON EXTENSION is no field of any kind: a plan only names it. */
static void
note_extension(KnInspect *in, const KnObject *object, Oid extension)
{
	const char *name = sqltext_identifier(get_extension_name(extension));
	KnOther *other = inspect_other(object->schema,
								   "dependency",
								   psprintf("of %s on extension %s", object->key, name));

	other->definition = "DEPENDS ON EXTENSION";
	inspect_add(in, other);
}

/* The extension that brings what is at an address, NULL if none that was read. */
static KnObject *
extension_of(KnInspect *in, const KnAddress *address)
{
	KnAddress whole = { address->class, address->object, 0 };
	KnMember *member = hash_search(in->members, &whole, HASH_FIND, NULL);

	return member == NULL ? NULL : inspect_lookup(in, ExtensionRelationId, member->extension, 0);
}

/* Everything in a schema needs the schema, whatever pg_depend has to say. */
static void
depend_on_schema(KnInspect *in)
{
	ListCell *cell;
	const char *name = NULL;
	KnObject *schema = NULL;

	foreach(cell, in->schema->objects)
	{
		KnObject *object = lfirst(cell);

		if (object->schema == NULL || object->parent != NULL)
			continue;
		if (object->schema != name)
		{
			name = object->schema;
			schema = schema_find_kind(in->schema, KN_SCHEMA, NULL, NULL, name);
		}
		schema_depend(object, schema);
	}
}
