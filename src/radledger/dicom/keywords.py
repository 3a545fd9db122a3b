"""Sets of attributes, by the keywords of pydicom's dictionary."""

from __future__ import annotations

from pydicom.datadict import tag_for_keyword

__all__ = ["CODES", "DEPENDED_ON", "MEANING", "tags"]


def tags(keywords: str) -> frozenset[int]:
    """The tags of dictionary keywords, which white space separates.

    Raises
    ------
    LookupError
        If one is not in pydicom's dictionary: a slip in this package.
    """
    found = frozenset(tag_for_keyword(keyword) or 0 for keyword in keywords.split())
    if 0 in found:
        raise LookupError("a keyword is not in pydicom's dictionary")
    return found


CODES = tags("CodeValue CodingSchemeDesignator")

MEANING = CODES | tags(
    """
    PixelSpacing ImagerPixelSpacing NominalScannedPixelSpacing PixelAspectRatio SliceThickness
    SpacingBetweenSlices ImagePositionPatient ImageOrientationPatient PatientOrientation
    PatientPosition Laterality ImageLaterality FrameLaterality ViewPosition
    GridFrameOffsetVector
    SequenceOfUltrasoundRegions RegionSpatialFormat RegionDataType RegionFlags
    RegionLocationMinX0 RegionLocationMinY0 RegionLocationMaxX1 RegionLocationMaxY1
    ReferencePixelX0 ReferencePixelY0 PhysicalUnitsXDirection PhysicalUnitsYDirection
    PhysicalDeltaX PhysicalDeltaY ReferencePixelPhysicalValueX ReferencePixelPhysicalValueY
    ImagedVolumeWidth ImagedVolumeHeight ImagedVolumeDepth TotalPixelMatrixColumns
    TotalPixelMatrixRows TotalPixelMatrixOriginSequence XOffsetInSlideCoordinateSystem
    YOffsetInSlideCoordinateSystem ZOffsetInSlideCoordinateSystem ImageOrientationSlide
    PlanePositionSlideSequence ColumnPositionInTotalImagePixelMatrix
    RowPositionInTotalImagePixelMatrix
    RescaleIntercept RescaleSlope RescaleType ModalityLUTSequence LUTDescriptor LUTData
    Units DoseGridScaling DoseUnits DoseType
    RealWorldValueMappingSequence RealWorldValueFirstValueMapped RealWorldValueLastValueMapped
    RealWorldValueIntercept RealWorldValueSlope RealWorldValueLUTData
    DoubleFloatRealWorldValueFirstValueMapped DoubleFloatRealWorldValueLastValueMapped
    MeasurementUnitsCodeSequence
    RedPaletteColorLookupTableDescriptor GreenPaletteColorLookupTableDescriptor
    BluePaletteColorLookupTableDescriptor RedPaletteColorLookupTableData
    GreenPaletteColorLookupTableData BluePaletteColorLookupTableData
    SegmentedRedPaletteColorLookupTableData SegmentedGreenPaletteColorLookupTableData
    SegmentedBluePaletteColorLookupTableData AlphaPaletteColorLookupTableData
    SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence PixelMeasuresSequence
    PlanePositionSequence PlaneOrientationSequence PlanePositionVolumeSequence
    PlaneOrientationVolumeSequence ImagePositionVolume ImageOrientationVolume
    PixelValueTransformationSequence FrameAnatomySequence
    SegmentationType MaximumFractionalValue SegmentIdentificationSequence
    ReferencedSegmentNumber SegmentSequence SegmentNumber
    SegmentedPropertyCategoryCodeSequence SegmentedPropertyTypeCodeSequence
    """
)
"""Attributes that give the pixels their place, size and meaning; codes in sequences only."""

DEPENDED_ON = MEANING | tags(
    """
    Modality PhotometricInterpretation PixelPaddingValue PixelPaddingRangeLimit
    PixelIntensityRelationship PixelIntensityRelationshipSign PresentationLUTShape FrameTime
    FrameTimeVector
    """
)
"""Attributes without which pixels mean something else; the image digest has not all of them."""
