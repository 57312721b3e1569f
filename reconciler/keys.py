"""Raw keys: derived, named, never printed. The cryptography of :mod:`reconciler.sealing`, without its places.

AES-256-GCM (NIST SP 800-38D) with random 96-bit nonces, HKDF-SHA256 (RFC 5869), HMAC-SHA256 (RFC 2104).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
from typing import TYPE_CHECKING, Any, NoReturn

from reconciler.canonical import joined
from reconciler.errors import StoreError
from reconciler.secret import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
FORMAT = b"\x01"
"""First byte of everything encrypted."""


def hkdf(key: bytes, info: bytes, length: int = KEY_BYTES) -> bytes:
    """HKDF-SHA256 without salt, up to one block (32 bytes): RFC 5869, sections 2.2 and 2.3.

    With the standard library's HMAC, which spares every run the 6 ms of importing the other one.
    """
    extracted = hmac.digest(bytes(KEY_BYTES), key, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")[:length]


class Key:
    """32 secret bytes that nothing prints or pickles."""

    __slots__ = ("raw",)

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def __repr__(self) -> str:
        return "<key>"

    def _refuse(self, *_: Any) -> NoReturn:
        raise TypeError("a key cannot be pickled, copied or written")

    __reduce__ = __reduce_ex__ = __getstate__ = __copy__ = __deepcopy__ = _refuse

    @classmethod
    def new(cls) -> Key:
        return cls(os.urandom(KEY_BYTES))

    @classmethod
    def of(cls, text: Secret) -> Key:
        """A wrapping key as people keep it, in base64. Raises StoreError ``key-malformed``."""
        try:
            key = cls(base64.b64decode(text.reveal().strip(), validate=True))
        except (binascii.Error, ValueError):
            key = cls(b"")
        if len(key.raw) != KEY_BYTES:
            raise StoreError("key-malformed")
        return key

    def text(self) -> Secret:
        """As people keep it."""
        return Secret(base64.b64encode(self.raw).decode())

    def subkey(self, *info: str) -> Key:
        return Key(hkdf(self.raw, joined(*info)))

    def id(self, *info: str) -> str:
        """A public name, from which nothing can be learnt about the key: 16 hex digits."""
        return hkdf(self.raw, joined(*info), 8).hex()

    def mac(self, message: bytes) -> bytes:
        """HMAC-SHA256."""
        return hmac.digest(self.raw, message, "sha256")

    def cipher(self) -> Cipher:
        return Cipher(self)


class Cipher:
    """AES-256-GCM under one key: format byte, random nonce, ciphertext and tag in one piece."""

    __slots__ = ("_aead",)

    def __init__(self, key: Key) -> None:
        # imported here, because the offline commands never encrypt
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._aead: AESGCM = AESGCM(key.raw)

    def encrypt(self, value: bytes, about: bytes) -> bytes:
        """``about`` is authenticated with the value, and must be the same to open it."""
        nonce = os.urandom(NONCE_BYTES)
        return FORMAT + nonce + self._aead.encrypt(nonce, value, about)

    def decrypt(self, blob: bytes, about: bytes) -> bytes | None:
        """What is inside; None where it is not what was put there, about this, under this key."""
        from cryptography.exceptions import InvalidTag

        if blob[:1] != FORMAT or len(blob) < len(FORMAT) + NONCE_BYTES + TAG_BYTES:
            return None
        try:
            return self._aead.decrypt(blob[1 : 1 + NONCE_BYTES], blob[1 + NONCE_BYTES :], about)
        except InvalidTag:
            return None
