"""The system calls that move many datagrams at once, called through cffi.

cffi's ABI mode calls the C library as it is, so no compiler is needed.  All memory that
the kernel writes into is laid out once; a batch costs two calls, some slices of one
buffer, and the packing of the answers' places.

Hot path: measured in bench/udp.py; budget 0.4 us a datagram beside the kernel.

Source: recvmmsg(2), sendmmsg(2).
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from struct import Struct
from typing import Any

from cffi import FFI

from trinity_beast.toolkit.udp.batch import Sender

MOST_AT_ONCE = 64
"""Datagrams of a batch."""

MOST_BYTES = 1_200
"""Bytes of a datagram, there and back: it passes every network in one piece."""

_ROOM = 1_216
"""Bytes kept for a datagram: enough to see that one is too long."""

_NAME = 32
"""Bytes kept for an address; the longest, of IPv6, takes 28."""

_IPV6_AT = 8
_IPV6_END = 24
_DECLARED = """
struct iovec { void *iov_base; size_t iov_len; };
struct msghdr {
    void *msg_name;
    unsigned int msg_namelen;
    struct iovec *msg_iov;
    size_t msg_iovlen;
    void *msg_control;
    size_t msg_controllen;
    int msg_flags;
};
struct mmsghdr { struct msghdr msg_hdr; unsigned int msg_len; };
int recvmmsg(int, struct mmsghdr *, unsigned int, int, void *);
int sendmmsg(int, struct mmsghdr *, unsigned int, int);
"""


class _Calls:
    """The C library's calls, if it has them."""

    def __init__(self) -> None:
        self.ffi = FFI()
        self.ffi.cdef(_DECLARED)
        self.library: Any = self.ffi.dlopen(None)
        self.receive: Any = self.library.recvmmsg
        self.send: Any = self.library.sendmmsg


@cache
def _calls() -> _Calls | None:
    try:
        return _Calls()
    except (OSError, AttributeError, TypeError):
        return None


def has_batches() -> bool:
    """Tell whether this system moves many datagrams by one call."""
    return _calls() is not None


