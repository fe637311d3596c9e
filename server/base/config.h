/*
 * The configuration file: "key = value", one table of keys.
 *
 * The struct is plain data without pointers: the parent reads the file and
 * sends the struct to its children, which open no file.
 */
#ifndef CDOP_BASE_CONFIG_H
#define CDOP_BASE_CONFIG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cdop/err.h"

#define CONFIG_PATH_MAX   256 /* with its NUL */
#define CONFIG_WORD_MAX   64  /* with its NUL */
#define CONFIG_LISTEN_MAX 8

struct config {
	char data_dir[CONFIG_PATH_MAX];
	char run_dir[CONFIG_PATH_MAX];
	char key_file[CONFIG_PATH_MAX];      /* empty: none */
	char boot_key_file[CONFIG_PATH_MAX]; /* empty: none */
	char anchor_dir[CONFIG_PATH_MAX];    /* empty: none */
	char metrics_file[CONFIG_PATH_MAX];  /* empty: none */
	char user[CONFIG_WORD_MAX];          /* empty: stay who we are */
	char listen[CONFIG_LISTEN_MAX][CONFIG_PATH_MAX];
	uint32_t n_listen;
	uint32_t socket_mode;
	uint32_t map_size_gib;
	uint32_t reserve_mib;
	uint32_t log_level; /* enum log_level */
	uint32_t gate_connections;
	uint32_t gate_half_open;
	uint32_t gate_source_connections;
	uint32_t gate_source_handshakes; /* a minute; 0: no limit */
	uint32_t gate_source_garbage;    /* a minute; 0: no limit */
	uint32_t gate_penalty_s;
	uint32_t handshake_s;
	uint32_t idle_s;
	uint32_t stop_s;
	uint32_t restarts;  /* of children in a minute */
	uint32_t clock_day; /* YYYYMMDD; 0: nobody says */
};

/* What is wrong with a file, for a person: "line 3: ...". */
struct config_error {
	char text[256];
};

/* The values a file without any line gives. */
void config_init(struct config *ret_conf);

/*
 * Reads the text of a file over the defaults.  CDOP_INVALID_ARGUMENT with
 * the line and key in *ret_error: unknown key, key twice (other than
 * listen), value out of its bounds, a required key that is missing.
 */
CDOP_MUST enum cdop_err config_parse(const char *text, size_t len,
    struct config *ret_conf, struct config_error *ret_error);

/*
 * config_parse of a file of at most CDOP_CONFIG_FILE_MAX bytes.
 * CDOP_NOT_FOUND when it cannot be opened.
 */
CDOP_MUST enum cdop_err config_load(
    const char *path, struct config *ret_conf, struct config_error *ret_error);

/* Every key with the value in force, in the form that config_parse reads. */
void config_print(const struct config *conf, FILE *out);

/* The example file: help, bounds and default of every key, commented out. */
void config_print_example(FILE *out);

/*
 * Takes the reloadable keys from fresh.  Writes the names of other keys
 * that differ and wait for a restart to ret_waiting, with spaces between.
 */
void config_reload(struct config *conf, const struct config *fresh,
    char *ret_waiting, size_t size);

#endif
