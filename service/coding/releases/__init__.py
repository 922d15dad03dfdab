"""Whole releases of code systems that a site loads: read once into a store, then asked by every worker.

`importing.import_release` reads files into a new store and switches to it; a shelf (`shelves.open_shelf`: a folder of
SQLite files, or a PostgreSQL) holds the stores and says which are in use; `store.ReleaseStore` is what can be asked.
Nothing licensed is shipped.
"""
