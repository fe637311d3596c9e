#!/bin/sh
# The worked handshake of PROTOCOL.md, done again by another Noise library in
# another language.
exec /usr/bin/python3 tests/flow/stranger/noise_link.py proto/PROTOCOL.md
