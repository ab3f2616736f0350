/*
 * kints/kints.h
 *		All of the library; the headers it includes are its reference.
 */
#ifndef KINTS_KINTS_H
#define KINTS_KINTS_H

#include "kints/base.h"
#include "kints/batch.h"
#include "kints/cache.h"
#include "kints/context.h"
#include "kints/copy.h"
#include "kints/db.h"
#include "kints/listen.h"
#include "kints/observe.h"
#include "kints/query.h"
#include "kints/secret.h"
#include "kints/transact.h"
#include "kints/value.h"

#endif
