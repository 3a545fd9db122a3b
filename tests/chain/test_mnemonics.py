"""Mnemonics and keys as people keep and copy them."""

from __future__ import annotations

import unicodedata

import pytest
from eth_account.hdaccount.deterministic import HDPath
from eth_account.hdaccount.mnemonic import Mnemonic
from eth_account.types import Language
from hypothesis import given, settings
from hypothesis import strategies as st

from radledger.chain.errors import AccountInvalid
from radledger.chain.keystore.mnemonics import PATH, key_from_text

WORDS = "test test test test test test test test test test test junk"
KEY = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
LANGUAGES = Mnemonic.list_languages()
# Words and seed as @scure/bip39 makes them of sixteen bytes of 7.
PORTUGUESE = (
    "adubo cidade predador alusivo galinha inocente avesso sonhador adubo cidade predador amolador",
    (
        "b07544febadff4da7528d127b8e8cc2f21312da397623879f8b89f4b0439c730"
        "6caabb6f0203a1841fbecf9fe62fedbfcba56f97ccc3b5b645fae47d52cde5fd"
    ),
)
ENTROPY = st.sampled_from((16, 20, 24, 28, 32)).flatmap(
    lambda size: st.binary(min_size=size, max_size=size)
)


def expected(mnemonic):
    """The key that eth-account derives from a mnemonic written as BIP-39 writes it."""
    return HDPath(PATH).derive(Mnemonic.to_seed(mnemonic))


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=12, deadline=None)
@given(entropy=ENTROPY)
def test_each_language_as_it_is_written_and_copied(language, entropy):
    mnemonic = Mnemonic(Language(language)).to_mnemonic(entropy)
    words = mnemonic.split()
    key = expected(mnemonic)
    copies = [
        mnemonic,
        unicodedata.normalize("NFC", mnemonic),
        unicodedata.normalize("NFKD", mnemonic),
        mnemonic.upper(),
        "\ufeff" + "\r\n".join(words).title() + "\r\n",
        "\u00a0\u3000".join(words),
        "\n".join(f"{place}. {word}" for place, word in enumerate(words, 1)),
        ", ".join(words),
        " | ".join(words),
        "/".join(words),
        "\n".join(f"• `{word}`" for word in words),
        "\n".join(f"#{place} {word}" for place, word in enumerate(words, 1)),
        " ".join(f"{place}={word}" for place, word in enumerate(words, 1)),
    ]
    if language.startswith("chinese"):
        fours = ("".join(words[start : start + 4]) for start in range(0, len(words), 4))
        copies += ["".join(words), "\n".join(fours)]
    if language in ("french", "spanish"):
        copies.append("".join(c for c in unicodedata.normalize("NFD", mnemonic) if c.isascii()))
    assert {key_from_text(copy) for copy in copies} == {key}


def test_portuguese_which_eth_account_lacks():
    words, seed = PORTUGUESE
    assert key_from_text(words) == HDPath(PATH).derive(bytes.fromhex(seed))
    with pytest.raises(AccountInvalid, match=r"word 12, 'amola', .* \(nearest: portuguese\)"):
        key_from_text(words.replace("amolador", "amola"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (WORDS.replace("junk", "junx"), "word 12, 'junx',"),
        (WORDS.replace("junk", "j0nk"), "word 12, 'j0nk',"),
        ("xyzzy " * 12, "word 1, 'xyzzy', is in no BIP-39 list; correct it"),
        (WORDS + " test", "12, 15, 18, 21 or 24 words, and this has 13"),
        ("test " * 11, "and this has 11"),
        ("test " * 12, "checksum"),
        ("あいこくしん\u3000" * 12, "checksum"),
    ],
)
def test_what_is_wrong_with_words_is_reported(text, told):
    with pytest.raises(AccountInvalid) as refusal:
        key_from_text(text)
    assert told in refusal.value.message
    assert " ".join(text.split()[:3]) not in refusal.value.message


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        "0x" + KEY,
        "0X" + KEY.upper(),
        f"\ufeff'0x{KEY}'\r\n",
        f"`0x{KEY}`",
        " ".join(KEY[start : start + 4] for start in range(0, 64, 4)),
        "0x" + KEY[:32] + "\n" + KEY[32:],
    ],
)
def test_a_key_as_it_is_copied(text):
    assert key_from_text(text).hex() == KEY


@pytest.mark.parametrize("cut", [2, 4, 8])
def test_a_key_whose_leading_zeros_were_cut_off(cut):
    key = "0" * cut + KEY[cut:]
    assert key_from_text(key[cut:]) == key_from_text("0x" + key[cut:]) == bytes.fromhex(key)


@pytest.mark.parametrize("digits", [63, 61, 54, 32, 9])
def test_a_key_that_lacks_digits_is_refused(digits):
    with pytest.raises(AccountInvalid, match=f"and this has {digits}; copy it whole"):
        key_from_text(KEY[:digits])


@pytest.mark.parametrize("text", ["", " \n", "0x", "0x12", "secret", KEY + "00", KEY[:-1] + "g"])
def test_what_is_neither(text):
    with pytest.raises(AccountInvalid, match="neither a private key of 64 hexadecimal digits nor"):
        key_from_text(text)


@pytest.mark.parametrize(
    "text", [f"{'test ' * 11}0x{KEY}", f"{'test ' * 11}k:{KEY}", f"key = {KEY}"]
)
def test_no_error_shows_a_key(text):
    with pytest.raises(AccountInvalid, match="neither a private key") as refusal:
        key_from_text(text)
    assert KEY[:8] not in refusal.value.message


@pytest.mark.parametrize("key", ["00" * 32, "ff" * 32])
def test_what_is_not_a_key_of_the_curve(key):
    with pytest.raises(AccountInvalid, match="below the order"):
        key_from_text(key)
