"""The elements of R4 that are read: each of its type, and none that is not listed here.

Elements that FHIR has and the chain cannot hold are listed as well, so that they are refused by
their own reason and not as unknown ones.

References
----------
.. [1] HL7 FHIR R4, Consent, https://hl7.org/fhir/R4/consent.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from radledger.fhir.errors import Issue, ResourceInvalid
from radledger.texts import quoted

__all__ = [
    "CodeableConcept",
    "Coding",
    "Consent",
    "Data",
    "Element",
    "Extension",
    "Identifier",
    "Period",
    "Provision",
    "Reference",
]

_Text = Annotated[str, Field(min_length=1, max_length=1_000)]


class Element(BaseModel):
    """Any element; extensions that modify nothing are left alone."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, populate_by_name=True, strict=True
    )

    id: _Text | None = None
    extension: list[Any] = []


class Coding(Element):
    """A code of a system."""

    system: _Text | None = None
    version: _Text | None = None
    code: _Text | None = None
    display: _Text | None = None
    user_selected: bool | None = None


class CodeableConcept(Element):
    """A concept, by codes or in words."""

    coding: list[Coding] = []
    text: _Text | None = None

    def has(self, system: str, code: str) -> bool:
        """Whether one of its codes is this one."""
        return any((each.system, each.code) == (system, code) for each in self.coding)


class Identifier(Element):
    """A name of something in a system of names."""

    use: _Text | None = None
    type: CodeableConcept | None = None
    system: _Text | None = None
    value: _Text | None = None
    period: Any = None
    assigner: Any = None


class Reference(Element):
    """A reference to another resource, by its address or by an identifier."""

    reference: _Text | None = None
    type: _Text | None = None
    identifier: Identifier | None = None
    display: _Text | None = None


class Extension(Element):
    """An extension with one of the values that are read here."""

    url: _Text
    value_coding: Coding | None = None
    value_string: _Text | None = None


class Period(Element):
    """A time from and to, both included."""

    start: _Text | None = None
    end: _Text | None = None


class Actor(Element):
    """Who or what is permitted or denied, and as what."""

    modifier_extension: list[Any] = []
    role: CodeableConcept
    reference: Reference


class Data(Element):
    """Data that a rule is about."""

    modifier_extension: list[Any] = []
    meaning: Literal["instance", "related", "dependents", "authoredby"]
    reference: Reference


class Provision(Element):
    """A rule of a Consent, with the exceptions to it."""

    modifier_extension: list[Extension] = []
    type: Literal["permit", "deny"] | None = None
    period: Period | None = None
    actor: list[Actor] = []
    action: list[Any] = []
    security_label: list[Any] = []
    purpose: list[Coding] = []
    class_: list[Any] = Field([], alias="class")
    code: list[Any] = []
    data_period: Any = None
    data: list[Data] = []
    provision: list[Provision] = []


class Policy(Element):
    """A policy that a Consent is built on."""

    modifier_extension: list[Any] = []
    authority: _Text | None = None
    uri: _Text | None = None


class Attachment(Element):
    """A document elsewhere."""

    content_type: _Text | None = None
    language: _Text | None = None
    data: Any = None
    url: _Text | None = None
    size: int | None = None
    hash: _Text | None = None
    title: _Text | None = None
    creation: _Text | None = None


class Consent(Element):
    """A Consent."""

    resource_type: Literal["Consent"]
    meta: Any = None
    implicit_rules: Any = None
    language: Any = None
    text: Any = None
    contained: list[Any] = []
    modifier_extension: list[Any] = []
    identifier: list[Any] = []
    status: Literal["draft", "proposed", "active", "rejected", "inactive", "entered-in-error"]
    scope: CodeableConcept
    category: Annotated[list[CodeableConcept], Field(min_length=1)]
    patient: Reference
    date_time: _Text | None = None
    performer: list[Reference] = []
    organization: list[Reference] = []
    source_attachment: Attachment | None = None
    source_reference: Reference | None = None
    policy: list[Policy] = []
    policy_rule: Any = None
    verification: list[Any] = []
    provision: Provision

    @classmethod
    def parse(cls, resource: Mapping[str, Any]) -> Consent:
        """Read a resource.

        Raises
        ------
        ResourceInvalid
            If it is not a Consent of R4, with a reason for each element.
        """
        try:
            return cls.model_validate(resource)
        except ValidationError as error:
            issues = [
                Issue(
                    ".".join(["Consent", *map(str, each["loc"])]),
                    "required" if each["type"] == "missing" else "structure",
                    f"{each['msg'].removesuffix('.')}: {quoted(each['input'])}"
                    if each["type"] != "missing"
                    else "is missing",
                )
                for each in error.errors(include_url=False)
            ]
            raise ResourceInvalid.of("this is not a Consent of FHIR R4", issues) from None
