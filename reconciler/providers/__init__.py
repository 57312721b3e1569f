"""One file per SMS service, behind :mod:`reconciler.providers.base`."""
