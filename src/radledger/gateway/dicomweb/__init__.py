"""DICOMweb (PS3.18) for a viewer with a token: it sees what the chain permits, and nothing else.

=================  ==================================================================
``image_sets``     the image sets of the gateway's home, opened
``instances``      their instances, opened
``view``           what a token permits of them now
``json_model``     instances in the DICOM JSON Model
``negotiation``    in which form a request accepts what it asks for
``multipart``      answers in parts
``matching``       what a search asks for
``rows``           studies, series and instances, in which a search looks
``search``         QIDO-RS
``retrieve``       WADO-RS
``parts``          bodies in parts, as they come
``store``          STOW-RS
=================  ==================================================================
"""

from __future__ import annotations

__all__ = ["ROOT"]

ROOT = "/dicom-web"
"""Path of the service below the gateway's address."""
