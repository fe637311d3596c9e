#!/usr/bin/python3
"""The wire between clients and a daemon's Unix socket: counted, or cut.

    libwire.py cut SOCKET N     takes the socket's place until its stdin ends;
                                cuts each connection behind the N-th request

As a module: Wire.
"""
import os
import select
import socket
import sys
import threading
import time

PREAMBLE = 8  # bytes a client sends before the first frame


class Wire:
    """Stands at the socket's path from the start to close().

    counts[i] is of the i-th connection: the lengths of the client's frames
    and of the server's.  With cut_after=n the n-th request goes out, its
    answer is waited for, and the line is cut: the client never hears of it.
    hold="requests" keeps back what a client asks after its handshake,
    hold="answers" what it is answered; hold="proof" waits with message 3 till
    go is set, and has set held before; hold="nothing" hangs up at message 3.
    hung_up[i] is when the server closed the i-th connection.  said is all
    that clients sent, as it went over the wire.
    """

    def __init__(self, path, cut_after=0, hold=""):
        self.path = path
        self.real = path + ".real"
        self.cut_after = cut_after
        self.hold = hold
        self.counts = []
        self.hung_up = {}
        self.said = bytearray()
        self.held, self.go = threading.Event(), threading.Event()
        self.open = True
        os.rename(self.path, self.real)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(8)
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        self.open = False
        self.listener.close()
        os.unlink(self.path)
        os.rename(self.real, self.path)

    def accept(self):
        while self.open:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.real)
            self.counts.append([[], []])
            threading.Thread(target=self.carry, daemon=True, args=(
                client, server, len(self.counts) - 1)).start()

    def asked(self, number=-1):
        """Requests of a connection: messages 1 and 3 come before them."""
        return len(self.counts[number][0]) - 2 if self.counts else 0

    def answered(self, number=-1):
        """Its answers: message 2 and Welcome come before them."""
        return len(self.counts[number][1]) - 2 if self.counts else 0

    def is_held(self, number, side):
        if side == 0:
            return self.hold == "requests" and self.asked(number) > 0
        return (self.hold == "answers" and self.answered(number) > 0) or \
            (self.cut_after and self.asked(number) >= self.cut_after)

    def is_cut(self, number):
        return self.cut_after and self.asked(number) >= self.cut_after and \
            self.answered(number) >= self.cut_after

    def ends(self, client, server, number):
        """The server's end: in order, or because it is gone."""
        self.hung_up[number] = time.monotonic()
        poll = select.poll()
        poll.register(server, 0)
        if not poll.poll(0):
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass

    def proves(self, number, side):
        """Message 3 has come; whether it goes on."""
        if side == 0 and self.hold == "proof" and self.asked(number) == 0:
            self.held.set()
            self.go.wait(60)
        return side == 1 or self.hold != "nothing" or self.asked(number) < 0

    def carry(self, client, server, number):
        ends = [client, server]
        frames = [Frames(PREAMBLE), Frames(0)]
        try:
            while not self.is_cut(number):
                for end in select.select(ends, [], [])[0]:
                    side = ends.index(end)
                    data = end.recv(65536)
                    if not data:
                        if side == 1:
                            self.ends(client, server, number)
                        return
                    if side == 0:
                        self.said += data
                    self.counts[number][side] += frames[side].take(data)
                    if not self.proves(number, side):
                        return
                    if not self.is_held(number, side):
                        ends[1 - side].sendall(data)
        except OSError:
            pass
        finally:
            client.close()
            server.close()


class Frames:
    """Cuts a stream into frames: a length of two bytes, then so many."""

    def __init__(self, skip):
        self.skip = skip
        self.bytes = bytearray()

    def take(self, data):
        """Lengths of the frames that are whole now."""
        self.bytes += data
        gone = min(self.skip, len(self.bytes))
        self.skip -= gone
        del self.bytes[:gone]
        lengths = []
        while len(self.bytes) >= 2:
            size = self.bytes[0] << 8 | self.bytes[1]
            if len(self.bytes) < 2 + size:
                break
            lengths.append(size)
            del self.bytes[:2 + size]
        return lengths


def main():
    if len(sys.argv) != 4 or sys.argv[1] != "cut":
        sys.exit(__doc__.strip())
    wire = Wire(sys.argv[2], int(sys.argv[3]))
    print("ready", flush=True)
    sys.stdin.read()
    wire.close()


if __name__ == "__main__":
    main()
