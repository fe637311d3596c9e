# One Makefile for both programs, their tests and their tools.
# `make help` lists the targets; everything generated goes under build/.
#
# Variables: MODE=release|debug|cover|fuzz|analyze  CC=gcc|clang  V=1
#            OUT=dir (default build/$(MODE))        T=part of a test's path

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := all
export LC_ALL := C.UTF-8

# All cores; a -j on the command line wins.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif

MODE ?= release
OUT ?= build/$(MODE)
GEN := build/gen
ifeq ($(origin CC),default)
CC := $(if $(filter cover fuzz,$(MODE)),clang,gcc)
endif
ifeq ($(origin AR),default)
AR := ar
endif
PREFIX ?= /usr
UNITDIR ?= $(PREFIX)/lib/systemd/system
DESTDIR ?=
T ?=
S ?= 60
N ?= 1000000
CASES ?= 3000
SIZES ?= 1000 30000
SIZE ?= 30000
RATE ?= 0
ROUNDS ?= 3
LONG ?= 0
FAULT_POINTS ?= 0
JOBS ?=

Q := $(if $(filter 1,$(V)),,@)
put = $(if $(1),install -D -m 644 -t $(DESTDIR)$(PREFIX)/$(strip $(2)) $(1))
say = @$(if $(filter 1,$(V)),:,printf '  %-7s %s\n' "$(1)" "$(2)")

# ---- Sources -------------------------------------------------------------

