"""Whole releases of code systems that a site loads: read once into an SQLite file, then asked by every worker.

`importing.import_release` reads files into a new store and switches to it; `shelf.Shelf` is the folder that holds the
stores and says which are in use; `store.ReleaseStore` is what can be asked. Nothing licensed is shipped.
"""
