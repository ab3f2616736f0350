/*
 * digest.c
 *		Whether anything in the catalogs is another than it was.
 *
 * A row version is known by its place and by the transaction that wrote it, so
 * the sum over all visible ones changes with every change to a catalog, and
 * costs no more than a look at each row.  What is updated in place (statistics
 * of relations) is left out by itself.
 */
#include "kints_norm.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_am.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_amproc.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_auth_members.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_cast.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_conversion.h"
#include "catalog/pg_database.h"
#include "catalog/pg_default_acl.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_description.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_event_trigger.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_language.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_partitioned_table.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_publication.h"
#include "catalog/pg_publication_namespace.h"
#include "catalog/pg_publication_rel.h"
#include "catalog/pg_range.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_sequence.h"
#include "catalog/pg_statistic_ext.h"
#include "catalog/pg_subscription.h"
#include "catalog/pg_tablespace.h"
#include "catalog/pg_transform.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_ts_config.h"
#include "catalog/pg_ts_config_map.h"
#include "catalog/pg_ts_dict.h"
#include "catalog/pg_ts_parser.h"
#include "catalog/pg_ts_template.h"
#include "catalog/pg_type.h"
#include "catalog/pg_user_mapping.h"
#include "common/hashfn.h"
#include "inspect/inspect.h"
#include "miscadmin.h"
#include "utils/snapmgr.h"

/* All that a schema can be made of, or that decides what DDL means, or that a plan names. */
static const Oid catalogs[] = {
	AggregateRelationId,
	AccessMethodRelationId,
	AccessMethodOperatorRelationId,
	AccessMethodProcedureRelationId,
	AttrDefaultRelationId,
	AttributeRelationId,
	AuthIdRelationId,
	AuthMemRelationId,
	CastRelationId,
	RelationRelationId,
	CollationRelationId,
	ConstraintRelationId,
	ConversionRelationId,
	DatabaseRelationId,
	DefaultAclRelationId,
	DependRelationId,
	DescriptionRelationId,
	EnumRelationId,
	EventTriggerRelationId,
	ExtensionRelationId,
	ForeignDataWrapperRelationId,
	ForeignServerRelationId,
	ForeignTableRelationId,
	IndexRelationId,
	InheritsRelationId,
	LanguageRelationId,
	NamespaceRelationId,
	OperatorClassRelationId,
	OperatorRelationId,
	OperatorFamilyRelationId,
	PartitionedRelationId,
	PolicyRelationId,
	ProcedureRelationId,
	PublicationRelationId,
	PublicationNamespaceRelationId,
	PublicationRelRelationId,
	RangeRelationId,
	RewriteRelationId,
	SequenceRelationId,
	StatisticExtRelationId,
	SubscriptionRelationId,
	TableSpaceRelationId,
	TransformRelationId,
	TriggerRelationId,
	TSConfigRelationId,
	TSConfigMapRelationId,
	TSDictionaryRelationId,
	TSParserRelationId,
	TSTemplateRelationId,
	TypeRelationId,
	UserMappingRelationId,
};

static void add_row(KnDigest *digest, Oid catalog, HeapTuple row);

/* The digest of all catalogs of this database, as the latest snapshot sees them. */
KnDigest
inspect_digest(void)
{
	KnDigest digest = { 0, 0, 0 };
	Snapshot snapshot = RegisterSnapshot(inspect_latest_snapshot());

	for (Size i = 0; i < lengthof(catalogs); i++)
	{
		Relation relation = table_open(catalogs[i], AccessShareLock);
		SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, snapshot, 0, NULL);
		HeapTuple row;

		while (HeapTupleIsValid(row = systable_getnext(scan)))
		{
			/* Databases come and go, among them those that plans are made in. */
			if (catalogs[i] != DatabaseRelationId ||
				((Form_pg_database) GETSTRUCT(row))->oid == MyDatabaseId)
				add_row(&digest, catalogs[i], row);
			CHECK_FOR_INTERRUPTS();
		}
		systable_endscan(scan);
		table_close(relation, AccessShareLock);
	}
	UnregisterSnapshot(snapshot);
	return digest;
}

static void
add_row(KnDigest *digest, Oid catalog, HeapTuple row)
{
	uint32 version[4] = {
		catalog,
		HeapTupleHeaderGetRawXmin(row->t_data),
		ItemPointerGetBlockNumber(&row->t_self),
		ItemPointerGetOffsetNumber(&row->t_self),
	};

	digest->count++;
	digest->sum += hash_bytes_extended((const unsigned char *) version, sizeof(version), 0);
	digest->other_sum += hash_bytes_extended((const unsigned char *) version, sizeof(version), 1);
}

bool
inspect_digest_equal(const KnDigest *a, const KnDigest *b)
{
	return a->count == b->count && a->sum == b->sum && a->other_sum == b->other_sum;
}
