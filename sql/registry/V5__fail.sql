-- Lets a statement fail with an SQLSTATE and words of our own, where rows are not what they have to be.
create function tenantry.fail(state text, message text) returns text
language plpgsql
as $$
begin
  raise exception using errcode = state, message = message;
end
$$;
comment on function tenantry.fail(text, text) is 'Raises an error.';
