/*
 * mood.h
 *		Types that are a database's own.
 */
#ifndef KN_TESTS_MOOD_H
#define KN_TESTS_MOOD_H

/* An enum with labels that are awkward in an array, and a domain. */
#define CREATE_MOOD                                                             \
	"DROP TYPE IF EXISTS kn_mood CASCADE; CREATE TYPE kn_mood AS ENUM ("        \
	"'', 'sad', 'so so', 'NULL', 'null', 'a,b', '{', '}', '\"', E'\\\\', ' x'," \
	"'\xc3\xa9', E'tab\\t', '''');"                                             \
	"DROP DOMAIN IF EXISTS kn_words CASCADE; CREATE DOMAIN kn_words AS text"

#endif
