"""Keys, sealing and fingerprints: the only place where a secret becomes ciphertext and back. Reads no environment.

AES-256-GCM (NIST SP 800-38D) with random 96-bit nonces, HKDF-SHA256 (RFC 5869), HMAC-SHA256 (RFC 2104). Which bytes
go in is written down in ``docs/formats.md``. Three layers: a *wrapping key*, which people keep in a file or in CI,
opens the store's *data key*; *subkeys* of that, one for each workspace and purpose, do the work, so that one alone
can be handed out. There is no trial decryption: everything names its key, and an unknown name is its own error.
"""

from __future__ import annotations

import base64
import hmac
import os
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, NoReturn

from reconciler import subkeys
from reconciler.canonical import joined
from reconciler.errors import SecretUnavailable, StoreError
from reconciler.keys import KEY_BYTES, Cipher, Key
from reconciler.secret import Secret
from reconciler.state import SealedSecret, Slot

FINGERPRINT_BYTES = 16

SEALING, FINGERPRINTS, AUDIT, PLANS = subkeys.SEALING, subkeys.FINGERPRINTS, subkeys.AUDIT, subkeys.PLANS

Fingerprinter = Callable[[str, str, Secret], bytes]
"""(name, field, value) to fingerprint."""

_length = struct.Struct(">I").pack


def new_store_id() -> str:
    """16 lower-case letters and digits: 80 random bits."""
    return base64.b32encode(os.urandom(10)).decode().lower()


def new_wrapping_key() -> Secret:
    """A new random wrapping key, in base64."""
    return Key.new().text()


def wrapping_key_id(key: Secret) -> str:
    """The key's public id, 16 hex digits, the same in every store. Raises StoreError ``key-malformed``."""
    return _wrapping_id(Key.of(key))


def _wrapping_id(key: Key) -> str:
    return key.id("reconciler-wrapping-key-id-1")


def new_data_key(store_id: str, key: Secret, generation: int = 1) -> tuple[Keyring, Slot]:
    """Make a store's data key; answers it open, and wrapped for the store to keep.

    Only where a store is made, or given a further generation. Raises StoreError ``key-malformed``.
    """
    data = Key.new()
    wrapping = Key.of(key)
    slot = Slot(_wrapping_id(wrapping), data.id("reconciler-data-key-id-1", store_id), b"", generation)
    wrapped = _wrapper(wrapping, store_id).encrypt(data.raw, _about_slot(store_id, slot))
    ring = Keyring(store_id, {slot.data_key_id: data}, slot.data_key_id)
    return ring, replace(slot, wrapped=wrapped)


def open_keyring(store_id: str, slots: Iterable[Slot], key: Secret) -> Keyring:
    """Open the data keys that this wrapping key can open; or take the few subkeys of a handed key.

    Raises StoreError: ``key-malformed``; ``key-wrong`` (names the ids wanted) where it does not open the newest data
    key; ``tampered`` where a slot was altered.
    """
    if handed := subkeys.parse(key):
        if handed.store_id != store_id:
            raise StoreError("key-wrong", f"the key here is for {handed.use} in store {handed.store_id}")
        return Keyring(store_id, {}, handed.current, handed)
    whole = [slot for slot in slots if not slot.purpose]
    if not whole:
        raise StoreError("tampered", f"store {store_id} has lost its key slots")
    newest = max(slot.generation for slot in whole)
    wrapping = Key.of(key)
    given = _wrapping_id(wrapping)
    mine = [slot for slot in whole if slot.key_id == given]
    current = next((slot.data_key_id for slot in mine if slot.generation == newest), None)
    if current is None:
        wanted = " or ".join(sorted(slot.key_id for slot in whole if slot.generation == newest))
        raise StoreError("key-wrong", f"store {store_id} wants key {wanted}; given was key {given}")
    return Keyring(store_id, {slot.data_key_id: _unwrap(store_id, slot, wrapping) for slot in mine}, current)


def _unwrap(store_id: str, slot: Slot, wrapping: Key) -> Key:
    data = Key(_wrapper(wrapping, store_id).decrypt(slot.wrapped, _about_slot(store_id, slot)) or b"")
    if len(data.raw) != KEY_BYTES:
        raise StoreError("tampered", f"the slot of key {slot.key_id} was altered or moved")
    return data


def _wrapper(wrapping: Key, store_id: str) -> Cipher:
    return wrapping.subkey("reconciler-wrap-1", store_id).cipher()


def _about_slot(store_id: str, slot: Slot) -> bytes:
    return joined("reconciler-slot-1", store_id, slot.key_id, slot.data_key_id, slot.generation,
                  slot.workspace, slot.purpose)  # fmt: skip


