"""FHIR R4 at a gateway: the Consent Registry of IHE PCF, and imaging studies for SMART apps."""

from __future__ import annotations
