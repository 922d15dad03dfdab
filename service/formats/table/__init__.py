"""Tables of lesions, and files of other tools, as findings JSON: dcmqi's TID 1500 JSON, AIM 4 XML, CSV, NDJSON rows.

Each reader makes a findings document and says of each member where it came from. The findings reader, the one contract
with senders, then reads it; places in its errors and in the report are turned back into those of the source. So a
spreadsheet is held to the same rules as any sender.

mapping   the file that names the columns, and what no column has
rows      CSV and NDJSON, grouped into reports
dcmqi     the JSON of tid1500writer and tid1500reader
aim       ImageAnnotationCollection, AIM 4
drafts    the findings document as it grows, with the place of each member
"""
