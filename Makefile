# Makefile - builds, installs and tests kints_norm over PGXS; `make help` lists the targets.

EXTENSION = kints_norm
MODULE_big = kints_norm
EXTVERSION := $(shell sed -n "s/^default_version *= *'\([^']*\)'.*/\1/p" kints_norm.control)
DATA := extension/kints_norm--$(EXTVERSION).sql
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard extension/*.c extension/*/*.c)))

PG_CONFIG ?= pg_config
export PG_CONFIG

# The server's headers are system headers to us: -Wextra is for our code only.
# A newer compiler that knows more warnings need not stop you: make WERROR=
WERROR = -Werror
PG_CPPFLAGS = -Iextension -isystem $(shell $(PG_CONFIG) --includedir-server) $(EXPORT)
# What is not exported is hidden; before PostgreSQL 16, PGDLLEXPORT said nothing.
EXPORT = -DPGDLLEXPORT='__attribute__((visibility("default")))'
PG_CFLAGS = -std=gnu99 -Wall -Wextra $(WERROR) -fvisibility=hidden -MMD -MP \
	$(if $(findstring clang,$(CC)),$(CLANG_CFLAGS))
# The server was built by gcc, and hands on to us flags and attributes (gnu_printf) that only gcc knows.
CLANG_CFLAGS = -Wno-unknown-warning-option -Wno-ignored-optimization-argument -Wno-ignored-attributes

# Bitcode lets the server's JIT inline functions; ours gain nothing by that.
ifneq ($(origin with_llvm),command line)
override with_llvm := no
endif

TESTS := $(sort $(patsubst sql/%.sql,%,$(wildcard sql/*.sql)))
REGRESS = $(filter setup,$(TESTS)) $(filter-out setup,$(TESTS))
REGRESS_OUTPUT = .
REGRESS_OPTS = --inputdir=. --outputdir=$(REGRESS_OUTPUT)

EXTRA_CLEAN = build $(foreach dir,extension extension/*,$(wildcard $(addprefix $(dir)/*.,o d bc)))

PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifneq ($(wildcard $(PGXS)),)
include $(PGXS)

all: $(DATA)
$(DATA):
	@echo 'kints_norm.control says version $(EXTVERSION), but there is no $@' >&2; exit 1
-include $(OBJS:.o=.d)
else
all install uninstall installcheck clean:
	@echo 'PostgreSQL server headers not found: run "make deps", or say PG_CONFIG=/path/to/pg_config' >&2; exit 1
endif

clean: stop-servers

.PHONY: deps demo test lint format sanitize coverage cases laws bench help stop-servers

help: ## this list
	@echo 'all: build (the default); install, uninstall, installcheck, clean: as with any extension'
	@sed -n 's/^\([a-z]*\):.*## /\1: /p' $(MAKEFILE_LIST)

deps: ## install the Debian packages that building and testing need
	tests/deps test

demo: ## migrate a real schema, on a private server; SCHEMA=file.sql takes your own
	@tests/deps demo
	@tests/demo.sh $${SCHEMA:+"$$SCHEMA"}

test: ## everything: compilers, lint, regression tests, sanitizers, and so on
	@tests/all

lint: ## formatting, clang-tidy, floors
	@tests/deps test
	@tests/lint

format: ## lay out the C files as lint wants them
	@tests/deps test
	@tests/lint --fix

sanitize: ## the regression tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@tests/deps test
	@tests/sanitize

coverage: ## whether a test throws each error, and which lines and branches the tests run
	@tests/deps test
	@tests/coverage

cases: ## pairs of real schemas: migrate from the old one to the new one
	@tests/deps test
	@tests/cases/run

laws: ## what must hold for every plan, on generated schemas
	@tests/deps test
	@tests/laws/run

bench: ## figures of speed; NAME=plan, NAME=client or NAME=triggers
	@tests/deps test
	@bench/run $(NAME)

stop-servers:
	@if [ -x tests/server ]; then tests/server clean; fi
