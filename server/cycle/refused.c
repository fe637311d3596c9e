/* What a registry that does not open comes to. */
#include "server/cycle/refused.h"

#include <stdbool.h>

#include "server/base/control.h"
#include "server/base/log.h"
#include "server/store/files.h"

int
refused_status(enum cdop_err err)
{
	if (err == CDOP_NOT_FOUND)
		return CONTROL_EXIT_CONFIG;
	return err == CDOP_DATA_LOSS ? CONTROL_EXIT_DATA : 1;
}

const char *
refused_next(enum cdop_err err)
{
	if (err == CDOP_NOT_FOUND)
		return "take the data directory away and run cdopd init";
	return err == CDOP_RESOURCE_EXHAUSTED ? REFUSED_NEXT_ROOM
					      : REFUSED_NEXT_VERIFY;
}

int
refused_store(const char *dir, enum cdop_err err)
{
	const bool lost = err == CDOP_DATA_LOSS;
	struct files_found found = {"the directory", REFUSED_NEXT_DIR};

	if (err == CDOP_RESOURCE_EXHAUSTED)
		return 1; /* as of whatever else it takes to open */
	if (err == CDOP_PERMISSION_DENIED) {
		if (!files_read_only(dir, &found))
			(void)files_data(dir, &found);
		log_error("store.refused", "code=%s dir=%s finding=%s next=%s",
		    cdop_err_name(err), dir, found.words, found.next);
	} else
		log_error("store.refused", "code=%s dir=%s next=%s",
		    cdop_err_name(err), dir,
		    lost ? REFUSED_NEXT_VERIFY
			 : "is there a registry? cdopd init makes one");
	return lost ? CONTROL_EXIT_DATA : CONTROL_EXIT_CONFIG;
}