class Messages:
    """Room for one batch of a socket, and the calls that fill and send it.

    Args:
        sock: A bound socket of IPv4 or IPv6.

    Attributes:
        unsent: Answers that the system did not take, since the start.
    """

    def __init__(self, sock: socket.socket) -> None:
        calls = _calls()
        assert calls is not None  # noqa: S101 - has_batches() was asked before
        self.unsent = 0
        self._calls = calls
        self._descriptor = sock.fileno()
        self._is_ipv6 = sock.family == socket.AF_INET6
        ffi = calls.ffi
        self._data = ffi.new("char[]", MOST_AT_ONCE * _ROOM)
        self._names = ffi.new("char[]", MOST_AT_ONCE * _NAME)
        self._parts_in = ffi.new("struct iovec[]", MOST_AT_ONCE)
        self._parts_out = ffi.new("struct iovec[]", MOST_AT_ONCE)
        self._in: Any = ffi.new("struct mmsghdr[]", MOST_AT_ONCE)
        self._out: Any = ffi.new("struct mmsghdr[]", MOST_AT_ONCE)
        self._lay_out()
        self._bytes: Any = ffi.buffer(self._data)
        self._name_bytes: Any = ffi.buffer(self._names)
        self._places = memoryview(ffi.buffer(self._parts_out))
        size: int = ffi.sizeof("struct mmsghdr")
        numbers = memoryview(ffi.buffer(self._in)).cast("B").cast("I")
        at: int = ffi.offsetof("struct mmsghdr", "msg_len")
        self._lengths = numbers[at // 4 :: size // 4]
        # Of a struct sockaddr_in, the address is the second four bytes.
        self._hosts = memoryview(self._name_bytes).cast("B").cast("I")[1 :: _NAME // 4]

    def receive(self) -> list[bytes]:
        """Return the datagrams that wait, at most ``MOST_AT_ONCE``.

        One that is too long comes with ``MOST_BYTES`` + 1 bytes or a few more.
        """
        count: int = self._calls.receive(
            self._descriptor,
            self._in,
            MOST_AT_ONCE,
            socket.MSG_DONTWAIT,
            self._calls.ffi.NULL,
        )
        if count <= 0:
            return []
        raw, lengths = self._bytes, self._lengths[:count].tolist()
        return [
            raw[at : at + length]
            for at, length in zip(
                range(0, count * _ROOM, _ROOM),
                lengths,
                strict=True,
            )
        ]

    def senders(self, count: int) -> Sequence[Sender]:
        """Return who sent the datagrams that were just received."""
        if not self._is_ipv6:
            hosts: list[int] = self._hosts[:count].tolist()
            return hosts
        raw = self._name_bytes
        starts = range(0, count * _NAME, _NAME)
        return [bytes(raw[at + _IPV6_AT : at + _IPV6_END]) for at in starts]

    def return_address(self, index: int) -> tuple[str | int, ...]:
        """Return where a datagram that was just received came from."""
        at = index * _NAME
        name: bytes = self._name_bytes[at : at + _NAME]
        port = int.from_bytes(name[2:4], "big")
        if not self._is_ipv6:
            return socket.inet_ntoa(name[4:8]), port
        zone = _ZONE.unpack_from(name, _IPV6_END)[0]
        host = socket.inet_ntop(socket.AF_INET6, name[_IPV6_AT:_IPV6_END])
        return host, port, 0, zone

    def answer(self, answers: Sequence[bytes | None]) -> None:
        """Send answers to where the datagrams just received came from, in their order.

        No answer, or an empty one, is not sent.  What the system does not take is
        dropped, as the network may do, and counted.
        """
        told = [answer for answer in answers if answer]
        if len(told) == len(answers):
            self._send(told)
            return
        places = [index for index, answer in enumerate(answers) if answer]
        for place, index in enumerate(places):
            self._out[place].msg_hdr.msg_name = self._names + index * _NAME
        self._send(told)
        for place in range(len(places)):
            self._out[place].msg_hdr.msg_name = self._names + place * _NAME

    def _send(self, answers: list[bytes]) -> None:
        count = len(answers)
        if not count:
            return
        ffi = self._calls.ffi
        text = ffi.from_buffer(b"".join(answers))
        lengths = list(map(len, answers))
        places = [0] * (2 * count)
        places[::2] = list(
            accumulate(lengths[:-1], initial=int(ffi.cast("uintptr_t", text))),
        )
        places[1::2] = lengths
        _places_of(count).pack_into(self._places, 0, *places)
        sent = 0
        while sent < count:
            done: int = self._calls.send(
                self._descriptor,
                self._out + sent,
                count - sent,
                socket.MSG_DONTWAIT,
            )
            if done > 0:
                sent += done
            elif ffi.errno in _FULL:
                self.unsent += count - sent
                break
            elif ffi.errno != errno.EINTR:
                # This one cannot be sent; those behind it go elsewhere.
                self.unsent += 1
                sent += 1

    def _lay_out(self) -> None:
        ffi = self._calls.ffi
        name_length = 28 if self._is_ipv6 else 16
        for index in range(MOST_AT_ONCE):
            self._parts_in[index].iov_base = self._data + index * _ROOM
            self._parts_in[index].iov_len = _ROOM
            for messages, parts in (
                (self._in, self._parts_in),
                (self._out, self._parts_out),
            ):
                header = messages[index].msg_hdr
                header.msg_name = self._names + index * _NAME
                header.msg_namelen = name_length
                header.msg_iov = ffi.addressof(parts, index)
                header.msg_iovlen = 1


_ZONE = Struct("=I")
_FULL = (errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS)


@cache
def _places_of(count: int) -> Struct:
    return Struct(f"@{2 * count}N")
