"""One file per reference scheme, behind :mod:`reconciler.resolvers.base`."""
