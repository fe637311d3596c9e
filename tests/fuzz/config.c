/*
 * The configuration file, and what the processes say to each other, packets
 * of the link and lists of slots: what is taken is printed and read back the
 * same, what is refused says why.
 */
#include "server/base/config.h"

#include <stdlib.h>
#include <string.h>

#include "cdop/limits.h"
#include "server/base/control.h"
#include "server/base/ipc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
again(const struct config *conf)
{
	static struct config twin;
	struct config_error error;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	CDOP_ASSERT(out != NULL);
	config_print(conf, out);
	fclose(out);
	CDOP_ASSERT(config_parse(text, len, &twin, &error) == CDOP_OK);
	CDOP_ASSERT(memcmp(conf, &twin, sizeof(twin)) == 0);
	free(text);
}

static void
packet(struct cdop_bytes data)
{
	uint8_t header[IPC_HEADER_LEN];
	struct ipc_packet packet;

	while (data.len > 0) {
		const uint8_t *at = data.data;

		if (ipc_parse(&data, &packet) != CDOP_OK)
			return;
		/* Longer ones do not come through the socket. */
		if (packet.bytes.len > CDOP_FRAME_MAX)
			return;
		ipc_write_header(&packet, header);
		CDOP_ASSERT(memcmp(header, at, sizeof(header)) == 0);
	}
}

static void
slots(struct cdop_bytes data)
{
	static struct control_slot slot[CONTROL_SLOTS_MAX];
	size_t n;

	if (control_parse_slots(data, slot, &n) == CDOP_OK)
		CDOP_ASSERT(n <= CONTROL_SLOTS_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct config conf;
	struct config_error error = {""};
	const char *text = (const char *)data;

	packet((struct cdop_bytes){data, len});
	slots((struct cdop_bytes){data, len});
	if (len == 0 || len > CDOP_CONFIG_FILE_MAX)
		return 0;
	if (config_parse(text, len, &conf, &error) == CDOP_OK)
		again(&conf);
	else
		CDOP_ASSERT(error.text[0] != '\0');
	return 0;
}
