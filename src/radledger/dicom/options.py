"""What the options change of the Basic Profile: the columns of PS3.15 Table E.1-1, edition 2026c.

Attributes given by number are not in pydicom's dictionary yet, and so removed until they are.
"""

from __future__ import annotations

from radledger.dicom.keywords import tags

__all__ = [
    "CHARACTERISTICS_CLEANED",
    "CHARACTERISTICS_KEPT",
    "DATES_NOT_MODIFIED",
    "DATES_OF_OTHER_VR",
    "DESCRIPTORS_CLEANED",
    "DEVICE_CLEANED",
    "DEVICE_KEPT",
]

DEVICE_KEPT = tags(
    """
    BeamHoldTransitionDateTime CalibrationDate CalibrationDateTime CalibrationTime CassetteID
    DateOfInstallation DateOfLastCalibration DateOfLastDetectorCalibration DateOfManufacture
    DateTimeOfLastCalibration DetectorID DeviceDescription DeviceLabel DeviceSerialNumber
    DeviceUID GantryID GeneratorID HardcopyCreationDeviceID LensMake LensModel LensSerialNumber
    LensSpecification ManufacturerDeviceClassUID ManufacturerDeviceIdentifier ModifyingDeviceID
    ModifyingSystem PerformedStationGeographicLocationCodeSequence PerformedStationName
    PerformedStationNameCodeSequence PlateID ScheduledProcedureStepLocation
    ScheduledStationGeographicLocationCodeSequence ScheduledStationName
    ScheduledStationNameCodeSequence ScheduledStudyLocation SecondaryCaptureDeviceID
    SourceManufacturer SourceSerialNumber StationName TimeOfLastCalibration
    TimeOfLastDetectorCalibration TransducerIdentificationSequence TreatmentMachineName
    UDISequence UniqueDeviceIdentifier XRayDetectorID XRayDetectorLabel XRaySourceID
    """
)
"""Retain Device Identity: K."""

DEVICE_CLEANED = tags(
    """
    DestinationAE NetworkID Originator PerformedStationAETitle ReceivingAE RequestingAE
    RetrieveAETitle ScheduledStationAETitle ScheduledStudyLocationAETitle SelectorAEValue
    StationAETitle
    """
)
"""Retain Device Identity: C."""

CHARACTERISTICS_KEPT = tags(
    """
    EthnicGroup EthnicGroupCodeSequence PatientAge PatientSex PatientSexNeutered PatientSize
    PatientWeight PregnancyStatus SelectorASValue SmokingStatus
    """
) | {0x00100043, 0x00100046, 0x00100047, 0x00102162}
"""Retain Patient Characteristics: K."""

CHARACTERISTICS_CLEANED = tags("Allergies PatientState PreMedication SpecialNeeds") | {0x00100042}
"""Retain Patient Characteristics: C."""

DATES_NOT_MODIFIED = tags("GPSTimeStamp PatientBirthDate PatientBirthTime")
"""Retain Longitudinal Temporal Information with Modified Dates: dates and times of the table with
no action in this column.  All its others have C."""

DATES_OF_OTHER_VR = tags("CertifiedTimestamp FrameOriginTimestamp TimezoneOffsetFromUTC")
"""Retain Longitudinal Temporal Information with Modified Dates: C, but neither DA, DT nor TM."""

DESCRIPTORS_CLEANED = tags(
    """
    AcquisitionComments AcquisitionContextDescription AcquisitionDeviceProcessingDescription
    AcquisitionFieldOfViewLabel AcquisitionProtocolDescription AdditionalPatientHistory
    AdmittingDiagnosesCodeSequence AdmittingDiagnosesDescription Allergies
    AnnotationGroupDescription AnnotationGroupLabel BeamDescription BolusDescription
    ChannelDerivationDescription ChannelLabel ClinicalTrialSeriesDescription
    ClinicalTrialTimePointDescription CommentsOnRadiationDose
    CommentsOnThePerformedProcedureStep CompensatorDescription
    ConceptualVolumeCombinationDescription ConceptualVolumeDescription ContainerDescription
    ContrastBolusAgent ContributionDescription DecompositionDescription DerivationDescription
    DeviceSettingDescription DischargeDiagnosisDescription DisplacementReferenceLabel
    DoseReferenceDescription EntityDescription EntityLabel EntityLongLabel EntityName
    EquipmentFrameOfReferenceDescription FilterLookupTableDescription FixationDeviceDescription
    FractionGroupDescription FractionationNotes FrameComments IdentifyingComments ImageComments
    ImagingServiceRequestComments Impressions InterlockDescription InterlockOriginDescription
    InterpretationDiagnosisDescription InterpretationText LabelText LongDeviceDescription
    MakerNote MedicalAlerts MultienergyAcquisitionDescription MultiplexGroupLabel Occupation
    PatientComments PatientSetupPhotoDescription PatientState
    PatientTreatmentPreparationMethodDescription
    PatientTreatmentPreparationProcedureParameterDescription PerformedProcedureStepDescription
    PositionAcquisitionTemplateDescription PositionAcquisitionTemplateName
    PrescriptionDescription PrescriptionNotes PrescriptionNotesSequence
    PriorTreatmentDoseDescription ProtocolName PyramidDescription PyramidLabel ROIDescription
    ROIGenerationDescription ROIName ROIObservationDescription ROIObservationLabel
    RTPhysicianIntentNarrative RTPlanDescription RTPlanLabel RTPlanName RTPrescriptionLabel
    RTToleranceSetLabel RTTreatmentApproachLabel RadiationDoseIdentificationLabel
    RadiationDoseInVivoMeasurementLabel RadiationGenerationModeDescription
    RadiationGenerationModeLabel ReasonForOmissionDescription
    ReasonForRequestedProcedureCodeSequence ReasonForStudy ReasonForSuperseding
    ReasonForTheAttributeModification ReasonForTheImagingServiceRequest
    ReasonForTheRequestedProcedure ReasonForVisit ReasonForVisitCodeSequence
    RequestAttributesSequence RequestedContrastAgent RequestedProcedureComments
    RequestedProcedureDescription RequestedSeriesDescription RequestingService
    RespiratoryMotionCompensationTechniqueDescription ResultsComments
    ScheduledProcedureStepDescription SelectorLOValue SelectorLTValue SelectorSHValue
    SelectorSTValue SelectorUTValue SeriesDescription ServiceEpisodeDescription
    SetupTechniqueDescription ShieldingDeviceDescription SpecimenDetailedDescription
    SpecimenShortDescription StructureSetDescription StructureSetLabel StructureSetName
    StudyComments StudyDescription TreatmentPositionGroupLabel TreatmentSite TreatmentSites
    TreatmentTechniqueNotes TreatmentToleranceViolationDescription UnformattedTextValue
    UserContentLabel UserContentLongLabel VisitComments WaveformFilterDescription
    """
) | {
    0x00081301,
    0x00081302,
    0x00081303,
    0x00081304,
    0x00100016,
    0x00100042,
    0x00100045,
    0x0040B03B,
    0x0040B03F,
}
"""Clean Descriptors: C."""
