"""What free text may keep: words of imaging, and quantities.

A list of what identifies a person can never be complete, so texts are cleaned by a list of
what does not: everything else is dropped, however harmless it looks.
"""

from __future__ import annotations

import re

__all__ = ["clean"]

_WORDS = frozenset(
    """
    abdomen abdominal abscess acetabulum acute adc adrenal after air angio angiogram angiography
    ankle anterior aorta aortic ap apical arm arterial artery asl axial bilateral biopsy bladder
    blood body bold bone bowel brain breast bronchus c+ c- calf cardiac carotid catheter cavity
    cervical chest chronic cine clavicle coil colon colonography contrast coronal coronary cranial
    cranium ct cta cube cyst decubitus delayed derived diffusion dixon dose dual dti dwi dynamic
    early echo elbow epi esophagus exam expiration extremity face fat femoral femur fetal fiesta
    finger fingers flair flash follow foot forearm fracture frame frontal function functional gated
    gd gland gre hand head heart helical hemorrhage hepatic high hip humerus hypophysis in inf
    inferior infiltrate infusion injection inspiration intervention joint kidney kidneys knee
    larynx late lateral left leg lesion ligament limb liver localiser localizer long low lower
    lumbar lung lungs lymph mag mammogram mammography mass maxilla medial mediastinum medium
    meniscus metastasis mip mono mpr mprage mr mra mri multi muscle myocardial native neck neonatal
    nerve node nodes nodule non oblique opposed orbit orbits out pa pancreas parallel parathyroid
    patella pd pelvic pelvis perfusion pet phantom phase pineal pituitary plain pleura portal
    posterior post pre pregnancy prostate proton pulmonary radiograph radius range recon
    reconstruction rectum reformat renal research rest rib ribs right roi sacrum sag sagittal
    sinus sinuses scan scapula scout screening se segmentation sequence series short shoulder skull
    slab slice slices soft space spect spgr spin spine spleen standard sternum stir stomach stone
    stress study sub subtraction sup superior supine survey swi t1 t1w t2 t2* t2w temporal thick
    thigh thin thorax thoracic thrombus thyroid tibia time tirm tissue toe tof tomosynthesis tra
    trachea transverse trauma trufi tse tumor tumour tumors turbo ultrasound upper ureter urography
    us uterus vascular vein venous ventricle vessel vessels vibe view volume washin washout water
    weighted whole window with without wrist xr
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
_QUANTITY = re.compile(r"\d{1,3}([.,]\d{1,2})?(mm|cm|ml|mg|kv|kvp|ma|mas|ms|s|sec|min|t|d|x)")
_TOKEN = re.compile(r"[^\s_/\\,;:()\[\]^=|]+")


def clean(text: str) -> str:
    """Keep the words of imaging and quantities with a unit; drop all others.

    Examples
    --------
    >>> clean("MRI Brain T1 post Gd for Mr Miller, born 1950, 5mm")
    'MRI Brain T1 post Gd Mr 5mm'
    """
    kept = []
    for token in _TOKEN.findall(text):
        word = token.strip(".!?\"'").casefold()
        if word in _WORDS or _QUANTITY.fullmatch(word):
            kept.append(token.strip(".!?\"'"))
    return " ".join(kept)
