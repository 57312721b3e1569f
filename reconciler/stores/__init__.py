"""The stored state: SQLite (``sqlite.py``) and PostgreSQL, behind :mod:`reconciler.stores.base`."""
