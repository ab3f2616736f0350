/*
 * look.h
 *		Who looks at the servers of a handle, and what he sees.
 */
#ifndef KN_RUN_LOOK_H
#define KN_RUN_LOOK_H

#include "run/lag.h"
#include "run/run.h"

/* Who looks at one server. */
typedef struct kn__looker
{
	struct kn__prober *prober;
	kn__server *server;
	kn__link *link; /* outside of its pool; NULL: not connected */
	int64_t opened_at;
	uint32_t resets;   /* that there had been of the server when it was opened */
	int64_t timeline;  /* that a replica was seen on by this connection: it never goes back */
	uint32_t setbacks; /* of the server, when the look began */
	bool may_not_ask;  /* for the timeline of a replica */
	bool is_asked;     /* not to wait; with the handle's lock */
	pthread_t thread;
} kn__looker;

struct kn__prober
{
	kn_db *db;
	bool must_end;     /* with the handle's lock */
	kn__sights sights; /* of the primary; likewise */
	pthread_cond_t asked;
	int count; /* of those that have begun */
	kn__looker *lookers;
};

/* One look at the server.  False: it could not be asked; is_away: and a pooler says that of it. */
extern bool kn__look(kn__looker *l, const kn__wait *wait, bool *is_away);
/* Whether it is a pooler that says that its server cannot be reached. */
extern bool kn__look_is_said_away(const kn__fault *fault);

#endif
