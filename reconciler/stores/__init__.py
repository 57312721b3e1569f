"""The stored state, behind :mod:`reconciler.stores.base`: SQLite (``sqlite.py``)."""
