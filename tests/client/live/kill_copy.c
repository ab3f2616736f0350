/*
 * kill_copy.c
 *		COPY whose connection is lost, at each moment and in each way.  See kill_ways.h.
 */
#include "kill_copy.h"
#include "kill_ways.h"

int
main(void)
{
	return kill_deeds("kill_copy", copies, COUNT(copies));
}
