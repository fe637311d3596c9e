/* The keys that the gate asks of strangers: open, sealed, and turned. */
#include "cdop/secret.h"
#include "server/cycle/cycle_state.h"
#include "server/registry/link_key.h"
#include "server/registry/registry.h"
#include "server/vault/boot_set.h"

void
cycle_send_keys(struct cycle *cycle)
{
	uint8_t keys[2][IPC_KEY_LEN];
	size_t n = 0;

	if (cycle->reg != NULL) {
		n = link_key_publics(cycle->reg, keys);
		cycle->sent_key[0] = cycle->reg->link_secret;
		cycle->sent_key[1] = cycle->reg->link_secret_next;
	} else if (cycle->args.boot != NULL) {
		for (; n < cycle->args.boot->n_keys; n++)
			cdop_secret_public(keys[n], cycle->args.boot->link[n]);
	}
	cycle_send(
	    cycle, 0, IPC_KEYS, (struct cdop_bytes){keys[0], n * IPC_KEY_LEN});
}

void
cycle_tell_keys(struct cycle *cycle)
{
	if (cycle->link >= 0 &&
	    (cycle->sent_key[0] != cycle->reg->link_secret ||
		cycle->sent_key[1] != cycle->reg->link_secret_next))
		cycle_send_keys(cycle);
}
