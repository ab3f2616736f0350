/*
 * alarm.h
 *		Who waits is woken when his time is over, without a timer of his own.
 */
#ifndef KN_SRC_WIRE_ALARM_H
#define KN_SRC_WIRE_ALARM_H

#include <stdatomic.h>

#include "wire/wire.h"

/* Of a connection: the thread that waits on it, at most one at a time, is woken by a pipe. */
typedef struct kn__bell
{
	_Atomic(int64_t) deadline; /* by the system's clock; KN__NEVER: nobody waits */
	int fd;                    /* the end of the pipe that is written to */
	struct kn__bell *next;
	struct kn__bell *before;
} kn__bell;

extern void kn__alarm_add(kn__alarm *alarm, kn__bell *bell, int fd);
/* Nothing is written to its pipe any more. */
extern void kn__alarm_remove(kn__alarm *alarm, kn__bell *bell);
/*
 * From now on the bell rings once that moment has come: a byte is in the pipe then.  False: it
 * does not, for there is no thread to be had.
 */
extern KN__HOT bool kn__alarm_set(kn__alarm *alarm, kn__bell *bell, int64_t deadline);
/* It does not ring any more, but may have done so. */
extern KN__HOT void kn__alarm_clear(kn__bell *bell);

#endif
