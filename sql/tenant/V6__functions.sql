-- Functions that the API offers as fields.

-- Serves search_issues; its expression and the function's must stay the same.
create index issues_search_idx on issues using gin (to_tsvector('english', title || ' ' || body));

create function search_issues(query text) returns setof issues language sql stable
begin atomic
  select issues.* from issues
  where to_tsvector('english', title || ' ' || body) @@ websearch_to_tsquery('english', query);
end;

create function issue_age_in_days(issue issues) returns int language sql stable
  return extract(day from coalesce(issue.closed_at, now()) - issue.created_at)::int;

create function close_issue(id uuid, comment text default null) returns issues language sql volatile
begin atomic
  insert into comments (issue_id, body)
    select issues.id, close_issue.comment from issues
    where issues.id = close_issue.id and close_issue.comment is not null;
  update issues set status = 'done' where issues.id = close_issue.id returning issues.*;
end;

comment on function search_issues is
  'Issues whose title or body has the words; understands "a phrase", or, and -without.';
comment on function issue_age_in_days is 'Whole days from filing to closing, or to now while it is unresolved.';
comment on function close_issue is 'Marks an issue as done, with a last comment if there is something to say.';
