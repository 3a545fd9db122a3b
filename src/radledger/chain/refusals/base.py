"""The class below every custom error."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar, Self

from radledger.errors import Refusal

__all__ = ["ContractError"]


class ContractError(Refusal):
    """A custom error of a contract; each subclass has the name it has in Solidity.

    The docstring of a subclass is the error's NatSpec notice.  Arguments are in ``values`` by
    their Solidity names: addresses in EIP-55 form, bytes as ``0x…``.
    """

    selector: ClassVar[str]
    """First four bytes of keccak256 of the error's signature, in hexadecimal."""

    parameters: ClassVar[tuple[tuple[str, str, str], ...]]
    """Name, ABI type and Solidity type (the ABI's ``internalType``) of each argument."""

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """Make the error with its notice as the message, the values filled in.

        Examples
        --------
        >>> from radledger.chain.refusals import IdentityRecoveryNotReady
        >>> IdentityRecoveryNotReady.of({"readyAt": 1800000000}).message
        'The recovery cannot be executed before 1800000000 (Unix time).'
        """
        notice = " ".join(inspect.cleandoc(cls.__doc__ or cls.__name__).split())
        unsaid = []
        for name, value in values.items():
            if f"`{name}`" in notice:
                notice = notice.replace(f"`{name}`", str(value))
            else:
                unsaid.append(f"{name} {value}")
        message = f"{notice.rstrip('.')} ({', '.join(unsaid)})." if unsaid else notice
        return cls(message, **values)
