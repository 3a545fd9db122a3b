"""A custodian's gateway: image sets for readers elsewhere, over HTTP, as the chain permits.

=================  ==================================================================
``siwe``           messages of Sign-In with Ethereum (EIP-4361)
``sign_in``        challenges and sessions
``permissions``    what a token permits, asked once in each block
``tokens``         tokens for viewers
``expiring``       what is kept in memory for a time
``rates``          how often an account, or the holder of a token, may ask
``storing``        what takes instances for a gateway
``dicomweb``       what a viewer with a token is shown
``publisher``      the log of receipts, published while the gateway runs
``log_files``      the files of that log over HTTP
``opening``        tickets, and the cookie of a browser
``viewer``         the viewer that the gateway serves
``periodic``       what is done again and again meanwhile
``idle``           image sets that are not looked at, which are closed
``watcher``        erasures, which the gateway looks for in each block
``erasures``       erasures and certificates over HTTP
``service``        the gateway without its interface
``model``          what it answers with
``fields``         fields of what it is sent
``studies``        what a token permits of whole studies, which another system shows
``orthanc``        what Orthanc asks before it shows one
``authorization``  who sends a request
``application``    its interface
``signed_in``      an account that signs in to a gateway
``client``         a key service that asks a gateway
``patients``       what patients are shown, and their notices
``notices``        notices at each reading, by webhook or mail
``access_log``     that over HTTP
``shower``         what a gateway shows a patient
``holders``        gateways that are asked to erase, or given a certificate
=================  ==================================================================

The interface (``application``) needs the extra ``gateway``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
    from radledger.gateway.application import create_application
    from radledger.gateway.client import GatewayKeyService
    from radledger.gateway.holders import GatewayHolders
    from radledger.gateway.model import Health
    from radledger.gateway.service import Gateway
    from radledger.gateway.shower import GatewayAccessLog

__all__ = [
    "Gateway",
    "GatewayAccessLog",
    "GatewayHolders",
    "GatewayKeyService",
    "Health",
    "create_application",
]

__getattr__ = lazily(
    __name__,
    {
        "application": ("create_application",),
        "client": ("GatewayKeyService",),
        "holders": ("GatewayHolders",),
        "model": ("Health",),
        "service": ("Gateway",),
        "shower": ("GatewayAccessLog",),
    },
)
