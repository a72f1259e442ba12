"""The report of a factorisation: maps, spectra and their errors."""
