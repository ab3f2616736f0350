/*
 * kill.c
 *		Calls whose connection is lost, at each moment and in each way: statements, batches,
 *		transactions and reads.  See kill_ways.h.
 */
#include "kill.h"
#include "kill_ways.h"

int
main(void)
{
	return kill_deeds("kill", deeds, COUNT(deeds));
}
