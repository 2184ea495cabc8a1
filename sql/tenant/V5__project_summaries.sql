-- Every project in numbers, for a dashboard.

-- security_invoker: the view reads with the rights of the tenant's role, not those of the role that migrates.
-- The counts are int, as a GraphQL Int is a number and a BigInt a string.
create view project_summaries with (security_invoker = true) as
select
  projects.id as project_id,
  projects.key,
  projects.name,
  count(issues.id)::int as issue_count,
  (count(issues.id) filter (where closed_at is null))::int as unresolved_count,
  (count(issues.id) filter (where closed_at is null and assignee_id is null))::int as unassigned_count,
  (count(issues.id) filter (where closed_at is null and due_date < current_date))::int as overdue_count,
  max(issues.updated_at) as last_activity_at
from projects left join issues on issues.project_id = projects.id
group by projects.id;

comment on view project_summaries is 'A project in numbers.';
comment on column project_summaries.issue_count is 'All issues, closed ones included.';
comment on column project_summaries.unresolved_count is 'Issues that are neither done nor cancelled.';
comment on column project_summaries.unassigned_count is 'Unresolved issues that nobody works on.';
comment on column project_summaries.overdue_count is 'Unresolved issues whose due date has passed.';
comment on column project_summaries.last_activity_at is 'When an issue last changed; null without issues.';
