"""Reports, their versions, the bytes emitted for them and the receipts; SQLite embedded or PostgreSQL.

Nothing here is imported until a report is stored or asked for: a stateless conversion needs no database.
"""