class Keyring:
    """A store's open data keys. Shows none of them, cannot be pickled; may be used from several threads."""

    __slots__ = ("_cipher", "_data", "_handed", "_subkey", "key_id", "store_id")

    def __init__(
        self, store_id: str, data: Mapping[str, Key], key_id: str, handed: subkeys.Handed | None = None
    ) -> None:
        self.store_id = store_id
        self._handed = handed
        self.key_id = key_id
        """Of the data key that seals what is new."""
        self._data = data
        self._subkey = cache(self._derive)
        self._cipher = cache(lambda key_id, workspace: self._subkey(key_id, workspace, SEALING).cipher())

    def __repr__(self) -> str:
        return f"<keyring of store {self.store_id}, data key {self.key_id}>"

    def _refuse(self, *_: Any) -> NoReturn:
        raise TypeError("a keyring cannot be pickled, copied or written")

    __reduce__ = __reduce_ex__ = __getstate__ = __copy__ = __deepcopy__ = _refuse

    def _derive(self, key_id: str, workspace: str, purpose: str) -> Key:
        if self._handed:
            self.need(workspace, purpose)
        data = self._data.get(key_id)
        if data is None:
            handed = self._handed.keys if self._handed else {}
            if key := handed.get((key_id, purpose)):
                return key
            here = ", ".join(sorted(self._data or {data_key for data_key, _ in handed}))
            raise StoreError("key-wrong", f"wanted: data key {key_id} of store {self.store_id}; at hand: {here}")
        return data.subkey("reconciler-subkey-1", self.store_id, workspace, purpose)

    def need(self, workspace: str, *purposes: str) -> None:
        """Raise StoreError ``key-lacks`` where one of these was not handed out: before anything is begun."""
        if self._handed and (lacking := self._handed.lacking(workspace, purposes)):
            raise lacking

    def hand(self, workspace: str, use: str) -> subkeys.Handed:
        """What one use of one workspace takes, to be handed out. Raises StoreError ``key-lacks`` where it is not here.

        Of every data key: an older one may have sealed what is still stored.
        """
        self.need(workspace, *subkeys.USES[use])
        data = set(self._data) or {data_key for data_key, _ in (self._handed.keys if self._handed else {})}
        keys = {(d, purpose): self._subkey(d, workspace, purpose) for d in data for purpose in subkeys.USES[use]}
        return subkeys.Handed(use, self.store_id, workspace, self.key_id, keys)

    def seal(self, workspace: str, name: str, provider: str, field: str, version: int, secret: Secret) -> SealedSecret:
        """Encrypt a value for one place, with its fingerprint. Raises SecretUnavailable ``secret-malformed``."""
        about = self._about(workspace, name, provider, field, version, self.key_id)
        sealed = self._cipher(self.key_id, workspace).encrypt(_bytes(secret), about)
        fingerprint = self.fingerprinter(workspace)(name, field, secret)
        return SealedSecret(field, version, self.key_id, sealed, fingerprint)

    def unseal(self, workspace: str, name: str, provider: str, sealed: SealedSecret) -> Secret:
        """Decrypt what was sealed for exactly this place.

        Raises StoreError: ``key-wrong`` where its key is not at hand, ``tampered`` where it was altered or moved.
        """
        about = self._about(workspace, name, provider, sealed.field, sealed.version, sealed.key_id)
        value = self._cipher(sealed.key_id, workspace).decrypt(sealed.sealed, about)
        if value is None:
            raise StoreError("tampered", f"the sealed secret {name}.{sealed.field} of {workspace} was altered or moved")
        return Secret(value.decode())

    def _about(self, workspace: str, name: str, provider: str, field: str, version: int, key_id: str) -> bytes:
        return joined("reconciler-secret-1", self.store_id, workspace, name, provider, field, version, key_id)

    def fingerprinter(self, workspace: str) -> Fingerprinter:
        """The function that fingerprints values of one workspace (D3). It raises SecretUnavailable as :meth:`seal`."""
        return _Fingerprinter(self._subkey(self.key_id, workspace, FINGERPRINTS), joined(self.store_id, workspace))

    def mac(self, workspace: str) -> Callable[[bytes], bytes]:
        """The function that chains events: the data key's id (8 bytes) and an HMAC-SHA256 (32 bytes)."""
        return _Mac(self.key_id, self._subkey(self.key_id, workspace, AUDIT))

    def checker(self, workspace: str) -> Callable[[bytes, bytes], bool]:
        """The function that tells whether a mac belongs to these bytes, with whichever data key made it.

        It raises StoreError ``key-wrong`` where that key is not at hand.
        """
        return self._checker(workspace, AUDIT)

    def signer(self, workspace: str) -> Callable[[bytes], bytes]:
        """The function that signs plan files: made like the mac of an event, under another subkey."""
        return _Mac(self.key_id, self._subkey(self.key_id, workspace, PLANS))

    def verifier(self, workspace: str) -> Callable[[bytes, bytes], bool]:
        """As :meth:`checker`, for the signatures of plan files."""
        return self._checker(workspace, PLANS)

    def _checker(self, workspace: str, purpose: str) -> Callable[[bytes, bytes], bool]:
        self.need(workspace, purpose)

        def check(message: bytes, mac: bytes) -> bool:
            key_id = mac[:8].hex()
            return hmac.compare_digest(_Mac(key_id, self._subkey(key_id, workspace, purpose))(message), mac)

        return check


class _Fingerprinter:
    """A plan makes one for every secret: everything that does not change is made ready."""

    __slots__ = ("_key", "_prefix")

    def __init__(self, key: Key, prefix: bytes) -> None:
        self._key = key
        self._prefix = prefix

    def __call__(self, name: str, field: str, value: Secret) -> bytes:
        text = _bytes(value)
        about = name.encode()
        key = field.encode()
        message = b"".join((self._prefix, _length(len(about)), about, _length(len(key)), key, _length(len(text)), text))
        return self._key.mac(message)[:FINGERPRINT_BYTES]


class _Mac:
    __slots__ = ("_key", "_prefix")

    def __init__(self, key_id: str, key: Key) -> None:
        self._key = key
        self._prefix = bytes.fromhex(key_id)

    def __call__(self, message: bytes) -> bytes:
        return self._prefix + self._key.mac(message)


def _bytes(secret: Secret) -> bytes:
    try:
        return secret.reveal().encode()
    except UnicodeEncodeError:
        # raised outside: the error itself carries the value
        pass
    raise SecretUnavailable("secret-malformed", "it is not text")
