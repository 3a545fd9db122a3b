"""What the services over HTTP share: how they listen, how they refuse, and how they are asked.

===============  ==================================================================
``service``      what a service is called, and its errors
``application``  an application of FastAPI, as all services have it
``server``       listens and serves, in the foreground or in a thread
``arrival``      drops requests that do not arrive
``problems``     refusals as problem objects, and the limit of a body
``browsers``     which host names and pages of browsers are answered
``remote``       asks a service, and raises its refusals
===============  ==================================================================

Those that listen need the packages of an extra of the service's name.
"""

from __future__ import annotations

from radledger.httpapi.service import Service

__all__ = ["Service"]
