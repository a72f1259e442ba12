"""specfit: laboratory spectra to material values, without starting values."""
