// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Terms of the Data Use Ontology (DUO) as bits, and what they imply
/// @notice A grant permits purposes and asks for conditions; a use states its purposes, the conditions that it
/// fulfils and its disease. `docs/duo.md` lists every term with its bit.
/// @dev Source: DUO release 2021-02-23 (EBISPOT/DUO). Where its tree is silent, the published matching rules of the
/// Broad Institute's Data Use Oversight System (DataBiosphere/consent-ontology, docs/Algorithms.md) decide.
library DataUse {
    // ------------------------------------------------------------------ purposes: what may be done

    /// @notice DUO:0000004, no restriction.
    uint16 internal constant NO_RESTRICTION = 1 << 0;
    /// @notice DUO:0000042, general research use.
    uint16 internal constant GENERAL_RESEARCH = 1 << 1;
    /// @notice DUO:0000006, health, medical or biomedical research.
    uint16 internal constant BIOMEDICAL_RESEARCH = 1 << 2;
    /// @notice DUO:0000007, disease-specific research; the grant names the disease.
    uint16 internal constant DISEASE_RESEARCH = 1 << 3;
    /// @notice DUO:0000011, population origins or ancestry research.
    uint16 internal constant ANCESTRY_RESEARCH = 1 << 4;
    /// @notice DUO:0000043, clinical care.
    uint16 internal constant CLINICAL_CARE = 1 << 5;
    /// @notice DUO:0000031, method development.
    uint16 internal constant METHOD_DEVELOPMENT = 1 << 6;
    /// @notice DUO:0000036, research control.
    uint16 internal constant RESEARCH_CONTROL = 1 << 7;
    /// @notice Teaching, for which DUO has no term.
    uint16 internal constant TEACHING = 1 << 8;

    uint16 internal constant ALL_PURPOSES = (1 << 9) - 1;

    // ------------------------------------------------------------------ conditions: what a use must fulfil
    // NPU (45), NCU (46), GSO (16), PUB (19), COL (20), IRB (21), GS (22), MOR (24), TS (25), US (26), PS (27),
    // IS (28), RTN (29), RS (12) in this order; only the two prohibitions below are more than equality to a chain.

    /// @notice The conditions that a use can fulfil.
    uint16 internal constant REQUIREMENTS = (1 << 14) - 1;
    /// @notice DUO:0000015, no general methods research.
    uint16 internal constant NO_METHODS = 1 << 14;
    /// @notice DUO:0000044, no population origins or ancestry research.
    uint16 internal constant NO_ANCESTRY = 1 << 15;

    /// @notice The purposes that a grant permits, DUO's inheritance applied.
    /// @dev GRU includes ancestry and method research by its definition, though not in DUO's tree.
    /// @param purposes the purposes that were named
    /// @param conditions the conditions, of which the two prohibitions take purposes away
    /// @return expanded the purposes with all that they imply
    function expand(uint16 purposes, uint16 conditions) internal pure returns (uint16 expanded) {
        expanded = purposes;
        if (expanded & NO_RESTRICTION != 0) expanded = ALL_PURPOSES;
        if (expanded & GENERAL_RESEARCH != 0) expanded |= BIOMEDICAL_RESEARCH | ANCESTRY_RESEARCH;
        if (expanded & BIOMEDICAL_RESEARCH != 0) expanded |= DISEASE_RESEARCH | RESEARCH_CONTROL;
        // What is left after a prohibition is not without restriction; ancestry research that is prohibited implies no
        // methods either.
        if (conditions & NO_ANCESTRY != 0) expanded &= ~(NO_RESTRICTION | ANCESTRY_RESEARCH);
        if (expanded & (DISEASE_RESEARCH | ANCESTRY_RESEARCH) != 0) expanded |= METHOD_DEVELOPMENT;
        if (conditions & NO_METHODS != 0) expanded &= ~(NO_RESTRICTION | METHOD_DEVELOPMENT);
    }

    /// @notice Whether expanded purposes are limited to one disease, which a grant must then name.
    /// @param purposes expanded purposes
    function namesDisease(uint16 purposes) internal pure returns (bool) {
        return purposes & (DISEASE_RESEARCH | BIOMEDICAL_RESEARCH) == DISEASE_RESEARCH;
    }

    /// @notice The purposes of a use, with research on the disease that it names, unless it is care or teaching alone.
    /// @param purposes purposes of the use
    /// @param disease whether it names one
    function stated(uint16 purposes, bool disease) internal pure returns (uint16) {
        bool research = disease && purposes & ~(CLINICAL_CARE | TEACHING) != 0;
        return research ? purposes | DISEASE_RESEARCH : purposes;
    }

    /// @notice The purposes of a use that a grant does not permit.
    /// @dev Methods and controls for the very disease of the grant are research on that disease (DUOS).
    /// @param granted expanded purposes of the grant
    /// @param used purposes of the use
    /// @param sameDisease whether the use is research on the one disease of the grant
    function missing(uint16 granted, uint16 used, bool sameDisease) internal pure returns (uint16 purposes) {
        purposes = used & ~granted;
        if (sameDisease) purposes &= ~(METHOD_DEVELOPMENT | RESEARCH_CONTROL);
    }
}
