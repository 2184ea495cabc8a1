-- tenantry: no transaction
create index concurrently odd_note on "odd ""name""" using gin (note gin_trgm_ops);
create unique index concurrently if not exists odd_last on "odd ""name""" (last) where last <> '';
