"""Private keys as people keep and copy them: hexadecimal digits, or the words of a mnemonic.

Words may come in any language of BIP-39, in capitals, numbered, one a line, with the ideographic
spaces of Japanese or no spaces as in Chinese, and with any signs between them.

References
----------
.. [1] BIP-39, Mnemonic code for generating deterministic keys, and its ten lists of words
.. [2] BIP-32 and BIP-44 for the path
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from importlib import resources

from radledger.chain.errors import AccountInvalid
from radledger.chain.signatures import ORDER

__all__ = ["PATH", "key_from_text"]

PATH = "m/44'/60'/0'/0/0"
"""The path of a mnemonic's first account."""

_COUNTS = (12, 15, 18, 21, 24)
_KEY = re.compile("(0x)?[0-9a-f]{1,64}")
_DIGITS = 64
# Of 2^32 keys, one begins with four bytes of zeros; who writes fewer digits has lost some.
_FEWEST_DIGITS = _DIGITS - 8
# No word of the lists has a sign that is not a letter; what stands beside it may be its number.
_BETWEEN = re.compile(r"[\W_]+")
_PART_OF_A_KEY = re.compile("[0-9a-f]{32}")
# The lists are written with accents that tell no two words apart.
_LATIN = ("czech", "english", "french", "italian", "portuguese", "spanish")


def key_from_text(text: str) -> bytes:
    """The private key that a text gives: itself, or by the first account of a mnemonic.

    Parameters
    ----------
    text
        64 hexadecimal digits (fewer by whole bytes where leading zeros were cut off), or a
        mnemonic of 12, 15, 18, 21 or 24 words.

    Raises
    ------
    AccountInvalid
        If it is neither.  The error names a word that is in no list, and nothing else of it.

    Examples
    --------
    >>> key_from_text("TEST test\\n" * 5 + "test junk").hex()[:16]
    'ac0974bec39a17e3'
    """
    # NFKC makes one form of what keyboards and scripts write in several.
    text = unicodedata.normalize("NFKC", text).lower()
    if len(digits := _BETWEEN.sub("", text)) > 8 and _KEY.fullmatch(digits):
        return _key_from_digits(digits.removeprefix("0x"))
    words = [word for each in _BETWEEN.split(text) if (word := each.strip("0123456789"))]
    if all("CJK" in unicodedata.name(sign, "") for word in words for sign in word):
        words = list("".join(words))  # each sign is a word, whatever stands between them
    # No error names a word of what may be a key.
    if len(words) < 2 or _PART_OF_A_KEY.search(text):
        raise AccountInvalid(
            "that is neither a private key of 64 hexadecimal digits nor a BIP-39 mnemonic"
        )
    return _key_from_words(words)


def _key_from_digits(digits: str) -> bytes:
    if len(digits) < _FEWEST_DIGITS or len(digits) % 2:
        raise AccountInvalid(
            f"a private key has {_DIGITS} hexadecimal digits, and this has {len(digits)}; copy it "
            "whole, with its leading zeros"
        )
    key = bytes.fromhex(digits.rjust(_DIGITS, "0"))
    if not 0 < int.from_bytes(key) < ORDER:
        raise AccountInvalid(
            "that is not a private key: one is above zero and below the order of secp256k1; copy "
            "it again"
        )
    return key


def _key_from_words(words: Sequence[str]) -> bytes:
    from eth_account.hdaccount import key_from_seed
    from eth_account.hdaccount.mnemonic import Mnemonic

    if len(words) not in _COUNTS:
        raise AccountInvalid(
            f"a BIP-39 mnemonic has {', '.join(map(str, _COUNTS[:-1]))} or {_COUNTS[-1]} words, "
            f"and this has {len(words)}; copy all of them",
            words=len(words),
        )
    found = {language: _indices(words, language) for language in _languages()}
    for language, indices in found.items():
        if None not in indices and _checksum_holds([each or 0 for each in indices]):
            listed = _listed(language)
            written = " ".join(listed[each or 0] for each in indices)
            return bytes(key_from_seed(Mnemonic.to_seed(written), PATH))
    language, indices = min(found.items(), key=lambda each: each[1].count(None))
    if None in indices:
        place = indices.index(None)
        which = "BIP-39 list"
        if indices.count(None) < len(words):
            which = f"BIP-39 list that has the others (nearest: {language.replace('_', ' ')})"
        raise AccountInvalid(
            f"word {place + 1}, {words[place]!r}, is in no {which}; correct it", word=place + 1
        )
    raise AccountInvalid(
        "the words are BIP-39's, but their checksum does not hold: one is another word, or their "
        "order is; compare them with the original"
    )


def _checksum_holds(indices: Sequence[int]) -> bool:
    """Whether the last bits are the first ones of the rest's SHA-256, one for each 32 bits."""
    import hashlib

    bits = "".join(f"{index:011b}" for index in indices)
    size = len(bits) * 32 // 33
    entropy = int(bits[:size], 2).to_bytes(size // 8)
    digest = int.from_bytes(hashlib.sha256(entropy).digest())
    return f"{digest:0256b}".startswith(bits[size:])


def _languages() -> list[str]:
    from eth_account.hdaccount.mnemonic import Mnemonic

    return [*Mnemonic.list_languages(), "portuguese"]


def _indices(words: Sequence[str], language: str) -> list[int | None]:
    places = _places(language)
    plain = language in _LATIN
    return [places.get(_without_accents(word) if plain else _form(word)) for word in words]


@cache
def _places(language: str) -> dict[str, int]:
    form = _without_accents if language in _LATIN else _form
    return {form(word): place for place, word in enumerate(_listed(language))}


@cache
def _listed(language: str) -> list[str]:
    from eth_account.hdaccount.mnemonic import get_wordlist

    if language != "portuguese":  # the one of BIP-39's lists that eth-account lacks
        return list(get_wordlist(language))
    file = resources.files("radledger.chain.keystore") / "portuguese.txt"
    return file.read_text("utf-8").split()


def _form(word: str) -> str:
    """A word as BIP-39 hashes it."""
    return unicodedata.normalize("NFKD", word)


def _without_accents(word: str) -> str:
    return "".join(sign for sign in _form(word) if not unicodedata.combining(sign))