PROTOS := $(sort $(wildcard proto/*.proto))
GENERATOR := $(wildcard proto/protoc-gen-cdop)
FOLDER := $(wildcard proto/gen-fold)
PROTO_SRC := $(sort $(wildcard proto/*.c))
SERVER_SRC := $(sort $(wildcard server/*.c server/*/*.c))
CLIENT_SRC := $(sort $(wildcard client/*.c))
UNIT_ALL := $(shell find tests/unit -name '*_test.c' 2>/dev/null | sort)
UNIT_HELP := $(shell find tests/unit -name '*.c' ! -name '*_test.c' \
	2>/dev/null | sort)
# These stand in place of a library's: an archive gives such to any program
# that asks for the name, so they have one of their own, for these tests alone.
STAND_IN := tests/unit/server/cycle/% tests/unit/terminal.c
STOOD_IN := tests/unit/server/cycle/% tests/unit/server/prompt_test.c \
	tests/unit/client/term_test.c
FUZZ_SRC := $(sort $(wildcard tests/fuzz/*.c))
FUZZ_HELP := $(sort $(wildcard tests/fuzz/lib/*.c))
BENCH_SRC := $(sort $(wildcard tests/bench/*.c))
MIX_SRC := tests/bench/mix_client.c tests/bench/mix_child.c
CT_SRC := $(sort $(wildcard tests/ct/*.c))
FAULT_SRC := $(sort $(wildcard tests/fault/*.c))
EVIL_SRC := $(sort $(wildcard tests/evil/*.c))
HEADERS := $(sort $(wildcard include/cdop/*.h proto/*.h server/*.h \
	server/*/*.h client/*.h)) \
	$(shell find tests -name '*.h' 2>/dev/null | sort)
SOURCES := $(PROTO_SRC) $(SERVER_SRC) $(CLIENT_SRC) $(UNIT_ALL) \
	$(UNIT_HELP) $(FUZZ_SRC) $(FUZZ_HELP) $(BENCH_SRC) $(CT_SRC) \
	$(FAULT_SRC) $(EVIL_SRC)
UNIT_SRC := $(if $(T),$(foreach t,$(UNIT_ALL),$(if \
	$(findstring $(T),$(t)),$(t))),$(UNIT_ALL))

TOOL_SRC := $(if $(T),$(foreach t,$(SOURCES),$(if \
	$(findstring $(T),$(t)),$(t))),$(filter-out tests/%,$(SOURCES)))

GEN_SRC := $(PROTOS:proto/%.proto=$(GEN)/%.pb-c.c)
GEN_HDR := $(GEN_SRC:.c=.h)
GEN_INC := $(addprefix $(GEN)/,rpc_table.inc fields_table.inc fold_table.inc)

objs = $(patsubst %.c,$(OUT)/obj/%.o,$(1))
GEN_OBJ := $(GEN_SRC:$(GEN)/%.c=$(OUT)/obj/gen/%.o)
SRC_OBJ := $(call objs,$(SOURCES))
unit_bin = $(patsubst tests/unit/%.c,$(OUT)/unit/%,$(1))

PROGRAMS := $(if $(wildcard server/main.c),$(OUT)/cdopd) \
	$(if $(wildcard client/main.c),$(OUT)/cdop)

# ---- Flags ---------------------------------------------------------------

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
	-Wcast-qual -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wundef -Wvla -Walloca -Wformat=2 \
	-Wswitch-enum -Wwrite-strings -Wpointer-arith -Wredundant-decls \
	-Wnested-externs -Wdate-time
WARN_gcc := -Wcast-align=strict -Wformat-overflow=2 -Wformat-truncation=2 \
	-Wformat-signedness -Wimplicit-fallthrough=5 -Wduplicated-cond \
	-Wduplicated-branches -Wlogical-op -Wjump-misses-init \
	-Warith-conversion -Wstringop-overflow=4
WARN_clang := -Wcast-align -Wimplicit-fallthrough \
	-Wmissing-variable-declarations -Wcomma -Wconditional-uninitialized \
	-Wassign-enum -Wunreachable-code-aggressive

HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
	-fstack-clash-protection -ftrivial-auto-var-init=zero -fPIE
ifneq ($(filter x86_64 i%86,$(shell uname -m)),)
HARDEN += -fcf-protection=full
endif
HARDEN_clang := \
	-enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang
LD_HARDEN := -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer

# Sanitizers make frames bigger and blind the flow analysis of gcc.
MODE_release := -O2 $(HARDEN) -Wframe-larger-than=8192 -Wnull-dereference
MODE_debug := -O1 $(SANITIZE)
# Counters that lie in the file itself: a process that is killed, or behind walls,
# has counted all the same.  Processes share them: one that does not count by
# one instruction takes from what another counts.
MODE_cover := -O0 -fprofile-instr-generate -fcoverage-mapping \
	-fprofile-update=atomic \
	-mllvm -runtime-counter-relocation
MODE_fuzz := -O1 $(SANITIZE) -fsanitize=fuzzer-no-link
# It reads a file alone, and cannot know that another file's function hands a
# result out whenever it says CDOP_OK: of these three kinds it advises.
MODE_analyze := -O1 -fanalyzer -fdiagnostics-path-format=none \
	-Wno-error=analyzer-null-dereference \
	-Wno-error=analyzer-use-of-uninitialized-value \
	-Wno-error=analyzer-malloc-leak
LD_release := $(LD_HARDEN)
LD_debug := $(SANITIZE)
LD_cover := -fprofile-instr-generate
LD_fuzz := $(SANITIZE)

# What needs no compiler must not ask for one.
ifneq ($(filter-out help clean deps fmt deb check-deb,$(or $(MAKECMDGOALS),all)),)
COMPILER := $(if $(findstring clang,$(shell $(CC) --version)),clang,gcc)
pkg = $(shell pkg-config $(1) || echo --missing-library)
PC_COMMON := libsodium nettle libprotobuf-c
PC_SERVER := $(PC_COMMON) libevent_core libseccomp lmdb
PC_CLIENT := $(PC_COMMON) jansson
PC_CFLAGS := $(call pkg,--cflags $(PC_SERVER) $(PC_CLIENT))
LIBS_proto := $(call pkg,--libs $(PC_COMMON))
LIBS_server := $(call pkg,--libs $(PC_SERVER))
LIBS_client := $(call pkg,--libs $(PC_CLIENT)) -lcsv
LIBS_test := $(call pkg,--libs cmocka jansson)
endif

BASE := -std=c11 -D_GNU_SOURCE -g -I. -Iinclude -isystem $(GEN) $(PC_CFLAGS) \
	-ffile-prefix-map=$(CURDIR)=.
MODE_FLAGS := $(MODE_$(MODE)) $(if $(filter release,$(MODE)),\
	$(HARDEN_$(COMPILER)))
OUR_WARN := $(WARN) $(WARN_$(COMPILER)) -Werror
# Tests may be wide on the stack, die of NULL, and hand in values that no enum
# has.
TEST_WARN := -Wno-frame-larger-than -Wno-null-dereference $(if $(filter clang,$(COMPILER)),\
	-Wno-assign-enum)
COMPILE = $(CC) $(BASE) $(OUR_WARN) $(MODE_FLAGS) $(CPPFLAGS) $(CFLAGS)
COMPILE_GEN = $(CC) $(BASE) -w $(MODE_FLAGS) $(CPPFLAGS) $(CFLAGS)
LINK = $(CC) $(CFLAGS) $(LD_$(MODE)) $(LDFLAGS)

# ---- Programs ------------------------------------------------------------

.PHONY: all
all: $(PROGRAMS) $(OUT)/libserver.a $(OUT)/libclient.a	## both programs, hardened, in build/release
	@:

$(OUT)/cdopd: $(call objs,server/main.c) $(OUT)/libserver.a $(OUT)/libcdop.a
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(LIBS_server)

$(OUT)/cdop: $(call objs,client/main.c) $(OUT)/libclient.a $(OUT)/libcdop.a
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(LIBS_client)

define archive
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcsD $@ $(filter %.o,$^)
endef
# What is no source any more is in no archive any more.
$(patsubst %,$(OUT)/lib%.a,cdop server client test standin): $(OUT)/sources

$(OUT)/libcdop.a: $(call objs,$(PROTO_SRC)) $(GEN_OBJ)
	$(archive)
$(OUT)/libserver.a: $(call objs,$(filter-out server/main.c,$(SERVER_SRC)))
	$(archive)
$(OUT)/libclient.a: $(call objs,$(filter-out client/main.c,$(CLIENT_SRC)))
	$(archive)
$(OUT)/libtest.a: $(call objs,$(filter-out $(STAND_IN),$(UNIT_HELP)))
	$(archive)
$(OUT)/libstandin.a: $(call objs,$(filter $(STAND_IN),$(UNIT_HELP)))
	$(archive)

$(SRC_OBJ): $(OUT)/obj/%.o: %.c $(OUT)/flags | $(GEN)/stamp
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) $(if $(filter tests/%,$<),$(TEST_WARN)) \
		-MD -MP -c -o $@ $<

$(GEN_OBJ): $(OUT)/obj/gen/%.o: $(GEN)/%.c $(OUT)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE_GEN) -MD -MP -c -o $@ $<

# Objects are made again when the flags change, and only then.
.PHONY: FORCE
$(OUT)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(COMPILE) $(LINK)' | cmp -s - $@ || \
		echo '$(COMPILE) $(LINK)' >$@

$(OUT)/sources: FORCE
	@mkdir -p $(@D)
	@echo '$(SOURCES) $(STAND_IN)' | cmp -s - $@ || \
		echo '$(SOURCES) $(STAND_IN)' >$@

# ---- Generated code ------------------------------------------------------

# Made aside and copied where it differs, so that a comment in a .proto does
# not compile the world.
$(GEN)/stamp: $(PROTOS) $(GENERATOR) $(FOLDER) Makefile
	$(if $(PROTOS),$(call say,GEN,$(PROTOS)))
	$(Q)mkdir -p $(GEN); tmp=$$(mktemp -d $(GEN)/tmp.XXXXXX); \
	trap 'rm -rf "$$tmp"' EXIT; \
	$(if $(PROTOS),protoc -Iproto --c_out="$$tmp" $(PROTOS);) \
	$(if $(GENERATOR),protoc -Iproto --cdop_out="$$tmp" \
		--plugin=protoc-gen-cdop=$(GENERATOR) \
		$(filter %/forms.proto %/registry.proto,$(PROTOS));) \
	$(if $(FOLDER),$(FOLDER) >"$$tmp"/fold_table.inc;) \
	for f in "$$tmp"/*; do \
		[ -f "$$f" ] || continue; \
		cmp -s "$$f" "$(GEN)/$${f##*/}" || mv -f "$$f" $(GEN)/; \
	done; touch $@

# All of it: make remembers how old a file is that it knows no rule for.
$(GEN_SRC) $(GEN_HDR) $(GEN_INC): $(GEN)/stamp
	@:

# ---- Tests ---------------------------------------------------------------

side = $(word 3,$(subst /, ,$(1)))
unit_libs = $(if $(filter server client,$(1)),$(OUT)/lib$(1).a) \
	$(OUT)/libcdop.a

define unit_rule
$(call unit_bin,$(1)): $(call objs,$(1)) \
		$(if $(filter $(STOOD_IN),$(1)),$(OUT)/libstandin.a) \
		$(if $(UNIT_HELP),$(OUT)/libtest.a) \
		$(call unit_libs,$(call side,$(1)))
	$$(call say,LINK,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(LINK) -o $$@ $$^ $$(or $$(LIBS_$(call side,$(1))),\
		$$(LIBS_proto)) $$(LIBS_test)
endef
$(foreach t,$(UNIT_ALL),$(eval $(call unit_rule,$(t))))

# A fuzz target may knock at any door of either program.
$(FUZZ_SRC:tests/fuzz/%.c=$(OUT)/%): $(OUT)/%: $(OUT)/obj/tests/fuzz/%.o \
		$(call objs,$(FUZZ_HELP)) \
		$(if $(UNIT_HELP),$(OUT)/libtest.a) $(OUT)/libserver.a \
		$(OUT)/libclient.a $(OUT)/libcdop.a
	$(call say,LINK,$@)
	$(Q)$(LINK) -fsanitize=fuzzer -o $@ $^ $(LIBS_server) $(LIBS_client) \
		$(LIBS_test)

.PHONY: unit-programs
unit-programs: $(call unit_bin,$(UNIT_SRC))
	@:

# A daemon one of whose children was taken over; the flow tests play it.
$(OUT)/evil/cdopd: $(call objs,$(EVIL_SRC)) $(OUT)/libtest.a \
		$(OUT)/libserver.a $(OUT)/libcdop.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(LINK) -o $@ $^ $(LIBS_server) $(LIBS_test)

.PHONY: evil
evil: $(OUT)/evil/cdopd
	@:

# T may name unit tests or lints alone; then no program need be built.
FLOWS := $(basename $(notdir $(wildcard tests/flow/*.sh tests/flow/*.py)))
PLAYED := $(if $(T),$(foreach f,$(FLOWS),$(findstring $(T),flow/$(f))),all)
played = $(if $(strip $(PLAYED)),$(1))

RUN = CC='$(CC)' tests/run $(if $(T),--only '$(T)')

.PHONY: check
check:	## everything: unit tests (ASan, UBSan), lints, flow; T= picks
	+$(Q)$(MAKE) --no-print-directory MODE=debug unit-programs \
		$(call played,all)
	$(call played,+$(Q)$(MAKE) --no-print-directory MODE=release all evil)
	@$(RUN) unit=build/debug lint flow=build/release

.PHONY: check-release
check-release:	## the same unit and flow tests with the shipping flags
	+$(Q)$(MAKE) --no-print-directory MODE=release unit-programs all evil
	@$(RUN) unit=build/release flow=build/release

.PHONY: unit
unit:	## unit tests alone (debug build); T= picks
	+$(Q)$(MAKE) --no-print-directory MODE=debug unit-programs
	@$(RUN) unit=build/debug

.PHONY: flow
flow: all evil	## flow tests alone (release build); T= picks
	@$(RUN) flow=$(OUT)

.PHONY: lint
lint: $(GEN)/stamp	## lints alone; T= picks
	@$(RUN) lint

# With the shipping flags: what the compiler made of it is looked at.  Without
# what clang says for debuggers, which valgrind cannot read.
$(CT_SRC:tests/ct/%.c=$(OUT)/ct/%): $(OUT)/ct/%: $(OUT)/obj/tests/ct/%.o \
		$(OUT)/libserver.a $(OUT)/libcdop.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(LINK) -Wl,--strip-debug -o $@ $^ $(LIBS_server)

.PHONY: ct-programs
ct-programs: $(CT_SRC:tests/ct/%.c=$(OUT)/ct/%)
	@:

.PHONY: check-ct
check-ct:	## no branch and no address by a secret byte (valgrind)
	+@CC='$(CC)' tests/ct/run $(OUT)

# What LMDB says to the program is said by the shim; so are the C library's
# words, for it stands before it.  Only gcc's sanitizer lets it.
WRAPPED := env_create env_set_mapsize env_open txn_begin txn_commit dbi_open \
	dbi_flags put del cursor_open cursor_get stat
WRAPPED_OURS := sandbox_harden sandbox_enter
FAULT_MAIN := points images full offline
FAULT_OBJ := $(call objs,$(filter-out $(FAULT_MAIN:%=tests/fault/%.c),\
	$(FAULT_SRC)))
$(FAULT_MAIN:%=$(OUT)/fault/%): $(OUT)/fault/%: $(OUT)/obj/tests/fault/%.o \
		$(FAULT_OBJ) $(OUT)/libtest.a $(OUT)/libserver.a $(OUT)/libcdop.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(LINK) $(WRAPPED:%=-Wl,--wrap=mdb_%) \
		$(WRAPPED_OURS:%=-Wl,--wrap=%) -o $@ $^ $(LIBS_server) \
		$(LIBS_test)

.PHONY: fault-programs
fault-programs: $(FAULT_MAIN:%=$(OUT)/fault/%)
	@:

.PHONY: fault
fault: all	## faults at each step of a day, by the hour; FAULT_POINTS=300 takes some
	+$(Q)$(MAKE) --no-print-directory MODE=debug CC=gcc fault-programs
	@CDOPD=$(CURDIR)/$(OUT)/cdopd CDOP=$(CURDIR)/$(OUT)/cdop \
		tests/fault/run $(FAULT_POINTS)

# Copies of the tree in build/mutants, each with objects of its own.
.PHONY: mutants
mutants:	## each mitigation is taken away in a copy, and its test has to fail; T= picks, JOBS=2
	@JOBS='$(JOBS)' tests/mutants/run '$(T)'

# ---- Tools ---------------------------------------------------------------

.PHONY: demo
demo: all	## play the story with synthetic children
	@CDOPD=$(abspath $(OUT)/cdopd) CDOP=$(abspath $(OUT)/cdop) packaging/demo

.PHONY: fmt
fmt:	## clang-format all C in place
	@clang-format -i $(SOURCES) $(HEADERS)

# In build/, where clangd looks for it by itself.
.PHONY: compile_commands.json
compile_commands.json: $(GEN)/stamp	## for editors and clang-tidy, in build/
	@{ echo '['; sep=; for f in $(SOURCES); do \
		printf '%s{"directory": "%s", "file": "%s", "command": "%s"}' \
			"$$sep" '$(CURDIR)' "$$f" \
			'clang $(BASE) $(WARN) $(WARN_clang) '"-c $$f"; \
		sep=$$',\n'; \
	done; printf '\n]\n'; } >build/$@

.PHONY: tidy
tidy: compile_commands.json	## clang-tidy over all sources; T= picks
	@printf '%s\n' $(TOOL_SRC) | xargs -r -n 4 -P $$(nproc) \
		clang-tidy -p build --quiet 2>/dev/null

.PHONY: cppcheck
cppcheck: $(GEN)/stamp	## cppcheck over all sources, as in check
	@tests/lint/cppcheck

.PHONY: analyze
analyze:	## gcc's -fanalyzer over both programs
	+$(Q)$(MAKE) --no-print-directory MODE=analyze CC=gcc all

.PHONY: fuzz
fuzz:	## one fuzz target: F=frame S=60 (seconds)
	@[ -f 'tests/fuzz/$(F).c' ] || { echo 'make fuzz F=NAME, one of:' \
		$(FUZZ_SRC:tests/fuzz/%.c=%); exit 1; }
	+$(Q)$(MAKE) --no-print-directory MODE=fuzz CC=clang build/fuzz/$(F)
	@mkdir -p build/fuzz/corpus/$(F) tests/fuzz/corpus/$(F)
	build/fuzz/$(F) -max_total_time=$(S) -print_final_stats=1 \
		-artifact_prefix=build/fuzz/$(F)- \
		build/fuzz/corpus/$(F) tests/fuzz/corpus/$(F)

.PHONY: fuzz-all
fuzz-all:	## every fuzz target, as many at a time as there are cores; S=60
	+$(Q)$(MAKE) --no-print-directory MODE=fuzz CC=clang \
		$(FUZZ_SRC:tests/fuzz/%.c=build/fuzz/%)
	@tests/fuzz/run '$(S)'

# Never a part of check: it measures, and takes minutes.
$(OUT)/bench/log: $(call objs,tests/bench/log.c) $(OUT)/libserver.a \
		$(OUT)/libcdop.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(LINK) -o $@ $^ $(LIBS_server)
$(OUT)/bench/mix $(OUT)/bench/drive: $(OUT)/bench/%: \
		$(OUT)/obj/tests/bench/%.o $(call objs,$(MIX_SRC)) \
		$(OUT)/libclient.a $(OUT)/libcdop.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(LINK) -o $@ $^ $(LIBS_client)
$(OUT)/bench/limits $(OUT)/bench/bare: $(OUT)/bench/%: \
		$(OUT)/obj/tests/bench/%.o
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(LINK) -o $@ $^ $(call pkg,--libs libsodium nettle lmdb)
$(OUT)/bench/tape.so: tests/bench/tape.c tests/bench/tape.h $(OUT)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) $(TEST_WARN) -fPIC -shared -o $@ $<

BARE := $(OUT)/bench/bare $(OUT)/bench/tape.so
BENCH = @CDOPD=$(CURDIR)/$(OUT)/cdopd CDOP=$(CURDIR)/$(OUT)/cdop \
	DRIVE=$(OUT)/bench/drive LIMITS=$(OUT)/bench/limits

.PHONY: bench
bench: $(OUT)/bench/drive $(OUT)/bench/limits $(PROGRAMS)	## limits of the machine, and what the registry makes of them; SIZES="1000 30000"
	$(BENCH) SIZES='$(SIZES)' ROUNDS='$(ROUNDS)' MS='$(MS)' \
		tests/bench/bench.py

$(OUT)/bench/sqlcipher: $(call objs,tests/bench/sqlcipher.c)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(LINK) -o $@ $^ -lsqlcipher

.PHONY: bench-deps
bench-deps:
	@packaging/quickstart bench

.PHONY: bench-peers
bench-peers: bench-deps $(OUT)/bench/drive $(BARE) $(PROGRAMS)	## the registry beside PostgreSQL, SQLCipher and etcd, which it installs; SIZE=30000, ROUNDS=1 LONG=60
	+$(Q)$(MAKE) --no-print-directory $(OUT)/bench/sqlcipher
	$(BENCH) SQLCIPHER=$(OUT)/bench/sqlcipher SIZE='$(SIZE)' \
		ROUNDS='$(ROUNDS)' MS='$(MS)' LONG='$(LONG)' tests/bench/peers.py

.PHONY: bench-smoke
bench-smoke: $(OUT)/bench/drive $(OUT)/bench/limits $(OUT)/bench/log $(OUT)/bench/mix $(BARE) $(PROGRAMS)	## is bench whole?  with a handful of cases
	$(BENCH) tests/bench/smoke.py
	+@if [ ! -x /usr/lib/postgresql/15/bin/initdb ] || \
		! pkg-config --exists sqlcipher || \
		[ ! -x /usr/bin/etcd ]; then \
		echo 'skip bench-peers: packaging/quickstart bench'; exit 0; \
	fi; \
	$(MAKE) --no-print-directory $(OUT)/bench/sqlcipher && \
	CDOPD=$(CURDIR)/$(OUT)/cdopd CDOP=$(CURDIR)/$(OUT)/cdop \
		DRIVE=$(OUT)/bench/drive LIMITS=$(OUT)/bench/limits \
		SQLCIPHER=$(OUT)/bench/sqlcipher tests/bench/peers_smoke.py

.PHONY: bench-log
bench-log: $(OUT)/bench/log	## append, proof and start of the log as it grows; N=1000000
	@$< $(N)

.PHONY: bench-rotate
bench-rotate: $(OUT)/bench/mix $(PROGRAMS)	## keys turn, all is sealed anew, and 8 clients call meanwhile; CASES=100000
	@CDOPD=$(CURDIR)/$(OUT)/cdopd CDOP=$(CURDIR)/$(OUT)/cdop MIX=$< \
		CASES='$(CASES)' RATE='$(RATE)' ROUNDS='$(ROUNDS)' \
		tests/bench/rotate.py

.PHONY: bench-garbage
bench-garbage: $(PROGRAMS)	## what a session feels of 10,000 connections of garbage
	@CDOPD=$(CURDIR)/$(OUT)/cdopd CDOP=$(CURDIR)/$(OUT)/cdop \
		tests/bench/garbage.py

# A wall clock that can be set, for the daemon of a long run.
$(OUT)/soak/clock.so: tests/soak/clock.c $(OUT)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) $(TEST_WARN) -fPIC -shared -o $@ $<

.PHONY: soak
soak: $(OUT)/soak/clock.so $(PROGRAMS)	## a long run of everything against a model; S=3600 seconds
	@CDOPD=$(CURDIR)/$(OUT)/cdopd CDOP=$(CURDIR)/$(OUT)/cdop \
		SOAK_SHIM=$(CURDIR)/$(OUT)/soak/clock.so \
		tests/soak/soak.py '$(if $(filter file,$(origin S)),3600,$(S))'

# On a disk; make check has them in memory where there is enough.
.PHONY: cover-run
cover-run:
	+$(Q)$(MAKE) --no-print-directory MODE=cover CC=clang \
		unit-programs all evil
	@rm -rf build/cover/prof && mkdir -p build/cover/prof
	@LLVM_PROFILE_FILE='$(CURDIR)/build/cover/prof/@-%c%m.profraw' \
		TMPDIR=/var/tmp tests/run unit=build/cover flow=build/cover
	@llvm-profdata merge -sparse -o build/cover/all.profdata \
		build/cover/prof/*.profraw 2>/dev/null

.PHONY: cover
cover: cover-run	## what unit and flow tests reach, a line a file
	@llvm-cov report -instr-profile=build/cover/all.profdata \
		-ignore-filename-regex='(^|/)(tests|build)/' \
		build/cover/cdopd -object build/cover/cdop

.PHONY: check-cover
check-cover: cover-run	## the same against the ledger of tests/cover
	@tests/cover/ledger build/cover build/cover/all.profdata

.PHONY: cover-ledger
cover-ledger: cover-run	## writes that ledger anew
	@tests/cover/ledger build/cover build/cover/all.profdata --write

.PHONY: deps
deps:	## install the Debian packages of packaging/deps.debian
	@packaging/quickstart deps

.PHONY: install
install: all	## into $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(OUT)/cdopd $(DESTDIR)$(PREFIX)/sbin/
	install -m 755 $(OUT)/cdop $(DESTDIR)$(PREFIX)/bin/
	$(call put,$(wildcard packaging/man/*.1),share/man/man1)
	$(call put,$(wildcard packaging/man/*.5),share/man/man5)
	$(call put,$(wildcard packaging/man/*.8),share/man/man8)
	$(call put,$(wildcard packaging/profiles/*.conf),share/cdop/profiles)
	$(call put,packaging/examples/cdopd.conf,share/doc/cdop-server/examples)
	$(call put,packaging/examples/notifications.csv,\
		share/doc/cdop-client/examples)
	$(call put,packaging/completions/cdop,share/bash-completion/completions)
	install -D -m 644 packaging/systemd/cdopd.service \
		$(DESTDIR)$(UNITDIR)/cdopd.service
	sed -i 's|=/usr/sbin/|=$(PREFIX)/sbin/|' \
		$(DESTDIR)$(UNITDIR)/cdopd.service
	install -D -m 644 packaging/systemd/sysusers.conf \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d/cdopd.conf
	install -D -m 644 packaging/systemd/tmpfiles.conf \
		$(DESTDIR)$(PREFIX)/lib/tmpfiles.d/cdopd.conf


.PHONY: deb
deb:	## cdop-server and cdop-client for Debian 12, in build/deb
	@packaging/make-deb build/deb

# As root; it lays out a Debian of its own.
.PHONY: check-deb
check-deb:	## the packages: reproducible, lintian, installed, upgraded, purged
	@tests/deb/check

.PHONY: help
help:	## this list
	@awk -F ':|##' '/^[a-z_.-]+:.*##/ { \
		printf "  %-22s %s\n", $$1, $$NF }' Makefile

.PHONY: clean
clean:	## remove build/
	rm -rf build

ifneq ($(filter-out help clean deps fmt deb check-deb,$(or $(MAKECMDGOALS),all)),)
-include $(SRC_OBJ:.o=.d) $(GEN_OBJ:.o=.d)
endif
