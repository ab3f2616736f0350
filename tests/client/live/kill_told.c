/*
 * kill_told.c
 *		Notifications, and reads and writes that go by a cache, whose connection is lost, at each
 *		moment and in each way.  See kill_ways.h.
 */
#include "kill_told.h"
#include "kill_ways.h"

int
main(void)
{
	return kill_deeds("kill_told", tellings, COUNT(tellings));
}
